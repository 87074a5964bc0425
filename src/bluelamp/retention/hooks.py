"""What rooms above retention may register.

`reasons(recording)`: in the transaction of every decision about a recording, also of one that is just being accepted
and has no row yet; a room that has a reason to keep it answers with a `RetentionReason`, several of them, or None. A
room whose reason ends calls `services.recompute`.
`attached_reasons(recording)`: the same, for a room whose reason is a row that refers to the recording. It is not asked
about one that is just being accepted, to which nothing can refer; what refers to it in the same transaction later
calls `services.recompute`.
"""

from __future__ import annotations

from collections.abc import Iterator

from bluelamp.footage.models import Recording
from bluelamp.kernel.hooks import Hook
from bluelamp.retention.rules import RetentionReason

__all__ = ["RetentionReason", "attached_reasons", "reasons", "reasons_for", "reasons_on_arrival"]

reasons = Hook("retention.reasons")
attached_reasons = Hook("retention.attached_reasons")


def reasons_for(recording: Recording) -> Iterator[RetentionReason]:
    """Every registered reason to keep `recording`."""
    yield from _answers(reasons, recording)
    yield from _answers(attached_reasons, recording)


def reasons_on_arrival(recording: Recording) -> Iterator[RetentionReason]:
    """The same of a recording that is not stored yet."""
    yield from _answers(reasons, recording)


def _answers(hook: Hook, recording: Recording) -> Iterator[RetentionReason]:
    for answer in hook.call(recording):
        if isinstance(answer, RetentionReason):
            yield answer
        elif answer is not None:
            yield from answer
