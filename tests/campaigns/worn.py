"""A body-worn system at the Axis content destination that repeats each request until it is acknowledged."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.axis.system import System, bookmark, meta, times
from tests.campaigns.load import BrokenPromise, Cut, Sender
from tests.campaigns.material import Material

MOST_CLIPS = 2


@dataclass
class Clip:
    """An object that holds video. `stored`: the server said 201, so that the system may erase it."""

    name: str
    said: dict[str, str]
    content: bytes = field(repr=False)
    stored: bool = False

    def __post_init__(self) -> None:
        self.size = len(self.content)
        self.sha256 = hashlib.sha256(self.content).hexdigest()
        self.md5 = hashlib.md5(self.content).hexdigest()


@dataclass
class Worn:
    """A recording: its container, its clips and, where the wearer marked it, a bookmark in the first of them."""

    container: str
    said: dict[str, str]
    ended: dict[str, str]
    clips: list[Clip]
    marked: dict[str, str]
    opened: bool = False
    mark_stored: bool = False
    complete: bool = False

    @property
    def to_store(self) -> list[Clip | None]:
        """Clips that are to be stored yet; None for the bookmark."""
        waiting: list[Clip | None] = [clip for clip in self.clips if not clip.stored]
        return waiting if self.mark_stored or not self.marked else [*waiting, None]


class Wearing(Sender):
    """One system with one camera and one officer, whom it announced when all was well."""

    def __init__(self, system: System, category: str, seed: int, material: Material) -> None:
        super().__init__(system.serial, seed)
        self.system = system
        self.made: list[Worn] = []
        self._category, self._material = category, material
        # Recordings lie in the past, one after the other, as when a system catches up.
        self._begins = system.began - timedelta(days=2)
        self._complete = 0
        self._answers: deque[str] = deque(maxlen=12)

    @property
    def recorded(self) -> int:
        return len(self.made)

    @property
    def safe(self) -> int:
        return self._complete

    def record(self) -> None:
        """One more, of some clips of a minute each."""
        chance, system = self.recorder, self.system
        count = chance.randint(1, MOST_CLIPS)
        system.began, system.ended = self._begins, self._begins + timedelta(minutes=count)
        self._begins = system.ended + timedelta(seconds=10)
        clips = [
            Clip(system.clip_name(part), system.clip_meta(part), self._material.mkv(chance))
            for part in range(1, count + 1)
        ]
        moment = system.began + timedelta(seconds=20)
        marked = bookmark(moment, self._category, "Evidence") if chance.random() < 0.4 else {}
        ended = {**times("TriggerOffTime", system.ended), **times("StopTime", system.ended)}
        ended = meta("Container", TriggerOff="Button", Status="Complete", **ended)
        self.made.append(Worn(system.container, system.container_meta(), ended, clips, marked))

    def bring_in(self) -> None:
        for item in self.made:
            if not item.complete:
                try:
                    if self.chance.random() < 0.05:
                        self._sign_in()
                    self._bring(item)
                except (httpx.TransportError, Cut):
                    self.pause()

    def _bring(self, item: Worn) -> None:
        if not item.opened:
            item.opened = self._acknowledged(lambda: self.system.put(item.container, item.said), 201, 202)
            if not item.opened:
                return
        for what in self.chance.sample(item.to_store, len(item.to_store)):
            if what is not None:
                self._store(item, what)
            else:
                item.mark_stored = self._acknowledged(lambda: self._mark(item), 201)
        if not item.to_store and self._acknowledged(lambda: self.system.post(item.container, item.ended), 204):
            item.complete = True
            self._complete += 1

    def _mark(self, item: Worn) -> httpx.Response:
        return self.system.put(f"{item.container}/bookmark_1", item.marked, b"Marked")

    def _store(self, item: Worn, clip: Clip) -> None:
        clip.stored = self._put(item, clip)
        if clip.stored:
            if self.chance.random() < 0.2:  # as a system does whose answer got lost: nothing new comes of it
                self._put(item, clip)
            clip.content = b""

    def _put(self, item: Worn, clip: Clip) -> bool:
        content: Any = self.torn(clip.content) if self.is_cut(clip.content) else clip.content
        said = {**clip.said, "Etag": clip.md5} if self.chance.random() < 0.5 else clip.said
        answers: list[httpx.Response] = []

        def send() -> httpx.Response:
            answers.append(self.system.put(f"{item.container}/{clip.name}", said, content))
            return answers[-1]

        if not self._acknowledged(send, 201):
            return False
        if answers[-1].headers["Etag"] != clip.md5:
            raise BrokenPromise(f"{clip.name} was acknowledged as {answers[-1].headers['Etag']}, and is {clip.md5}")
        return True

    def _acknowledged(self, send: Callable[[], httpx.Response], *good: int) -> bool:
        """Whether the request was answered with one of these; else, where one may wait that out, False."""
        answer = send()
        told = f"{datetime.now(UTC):%H:%M:%S.%f} {answer.request.method} {answer.url.path[-70:]}: {answer.status_code}"
        self._answers.append(told)
        if answer.status_code in good:
            self.steps += 1
            return True
        if answer.status_code == 401:
            self._sign_in()
            return False
        if answer.status_code not in _WAITED_OUT:
            what = f"{answer.request.method} {answer.url}: {answer.status_code}: {answer.text[:500]}"
            raise BrokenPromise(f"{what} Before: {list(self._answers)}")
        self.pause()
        return False

    def _sign_in(self) -> None:
        """Tokens are good for half an hour."""
        try:
            self.system.sign_in()
        except KeyError:  # there is no token in the answer: the database is away
            self.pause()


_WAITED_OUT = {503, 507}
"""Of the statuses that such a system knows, those after which it sends again."""
