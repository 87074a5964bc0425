"""Deletion certificates: signed JSON that says what is gone, when and under which rule, and nothing of its content.

The format is docs/protocols/deletion-certificate.md.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, fields
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from bluelamp.formats import canonical
from bluelamp.formats import fields as check
from bluelamp.formats.ed25519 import SIGNATURE_SIZE, decode_base64, signature_is_good
from bluelamp.formats.errors import FormatError
from bluelamp.formats.strictjson import exact_fields

FORMAT = "bluelamp-deletion-certificate-1"


class CertificateError(FormatError):
    """A deletion certificate is malformed, or not signed by the expected key."""


@dataclass(frozen=True)
class DeletionCertificate:
    """What is certified. Times are ISO 8601 UTC with Z. Raises CertificateError for a value outside the format."""

    certificate_id: str
    recording_id: str
    sha256: str  # of the master, hexadecimal
    size: int  # bytes of the master
    recorded_at: str  # start, corrected time
    received_at: str
    due_at: str
    deleted_at: str
    rule: str
    basis: str
    key_erased_at: str
    objects_removed: int
    approved_by: str  # custody id of the second person whose approval made it go earlier, "" where none was needed
    objects_missing: int  # files of it that had been lost before
    ledger_entry: str  # the 32-byte leaf entry of the event recording.erased, hexadecimal

    def __post_init__(self) -> None:
        try:
            check.identifier(self.certificate_id, "certificate's identifier")
            check.identifier(self.recording_id, "recording's identifier")
            check.digest(self.sha256, "master's hash")
            check.integer(self.size, "size")
            for name in ("recorded_at", "received_at", "due_at", "deleted_at", "key_erased_at"):
                check.moment(getattr(self, name), name)
            check.text(self.rule, "rule", 200)
            check.text(self.basis, "basis", 500)
            check.integer(self.objects_removed, "number of objects")
            check.text(self.approved_by, "approver", 200, may_be_empty=True)
            check.integer(self.objects_missing, "number of lost objects")
            check.digest(self.ledger_entry, "ledger entry")
        except FormatError as error:
            raise CertificateError(str(error)) from error


FIELD_NAMES = frozenset(field.name for field in fields(DeletionCertificate))


def key_name(origin: str) -> str:
    """The name of the signing key of the installation whose log has that origin."""
    return f"{origin}/receipt"


def sign(certificate: DeletionCertificate, key: Ed25519PrivateKey, key_name: str) -> dict[str, Any]:
    """The certificate as plain JSON values: its fields, "format", "key" (the name), "signature" (base64)."""
    signature = base64.b64encode(key.sign(_signed_bytes(certificate, key_name))).decode("ascii")
    return {"format": FORMAT, "key": key_name, **_plain(certificate), "signature": signature}


def verify(document: object, public_key: Ed25519PublicKey) -> DeletionCertificate:
    """The certificate, once its signature by `public_key` is found good. Raises CertificateError and nothing else."""
    try:
        plain = dict(exact_fields(document, FIELD_NAMES | {"format", "key", "signature"}, "certificate"))
        if plain.pop("format") != FORMAT:
            raise CertificateError(f"The certificate's format must be {FORMAT}.")
        key_name = check.text(plain.pop("key"), "key's name", 200)
        signature = decode_base64(plain.pop("signature"), SIGNATURE_SIZE, "signature")
        certificate = DeletionCertificate(**plain)
        good = signature_is_good(public_key, signature, _signed_bytes(certificate, key_name))
    except CertificateError:
        raise
    except FormatError as error:
        raise CertificateError(str(error)) from error
    if not good:
        raise CertificateError("The certificate's signature is not this installation's.")
    return certificate


def _plain(certificate: DeletionCertificate) -> dict[str, Any]:
    return {field.name: getattr(certificate, field.name) for field in fields(DeletionCertificate)}


def _signed_bytes(certificate: DeletionCertificate, key_name: str) -> bytes:
    return canonical.encode({"format": FORMAT, "key": check.text(key_name, "key's name", 200), **_plain(certificate)})
