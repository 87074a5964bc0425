"""Timestamps of checkpoints by an outside authority (RFC 3161): what it is asked, and what its answer proves.

What is stamped is the text of the checkpoint (C2SP tlog-checkpoint: origin, size, root, each with its newline) under
SHA-256, without the signatures, of which there are more over time. The answer is kept whole (TimeStampResp, DER), as
`openssl ts -verify` reads it.

The signature is checked by `rfc3161_client`, which is loaded only then: everything else of a package is verified
without it. docs/decisions/018-timestamps-from-outside.md says why it is that library.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509

from bluelamp.formats.errors import FormatError

QUERY_TYPE = "application/timestamp-query"
MOST_BYTES = 64 * 1024
"""A good answer with a chain of certificates has some 6 KB."""

_SHA256 = x509.ObjectIdentifier("2.16.840.1.101.3.4.2.1")
_UNKNOWN = "certificate verify error"  # OpenSSL's words (PKCS7_R_CERTIFICATE_VERIFY_ERROR)
_CERTIFICATES = 0xA0  # SignedData: certificates [0] IMPLICIT (RFC 5652, 5.1)


class TimestampError(FormatError):
    """An answer proves nothing; the message says why."""


class OtherText(TimestampError):
    """An answer is of something else than the checkpoint that it is held against."""


class UnknownAuthority(TimestampError):
    """An answer is signed by somebody whom no trusted certificate vouches for: nothing follows from it."""


class LibraryMissing(TimestampError):
    """`rfc3161_client` is not installed here, so that nothing can be said of an answer."""


@dataclass(frozen=True)
class Stamp:
    """What a good answer says: the time that the authority states (aware UTC), and whose key signed it."""

    at: datetime
    authority: str


def certificates(pem: bytes) -> tuple[x509.Certificate, ...]:
    """The certificates to trust, from a PEM file. Raises TimestampError."""
    try:
        return tuple(x509.load_pem_x509_certificates(pem))
    except ValueError as error:
        raise TimestampError("The file holds no certificate (PEM) that can be read.") from error


def request(text: str) -> tuple[bytes, int]:
    """What to send (TimeStampReq, DER) for the text of a checkpoint, and the nonce that a good answer repeats."""
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

    builder = TimestampRequestBuilder().data(text.encode()).hash_algorithm(HashAlgorithm.SHA256)
    made = builder.cert_request(cert_request=True).nonce(nonce=True).build()
    return made.as_bytes(), made.nonce or 0


def check(response: bytes, text: str, trusted: Sequence[x509.Certificate], *, nonce: int | None = None) -> Stamp:
    """What an answer proves of the text of a checkpoint.

    The signature must lead to one of the `trusted` certificates at the stated time, by a certificate that was made
    for timestamps (RFC 3161, 2.3), and be over this text; `nonce`: what was asked. Raises TimestampError, of it
    OtherText, UnknownAuthority and LibraryMissing.
    """
    if len(response) > MOST_BYTES:
        raise TimestampError(f"The answer is larger than {MOST_BYTES} bytes.")
    if not trusted:
        raise TimestampError("No certificate is trusted, so nothing can be said of a timestamp.")
    try:
        import rfc3161_client
    except ImportError as error:
        raise LibraryMissing("Timestamps are checked with rfc3161-client, which is not installed here.") from error
    try:
        answer = rfc3161_client.decode_timestamp_response(_in_order(response))
        if answer.status > rfc3161_client.PKIStatus.GRANTED_WITH_MODS:
            said = " ".join(answer.status_string)
            raise TimestampError(f"The authority refused (status {answer.status}){f': {said[:200]}' if said else ''}.")
        imprint = answer.tst_info.message_imprint
        if imprint.hash_algorithm != _SHA256 or imprint.message != hashlib.sha256(text.encode()).digest():
            raise OtherText("It is a timestamp of something else than this checkpoint.")
        builder = rfc3161_client.VerifierBuilder(roots=list(dict.fromkeys(trusted)), nonce=nonce)
        builder.build().verify_message(answer, text.encode())
        return Stamp(_utc(answer.tst_info.gen_time), _signer(answer))
    except TimestampError:
        raise
    except Exception as error:  # what the library makes of bytes from outside: none of it is a timestamp
        if _UNKNOWN in str(error):
            raise UnknownAuthority("Its signature does not lead to a certificate that is trusted.") from error
        why = str(error).partition(": ErrorStack")[0][:150]
        raise TimestampError(f"The answer is no good timestamp of this checkpoint: {why}") from error


def _in_order(response: bytes) -> bytes:
    """The answer with its certificates in DER's order; as it is where it is not laid out as an answer.

    Authorities that run OpenSSL send them in another order, which the library refuses. They are not signed: which of
    them counts is told by the signature, whatever their order.
    """
    try:
        (outer,) = _parts(response, 0, len(response))
        token = _parts(response, *outer.inside)[1]
        signed = _parts(response, *_parts(response, *_parts(response, *token.inside)[1].inside)[0].inside)
        held = next(part for part in signed if part.tag == _CERTIFICATES)
        ordered = sorted(response[one.start : one.end] for one in _parts(response, *held.inside))
    except (IndexError, ValueError, StopIteration):
        return response
    first, end = held.inside
    return response[:first] + b"".join(ordered) + response[end:]


@dataclass(frozen=True)
class _Part:
    """A DER value: its tag, and where it stands."""

    tag: int
    start: int
    inside: tuple[int, int]

    @property
    def end(self) -> int:
        return self.inside[1]


def _parts(data: bytes, start: int, end: int) -> list[_Part]:
    """The values that follow each other from `start` to `end`. Raises IndexError, ValueError."""
    found = []
    while start < end:
        length, at = data[start + 1], start + 2
        if length >= 0x80:
            at += length - 0x80
            length = int.from_bytes(data[start + 2 : at], "big")
        if at + length > end:
            raise ValueError("a value is longer than what holds it")
        found.append(_Part(data[start], start, (at, at + length)))
        start = at + length
    return found


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _signer(answer: object) -> str:
    """The subject of the certificate that signed, which the verification has found among those in the answer."""
    signed = answer.signed_data  # type: ignore[attr-defined]  # the library's own type
    (info,) = signed.signer_infos
    for der in signed.certificates:
        found = x509.load_der_x509_certificate(der)
        if (found.issuer, found.serial_number) == (info.issuer, info.serial_number):
            return found.subject.rfc4514_string()
    raise TimestampError("The certificate that signed it is not in the answer.")
