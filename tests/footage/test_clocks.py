"""How far the times of a recording can be relied on: no sentence claims a comparison that nobody made."""

from __future__ import annotations

import pytest

from bluelamp.footage.clocks import clock_words
from bluelamp.footage.models import Recording

Status = Recording.ClockStatus


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"clock_status": Status.GOOD}, "Clock agreed with the dock"),
        ({"clock_status": Status.GOOD, "clock_offset_ms": -300}, "Clock agreed with the dock; it was 0.3 seconds fast"),
        (
            {"clock_status": Status.DRIFTING, "clock_offset_ms": 180_000},
            "Clock differed from the dock; times are corrected; it was 3 minutes slow",
        ),
        (
            {"clock_status": Status.STATED, "manifest": {"time": "as the manifest says"}},
            "No dock compared the clock; the times are those that came with it; they are as the manifest says",
        ),
        (
            {"clock_status": Status.DOUBTFUL, "manifest": {"time": "when the file was last written"}},
            "Not compared with the right time; the times may be wrong; they are when the file was last written",
        ),
        (
            {"clock_status": Status.DRIFTING, "clock_offset_ms": -180_000, "added_by_id": 1},
            "As stated by whoever added it, its clock was 3 minutes fast; the times are corrected by that",
        ),
        (
            {"clock_status": Status.DOUBTFUL, "added_by_id": 1},
            "Not compared with the right time; the times are as it showed them",
        ),
        ({"clock_status": Status.GOOD, "added_by_id": 1}, "As stated by whoever added it, its clock was right"),
    ],
)
def test_the_words_say_who_compared_the_clock(facts, said) -> None:
    assert clock_words(Recording(**facts)) == said


def test_only_a_camera_s_signature_counts_as_one() -> None:
    assert Recording(manifest={"format": "x", "entry": {}, "signature": "s", "public_key": "k"}).is_signed
    for manifest in ({}, {"import": 1, "time": "as the manifest says"}, {"addition": "a"}, {"axis": {}}):
        assert not Recording(manifest=manifest).is_signed
