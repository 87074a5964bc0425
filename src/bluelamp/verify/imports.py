"""Is an import's report what the server signed, and the list beside it the one that was signed?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from bluelamp.formats.import_report import ImportReport, ImportReportError, verify_import_report


def check_report(document: object, key: str, listing: Iterable[bytes] | None) -> tuple[ImportReport | None, list[str]]:
    """The report and what is wrong with it, in sentences; none where it is good.

    `key` is the server's receipt key (base64); `listing` are the pieces of the list of files, None without it.
    """
    try:
        report = verify_import_report(document, key)
    except ImportReportError as error:
        return None, [str(error)]
    if listing is None:
        return report, []
    digest = hashlib.sha256()
    for piece in listing:
        digest.update(piece)
    if digest.hexdigest() != report.listing_sha256:
        return report, ["The list of files beside the report is not the one that was signed."]
    return report, []
