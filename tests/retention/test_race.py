"""A hold and the sweep at the same moment: either held and alive, or deleted and the hold refused in words."""

from __future__ import annotations

import os
import random
import sys
import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from bluelamp.custody import queries as custody
from bluelamp.footage.models import Recording
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Conflict
from bluelamp.people.policy import Role
from bluelamp.retention import services
from bluelamp.retention.models import Hold
from bluelamp.vault.keyring import get_keyring
from tests import factories
from tests.retention.races import Round, in_threads
from tests.retention.test_sweep import files_of, sealed_recording


def due_recordings(count: int) -> list[Recording]:
    officer = factories.person(Role.OFFICER, unit=factories.unit())
    long_ago = clock.now() - timedelta(days=40)
    return [
        sealed_recording(officer, started_at=long_ago, received_at=long_ago, due_at=long_ago + timedelta(days=31))
        for _ in range(count)
    ]


def test_hold_and_sweep_at_the_same_moment_never_both_win(committed_db):
    recordings = due_recordings(40)
    held, refused = set(), {}

    def hold_each():
        for recording in reversed(recordings):
            try:
                services.place_hold(recording, Hold.Kind.SUBJECT_ACCESS, "SAR", "request:1", "public")
                held.add(recording.pk)
            except Conflict as refusal:
                refused[recording.pk] = str(refusal)

    in_threads(hold_each, services.sweep, services.sweep)
    services.sweep()

    assert len(held) + len(refused) == 40
    assert all("deleted before the hold" in words for words in refused.values())
    for recording in Recording.objects.all():
        if recording.pk in held:
            assert recording.state == Recording.State.LIVE
            assert len(files_of(recording)) == 3
            assert get_keyring().has(recording.key_id)
        else:
            assert recording.state == Recording.State.DELETED
            assert files_of(recording) == []
            assert not Hold.objects.filter(recording=recording).exists()
    assert custody.count("hold.placed") == len(held)
    assert custody.count("recording.erased") == len(refused)


@pytest.mark.usefixtures("committed_db")
def test_while_somebody_is_placing_a_hold_the_sweep_passes_by():
    (recording,) = due_recordings(1)
    locked, swept = threading.Event(), threading.Event()

    def hold_slowly():
        with transaction.atomic():
            services.place_hold(recording, Hold.Kind.COMPLAINT, "Complaint", "", "person:9001")
            locked.set()
            assert swept.wait(timeout=20)

    def sweep():
        assert locked.wait(timeout=20)
        try:
            assert services.sweep() == services.SweepResult()
        finally:
            swept.set()

    in_threads(hold_slowly, sweep)
    assert services.sweep() == services.SweepResult()
    assert len(files_of(recording)) == 3


@pytest.mark.usefixtures("committed_db")
def test_a_hold_that_waited_for_a_deletion_is_refused():
    (recording,) = due_recordings(1)
    closing = threading.Event()
    refusals = []

    def close_slowly():
        from bluelamp.retention.services import sweeping

        with transaction.atomic():
            sweeping._step_together(sweeping._locked([recording.pk]), clock.now())
            closing.set()
            _wait_until_somebody_waits_for_a_lock()

    def hold():
        assert closing.wait(timeout=20)
        with pytest.raises(Conflict) as refusal:
            services.place_hold(recording, Hold.Kind.COMPLAINT, "Complaint", "", "person:9001")
        refusals.append(refusal.value)

    in_threads(close_slowly, hold)
    assert len(refusals) == 1
    assert custody.count("hold.placed") == 0


def _wait_until_somebody_waits_for_a_lock() -> None:
    for _ in range(200):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
            cursor.execute("SELECT pg_sleep(0.05)")
    pytest.fail("nobody waited for the row's lock")


@pytest.mark.usefixtures("committed_db")
def test_two_sweeps_at_once_delete_each_recording_once():
    recordings = due_recordings(12)
    results = []
    in_threads(*[lambda: results.append(services.sweep())] * 3)
    services.sweep()
    assert sum(result.deleted for result in results) == len(recordings)
    assert custody.count("recording.deleted") == custody.count("recording.erased") == len(recordings)
    assert get_keyring().erased_at(recordings[0].key_id) is not None
    assert all(not files_of(recording) for recording in recordings)


@pytest.mark.usefixtures("committed_db")
def test_in_two_hundred_races_of_every_kind_never_both_win():
    chance = random.Random(4)
    for _ in range(4):
        tally = Round(chance, 50).run()
        assert len(tally.won) + len(tally.lost) == 50
        assert tally.nobody >= 5


@pytest.mark.soak
@pytest.mark.usefixtures("committed_db")
def test_in_ten_thousand_races_never_both_win(capsys):
    seed = int(os.environ.get("CAMPAIGN_SEED") or random.randrange(1_000_000))
    chance, won, lost, spared = random.Random(seed), 0, 0, 0
    for _ in range(100):
        tally = Round(chance, 100).run()
        won, lost, spared = won + len(tally.won), lost + len(tally.lost), spared + tally.spared
        with capsys.disabled():
            sys.stdout.write(
                f"\rseed {seed}: {won + lost:,} races, {won:,} kept, {lost:,} too late, {spared:,} siblings"
            )
            sys.stdout.flush()
    assert won + lost == 10_000
    assert min(won, lost, spared) > 0
