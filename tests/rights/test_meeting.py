"""Footage and requests that come at the same moment find each other, whichever is first."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, connections, transaction

from bluelamp.footage import hooks
from bluelamp.footage.models import Recording
from bluelamp.kernel import clock
from bluelamp.people.models import Unit
from bluelamp.people.policy import Role
from bluelamp.rights import rules, services
from bluelamp.rights.models import Request
from tests import factories
from tests.rights.given import ask


def _world():
    borough = factories.unit("Northgate", kind=Unit.Kind.BOROUGH)
    return borough, factories.person(Role.OFFICER, unit=factories.unit(parent=borough))


class _Beside:
    """A transaction on another connection: it does its first step, then waits until it is let go."""

    def __init__(self, *steps):
        self._done, self._go = threading.Event(), threading.Event()
        self._pool = ThreadPoolExecutor(1)
        self._result = self._pool.submit(self._run, steps)
        assert self._done.wait(20)

    def _run(self, steps):
        try:
            with transaction.atomic():
                first = steps[0]()
                self._done.set()
                assert self._go.wait(20)
                for step in steps[1:]:
                    step()
                return first
        finally:
            self._done.set()
            connections.close_all()

    def end(self):
        self._go.set()
        return self._result.result(20)


def _in_thread(action):
    def run():
        try:
            return action()
        finally:
            connections.close_all()

    return ThreadPoolExecutor(1).submit(run)


def _until_somebody_waits():
    for _ in range(100):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) "
                "WHERE NOT l.granted AND a.datname = current_database()"
            )
            if cursor.fetchone()[0]:
                return
        time.sleep(0.05)
    raise AssertionError("nobody waits for a lock")


def _accept(wearer, started):
    recording = factories.recording(wearer, started_at=started)
    hooks.accepted.call([recording])
    return recording.pk


@pytest.mark.usefixtures("committed_db")
def test_a_recording_accepted_while_somebody_asks_for_it_is_held():
    borough, wearer = _world()
    started = clock.now() - timedelta(days=30, hours=20)
    arrival = _Beside(lambda: _accept(wearer, started))
    asking = _in_thread(lambda: ask(borough, started))
    _until_somebody_waits()
    arrived = arrival.end()
    request = asking.result(20)
    assert request.matches.get().recording_id == arrived
    services.confirm_email(request)
    assert Recording.objects.get(pk=arrived).holds.get().source == request.custody_id


@pytest.mark.usefixtures("committed_db")
def test_a_recording_that_arrives_while_the_requester_confirms_is_held():
    borough, wearer = _world()
    started = clock.now() - timedelta(days=1)
    request = ask(borough, started)
    arrival = _Beside(lambda: _accept(wearer, started))
    confirming = _in_thread(lambda: services.confirm_email(request))
    _until_somebody_waits()
    arrived = arrival.end()
    confirming.result(20)
    recording = Recording.objects.get(pk=arrived)
    assert recording.request_matches.get().provisional_until is None
    assert recording.holds.get().source == request.custody_id


@pytest.mark.usefixtures("committed_db")
def test_a_recording_that_arrives_after_the_confirmation_began_is_held_too():
    borough, wearer = _world()
    started = clock.now() - timedelta(days=1)
    request = ask(borough, started)
    confirming = _Beside(lambda: services.confirm_email(request))
    arriving = _in_thread(lambda: _accept_in_transaction(wearer, started))
    _until_somebody_waits()
    confirming.end()
    assert Recording.objects.get(pk=arriving.result(20)).holds.get().source == request.custody_id


def _accept_in_transaction(wearer, started):
    with transaction.atomic():
        return _accept(wearer, started)


@pytest.mark.usefixtures("committed_db")
def test_a_request_locks_recordings_in_the_order_of_their_ids_not_of_their_times():
    borough, wearer = _world()
    base = clock.now() - timedelta(hours=3)
    made = [factories.recording(wearer, started_at=base - timedelta(seconds=n)) for n in range(5)]
    first, *others = sorted(recording.pk for recording in made)
    with transaction.atomic():
        Recording.objects.select_for_update().get(pk=first)
        asking = _in_thread(lambda: ask(borough, base))
        _until_somebody_waits()
        locked = Recording.objects.select_for_update(nowait=True).filter(pk__in=others)
        try:
            assert len(locked) == 4
        except DatabaseError as error:
            raise AssertionError("the request had locked a later one while it waited for the first") from error
    assert asking.result(20).matches.count() == 5


@pytest.mark.usefixtures("committed_db")
def test_a_request_that_loses_against_another_transaction_is_received_all_the_same():
    borough, wearer = _world()
    base = clock.now() - timedelta(hours=3)
    first, last = sorted(factories.recording(wearer, started_at=base).pk for _ in range(2))
    other = _Beside(lambda: _lock(last), lambda: _lock(first))  # in the wrong order
    asking = _in_thread(lambda: ask(borough, base))
    _until_somebody_waits()
    other.end()
    assert asking.result(20).matches.count() == 2
    assert Request.objects.count() == 1


def _lock(pk):
    Recording.objects.select_for_update().get(pk=pk)


@pytest.mark.django_db
def test_confirming_looks_again_and_holds_what_was_missed(borough, wearer):
    at = clock.now() - timedelta(days=2)
    request = ask(borough, at)
    moved = factories.recording(wearer, started_at=at)  # without the hook: as if its time had been corrected since
    services.confirm_email(request)
    assert moved.holds.get().source == request.custody_id


@pytest.mark.django_db
@pytest.mark.parametrize("confirmed", [True, False])
def test_standing_requests_are_matched_again_from_time_to_time(borough, wearer, confirmed):
    at = clock.now() - timedelta(days=2)
    request = ask(borough, at)
    if confirmed:
        services.confirm_email(request)
    moved = factories.recording(wearer, started_at=at)
    assert services.match_again() == 1
    assert services.match_again() == 0
    match = request.matches.get()
    assert match.recording == moved
    assert moved.holds.count() == int(confirmed)
    assert (match.provisional_until is None) == confirmed


@pytest.mark.django_db
def test_matching_again_keeps_to_the_most_and_escalates_once(borough, wearer, monkeypatch):
    monkeypatch.setattr(rules, "MOST_HELD", 2)
    at = clock.now() - timedelta(days=2)
    request = ask(borough, at)
    services.confirm_email(request)
    for _ in range(4):
        factories.recording(wearer, started_at=at)
    assert services.match_again() == 2
    assert services.match_again() == 0
    request.refresh_from_db()
    assert "fits 4 recordings and holds the first 2" in request.escalation


@pytest.mark.django_db
def test_footage_deleted_before_the_hold_is_counted_and_put_before_a_person(borough, wearer):
    from bluelamp.custody import queries as ledger

    at = clock.now() - timedelta(days=2)
    gone, there = (factories.recording(wearer, started_at=at) for _ in range(2))
    request = ask(borough, at)
    Recording.objects.filter(pk=gone.pk).update(state=Recording.State.DELETED)
    services.confirm_email(request)
    request.refresh_from_db()
    assert (request.escalated, request.too_late, request.escalation) == (True, 1, "")
    confirmed = next(item for item in ledger.history(request.custody_id) if item.tag == "request.confirmed")
    assert (confirmed.details["held"], confirmed.details["too_late"]) == (1, 1)
    assert there.holds.count() == 1
