"""Cameras that go on docking whatever happens, and remember every word the server gave them."""

from __future__ import annotations

import hashlib
import random
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx

from bluelamp.formats.receipt import verify_receipt
from tests.ingest.docks import Camera, Docking

# What a client waits out and repeats: no answer, busy, full, begun again elsewhere.
PASSING = {404, 408, 409, 410, 423, 429, 500, 502, 503, 504, 507}


MOST_WAITING = 6
"""Recordings that wait on a camera before it makes more: a server that is down must not face a mountain afterwards."""


class BrokenPromise(AssertionError):
    """The server took back what it had acknowledged."""


class Client(threading.Thread):
    """One camera in its dock. `receipts` are those it holds, verified; `problem` is what must not have happened."""

    def __init__(self, base: str, token: str, serial: str, seed: int) -> None:
        super().__init__(name=serial, daemon=True)
        self.camera = Camera(serial)
        self.receipts: dict[int, dict[str, Any]] = {}
        self.problem: BaseException | None = None
        self.cuts = 0
        self._chance = random.Random(seed)
        self._base, self._token = base, token
        self._acknowledged: dict[str, int] = {}
        self._enough = threading.Event()
        self._given_up = threading.Event()

    def enough(self) -> None:
        """Record nothing more; bring in what there is."""
        self._enough.set()

    def give_up(self) -> None:
        """Stop trying."""
        self._given_up.set()

    def run(self) -> None:
        try:
            while not self._given_up.is_set():
                if not self._enough.is_set() and len(self.camera.entries) - len(self.receipts) < MOST_WAITING:
                    self._record()
                with Docking(self._base, self._token, self.camera) as docking:
                    self._dock(docking)
                if self._enough.is_set() and len(self.receipts) == len(self.camera.entries):
                    return
        except BaseException as error:  # the campaign looks at it
            self.problem = error

    def _record(self) -> None:
        for _ in range(self._chance.randint(1, 3)):
            self.camera.record(self._chance.randbytes(self._chance.choice([0, 900, 60_000, 1_200_000, 6_000_000])))

    def _dock(self, docking: Docking) -> None:
        try:
            asked = docking.open()
        except (httpx.TransportError, AssertionError):
            time.sleep(self._chance.uniform(0.05, 0.3))
            return
        for sequence, item in asked.items():
            if item["state"] == "refused":
                raise BrokenPromise(f"recording {sequence} was refused: {item['why']}")
            if item["receipt"]:
                self._keep(sequence, item["receipt"], docking)
            if sequence in self.receipts:
                if item["state"] != "have":
                    raise BrokenPromise(f"recording {sequence} has a receipt and is asked for again")
                continue
            if item["state"] == "needed" and not self._send(docking, sequence, item["upload_url"]):
                return  # dock again
            if not self._fetch(docking, sequence):
                return

    def _send(self, docking: Docking, sequence: int, url: str) -> bool:
        """All that is missing of one recording; False when the docking is to begin anew."""
        content = self.camera.content[sequence]
        try:
            stand = docking.head(url)
            if stand.status_code != 200:
                return self._passing(stand)
            at = int(stand.headers["Upload-Offset"])
            if at < self._acknowledged.get(url, 0):
                raise BrokenPromise(f"{url} stood at {self._acknowledged[url]} and stands at {at}")
            while at < len(content) or not content:
                size = self._chance.choice([100_000, 1_500_000, len(content) or 1])
                piece = content[at : at + size]
                cut = self._chance.random() < 0.08 and len(piece) > 50_000
                answer = docking.patch(url, at, self._torn(piece) if cut else piece)
                if answer.status_code != 204:
                    return self._passing(answer)
                at = int(answer.headers["Upload-Offset"])
                self._acknowledged[url] = at
                if not content:
                    break
        except (httpx.TransportError, _Cut):
            time.sleep(self._chance.uniform(0.02, 0.2))
            return False
        return True

    def _torn(self, piece: bytes) -> Iterator[bytes]:
        self.cuts += 1
        yield piece[: len(piece) // 2]
        raise _Cut

    def _fetch(self, docking: Docking, sequence: int) -> bool:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                answer = docking.receipt(sequence)
            except httpx.TransportError:
                return False
            if answer.status_code == 200:
                self._keep(sequence, answer.json(), docking)
                return True
            if answer.status_code != 202:
                return self._passing(answer)
            time.sleep(0.1)
        return False

    def _keep(self, sequence: int, document: dict[str, Any], docking: Docking) -> None:
        receipt = verify_receipt(document, docking.answer["receipt_key"])
        content = self.camera.content[sequence]
        if (receipt.sha256, receipt.size) != (hashlib.sha256(content).hexdigest(), len(content)):
            raise BrokenPromise(f"the receipt of recording {sequence} is for other bytes")
        former = self.receipts.setdefault(sequence, document)
        if former["recording_id"] != document["recording_id"]:
            raise BrokenPromise(f"recording {sequence} became two")

    def _passing(self, answer: httpx.Response) -> bool:
        if answer.status_code not in PASSING:
            raise BrokenPromise(f"{answer.status_code}: {answer.text[:300]}")
        time.sleep(self._chance.uniform(0.05, 0.3))
        return False


class _Cut(Exception):
    """The connection is cut in the midst of a body."""
