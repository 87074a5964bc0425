"""What rooms above retention may register.

`reasons(recording)`: in the transaction of every decision about a recording; a room that has a reason to keep it
answers with a `RetentionReason`, several of them, or None. A room whose reason ends calls `services.recompute`.
"""

from __future__ import annotations

from collections.abc import Iterator

from bluelamp.footage.models import Recording
from bluelamp.kernel.hooks import Hook
from bluelamp.retention.rules import RetentionReason

__all__ = ["RetentionReason", "reasons", "reasons_for"]

reasons = Hook("retention.reasons")


def reasons_for(recording: Recording) -> Iterator[RetentionReason]:
    """Every registered reason to keep `recording`."""
    for answer in reasons.call(recording):
        if isinstance(answer, RetentionReason):
            yield answer
        elif answer is not None:
            yield from answer
