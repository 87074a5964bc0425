"""Import reports: signed, strict, and never complete against their own figures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bluelamp.formats.ed25519 import public_key_text
from bluelamp.formats.import_report import (
    STATES,
    ImportReport,
    ImportReportError,
    sign_import_report,
    verify_import_report,
)
from bluelamp.verify.imports import check_report

KEY = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
NONE = dict.fromkeys(STATES, 0)
REPORT = ImportReport(
    instance="bluelamp/test",
    run=7,
    kind="csv",
    source="/media/export",
    machine="intake-1",
    manifest_sha256="a" * 64,
    started_at="2026-11-22T15:02:11Z",
    finished_at="2026-11-22T16:02:11Z",
    files={**NONE, "imported": 2, "duplicate": 1},
    bytes={**NONE, "imported": 20, "duplicate": 10},
    proven_files=3,
    proven_bytes=30,
    complete=True,
    verdict="The source may be deleted.",
    notes=(),
    listing_sha256="e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    listing_bytes=0,
)


def test_a_report_verifies_with_the_servers_key_and_no_other() -> None:
    document = sign_import_report(REPORT, KEY, "receipts")
    assert verify_import_report(document, public_key_text(KEY)) == REPORT
    with pytest.raises(ImportReportError, match="not the server's"):
        verify_import_report(document, Ed25519PrivateKey.generate().public_key())


@pytest.mark.parametrize("name", sorted(sign_import_report(REPORT, KEY, "receipts")))
def test_no_field_of_a_report_can_be_changed_or_left_out(name: str) -> None:
    document: dict[str, Any] = sign_import_report(REPORT, KEY, "receipts")
    changed: Any = {
        "files": {**REPORT.files, "ignored": 1},
        "bytes": NONE,
        "complete": False,
        "notes": ["x"],
        "run": 8,
        "proven_files": 2,
        "proven_bytes": 31,
        "listing_bytes": 1,
        "finished_at": REPORT.started_at,
        "started_at": REPORT.finished_at,
        "manifest_sha256": "",
        "listing_sha256": "b" * 64,
    }.get(name, "other")
    without = {key: value for key, value in document.items() if key != name}
    for forged in ({**document, name: changed}, without, {**document, name: None}, {**document, "more": 1}):
        with pytest.raises(ImportReportError):
            verify_import_report(forged, KEY.public_key())


@pytest.mark.parametrize(
    "changed",
    [
        {"proven_files": 2},
        {"notes": ("a gap",)},
        {"files": {**REPORT.files, "missing": 1}},
        {"files": NONE, "proven_files": 0},
    ],
)
def test_a_report_that_contradicts_itself_cannot_be_made(changed: dict[str, Any]) -> None:
    with pytest.raises(ImportReportError, match="its own figures"):
        replace(REPORT, **changed)
    assert not replace(REPORT, complete=False, **changed).complete


def test_the_list_of_files_is_bound_to_the_report() -> None:
    document = sign_import_report(REPORT, KEY, "receipts")
    assert check_report(document, public_key_text(KEY), []) == (REPORT, [])
    assert check_report(document, public_key_text(KEY), [b"more"])[1]
    assert check_report("no report", public_key_text(KEY), None)[0] is None
