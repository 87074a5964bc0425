"""docs/protocols/docking.md describes what the code does."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

from bluelamp.ingest import inventory
from bluelamp.ingest.admission import WAIT_SECONDS
from bluelamp.ingest.errors import ChecksumMismatch
from bluelamp.ingest.rules import ClockPolicy
from bluelamp.ingest.services.joining import MOST_PARTS, PART_EXPIRES_AFTER
from bluelamp.ingest.services.uploads import EXPIRES_AFTER
from bluelamp.ingest.tus import headers, reception
from bluelamp.ingest.wire import body
from tests.ingest.docks import Docking

PAGE = (Path(__file__).parents[2] / "docs/protocols/docking.md").read_text()
TEXT = " ".join(PAGE.split())
REQUEST, ANSWER = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL))


def test_the_documented_request_has_the_fields_that_are_read() -> None:
    assert set(REQUEST) == inventory._FIELDS


def test_the_documented_answer_is_what_is_answered(docking: Docking) -> None:
    docking.camera.record(b"bytes")
    docking.open()
    assert set(docking.answer) == set(ANSWER)
    assert set(docking.answer["recordings"][0]) == set(ANSWER["recordings"][0])


def test_the_documented_limits_are_those_in_force() -> None:
    policy = ClockPolicy()
    for stated in (
        f"at most {inventory.MAX_BODY_BYTES >> 20} MiB and {inventory.MAX_ENTRIES:,} recordings",
        f"every {reception.CHECKPOINT_BYTES >> 20} MiB or two seconds",
        "expires (`Upload-Expires`)",
        "no bytes for seven days",
        f"at most {MOST_PARTS} parts",
        f"not joined within {PART_EXPIRES_AFTER // timedelta(hours=1)} hours",
        f"{WAIT_SECONDS:.0f} seconds for its turn",
        f"within {policy.drift.seconds} s of",
        f"more than {policy.behind.days} days before",
        f"answered {ChecksumMismatch.status} and dropped",
    ):
        assert stated in TEXT, stated
    assert EXPIRES_AFTER.days == 7
    assert reception.CHECKPOINT_SECONDS == 2
    assert all(extension in TEXT for extension in (*headers.EXTENSIONS.split(","), "checksum-trailer"))
    assert all(f"`{algorithm}`" in TEXT for algorithm in headers.CHECKSUMS)
    assert body.Body.__init__.__kwdefaults__["gives_way_seconds"] == 2
    assert body.Body.__init__.__kwdefaults__["silent_seconds"] == 60
