"""How fast something arrives, from a few samples of how much of it has come; pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

Sample = tuple[datetime, int]

WINDOW = timedelta(seconds=20)
STALE = timedelta(seconds=10)
"""Progress is noted every two seconds while bytes arrive; after five times that nothing does."""


def noted(samples: Sequence[Sample], at: datetime, offset: int) -> list[Sample]:
    """The samples with one more, the old ones left out; of the same instant the newest counts, and none goes back."""
    kept = [(when, count) for when, count in samples if at - WINDOW <= when < at and count <= offset]
    return [*kept, (at, offset)]


def rate(samples: Sequence[Sample], now: datetime) -> float | None:
    """Bytes a second over the samples; 0 when nothing came lately; None while one sample alone cannot tell."""
    if not samples:
        return None
    (first, had), (last, has) = samples[0], samples[-1]
    if now - last > STALE:
        return 0.0
    seconds = (last - first).total_seconds()
    return (has - had) / seconds if seconds > 0 else None


def left(offset: int, length: int | None, rate: float | None) -> timedelta | None:
    """How long the rest takes at that rate; None where that cannot be said."""
    if length is None or not rate:
        return None
    return timedelta(seconds=max(0, length - offset) / rate)
