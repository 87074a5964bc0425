"""Import reports: the server's signed word on which files of a source are here, proven by reading them back.

A report counts; the listing beside it (CSV) names every file, and its hash is in the report. See
docs/protocols/import-report.md.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from bluelamp.formats import canonical
from bluelamp.formats import fields as check
from bluelamp.formats.ed25519 import SIGNATURE_SIZE, decode_base64, load_public_key, signature_is_good
from bluelamp.formats.errors import FormatError
from bluelamp.formats.strictjson import exact_fields

FORMAT = "bluelamp-import-report-1"
STATES = (
    "waiting",
    "imported",
    "duplicate",
    "missing",
    "corrupt",
    "unreadable",
    "extra",
    "refused",
    "changed",
    "ignored",
)
_MOST_NOTES = 10_000


class ImportReportError(FormatError):
    """A report is malformed, contradicts itself, or is not signed by the expected key: keep the source."""


@dataclass(frozen=True)
class ImportReport:
    """What came of one import. Raises ImportReportError when a value is outside the format."""

    instance: str  # the installation, as its ledger is called
    run: int
    kind: str
    source: str
    machine: str
    manifest_sha256: str  # "" without a manifest
    started_at: str
    finished_at: str
    files: dict[str, int]  # by state
    bytes: dict[str, int]  # by state, at the source
    proven_files: int  # read back here with the hash that was found at the source
    proven_bytes: int
    complete: bool
    verdict: str
    notes: tuple[str, ...]
    listing_sha256: str
    listing_bytes: int

    def __post_init__(self) -> None:
        try:
            self._check()
        except ImportReportError:
            raise
        except FormatError as error:
            raise ImportReportError(str(error)) from error

    def _check(self) -> None:
        check.text(self.instance, "installation", 200)
        check.integer(self.run, "run", 1)
        check.text(self.kind, "kind", 40)
        check.text(self.source, "source", 20_000)
        check.text(self.machine, "machine", 300)
        if self.manifest_sha256:
            check.digest(self.manifest_sha256, "manifest's hash")
        check.moment(self.started_at, "start")
        check.moment(self.finished_at, "end")
        for name in ("files", "bytes"):
            counted = exact_fields(getattr(self, name), set(STATES), name)
            for state, number in counted.items():
                check.integer(number, f"number of {state} {name}")
            object.__setattr__(self, name, dict(counted))
        check.integer(self.proven_files, "number of proven files")
        check.integer(self.proven_bytes, "number of proven bytes")
        check.boolean(self.complete, "field complete")
        check.text(self.verdict, "verdict", 100_000)
        if not isinstance(self.notes, list | tuple) or len(self.notes) > _MOST_NOTES:
            raise ImportReportError(f"The notes must be a list of at most {_MOST_NOTES}.")
        object.__setattr__(self, "notes", tuple(check.text(note, "note", 2000) for note in self.notes))
        check.digest(self.listing_sha256, "listing's hash")
        check.integer(self.listing_bytes, "listing's size")
        whole = sum(number for state, number in self.files.items() if state != "ignored")
        if self.complete and (self.notes or not whole or self.proven_files != whole or self._problems()):
            raise ImportReportError("The report calls the import complete, and its own figures do not.")

    def _problems(self) -> int:
        return sum(number for state, number in self.files.items() if state not in ("imported", "duplicate", "ignored"))


FIELD_NAMES = frozenset(field.name for field in fields(ImportReport))


def sign_import_report(report: ImportReport, key: Ed25519PrivateKey, key_name: str) -> dict[str, Any]:
    """The report as plain JSON values: its fields, "format", "key" (the name), "signature" (base64)."""
    signature = base64.b64encode(key.sign(_signed_bytes(report, key_name))).decode("ascii")
    return {"format": FORMAT, "key": key_name, **_plain(report), "signature": signature}


def verify_import_report(document: object, public_key: Ed25519PublicKey | str) -> ImportReport:
    """The report, once its signature by `public_key` (a key, or base64 of one) is found good.

    `document` is the parsed JSON object. Raises ImportReportError and nothing else. The caller still compares the
    listing's SHA-256 with the file beside it.
    """
    try:
        plain = dict(exact_fields(document, FIELD_NAMES | {"format", "key", "signature"}, "import report"))
        key = load_public_key(public_key) if isinstance(public_key, str) else public_key
        if plain.pop("format") != FORMAT:
            raise ImportReportError(f"The report's format must be {FORMAT}.")
        key_name = plain.pop("key")
        signature = decode_base64(plain.pop("signature"), SIGNATURE_SIZE, "signature")
        report = ImportReport(**plain)
        good = signature_is_good(key, signature, _signed_bytes(report, key_name))
    except ImportReportError:
        raise
    except FormatError as error:
        raise ImportReportError(str(error)) from error
    if not good:
        raise ImportReportError("The report's signature is not the server's. Keep the source.")
    return report


def _plain(report: ImportReport) -> dict[str, Any]:
    plain: dict[str, Any] = {field.name: getattr(report, field.name) for field in fields(ImportReport)}
    return plain | {"notes": list(report.notes)}


def _signed_bytes(report: ImportReport, key_name: str) -> bytes:
    try:
        check.text(key_name, "key's name", 200)
    except FormatError as error:
        raise ImportReportError(str(error)) from error
    signed: Mapping[str, Any] = {"format": FORMAT, "key": key_name, **_plain(report)}
    return canonical.encode(signed)
