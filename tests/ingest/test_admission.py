"""Whose turn it is when more is sent at once than one server takes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from bluelamp.ingest.admission import Admission
from bluelamp.ingest.errors import TooManyUploads
from tests.ingest.docks import Docking


class Crowd:
    """Bodies that hold their slot until they are told to end, and the order in which they got it."""

    def __init__(self, admission: Admission) -> None:
        self.admission = admission
        self.order: list[str] = []
        self._ends: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def come(self, name: str, owner: str, *, evidence: bool = False) -> None:
        self._ends[name] = asyncio.Event()

        async def body() -> None:
            async with self.admission.slot(owner, evidence=evidence):
                self.order.append(name)
                await self._ends[name].wait()

        self.tasks[name] = asyncio.create_task(body())
        await asyncio.sleep(0)

    async def end(self, name: str) -> None:
        self._ends[name].set()
        await self.tasks[name]
        await asyncio.sleep(0)
        await asyncio.sleep(0)


def run(story: Callable[[Crowd], object], at_once: int, **more: float) -> Crowd:
    async def main() -> Crowd:
        crowd = Crowd(Admission(at_once, **more))
        await story(crowd)
        return crowd

    return asyncio.run(main())


def test_no_more_than_the_limit_are_received_at_once_and_each_end_lets_one_in() -> None:
    async def story(crowd: Crowd) -> None:
        for name in "abcd":
            await crowd.come(name, f"dock:{name}")
        assert crowd.order == ["a", "b"]
        assert crowd.admission.active == 2
        assert crowd.admission.waiting == 2
        for name in "abcd":
            await crowd.end(name)

    crowd = run(story, 2)
    assert crowd.order == ["a", "b", "c", "d"]
    assert crowd.admission.active == crowd.admission.waiting == 0


def test_what_was_marked_as_evidence_comes_first() -> None:
    async def story(crowd: Crowd) -> None:
        await crowd.come("first", "dock:1")
        await crowd.come("ordinary", "dock:2")
        await crowd.come("evidence", "dock:3", evidence=True)
        for name in ("first", "evidence", "ordinary"):
            await crowd.end(name)

    assert run(story, 1).order == ["first", "evidence", "ordinary"]


def test_a_dock_with_many_uploads_does_not_keep_the_others_waiting() -> None:
    async def story(crowd: Crowd) -> None:
        for number in range(4):
            await crowd.come(f"busy {number}", "dock:busy")
        await crowd.come("small", "dock:small")
        await crowd.end("busy 0")
        assert crowd.order == ["busy 0", "busy 1", "small"]
        for name in ("busy 1", "small", "busy 2", "busy 3"):
            await crowd.end(name)

    run(story, 2)


def test_people_s_browsers_leave_half_of_the_places_to_docks() -> None:
    async def story(crowd: Crowd) -> None:
        for name in ("slow phone", "another phone"):
            await crowd.come(name, f"person:{name}")
        await crowd.come("dock", "dock:1")
        assert crowd.order == ["slow phone", "dock"]
        await crowd.end("dock")
        assert crowd.order == ["slow phone", "dock"]
        await crowd.end("slow phone")
        await crowd.end("another phone")

    run(story, 2)


def test_who_waits_too_long_is_told_when_to_come_back() -> None:
    async def story(crowd: Crowd) -> None:
        await crowd.come("first", "dock:1")
        await crowd.come("late", "dock:2")
        with pytest.raises(TooManyUploads) as told:
            await crowd.tasks["late"]
        assert 1 <= told.value.retry_after_seconds <= 60
        await crowd.end("first")
        assert crowd.admission.active == crowd.admission.waiting == 0

    run(story, 1, wait_seconds=0.05)


def test_when_very_many_wait_the_next_is_sent_away_at_once() -> None:
    async def story(crowd: Crowd) -> None:
        await crowd.come("first", "dock:1")
        await crowd.come("second", "dock:2")
        await crowd.come("third", "dock:3")
        with pytest.raises(TooManyUploads):
            await crowd.tasks["third"]
        for name in ("first", "second"):
            await crowd.end(name)

    run(story, 1, most_waiting=1)


def test_a_sender_that_goes_while_it_waits_takes_no_turn() -> None:
    async def story(crowd: Crowd) -> None:
        await crowd.come("first", "dock:1")
        await crowd.come("gone", "dock:2")
        await crowd.come("next", "dock:3")
        crowd.tasks["gone"].cancel()
        await asyncio.sleep(0)
        await crowd.end("first")
        await crowd.end("next")
        assert crowd.order == ["first", "next"]
        assert crowd.admission.active == 0

    run(story, 1)


def test_a_dock_is_told_503_with_a_time_and_loses_nothing(docking: Docking, monkeypatch: pytest.MonkeyPatch) -> None:
    from bluelamp.ingest.tus import reception

    full = Admission(0, wait_seconds=0.05)
    monkeypatch.setattr(reception, "admission", lambda: full)
    content = b"x" * 100_000
    docking.camera.record(content)
    url = docking.open()[1]["upload_url"]
    answer = docking.patch(url, 0, content)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1
    assert "kept" in answer.json()["meaning"]
    monkeypatch.undo()
    assert docking.patch(url, 0, content).status_code == 204
    assert docking.receipt(1).status_code == 200
