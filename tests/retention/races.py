"""Races of people who want to keep recordings against the sweep that takes them, each on a connection of its own.

Every recording of a round is due; somebody wants to keep most of them, at some instant around the sweep, in one of the
ways in which people do: a hold, a hold on many, a flag, an extension, a lock, a hold on another file of the incident.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest
from django.db import connections

from bluelamp.custody import keys
from bluelamp.footage import services as footage
from bluelamp.footage.models import Incident, Recording
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Conflict
from bluelamp.kernel.ids import new_id
from bluelamp.people.models import Person
from bluelamp.people.policy import Role
from bluelamp.retention import certificates, queries, services
from bluelamp.retention.models import Hold
from bluelamp.retention.services import sweeping
from bluelamp.vault import objects
from bluelamp.vault.errors import KeyErased
from bluelamp.vault.keyring import get_keyring
from bluelamp.vault.stores import get_store
from tests import factories

CONTENT = b"what the camera saw"
DAY = timedelta(days=1)
_PEOPLE, _SWEEPS = 4, 2
_LONGEST_WAIT = 0.15  # seconds; about as long as the sweep of a round takes


def in_threads(*actions: Callable[[], object]) -> None:
    """Run the actions at the same moment, each on a connection of its own."""
    start, failures = threading.Barrier(len(actions)), []

    def run(action: Callable[[], object]) -> None:
        try:
            start.wait(timeout=20)
            action()
        except BaseException as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not failures, failures


@dataclass
class Tally:
    """What people were told: ids of what they keep, and in which words others were refused."""

    won: set[UUID] = field(default_factory=set)
    lost: dict[UUID, str] = field(default_factory=dict)
    nobody: int = 0  # that nobody wanted
    spared: int = 0  # that nobody wanted, kept with another file of the incident


class Round:
    """One sweep, or rather two at once, and the people who race it."""

    def __init__(self, chance: random.Random, races: int) -> None:
        self._chance = chance
        unit = factories.unit()
        self._officer = factories.person(Role.OFFICER, unit=unit)
        self._category = factories.category("violence", 365)
        self._alone = self._due(races)
        self._pairs = [self._pair() for _ in range(max(races // 10, 1))]
        self.tally = Tally()

    def run(self) -> Tally:
        """Race, sweep once more, and look at each recording."""
        acts = self._acts()
        people = [acts[number::_PEOPLE] for number in range(_PEOPLE)]
        waits = [self._chance.uniform(0, _LONGEST_WAIT) for _ in range(_PEOPLE + _SWEEPS)]
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(sweeping, "_BATCH", self._chance.choice((1, 3, 10, 500)))
            in_threads(
                *(partial(self._person, wait, mine) for wait, mine in zip(waits, people, strict=False)),
                *(partial(self._sweeper, wait) for wait in waits[_PEOPLE:]),
            )
        assert services.sweep().failed == 0
        self._look()
        return self.tally

    def _due(self, count: int, incident: Incident | None = None) -> list[Recording]:
        long_ago, made = clock.now() - 40 * DAY, []
        ids = [new_id() for _ in range(count)]
        get_keyring().create_all([str(each) for each in ids])
        for recording_id in ids:
            name = f"recordings/{recording_id}/original"
            objects.seal_bytes(name, str(recording_id), CONTENT)
            made.append(self._row(recording_id, name, long_ago, incident))
        return made

    def _row(self, recording_id: UUID, name: str, long_ago, incident: Incident | None) -> Recording:
        return factories.recording(
            self._officer,
            id=recording_id,
            original=name,
            content=CONTENT,
            incident=incident,
            started_at=long_ago,
            received_at=long_ago,
            due_at=long_ago + 31 * DAY,
            due_rule="default",
            state=self._chance.choice((Recording.State.LIVE, Recording.State.QUARANTINED)),
        )

    def _pair(self) -> list[Recording]:
        return self._due(2, Incident.objects.create())

    def _acts(self) -> list[Callable[[], None]]:
        """Some wait for the sweep from behind, some meet it: the sweep goes by due dates, they in any order."""
        left = list(self._alone)
        self._chance.shuffle(left)
        # One of ten is nobody's.
        left = left[: len(left) * 9 // 10]
        acts: list[Callable[[], None]] = [partial(self._keep, pair[0], self._hold) for pair in self._pairs]
        while left:
            if self._chance.random() < 0.1:
                acts.append(partial(self._keep_many, [left.pop() for _ in range(min(5, len(left)))]))
            else:
                way = self._chance.choice((self._hold, self._hold, self._flag, self._extend, self._lock))
                acts.append(partial(self._keep, left.pop(), way))
        self._chance.shuffle(acts)
        return acts

    def _person(self, wait: float, acts: Sequence[Callable[[], None]]) -> None:
        time.sleep(wait)
        for act in acts:
            act()

    def _sweeper(self, wait: float) -> None:
        time.sleep(wait)
        assert services.sweep().failed == 0

    def _keep(self, recording: Recording, way: Callable[[Recording], object]) -> None:
        try:
            way(Recording.objects.get(pk=recording.pk))
            self.tally.won.add(recording.pk)
        except Conflict as refusal:
            self.tally.lost[recording.pk] = str(refusal)

    def _keep_many(self, recordings: list[Recording]) -> None:
        placed = services.place_holds(recordings, Hold.Kind.FOI, "Asked for", f"request:{recordings[0].pk}", "public")
        self.tally.won.update(hold.recording_id for hold in placed.holds)
        self.tally.lost.update(dict.fromkeys(placed.too_late, "deleted"))
        assert len(placed.holds) + len(placed.too_late) == len(recordings)

    def _hold(self, recording: Recording) -> None:
        services.place_hold(recording, Hold.Kind.COMPLAINT, "Complaint", f"complaint:{recording.pk}", "public")

    def _flag(self, recording: Recording) -> None:
        footage.flag(recording, category=self._category, reason="Assault", by=self._officer)

    def _extend(self, recording: Recording) -> None:
        services.extend(recording, until=clock.now() + 60 * DAY, reason="Needed", actor="person:9001")

    def _lock(self, recording: Recording) -> None:
        footage.lock(recording, reason="A death", by=Person.objects.get(pk=self._officer.pk))

    def _look(self) -> None:
        wanted = {*self.tally.won, *self.tally.lost}
        assert not self.tally.won & set(self.tally.lost)
        for recording in [*self._alone, *(file for pair in self._pairs for file in pair)]:
            recording.refresh_from_db()
            if recording.pk in self.tally.won:
                self._lives(recording)
            elif recording.pk in self.tally.lost:
                assert "deleted" in self.tally.lost[recording.pk]
                self._gone(recording)
            elif any(pair[0].pk in self.tally.won for pair in self._pairs if recording in pair):
                # It went before somebody asked for the other file of its incident, or is kept with it.
                (self._gone if recording.state == Recording.State.DELETED else self._lives)(recording)
                self.tally.spared += recording.state == Recording.State.LIVE
            else:
                self._gone(recording)
                self.tally.nobody += 1
        assert wanted <= {recording.pk for recording in [*self._alone, *(pair[0] for pair in self._pairs)]}

    def _lives(self, recording: Recording) -> None:
        assert recording.state == Recording.State.LIVE
        assert objects.SealedReader(recording.original, recording.key_id).read(0, 100) == CONTENT
        assert not hasattr(recording, "deletion")

    def _gone(self, recording: Recording) -> None:
        assert recording.state == Recording.State.DELETED
        assert list(get_store().list(f"recordings/{recording.pk}")) == []
        with pytest.raises(KeyErased):
            get_keyring().get(recording.key_id)
        assert not Hold.objects.filter(recording=recording).exists()
        certificate = queries.certificate_of(recording)
        assert certificate is not None
        assert certificates.verify(certificate.body, keys.receipt_key().public_key()).recording_id == str(recording.pk)
