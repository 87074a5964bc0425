"""The oversight page: figures that are right, the queries that give them, promises that turn bad when broken."""

from __future__ import annotations

import html
import re
from dataclasses import FrozenInstanceError
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bluelamp import custody
from bluelamp.custody import sequencer
from bluelamp.fleet.models import RolloutPlan
from bluelamp.footage import services as footage
from bluelamp.footage.models import Incident, Recording, Viewing
from bluelamp.kernel import clock
from bluelamp.kernel.transaction import atomic
from bluelamp.oversight import queries
from bluelamp.oversight.queries import sql
from bluelamp.people.models import Organisation, Unit
from bluelamp.people.policy import Role
from bluelamp.retention import services as retention
from bluelamp.retention.models import Deletion, Extension, Hold
from bluelamp.rights.models import Request, RequestMatch
from tests import factories
from tests.oversight import story

pytestmark = pytest.mark.django_db

MAY = {
    Role.SUPERVISOR,
    Role.BWV_MANAGER,
    Role.RIGHTS_OFFICER,
    Role.PROFESSIONAL_STANDARDS,
    Role.AUDITOR,
    Role.OPERATOR,
}


@pytest.fixture(autouse=True)
def _mail(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


@pytest.fixture
def wearer():
    return factories.person(Role.OFFICER, unit=factories.unit())


def old(wearer, days=40, **more):
    started = clock.now() - timedelta(days=days)
    return factories.recording(wearer, started_at=started, **{"received_at": started, **more})


def promise(number):
    return queries.figures().promises[number - 1]


# The door


@pytest.mark.parametrize("role", sorted(set(Role) - MAY))
def test_who_does_not_oversee_does_not_see_the_figures(role, signed_in):
    assert signed_in(factories.person(role)).get(reverse("oversight:index")).status_code == 403
    assert custody.queries.count("access.refused") == 1


def test_a_stranger_is_sent_to_sign_in():
    assert Client().get(reverse("oversight:index"))["Location"].startswith("/account/login/")


@pytest.mark.parametrize("role", sorted(MAY))
def test_who_oversees_sees_the_figures_and_finds_them_in_the_menu_and_at_home(role, signed_in):
    client = signed_in(factories.person(role, unit=factories.unit()))
    address = reverse("oversight:index")
    page = client.get(address)
    assert page.status_code == 200
    home = client.get(reverse("home")).content.decode()
    assert home.count(f'href="{address}"') == 2
    assert "recorded" in home


def test_the_start_page_of_an_officer_has_no_figures(wearer, signed_in):
    assert reverse("oversight:index") not in signed_in(wearer).get(reverse("home")).content.decode()


# Figures


def test_an_empty_force_has_figures_too(as_auditor):
    found = queries.figures()
    assert (found.recorded, found.kept, found.discs_saved, found.oldest_unflagged_age) == (0, 0, 0, None)
    assert found.limit_days == 31
    assert all(promise.kept for promise in found.promises)
    assert as_auditor.get(reverse("oversight:index")).status_code == 200


def test_recordings_are_counted_by_where_they_stand(wearer):
    old(wearer, 5)
    old(wearer, 50, state=Recording.State.DELETED)
    old(wearer, 29, state=Recording.State.QUARANTINED, processing=Recording.Processing.READY)
    old(wearer, 1, processing=Recording.Processing.FAILED)
    found = queries.figures()
    assert (found.recorded, found.recorded_lately, found.deleted, found.kept) == (4, 3, 1, 3)
    assert (found.quarantined, found.waiting, found.failed) == (1, 1, 1)
    assert (found.at - found.first_at).days == 50


def test_a_flag_counts_while_it_stands_and_its_recording_is_there(wearer):
    first, second, third = (old(wearer, 2) for _ in range(3))
    flags = [
        footage.flag(r, category=factories.category(), reason="Assault", by=wearer) for r in (first, second, third)
    ]
    assert queries.figures().flagged == 3
    footage.release_flag(first, reason="Not needed", by=wearer)
    Deletion.objects.create(recording=second, rule="evidence", basis="", due_at=clock.now(), closed_at=clock.now())
    assert len(flags) == 3
    assert queries.figures().flagged == 1


def test_shares_are_counted_by_london_month_and_each_saves_a_disc(wearer):
    share = story.shared(old(wearer, 2))
    defence = Organisation.objects.create(name="Bell & Co", kind=Organisation.Kind.DEFENCE, email_domains=[])
    story.shared(old(wearer, 2), defence)
    share.created_at = clock.now() - timedelta(days=400)
    share.save()
    found = queries.figures()
    assert (found.shared_with_cps_this_month, found.discs_saved, len(found.months)) == (0, 2, 12)
    assert (found.months[-1].cps, found.months[-1].everybody) == (0, 1)
    story.shared(old(wearer, 2))
    assert queries.figures().shared_with_cps_this_month == 1


def test_requests_are_open_or_overdue_by_the_laws_calendar():
    story.request()
    story.request(received_at=clock.now() - timedelta(days=60))
    story.request(Request.State.UNCONFIRMED)
    story.request(Request.State.ANSWERED, received_at=clock.now() - timedelta(days=90))
    found = queries.figures()
    assert (found.requests_open, found.requests_overdue, found.requests_unconfirmed) == (2, 1, 1)


def test_cameras_agree_with_the_roll_out_where_a_plan_covers_what_is_below(wearer):
    force = factories.unit(kind=Unit.Kind.FORCE)
    borough = factories.unit(parent=force, kind=Unit.Kind.BOROUGH)
    team = factories.unit(parent=factories.unit(parent=borough))
    for unit, planned in ((borough, 100), (team, 30), (factories.unit(parent=force, kind=Unit.Kind.BOROUGH), 50)):
        RolloutPlan.objects.create(unit=unit, planned=planned)
    for state in ("service", "stock", "lost"):
        camera = factories.camera(team)
        camera.first_issued_at, camera.state = clock.now(), state
        camera.save()
    factories.camera(team)
    found = queries.figures()
    assert (found.cameras_planned, found.cameras_issued) == (150, 2)


def test_holds_and_refusals_are_counted(wearer, signed_in):
    recording = old(wearer, 2)
    for kind in (Hold.Kind.COMPLAINT, Hold.Kind.OTHER):
        retention.place_hold(recording, kind, "Complaint", "", "person:1")
    signed_in(wearer).get(reverse("audit:index"))
    found = queries.figures()
    assert (found.holds, found.held_recordings, found.refused_this_month) == (2, 1, 1)


def test_figures_cannot_be_changed_after_they_were_computed():
    with pytest.raises(FrozenInstanceError):
        queries.figures().recorded = 1


# The oldest footage that nothing keeps


def test_unflagged_footage_past_the_limit_is_called_bad(wearer, as_auditor):
    old(wearer, 31)
    found = queries.figures()
    assert (found.past_limit, found.oldest_unflagged_age.days, promise(2).kept) == (1, 31, False)
    page = as_auditor.get(reverse("oversight:index")).content.decode()
    assert "Bad: 1 recording is older than 31 days" in page


def test_unflagged_footage_inside_the_limit_is_good(wearer, as_auditor):
    old(wearer, 30)
    found = queries.figures()
    assert (found.past_limit, found.oldest_unflagged_age.days, promise(2).kept) == (0, 30, True)
    assert "Good: the limit is 31 days" in as_auditor.get(reverse("oversight:index")).content.decode()


def _arrived_late(recording, wearer):
    Recording.objects.filter(pk=recording.pk).update(received_at=clock.now() - timedelta(days=1))


def _held_in_another_file_of_its_incident(recording, wearer):
    incident = Incident.objects.create()
    other = factories.recording(wearer, incident=incident)
    Recording.objects.filter(pk=recording.pk).update(incident=incident)
    _held(other, wearer)


def _extended_until_yesterday(recording, wearer):
    until = clock.now() - timedelta(days=1)
    Extension.objects.create(recording=recording, until=until, reason="x", made_by="person:1", made_at=clock.now())


def _flagged(recording, wearer):
    footage.flag(recording, category=factories.category(), reason="Assault", by=wearer)


def _held(recording, wearer):
    Hold.objects.create(recording=recording, kind="complaint", reason="x", placed_by="person:1", placed_at=clock.now())


def _extended(recording, wearer):
    until = clock.now() + timedelta(days=5)
    Extension.objects.create(recording=recording, until=until, reason="x", made_by="person:1", made_at=clock.now())


def _locked(recording, wearer):
    Recording.objects.filter(pk=recording.pk).update(locked_at=clock.now())


def _in_review(recording, wearer):
    Recording.objects.filter(pk=recording.pk).update(review_until=clock.now() + timedelta(days=1))


def _shared(recording, wearer):
    story.shared(recording)


def _just_asked_for(recording, wearer):
    RequestMatch.objects.create(
        request=story.request(Request.State.UNCONFIRMED),
        recording=recording,
        matched_at=clock.now(),
        provisional_until=clock.now() + timedelta(hours=1),
    )


def _deleted(recording, wearer):
    Recording.objects.filter(pk=recording.pk).update(state=Recording.State.DELETED)


@pytest.mark.parametrize("keep", [_arrived_late, _held_in_another_file_of_its_incident, _extended_until_yesterday])
def test_footage_that_lawfully_outlives_the_default_is_not_called_late(keep, wearer):
    recording = old(wearer)
    keep(recording, wearer)
    assert queries.figures().past_limit == 0


def test_a_flag_whose_period_is_over_hides_nothing(wearer):
    recording = old(wearer, 500)
    footage.flag(recording, category=factories.category(keep_days=365), reason="Assault", by=wearer)
    assert queries.figures().past_limit == 1


@pytest.mark.parametrize("keep", [_flagged, _held, _extended, _locked, _in_review, _shared, _just_asked_for, _deleted])
def test_old_footage_with_a_reason_to_keep_it_does_not_count(keep, wearer):
    recording = old(wearer)
    assert queries.figures().past_limit == 1
    keep(recording, wearer)
    found = queries.figures()
    assert (found.past_limit, found.oldest_unflagged_at) == (0, None)


def test_a_reason_that_has_ended_keeps_nothing(wearer):
    recording, now = old(wearer), clock.now()
    past = now - timedelta(days=5)  # beyond the quarantine that follows
    Hold.objects.create(recording=recording, kind="other", reason="x", placed_by="p", placed_at=past, released_at=past)
    Extension.objects.create(recording=recording, until=past, reason="x", made_by="p", made_at=past)
    Recording.objects.filter(pk=recording.pk).update(review_until=past)
    assert queries.figures().past_limit == 1


# Promises


def test_a_receipt_whose_recording_has_vanished_breaks_promise_one(wearer):
    from bluelamp.footage.events import RecordingCollected

    now = clock.now()
    with atomic():
        custody.record(
            RecordingCollected(
                actor="dock:1",
                subject="recording:gone",
                sha256="ab",
                size=1,
                camera=None,
                sequence=None,
                started_at=now,
                ended_at=now,
                received_at=now,
                wearer=None,
                unit=None,
                incident=None,
                part=1,
                clock_status="good",
                clock_offset_ms=0,
            )
        )
    assert (promise(1).value, promise(1).kept) == ("1", False)
    assert promise(1).note.startswith("Bad")


@pytest.mark.parametrize(
    ("placed", "released", "kept"),
    [(-2, None, False), (-2, -1, True), (-2, 1, False), (1, None, True)],
    ids=["standing", "released before", "released after", "placed after"],
)
def test_a_deletion_under_a_standing_hold_breaks_promise_three(wearer, placed, released, kept):
    now = clock.now()
    recording = old(wearer, state=Recording.State.DELETED)
    Deletion.objects.create(recording=recording, rule="default", basis="", due_at=now, closed_at=now)
    Hold.objects.create(
        recording=recording,
        kind="complaint",
        reason="x",
        placed_by="p",
        placed_at=now + timedelta(hours=placed),
        released_at=None if released is None else now + timedelta(hours=released),
    )
    assert promise(3).kept is kept


def test_a_deletion_before_its_time_breaks_promise_three(wearer):
    now = clock.now()
    for early, kept in ((timedelta(minutes=14), True), (timedelta(hours=1), False)):
        recording = old(wearer, state=Recording.State.DELETED)
        Deletion.objects.create(recording=recording, rule="default", basis="", due_at=now + early, closed_at=now)
        assert promise(3).kept is kept


def test_a_deletion_in_an_open_case_breaks_promise_three(wearer):
    recording = old(wearer)
    story.shared(recording)
    Deletion.objects.create(
        recording=recording, rule="x", basis="", due_at=clock.now(), closed_at=clock.now() + timedelta(seconds=1)
    )
    assert not promise(3).kept


def test_an_opening_that_the_ledger_does_not_know_breaks_promise_four(wearer):
    recording = old(wearer, 2)
    viewing = story.opened(recording, wearer)
    assert promise(4).kept
    Viewing.objects.create(
        recording=recording,
        viewer="person:9",
        grant="person",
        session_sha256="x",
        opened_at=viewing.opened_at,
        expires_at=viewing.expires_at,
    )
    assert (promise(4).value, promise(4).kept) == ("1", False)


def test_events_that_wait_too_long_for_a_checkpoint_break_promise_five(wearer):
    story.opened(old(wearer, 2), wearer)
    assert promise(5).kept
    clock.advance(timedelta(minutes=6))
    assert not promise(5).kept
    sequencer.drain()
    assert promise(5).kept
    assert promise(5).value == f"{custody.queries.latest_checkpoint().size:,}"


def test_there_are_seven_promises_and_each_says_good_or_bad_in_words():
    promises = queries.figures().promises
    assert [promise.number for promise in promises] == [1, 2, 3, 4, 5, 6, 7]
    for promise in promises[:6]:
        assert promise.note.startswith("Good" if promise.kept else "Bad")
        assert promise.shown is not None


# What is shown is what was run


def test_every_query_of_the_page_is_printed_on_it_as_it_was_run(as_auditor, monkeypatch):
    ran = []
    monkeypatch.setattr(sql, "connection", _Recorder(connection, ran))
    response = as_auditor.get(reverse("oversight:index"))
    printed = [
        html.unescape(text) for text in re.findall(r"<pre><code>(.*?)</code></pre>", response.content.decode(), re.S)
    ]
    assert {text.strip() for text, _ in ran} == set(printed)
    assert len(ran) == len(set(printed)) == 16
    values = html.unescape(re.sub(r"</?code>", "", response.content.decode()))
    for _, parameters in ran:
        for name in parameters:
            assert f"%({name})s was " in values


class _Recorder:
    """The connection, noting what it is asked."""

    def __init__(self, connection, ran):
        self._connection, self._ran = connection, ran

    def cursor(self):
        cursor = self._connection.cursor()
        execute, ran = cursor.execute, self._ran

        def noted(text, parameters=None):
            if not text.startswith("SET LOCAL"):
                ran.append((text, parameters))
            return execute(text, parameters)

        cursor.execute = noted
        return cursor


def test_the_page_asks_the_same_number_of_questions_however_much_there_is(as_auditor, wearer):
    def asked():
        with CaptureQueriesContext(connection) as captured:
            as_auditor.get(reverse("oversight:index"))
        # The demonstration's clock is read anew after half a second, however long the page takes.
        return sum("kernel_clock_offset" not in query["sql"] for query in captured)

    before = asked()
    for _ in range(10):
        story.opened(old(wearer, 2), factories.person(Role.OFFICER))
    assert asked() == before
