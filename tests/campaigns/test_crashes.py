"""Whatever dies under load: every acknowledged byte is there, nothing twice, nothing half made, nothing left over.

Cameras in docks (in one piece, or in parts that are joined) and Axis body-worn systems send meanwhile. The seed decides
the faults, their order, the pauses between them and what is recorded; what each of them strikes is the machine's doing.
The thirty of every run have a seed of their own; the long campaign prints a new one each time, and CAMPAIGN_SEED
replays it.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.campaigns.faults import Faults
from tests.campaigns.installation import Installation, Patience, can_mount, small_disks
from tests.campaigns.laws import everything_is_there_once, nothing_is_left_over, troubles
from tests.campaigns.load import Dock, Sender
from tests.campaigns.material import Material
from tests.campaigns.worn import Wearing
from tests.ingest.up import demonstration

DOCKS, SYSTEMS = 4, 2
AT_FIRST = 2
AT_EACH_FAULT = 2
"""Senders that get something new to bring in just before a fault, so that there is something to strike."""

MOST_WAITING = 12
"""Recordings that may wait in all when a fault comes: an installation is to be struck at work, not buried."""

Start = Callable[[int], Installation]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """An installation for so many faults."""
    with ExitStack() as ending:

        def begin(faults: int) -> Installation:
            data = demonstration(tmp_path / "data")
            if can_mount():
                ending.enter_context(small_disks(data, store_mib=128 + 4 * faults))
            up = Installation(data)
            ending.callback(up.stop)
            up.start()
            return up

        yield begin


@pytest.mark.server
def test_thirty_faults_under_load_lose_nothing(start: Start, tell: Callable[[str], None]) -> None:
    campaign(start, 30, tell, seed=30)


@pytest.mark.soak
def test_five_hundred_faults_under_load_lose_nothing(start: Start, tell: Callable[[str], None]) -> None:
    campaign(start, 500, tell, seed=random.SystemRandom().randrange(10**9))


def campaign(start: Start, faults: int, tell: Callable[[str], None], *, seed: int) -> None:
    seed = int(os.environ.get("CAMPAIGN_SEED") or seed)
    tell(f"CAMPAIGN_SEED={seed}")
    began = time.monotonic()
    chance = random.Random(seed)
    up = start(faults)
    befall = Faults(up, chance, disks=can_mount())
    docks, systems = senders_of(up, chance)
    senders = [*docks, *systems]
    try:
        for sender in senders:
            sender.allow(AT_FIRST)
            sender.start()
        for number in range(faults):
            let_them_work(senders, MOST_WAITING)
            for sender in chance.sample(senders, AT_EACH_FAULT):
                sender.allow(1)
            kind = befall.next()
            assert not problems(senders), f"after fault {number + 1} ({kind}): {problems(senders)}"
            if number % 50 == 49:
                tell(f"{number + 1} faults in {time.monotonic() - began:.0f} s: {said(senders)}")
        for sender in senders:
            sender.enough()
        let_them_work(senders, 0)
        for sender in senders:
            sender.join()
    finally:
        for sender in senders:
            sender.give_up()
    tell(f"{befall.counts}; {said(senders)}; {time.monotonic() - began:.0f} s")
    tell(f"docks: {ways(docks)}; systems: {sum(len(made.clips) for system in systems for made in system.made)} clips")
    assert not problems(senders), problems(senders)
    nothing_is_left_over(up)
    assert not troubles(up)
    counted = everything_is_there_once(up, docks, systems)
    tell(f"{counted.recordings} recordings, {counted.bytes} bytes read back; {time.monotonic() - began:.0f} s")


def senders_of(up: Installation, chance: random.Random) -> tuple[list[Dock], list[Wearing]]:
    """Cameras and systems that the installation knows; nothing is recorded yet."""
    material = Material()
    serials = [f"CAMPAIGN{number}" for number in range(DOCKS)]
    token = up.dock_token(*serials)
    docks = [Dock(up.url, token, serial, chance.randrange(10**9), material) for serial in serials]
    officer = up.officer()
    systems = [up.system(f"System {number}", officer) for number in range(SYSTEMS)]
    return docks, [Wearing(system, "arrest", chance.randrange(10**9), material) for system in systems]


def let_them_work(senders: list[Sender], most_waiting: int) -> None:
    """Until no more recordings wait; a trouble that one of them met ends it too. Raises when nothing moves any more."""
    patience = Patience()
    while (waiting := sum(sender.waiting for sender in senders)) > most_waiting and not problems(senders):
        patience.look([sender.steps for sender in senders], f"{waiting} recordings wait")
        time.sleep(0.05)


def problems(senders: list[Sender]) -> list[str]:
    return [f"{sender.name}: {sender.problem!r}" for sender in senders if sender.problem is not None]


def said(senders: list[Sender]) -> str:
    made, safe = (sum(getattr(sender, what) for sender in senders) for what in ("recorded", "safe"))
    return f"{made} recorded, {safe} safe, {sum(sender.cuts for sender in senders)} connections cut"


def ways(docks: list[Dock]) -> str:
    """How docks sent, and what they did that leaves something to tidy up."""
    made = [made for dock in docks for made in dock.made.values()]
    parts = sum(bool(one.parts) for one in made)
    lost, ended = (sum(getattr(dock, what) for dock in docks) for what in ("lost_parts", "given_up"))
    switched = sum(bool(one.parts and one.ended) for one in made)
    marked = sum(one.marked for one in made)
    return (
        f"{len(made)} recordings, {marked} marked, {parts} in parts ({switched} begun in one piece); "
        f"{lost} parts lost sight of, {ended} uploads given up"
    )
