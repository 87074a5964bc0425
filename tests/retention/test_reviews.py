"""Holds with an owner and a date of review, and what their reviews find."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bluelamp.custody import queries as custody
from bluelamp.footage.models import Incident, Recording
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Conflict, Invalid
from bluelamp.people.policy import Role
from bluelamp.retention import hooks, queries, rules, services
from bluelamp.retention.models import Hold
from tests import factories
from tests.retention.test_pages import signed_in
from tests.retention.test_services import accepted

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def officer():
    return factories.person(Role.OFFICER, unit=factories.unit())


def held(officer, kind=Hold.Kind.COMPLAINT, source="", by="person:9001", **more) -> Hold:
    return services.place_hold(accepted(officer), kind, "Complaint 7", source, by, **more)


def test_a_hold_by_hand_has_an_owner_and_is_reviewed_after_the_policys_period(officer):
    hold = held(officer)
    assert hold.owner == "person:9001"
    assert hold.review_at - hold.placed_at == pytest.approx(90 * DAY, abs=DAY)
    named = held(officer, kind=Hold.Kind.LEGAL, owner="role:rights_officer", review_at=clock.now() + 5 * DAY)
    assert (named.owner, named.kind) == ("role:rights_officer", "legal")
    assert "details restricted" in queries.decision(named.recording).sentence


def test_a_hold_of_a_request_ends_with_it_and_is_not_reviewed(officer):
    hold = held(officer, kind=Hold.Kind.SUBJECT_ACCESS, source="request:7")
    assert (hold.owner, hold.review_at) == ("request:7", None)
    clock.advance(400 * DAY)
    assert not queries.holds_due().exists()
    assert queries.holds(state="without_review").get() == hold


def test_a_hold_comes_up_for_review_and_is_kept_until_the_next(officer):
    hold = held(officer)
    clock.advance(91 * DAY)
    assert queries.holds_due().get() == hold
    services.keep_hold(hold, "The appeal is open", "person:9002", review_at=clock.now() + 30 * DAY)
    assert not queries.holds_due().exists()
    assert custody.search(tag="hold.kept")[0].actor == "person:9002"
    services.keep_hold(hold, "Still open", "person:9001")
    hold.refresh_from_db()
    assert hold.review_at - clock.now() > 89 * DAY


def test_a_review_that_passes_unmade_releases_nothing(officer):
    hold = held(officer)
    clock.advance(800 * DAY)
    services.sweep()
    assert Recording.objects.get(pk=hold.recording_id).state == Recording.State.LIVE


@pytest.mark.parametrize("ahead", [-1, 0, 3700])
def test_a_review_lies_ahead_and_not_beyond_ten_years(officer, ahead):
    hold = held(officer)
    with pytest.raises(Invalid, match="between tomorrow and ten years"):
        services.keep_hold(hold, "Needed", "person:9002", review_at=clock.now() + ahead * DAY)
    with pytest.raises(Invalid, match="between tomorrow and ten years"):
        held(officer, review_at=clock.now() + ahead * DAY)


def test_a_released_hold_is_not_kept(officer):
    hold = held(officer)
    services.release_hold(hold, "Over", "person:9002")
    with pytest.raises(Conflict):
        services.keep_hold(hold, "Needed", "person:9003")


def test_many_are_decided_together_but_neither_ones_own_nor_those_of_a_request(officer):
    theirs = [held(officer) for _ in range(3)]
    mine = held(officer, by="person:9002")
    requests = held(officer, kind=Hold.Kind.FOI, source="request:3")
    listed = [*theirs, mine, requests]
    subjects = [f"hold:{hold.pk}" for hold in listed]
    with pytest.raises(Invalid, match="Look at 5 more"):
        services.decide_holds([hold.pk for hold in listed], keep=False, reason="Over", actor="person:9002")
    for hold, subject in zip(listed, subjects, strict=True):
        services.look_into(subject, hold.recording, "person:9002")
    done, left = services.decide_holds([hold.pk for hold in listed], keep=False, reason="Over", actor="person:9002")
    assert done == 3
    assert len(left) == 2
    assert set(queries.holds()) == {mine, requests}


def test_the_list_of_holds_is_narrowed_by_state_kind_owner_and_words(officer):
    complaint, legal = held(officer), held(officer, kind=Hold.Kind.LEGAL, owner="role:rights_officer")
    released = held(officer, kind=Hold.Kind.OTHER)
    services.release_hold(released, "Over", "person:9002")
    assert set(queries.holds()) == {complaint, legal}
    assert queries.holds(kind="legal").get() == legal
    assert queries.holds(owner="role:rights_officer").get() == legal
    assert queries.holds(state="released").get() == released
    assert set(queries.holds(words="complaint")) == {complaint, legal}
    assert not queries.holds(words="murder").exists()
    assert queries.holds_by_kind()["legal"]["count"] == 1


def test_what_a_release_would_do_is_shown_and_nothing_changes(officer):
    plain, twice = held(officer), held(officer)
    services.place_hold(twice.recording, Hold.Kind.FOI, "FOI", "request:1", "person:9001")
    together = Incident.objects.create()
    other = accepted(officer)
    Recording.objects.filter(pk__in=[plain.recording_id, other.pk]).update(incident=together)
    preview = queries.preview_release(Hold.objects.filter(pk__in=[plain.pk, twice.pk]))
    assert (preview.count, preview.kept, preview.soon) == (3, 1, 0)
    assert preview.first_due == other.started_at + 31 * DAY or preview.first_due < clock.now() + 31 * DAY
    assert set(queries.holds()) >= {plain, twice}
    clock.advance(40 * DAY)
    late = queries.preview_release(Hold.objects.filter(pk=plain.pk))
    assert late.soon == late.count - late.kept
    assert late.first_due > clock.now()


def test_what_a_release_would_do_is_read_without_changing_or_locking_a_row(officer, client):
    placed = held(officer)
    manager = signed_in(client, factories.person(Role.BWV_MANAGER, unit=factories.unit()))
    with CaptureQueriesContext(connection) as asked:
        queries.preview_release(Hold.objects.filter(pk=placed.pk))
    said = [each["sql"] for each in asked]
    assert said
    assert not [sql for sql in said if not sql.startswith("SELECT") or "FOR UPDATE" in sql]
    page = manager.get(reverse("retention:hold", args=[placed.pk]))
    assert page.status_code == 200


def test_other_rooms_put_their_reviews_on_the_list_and_who_may_make_one_gets_there(client):
    manager = factories.person(Role.BWV_MANAGER, unit=factories.unit())
    before = list(hooks.reviews._functions)
    due = rules.Review(queries.today() - DAY, "ten years have passed", "MoPI group 2")
    later = rules.Review(queries.today(), "ten years have passed", "MoPI group 2")
    asked = [
        hooks.ReviewDue(later, "Group B", "/b/", 3, frozenset({manager.pk})),
        hooks.ReviewDue(due, "Group A", "/a/", 1, frozenset()),
    ]
    hooks.reviews.register(lambda today: asked)
    try:
        assert [each.what for each in hooks.reviews_due(queries.today())[-2:]] == ["Group A", "Group B"]
        page = signed_in(client, manager).get(reverse("retention:reviews")).content.decode()
    finally:
        hooks.reviews._functions[:] = before
    assert page.index("Group A, for its team to decide") < page.index('<a class="govuk-link" href="/b/">Group B</a>')
