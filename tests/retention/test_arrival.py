"""What is decided about a recording before its row is written is what would be decided right afterwards."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from procrastinate.contrib.django.models import ProcrastinateJob

from bluelamp.custody import queries as custody
from bluelamp.footage import search
from bluelamp.footage import services as footage
from bluelamp.footage.models import Recording
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Conflict
from bluelamp.kernel.ids import new_id
from bluelamp.people.models import Person
from bluelamp.people.policy import Role
from bluelamp.retention import hooks, object_hold, queries, rules, services
from bluelamp.retention.models import Hold
from tests import factories

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
COLLECTED, LOCKED, LATE, DUE = "recording.collected", "recording.locked", "recording.arrived_late", "recording.due_set"


@pytest.fixture
def officer():
    return factories.person(Role.OFFICER, unit=factories.unit())


def new(wearer: Person, *, age: timedelta = timedelta(hours=1), incident: UUID | None = None) -> footage.NewRecording:
    recording_id = new_id()
    started = clock.now() - age
    return footage.NewRecording(
        id=recording_id,
        filename="Clip 7 (O'Brien).mp4",
        sha256="0" * 64,
        size=10,
        original=f"recordings/{recording_id}/original",
        started_at=started,
        ended_at=started + timedelta(minutes=1),
        wearer=wearer,
        unit=wearer.unit,
        incident=incident,
        place="Shops of the High Street, 12e3",
    )


def held(first: Recording, by: Person) -> None:
    services.place_hold(first, Hold.Kind.COMPLAINT, "Complaint 12", "", "person:9001")


def flagged(first: Recording, by: Person) -> None:
    footage.flag(first, category=factories.category(keep_days=400), reason="Assault", by=by)


def flagged_without_end(first: Recording, by: Person) -> None:
    footage.flag(first, category=factories.category("undecided", None), reason="Assault", by=by)


def locked(first: Recording, by: Person) -> None:
    footage.lock(first, reason="Death in custody", by=by)
    footage.let_watch(first, person=factories.person(Role.OFFICER), reason="Statement", by=factories.person())


def left_alone(first: Recording, by: Person) -> None:
    pass


@pytest.mark.parametrize("age", [timedelta(hours=1), 40 * DAY])
@pytest.mark.parametrize(
    ("before", "story", "rule"),
    [
        (None, [], ""),
        (left_alone, [], ""),
        (held, [], "incident"),
        (flagged, [], "incident"),
        (flagged_without_end, [], "incident"),
        (locked, [LOCKED], "lock"),
    ],
)
def test_the_decision_on_arrival_is_the_one_that_the_stored_facts_give(officer, before, story, rule, age):
    incident = new_id()
    if before is not None:
        before(footage.accept(new(officer, incident=incident)), officer)
    recording = footage.accept(new(officer, age=age, incident=incident))

    stored = Recording.objects.get(pk=recording.pk)
    facts = queries.facts([stored])[stored.pk]
    decided = rules.decide(facts, queries.policy())
    assert (stored.due_at, stored.due_rule) == (decided.due_at, decided.governing.code)
    assert (recording.due_at, recording.due_rule, recording.review_until) == (
        stored.due_at,
        stored.due_rule,
        stored.review_until,
    )
    met = {incident} if before else set()
    assert queries.facts_on_arrival([stored], met) == {stored.pk: facts}
    if rule:
        assert stored.due_rule == rule

    late = [LATE] if age > 30 * DAY else []
    told = custody.history(stored.custody_id)
    assert [item.tag for item in told] == [COLLECTED, *story, *late, DUE]
    last = told[-1]
    assert (last.actor, last.details["before"], last.details["rule"]) == ("system:retention", None, stored.due_rule)
    assert services.recompute(stored) == decided
    assert len(custody.history(stored.custody_id)) == len(told)


def test_a_file_that_joins_a_locked_incident_is_open_to_those_who_were_let_in(officer):
    incident = new_id()
    first = footage.accept(new(officer, incident=incident))
    locked(first, officer)
    joined = footage.accept(new(officer, incident=incident))
    assert set(joined.released_to.all()) == set(first.released_to.all()) != set()
    assert Recording.objects.get(pk=joined.pk).lock_reason == "Death in custody"


def test_what_is_kept_for_another_file_of_its_incident_is_put_under_the_stores_hold(officer, monkeypatch):
    asked: list[UUID] = []
    monkeypatch.setattr(object_hold, "align_soon", lambda recording: asked.append(recording.pk))
    incident = new_id()
    held(footage.accept(new(officer, incident=incident)), officer)
    asked.clear()
    kept, plain = footage.accept(new(officer, incident=incident)), footage.accept(new(officer))
    assert asked == [kept.pk]
    assert plain.due_rule == "default"


def test_a_rooms_reason_that_needs_no_row_counts_on_arrival_too(officer):
    reason = rules.RetentionReason("order:1", "Preservation order", "a court ordered it", "Order")
    hooks.reasons.register(answer := lambda recordings: {recording.pk: [reason] for recording in recordings})
    try:
        assert footage.accept(new(officer)).due_rule == "order:1"
    finally:
        hooks.reasons._functions.remove(answer)


def test_the_words_of_a_new_recording_are_those_that_its_stored_facts_give(officer):
    camera = factories.camera(officer.unit, serial="BL-77/x")
    recordings = [
        footage.accept(replace(new(officer), camera=camera, sequence=1)),
        footage.accept(replace(new(officer), wearer=None, unit=None, place="")),
    ]
    for recording in recordings:
        before = Recording.objects.values_list("search", flat=True).get(pk=recording.pk)
        search.index(recording)
        assert Recording.objects.values_list("search", flat=True).get(pk=recording.pk) == before != ""


def test_forty_are_accepted_with_the_statements_of_ten(officer):
    counted = []
    for number in (10, 40):
        with CaptureQueriesContext(connection) as asked:
            made = footage.accept_all([new(officer, age=40 * DAY, incident=new_id()) for _ in range(number)])
        assert len(made) == number
        counted.append([query["sql"] for query in asked if "kernel_clock_offset" not in query["sql"]])
    assert len(counted[0]) == len(counted[1]) <= 12


def test_many_have_the_stories_that_each_would_have_alone(officer):
    news = [new(officer, age=age) for age in (timedelta(hours=1), 40 * DAY, timedelta(hours=2))]
    made = footage.accept_all(news, actor="import:1")
    assert [recording.pk for recording in made] == [each.id for each in news]
    for recording, late in zip(made, ([], [LATE], []), strict=True):
        told = custody.history(recording.custody_id)
        assert [item.tag for item in told] == [COLLECTED, *late, DUE]
        assert told[0].actor == "import:1"
        assert told[0].id == recording.collected.id
        assert ProcrastinateJob.objects.filter(args__recording_id=str(recording.pk)).count() == 1


def test_of_many_none_is_accepted_where_one_is_known(officer):
    known = new(officer)
    footage.accept(known)
    other = new(officer)
    with pytest.raises(Conflict, match="received before"):
        footage.accept_all([other, replace(known, id=new_id())])
    assert not Recording.objects.filter(pk=other.id).exists()
    assert custody.history(f"recording:{other.id}") == []


def test_nothing_is_accepted_of_nothing(officer):
    assert footage.accept_all([]) == []
