"""How many bodies are received at once, and whose turn is next when there are more.

Each needs some MiB of buffers and a share of the disk; beyond a number more at once only makes all of them slow. What
was marked as evidence on the camera comes first, then whoever has the fewest under way, then who came first. People's
browsers, which may be slow, have half of the places at most: the rest is for docks and body-worn systems. Whoever
waits has its bytes held back by TCP; who has waited long is told to come back, so that its connection does not time
out unexplained.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import lru_cache

from django.conf import settings

from bluelamp.ingest.errors import TooManyUploads

WAIT_SECONDS = 10.0
MOST_WAITING = 1000

_SECONDS_A_TURN = 2
_LONGEST_RETRY = 60


@dataclass(eq=False)
class _Waiting:
    owner: str
    evidence: bool
    number: int
    turn: asyncio.Future[None] = field(repr=False)


class Admission:
    """`at_once` bodies at a time, in one process. Belongs to the event loop."""

    def __init__(self, at_once: int, *, wait_seconds: float = WAIT_SECONDS, most_waiting: int = MOST_WAITING) -> None:
        self._at_once = at_once
        self._wait_seconds = wait_seconds
        self._most_waiting = most_waiting
        self._active: Counter[str] = Counter()
        self._waiting: list[_Waiting] = []
        self._count = 0

    @property
    def active(self) -> int:
        """Bodies being received now."""
        return self._active.total()

    @property
    def waiting(self) -> int:
        """Bodies whose turn has not come."""
        return len(self._waiting)

    @asynccontextmanager
    async def slot(self, owner: str, *, evidence: bool = False) -> AsyncIterator[None]:
        """A turn for one body of `owner`. Raises TooManyUploads when it does not come in time."""
        if not self._has_place(owner) or any(self._has_place(one.owner) for one in self._waiting):
            await self._wait(owner, evidence)
        else:
            self._active[owner] += 1
        try:
            yield
        finally:
            self._active[owner] -= 1
            if not self._active[owner]:
                del self._active[owner]
            self._next()

    async def _wait(self, owner: str, evidence: bool) -> None:
        if len(self._waiting) >= self._most_waiting:
            raise TooManyUploads(_LONGEST_RETRY)
        self._count += 1
        one = _Waiting(owner, evidence, self._count, asyncio.get_running_loop().create_future())
        self._waiting.append(one)
        try:
            await asyncio.wait_for(asyncio.shield(one.turn), self._wait_seconds)
        except TimeoutError:
            if not one.turn.done():
                raise TooManyUploads(self._retry_after()) from None
        except asyncio.CancelledError:
            if one.turn.done():  # given in this very moment: hand it on
                self._active[owner] -= 1
                self._next()
            raise
        finally:
            if one in self._waiting:
                self._waiting.remove(one)

    def _next(self) -> None:
        while able := [one for one in self._waiting if self._has_place(one.owner)]:
            one = min(able, key=lambda one: (not one.evidence, self._active[one.owner], one.number))
            self._waiting.remove(one)
            self._active[one.owner] += 1
            one.turn.set_result(None)

    def _has_place(self, owner: str) -> bool:
        if self.active >= self._at_once:
            return False
        if not owner.startswith("person:"):
            return True
        people = sum(count for of, count in self._active.items() if of.startswith("person:"))
        return people < max(1, self._at_once // 2)

    def _retry_after(self) -> int:
        return min(_LONGEST_RETRY, 1 + _SECONDS_A_TURN * len(self._waiting) // max(1, self._at_once))


@lru_cache(maxsize=1)
def admission() -> Admission:
    """This process's."""
    return Admission(settings.BLUELAMP.uploads_at_once)
