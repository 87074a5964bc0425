"""How far the times of a recording can be relied on, in words: for its page and for the papers of a package."""

from __future__ import annotations

from bluelamp.footage.models import Recording
from bluelamp.web.filters import clock_error

_MEASURABLE_MS = 50
"""What a docking measures is as coarse as a request takes."""

_STATED = {
    Recording.ClockStatus.GOOD: "As stated by whoever added it, its clock was right",
    Recording.ClockStatus.DOUBTFUL: "Not compared with the right time; the times are as it showed them",
}


def clock_words(recording: Recording) -> str:
    """Such as "Clock agreed with the dock". For footage that a person added, what that person stated."""
    if recording.added_by_id:
        return _STATED.get(
            Recording.ClockStatus(recording.clock_status),
            f"As stated by whoever added it, its clock was {clock_error(recording.clock_offset_ms)}; "
            "the times are corrected by that",
        )
    words = str(recording.get_clock_status_display())
    if found := recording.manifest.get("time"):  # from an import without a camera's signed manifest
        words += f"; they are {found}"
    if abs(recording.clock_offset_ms) >= _MEASURABLE_MS:
        words += f"; it was {clock_error(recording.clock_offset_ms)}"
    return words
