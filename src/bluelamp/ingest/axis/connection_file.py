"""The connection file that a body-worn manager reads: at most 64 kB of JSON. Pure.

Public key and certificates stand in it as the base64 of their whole PEM files, and `BlobAPI` says which protocol is
spoken: so does the maker's own reference server.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from bluelamp.kernel.errors import Invalid

MOST_BYTES = 64 * 1024
MOST_URIS = 10
MOST_CERTIFICATES = 10
LONGEST_URI = 512
LONGEST_CERTIFICATE = 16 * 1024
APPLICATION = "Bluelamp"
TOKEN_PATH = "/auth/v1.0"  # noqa: S105  an address


@dataclass(frozen=True, kw_only=True)
class ConnectionFile:
    """What the file says. `public_key` is the PEM of the RSA public key; with it, content is encrypted end to end."""

    site: str
    version: str
    uris: Sequence[str]
    user: str
    key: str = field(repr=False)
    certificates: Sequence[str] = ()
    ntp_server: bool = False
    container_type: str = "mkv"
    full_store_and_read: bool = False
    public_key: str = ""
    public_key_id: str = ""

    def text(self) -> str:
        """The JSON. Raises Invalid for what a body-worn manager would not take."""
        _check(self)
        said: dict[str, object] = {
            "ConnectionFileVersion": "1.0",
            "SiteName": self.site,
            "ApplicationName": APPLICATION,
            "ApplicationVersion": self.version,
            "ContentDestinationAsNTPServer": self.ntp_server,
            "AuthenticationTokenURI": list(self.uris),
            "BlobAPI": "Swift 1.0",
            "BlobAPIKey": self.key,
            "BlobAPIUserName": self.user,
            "ContainerType": self.container_type,
            "FullStoreAndReadSupport": self.full_store_and_read,
            "WantEncryption": bool(self.public_key),
        }
        if self.certificates:
            said["HTTPSCertificate"] = [_base64(certificate) for certificate in self.certificates]
        if self.public_key:
            said["PublicKey"] = _base64(self.public_key)
            said["PublicKeyId"] = self.public_key_id
        text = json.dumps(said, indent=2, ensure_ascii=False) + "\n"
        if len(text.encode()) > MOST_BYTES:
            raise _not_made("The connection file would be larger than 64 kB", "Give fewer certificates.")
        return text


def token_uri(base_url: str) -> str:
    """Where tokens are fetched from a server that people call `base_url`."""
    return base_url.rstrip("/") + TOKEN_PATH


def check_address(uri: str) -> None:
    """Raises Invalid for what no body-worn system could fetch a token from."""
    try:
        parts = urlsplit(uri)
    except ValueError:  # for instance http://[
        parts = SplitResult("", "", "", "", "")
    if parts.scheme not in ("http", "https") or not parts.netloc or len(uri) > LONGEST_URI:
        raise _not_made(f"{uri[:80]!a} is no address that a body-worn system could call", "Give http:// or https://.")
    if not parts.path.endswith(TOKEN_PATH):
        raise _not_made(f"The address {uri[:80]} does not end in {TOKEN_PATH}", "Tokens are fetched there.")


def certificate(given: bytes) -> str:
    """A certificate file's content as PEM, certificates alone. Raises Invalid; for a file with a private key, too."""
    if b"PRIVATE KEY" in given:
        raise _not_made(
            "The certificate file holds a private key, which must never leave this machine",
            "Give the file with the certificate alone.",
        )
    try:
        if b"-----BEGIN" in given:
            found = x509.load_pem_x509_certificates(given)
        else:
            found = [x509.load_der_x509_certificate(given)]
    except (ValueError, binascii.Error) as error:
        raise _not_made("That is no X.509 certificate", "Give it as PEM or DER.") from error
    return "".join(each.public_bytes(Encoding.PEM).decode() for each in found)


def _check(said: ConnectionFile) -> None:
    for what, value, longest in (
        ("site name", said.site, 64),
        ("application version", said.version, 64),
        ("user name", said.user, 64),
        ("password", said.key, 64),
        ("key's id", said.public_key_id, 128),
    ):
        if len(value) > longest:
            raise _not_made(f"The {what} is longer than {longest} characters", "Shorten it.")
    if not said.site.strip():
        raise _not_made("The site has no name", "Give the name that the body-worn manager is to show.")
    if not 1 <= len(said.uris) <= MOST_URIS:
        raise _not_made(f"A connection file lists 1 to {MOST_URIS} addresses", "Give that many.")
    for uri in said.uris:
        check_address(uri)
        if (urlsplit(uri).scheme == "https") != bool(said.certificates):
            raise _not_made(
                f"The address {uri[:80]} and the certificates do not fit: with a certificate the body-worn system uses "
                "HTTPS, without one plain HTTP",
                "Give https:// addresses together with the server's certificate.",
            )
    if len(said.certificates) > MOST_CERTIFICATES:
        raise _not_made(f"A connection file holds at most {MOST_CERTIFICATES} certificates", "Give fewer.")
    for each in said.certificates:
        if len(_base64(each)) > LONGEST_CERTIFICATE:
            raise _not_made("A certificate is longer than 16 kB", "Give the certificate without its chain.")
    if bool(said.public_key) != bool(said.public_key_id):
        raise ValueError("A public key and its id come together.")


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _not_made(what: str, next_step: str) -> Invalid:
    return Invalid(f"{what}.", "No connection file was made.", next_step)
