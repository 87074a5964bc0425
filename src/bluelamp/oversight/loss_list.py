"""The list of what was lost and what came back, as a file: CSV for a spreadsheet, or signed JSON.

{"format", "key", "origin", "made_at", "counts": {state: n}, "losses": [...], "signature"}: Ed25519 by the key that
signs receipts, over the canonical encoding (docs/protocols/custody-leaf.md) of all fields but the signature.
"""

from __future__ import annotations

import base64
import csv
import io
import json
from collections import Counter
from typing import Any

from bluelamp.custody import keys
from bluelamp.formats import canonical, iso8601
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Invalid
from bluelamp.oversight.exports import harmless
from bluelamp.oversight.queries import losses

FORMAT = "bluelamp-loss-list-1"
FORMS = ("csv", "json")


def make(form: str, *, with_names: bool) -> tuple[bytes, int]:
    """The file's bytes, and how many losses it lists. `with_names`: the cases, shares and requests, else how many.

    Raises Invalid for another form than "csv" and "json".
    """
    if form not in FORMS:
        raise Invalid("The list is made as CSV or as JSON.", "Nothing was taken.", "Choose one of them.")
    rows = [_row(line, with_names) for line in losses.listing(None)]
    return (_csv(rows) if form == "csv" else _json(rows)), len(rows)


def _row(line: losses.Line, with_names: bool) -> dict[str, Any]:
    loss, recording = line.loss, line.loss.recording

    def moment(value: Any) -> str:
        return iso8601.to_text(value) if value else ""

    return {
        "recording": str(recording.pk),
        "name": line.name,
        "camera": recording.camera.serial if recording.camera else "",
        "number": recording.sequence or 0,
        "recorded_at": moment(recording.started_at),
        "sha256": recording.sha256,
        "size": recording.size,
        "state": str(loss.state),
        "files": list(line.files),
        "well_until": moment(loss.good_until),
        "found_at": moment(loss.found_at),
        "ended_at": moment(loss.ended_at),
        "recovered_from": loss.recovered_from,
        "touches": list(line.names) if with_names else [line.depends.counted] if line.depends.counted else [],
    }


def _csv(rows: list[dict[str, Any]]) -> bytes:
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    columns = (
        "recording", "name", "camera", "number", "recorded_at", "sha256", "size", "state", "files", "well_until",
        "found_at", "ended_at", "recovered_from", "touches",
    )  # fmt: skip
    writer.writerow(columns)
    for row in rows:
        cells = ("; ".join(row[name]) if isinstance(row[name], list) else str(row[name]) for name in columns)
        writer.writerow(harmless(cell) for cell in cells)
    return b"\xef\xbb\xbf" + file.getvalue().encode()


def _json(rows: list[dict[str, Any]]) -> bytes:
    body = {
        "format": FORMAT,
        "key": f"{keys.log_origin()}/receipt",
        "origin": keys.present_origin(),
        "made_at": iso8601.to_text(clock.now()),
        "counts": dict(Counter(row["state"] for row in rows)),
        "losses": rows,
    }
    signature = base64.b64encode(keys.receipt_key().sign(canonical.encode(body))).decode("ascii")
    return json.dumps(body | {"signature": signature}, ensure_ascii=False, indent=1).encode()
