"""Senders that go on whatever happens, and remember every word the server gave them."""

from __future__ import annotations

import base64
import hashlib
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from bluelamp.formats import iso8601
from bluelamp.formats.receipt import verify_receipt
from tests.campaigns.material import Material
from tests.ingest.docks import BYTES, TUS, Camera, Docking, metadata

# What a sender waits out and repeats: its own silence, another offset, a lease, no room, a database that does not
# answer. An upload that has gone (404, 410) is not among them, nor is any fault of the server (500).
PASSING = {408, 409, 423, 429, 503, 507}

MOST_PARTS = 4
KEPT_ON_CAMERA = 3
"""Recordings with a receipt that a camera still has, and shows: it is told the same of them once more."""


class BrokenPromise(AssertionError):
    """The server took back what it had acknowledged, or failed in a way that no sender can wait out."""


class Cut(Exception):
    """The connection is cut in the midst of a body."""


class Sender(threading.Thread):
    """Somebody who records as much as is allowed, and brings it in. `problem` is what must not have happened.

    `steps` counts what was acknowledged: while it grows there is progress.
    """

    def __init__(self, name: str, seed: int) -> None:
        super().__init__(name=name, daemon=True)
        self.problem: BaseException | None = None
        self.cuts = self.steps = 0
        # What is recorded does not depend on how its sending goes.
        self.recorder = random.Random(seed)
        self.chance = random.Random(seed + 1)
        self._allowed = 0
        self._enough = threading.Event()
        self._given_up = threading.Event()

    def allow(self, recordings: int) -> None:
        """Record so many more."""
        self._allowed += recordings

    def enough(self) -> None:
        """Record nothing more; end when everything is safe."""
        self._enough.set()

    def give_up(self) -> None:
        """Stop trying."""
        self._given_up.set()

    @property
    def recorded(self) -> int:
        """Recordings made."""
        raise NotImplementedError

    @property
    def safe(self) -> int:
        """Recordings that the server has acknowledged for good."""
        raise NotImplementedError

    @property
    def waiting(self) -> int:
        """Recordings made or allowed that are not safe yet."""
        return max(self._allowed, self.recorded) - self.safe

    def record(self) -> None:
        raise NotImplementedError

    def bring_in(self) -> None:
        raise NotImplementedError

    def run(self) -> None:
        try:
            while not self._given_up.is_set():
                enough = self._enough.is_set()
                while self.recorded < self._allowed:
                    self.record()
                if self.safe < self.recorded:
                    self.bring_in()
                elif enough:
                    return
                else:
                    time.sleep(0.02)
        except BaseException as error:  # the campaign looks at it
            self.problem = error

    def passing(self, answer: httpx.Response, *also: int) -> bool:
        """False, a moment later, where one may go on after such an answer. Raises BrokenPromise."""
        if answer.status_code not in PASSING and answer.status_code not in also:
            raise BrokenPromise(f"{answer.request.method} {answer.url}: {answer.status_code}: {answer.text[:500]}")
        self.pause()
        return False

    def pause(self) -> None:
        time.sleep(self.chance.uniform(0.05, 0.3))

    def torn(self, piece: bytes) -> Iterator[bytes]:
        """Half of it, and then the connection breaks."""
        self.cuts += 1
        yield piece[: len(piece) // 2]
        raise Cut

    def is_cut(self, piece: bytes) -> bool:
        return len(piece) > 50_000 and self.chance.random() < 0.08


@dataclass
class Part:
    """A stretch of a recording that is sent as an upload of its own."""

    begin: int
    end: int
    url: str = ""
    at: int = 0


@dataclass
class Recorded:
    """A recording on the camera. `parts`: it is sent in these; `switches`: after having been begun in one piece.

    `stands`: how much of it in one piece was acknowledged. `ended`: addresses that this camera gave up itself.
    """

    sequence: int
    sha256: str
    size: int
    marked: bool
    parts: list[Part] = field(default_factory=list)
    switches: bool = False
    joined: bool = False
    stands: int = 0
    ended: set[str] = field(default_factory=set)


class Dock(Sender):
    """One camera in its dock. `receipts` are those it holds, verified."""

    def __init__(self, base: str, token: str, serial: str, seed: int, material: Material) -> None:
        super().__init__(serial, seed)
        self.camera = Camera(serial)
        self.made: dict[int, Recorded] = {}
        self.receipts: dict[int, dict[str, Any]] = {}
        self.lost_parts = self.given_up = 0
        self._base, self._token, self._material = base, token, material

    @property
    def recorded(self) -> int:
        return len(self.made)

    @property
    def safe(self) -> int:
        return len(self.receipts)

    def record(self) -> None:
        """One more: of any size, marked as evidence or not, to be sent in one piece or in parts."""
        chance, sequence = self.recorder, len(self.made) + 1
        content = self._material.mp4(chance)
        marked = chance.random() < 0.3
        more = (
            {"events": ({"at": iso8601.to_text(datetime.now(UTC)), "kind": "marker", "note": "evidence"},)}
            if marked
            else {}
        )
        entry = self.camera.record(content, sequence=sequence, **more).entry
        item = Recorded(sequence, entry.sha256, entry.size, marked)
        if len(content) > MOST_PARTS and chance.random() < 0.35:
            ends = sorted({*chance.sample(range(1, len(content)), chance.randrange(MOST_PARTS)), len(content)})
            item.parts = [Part(begin, end) for begin, end in zip([0, *ends], ends, strict=False)]
            item.switches = chance.random() < 0.4
        self.made[sequence] = item

    def bring_in(self) -> None:
        self._erase()
        with Docking(self._base, self._token, self.camera) as docking:
            try:
                answer = docking.client.post("/api/v1/docking", json=docking.request())
                if answer.status_code != 200:
                    self.passing(answer)
                    return
                docking.answer = answer.json()
                for told in docking.answer["recordings"]:
                    if not self._bring(docking, self.made[told["sequence"]], told):
                        return  # dock again
            except (httpx.TransportError, Cut):
                self.pause()

    def _erase(self) -> None:
        """As cameras do with what they have a receipt for."""
        safe = [signed for signed in self.camera.entries if signed.entry.sequence in self.receipts]
        for signed in safe[:-KEPT_ON_CAMERA]:
            self.camera.entries.remove(signed)

    def _bring(self, docking: Docking, item: Recorded, told: dict[str, Any]) -> bool:
        if told["state"] == "refused":
            raise BrokenPromise(f"recording {item.sequence} was refused: {told['why']}")
        if told["receipt"]:
            self._keep(item, told["receipt"], docking)
        if item.sequence in self.receipts:
            if told["state"] != "have":
                raise BrokenPromise(f"recording {item.sequence} has a receipt and is asked for again")
            return True
        send = self._send_parts if item.parts else self._send
        return send(docking, item, told["upload_url"]) and self._fetch(docking, item)

    def _send(self, docking: Docking, item: Recorded, url: str) -> bool:
        """All that is missing of a recording; False when the docking is to begin anew."""
        content = self.camera.content[item.sequence]
        stand = docking.head(url)
        if stand.status_code != 200:
            return self.passing(stand, *_GONE[url in item.ended])
        at = int(stand.headers["Upload-Offset"])
        if at < item.stands:
            raise BrokenPromise(f"recording {item.sequence} stood at {item.stands} and stands at {at}: {url}")
        while at < len(content) or not content:
            if at and self.chance.random() < 0.1:
                return self._end(docking, item, url)
            # What is to be begun anew in parts must not be complete before.
            rest = content[at : len(content) // 2] if item.switches else content[at:]
            answer = self._patch(docking, url, at, rest)
            if answer.status_code != 204:
                return self.passing(answer, *_GONE[url in item.ended])
            at = item.stands = self._moved(answer)
            if not content:
                break
            if item.switches:
                return False
        return True

    def _end(self, docking: Docking, item: Recorded, url: str) -> bool:
        """Give the upload up, as a dock may; the next docking begins anew."""
        item.ended.add(url)
        item.stands = 0
        self.given_up += 1
        answer = docking.client.delete(url, headers=TUS)
        return False if answer.status_code == 204 else self.passing(answer, 410)

    def _patch(self, docking: Docking, url: str, at: int, rest: bytes) -> httpx.Response:
        piece = rest[: self.chance.choice([100_000, 1_500_000, len(rest) or 1])]
        headers = {}
        if self.chance.random() < 0.2:
            headers["Upload-Checksum"] = "sha1 " + base64.b64encode(hashlib.sha1(piece).digest()).decode()
        return docking.patch(url, at, self.torn(piece) if self.is_cut(piece) else piece, **headers)

    def _moved(self, answer: httpx.Response) -> int:
        self.steps += 1
        return int(answer.headers["Upload-Offset"])

    def _send_parts(self, docking: Docking, item: Recorded, url: str) -> bool:
        """The same in parts. Once they were asked to be joined they are the server's to see to."""
        content = self.camera.content[item.sequence]
        if item.switches and not self._begin_in_one_piece(docking, item, url):
            return False
        for part in item.parts:
            if not item.joined and not self._send_part(docking, part, content[part.begin : part.end]):
                return False
        item.joined = True
        named = metadata({"session": docking.answer["session"], "sequence": str(item.sequence)})
        addresses = " ".join(part.url for part in item.parts)
        headers = {**TUS, "Upload-Concat": f"final;{addresses}", "Upload-Metadata": named}
        answer = docking.client.post("/dock/tus/", headers=headers)
        # 410: another docking of this camera, whose answer was lost, came to its end only after this one's.
        return answer.status_code == 201 or self.passing(answer, 410)

    def _begin_in_one_piece(self, docking: Docking, item: Recorded, url: str) -> bool:
        """Something of it is acknowledged, and then the dock changes its mind."""
        if not self._send(docking, item, url) and not item.stands:
            return False
        item.switches, item.stands = False, 0
        item.ended.add(url)
        return True

    def _send_part(self, docking: Docking, part: Part, content: bytes) -> bool:
        if not part.url and not self._create_part(docking, part, content):
            return False
        stand = docking.head(part.url)
        if stand.status_code != 200:
            return self.passing(stand)
        at = int(stand.headers["Upload-Offset"])
        if at < part.at:
            raise BrokenPromise(f"a part stood at {part.at} and stands at {at}: {part.url}")
        while at < len(content):
            answer = self._patch(docking, part.url, at, content[at:])
            if answer.status_code != 204:
                return self.passing(answer)
            at = part.at = self._moved(answer)
        return True

    def _create_part(self, docking: Docking, part: Part, content: bytes) -> bool:
        headers = {**TUS, "Upload-Concat": "partial", "Upload-Length": str(len(content))}
        at_once = self.chance.random() < 0.3
        body: Any = (self.torn(content) if self.is_cut(content) else content) if at_once else b""
        self.lost_parts += 1  # until its address is known: nobody joins it, and after a day it is to be gone
        answer = docking.client.post("/dock/tus/", headers=headers | (BYTES if at_once else {}), content=body)
        if answer.status_code != 201:
            return self.passing(answer)
        self.lost_parts -= 1
        part.url, part.at = answer.headers["Location"], self._moved(answer)
        return True

    def _fetch(self, docking: Docking, item: Recorded) -> bool:
        until = time.monotonic() + 5
        while time.monotonic() < until:
            answer = docking.receipt(item.sequence)
            if answer.status_code == 200:
                self._keep(item, answer.json(), docking)
                return True
            if answer.status_code != 202:
                return self.passing(answer, *_GONE[bool(item.ended)])
            time.sleep(0.1)
        return False

    def _keep(self, item: Recorded, document: dict[str, Any], docking: Docking) -> None:
        receipt = verify_receipt(document, docking.answer["receipt_key"])
        if (receipt.sha256, receipt.size) != (item.sha256, item.size):
            raise BrokenPromise(f"the receipt of recording {item.sequence} is for other bytes")
        former = self.receipts.setdefault(item.sequence, document)
        if former["recording_id"] != document["recording_id"]:
            raise BrokenPromise(f"recording {item.sequence} became two")
        if self.camera.content.pop(item.sequence, None) is not None:
            self.steps += 1


_GONE: dict[bool, tuple[int, ...]] = {False: (), True: (410,)}
"""Answers that may be waited out, besides: where the camera has given an upload up itself, that it has gone."""
