"""How long to wait before a process that ended is started again."""

from __future__ import annotations

import random

_FIRST_SECONDS = 0.25
_LONGEST_SECONDS = 30.0
_JITTER = 0.25
STABLE_SECONDS = 30.0
"""A process that ran this long starts with the shortest wait again."""


class Backoff:
    """Exponential, with jitter so that several processes do not stumble in step."""

    def __init__(self) -> None:
        self._failures = 0

    def delay(self, ran_seconds: float) -> float:
        """Seconds to wait after a process ended that had run for `ran_seconds`."""
        self._failures = 0 if ran_seconds >= STABLE_SECONDS else self._failures + 1
        seconds = min(_LONGEST_SECONDS, _FIRST_SECONDS * 2.0 ** min(max(0, self._failures - 1), 16))
        return seconds * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311  not a secret
