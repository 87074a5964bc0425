"""The files of one incident are kept, locked and let go together."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction

from bluelamp.custody import queries as custody
from bluelamp.footage import services as footage
from bluelamp.footage.models import Incident, Recording
from bluelamp.footage.services import locked
from bluelamp.kernel import clock
from bluelamp.people.policy import Role
from bluelamp.retention import queries, services
from bluelamp.retention.models import Hold
from tests import factories
from tests.retention.races import in_threads

DAY = timedelta(days=1)


def files_of_one_incident(count: int = 2) -> list[Recording]:
    """Parts of one incident, in the order of their ids, each decided about."""
    officer = factories.person(Role.OFFICER, unit=factories.unit())
    incident = Incident.objects.create()
    parts = [factories.recording(officer, incident=incident, part=number + 1) for number in range(count)]
    for part in parts:
        services.recompute(part)
    return sorted(parts, key=lambda part: part.pk)


@pytest.fixture
def parts(db):
    return files_of_one_incident()


@pytest.fixture
def second(db):
    return factories.person(Role.BWV_MANAGER)


def _fresh(recording: Recording) -> Recording:
    return Recording.objects.get(pk=recording.pk)


def test_a_hold_on_one_file_keeps_every_file_of_the_incident_and_says_so(parts):
    one, other = parts
    hold = services.place_hold(one, Hold.Kind.COMPLAINT, "Complaint 12", "", "person:9001")
    kept = _fresh(other)
    assert (kept.due_at, kept.due_rule) == (None, "incident")
    sentence = queries.decision(kept).sentence
    assert "another file of the same incident is held, flagged or locked" in sentence
    assert "omplaint" not in sentence
    clock.advance(40 * DAY)
    assert services.sweep() == services.SweepResult()

    services.release_hold(hold, "Closed", "person:9002")
    assert _fresh(other).due_at == _fresh(other).review_until


def test_a_request_that_holds_one_file_lets_all_of_them_go_at_its_end(parts):
    one, other = parts
    services.place_holds([one], Hold.Kind.SUBJECT_ACCESS, "SAR", "request:7", "public")
    assert _fresh(other).due_at is None
    services.release_holds("request:7", "Answered", "person:9001")
    assert _fresh(other).due_rule == "default"


def test_a_flag_on_one_file_keeps_the_others_as_long(parts, second):
    one, other = parts
    footage.flag(one, category=factories.category("violence", 365), reason="Assault", by=one.wearer)
    assert _fresh(other).due_at == one.started_at + (365 + 3) * DAY
    footage.release_flag(one, reason="No further action", by=second)
    assert _fresh(other).due_at == other.started_at + 31 * DAY


def test_a_shorter_flag_on_one_file_shortens_none_of_the_others(parts):
    one, other = parts
    footage.flag(one, category=factories.category("violence", 365), reason="Assault", by=one.wearer)
    services.place_hold(other, Hold.Kind.FOI, "FOI 9", "request:9", "public")
    footage.flag(one, category=factories.category("nuisance", 40), reason="On reflection", by=one.wearer)
    services.release_holds("request:9", "Answered", "person:9001")
    for part in parts:
        assert _fresh(part).due_at == one.started_at + (365 + 3) * DAY


def test_a_lock_on_one_file_locks_and_keeps_all_and_its_end_unlocks_all(parts, second):
    one, other = parts
    footage.lock(other, reason="Serious injury", by=second)
    assert [_fresh(part).due_rule for part in parts] == ["lock", "lock"]
    footage.let_watch(one, person=one.wearer, reason="First account given", by=second)
    assert one.wearer in _fresh(other).released_to.all()
    footage.unlock(one, reason="Over", by=second)
    for part in parts:
        assert _fresh(part).locked_at is None
        assert _fresh(part).due_rule == "default"
        assert custody.history(part.custody_id)[-1].tag == "recording.due_set"


def test_a_file_that_was_deleted_keeps_no_other(parts):
    one, other = parts
    services.place_hold(one, Hold.Kind.OTHER, "Wait", "", "person:9001")
    Recording.objects.filter(pk=one.pk).update(state=Recording.State.DELETED)
    assert services.recompute(_fresh(other)).governing.code == "default"


@pytest.mark.usefixtures("committed_db")
def test_holding_the_files_of_incidents_in_any_order_never_deadlocks():
    parts, others = files_of_one_incident(6), files_of_one_incident(6)

    def hold(kind, chosen):
        for number in range(6):
            services.place_holds(chosen(number), kind, "SAR", f"request:{number}", "public")
            services.release_holds(f"request:{number}", "Answered", "person:9001")

    in_threads(
        lambda: hold(Hold.Kind.FOI, lambda number: [others[number], parts[-1]]),
        lambda: hold(Hold.Kind.CASE, lambda number: [parts[5 - number], others[0]]),
        lambda: [services.place_hold(part, Hold.Kind.OTHER, "Wait", "", "person:9001") for part in reversed(parts)],
    )
    assert Hold.objects.filter(released_at=None).count() == 6


@pytest.mark.usefixtures("committed_db")
def test_while_one_file_is_being_held_the_sweep_passes_the_others_by():
    one, other = files_of_one_incident()
    long_ago = clock.now() - 40 * DAY
    Recording.objects.update(started_at=long_ago, received_at=long_ago, due_at=long_ago + 31 * DAY)

    with transaction.atomic():
        locked.many([other.pk])
        results: list[services.SweepResult] = []
        in_threads(lambda: results.append(services.sweep()))
        assert results == [services.SweepResult()]
        services.place_hold(other, Hold.Kind.OTHER, "Wait", "", "person:9001")
    assert services.sweep() == services.SweepResult()
    assert _fresh(one).state == Recording.State.LIVE
