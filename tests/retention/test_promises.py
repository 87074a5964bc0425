"""An edit held back stands for what was promised: not for longer than that promise, and not for less."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bluelamp.footage import services as footage
from bluelamp.footage.models import Category, Incident, Recording
from bluelamp.kernel import clock
from bluelamp.kernel.errors import NotAllowed
from bluelamp.people.policy import Role
from bluelamp.retention import queries, services
from bluelamp.retention.models import Hold, Shortening
from tests import factories
from tests.retention.test_held_back import fresh, reflagged
from tests.retention.test_policy import made, terms
from tests.retention.test_services import accepted

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def officer():
    return factories.person(Role.OFFICER, unit=factories.unit())


@pytest.fixture
def manager():
    return factories.person(Role.BWV_MANAGER)


def flagged(recording, code, by):
    footage.flag(recording, category=Category.objects.get(code=code), reason=f"As {code}", by=by)


def undecided(recording) -> list[Shortening]:
    return list(Shortening.objects.filter(recording=recording, state__in=["waiting", "refused"]))


def test_a_refused_edit_ends_with_the_flag_that_promised(officer, manager):
    held = reflagged(officer, officer, first="arrest", age=100 * DAY)
    services.refuse_shortening(held.pk, reason="No", actor=manager)
    assert fresh(held).due_at is None
    footage.release_flag(fresh(held), reason="No case came of it", by=factories.person(Role.PROFESSIONAL_STANDARDS))
    assert fresh(held).due_at is not None
    held.refresh_from_db()
    assert held.state == "undone"
    assert fresh(held).review_until is not None


def test_an_edit_still_waits_where_its_editor_releases_what_is_left_of_the_flag(officer):
    editor = factories.person(Role.PROFESSIONAL_STANDARDS)
    held = reflagged(officer, editor, first="arrest")
    flagged(fresh(held), "violent_offence", officer)
    footage.release_flag(fresh(held), reason="Not needed", by=editor)
    assert [each.former_due_at for each in undecided(held.recording)] == [None]
    assert fresh(held).due_at is None


def test_several_edits_of_a_flag_are_decided_as_the_one_that_they_come_to(officer, manager):
    held = reflagged(officer, manager, first="arrest")
    flagged(fresh(held), "violent_offence", officer)
    (one,) = undecided(held.recording)
    assert (one.former_due_at, one.edited_by, one.state) == (None, officer.custody_id, "waiting")
    assert one.would_be_due_at > held.would_be_due_at
    assert (one.before.partition(" (")[0], one.edit_reason) == ("Stop and search", "As violent_offence")
    # Whoever made one of the steps is no second person.
    with pytest.raises(NotAllowed, match="You made this edit yourself"):
        services.approve_shortening(one.pk, reason="Right", actor=manager)


def test_an_edit_of_one_file_undoes_none_of_another_file(officer, manager):
    recording, other = accepted(officer), accepted(officer)
    Recording.objects.update(incident=Incident.objects.create())
    for file in (recording, other):
        file.refresh_from_db()
        flagged(file, "violent_offence", officer)
        flagged(file, "stop_search", manager)
    assert Shortening.objects.filter(state="waiting").count() == 4
    recording.refresh_from_db()
    flagged(recording, "violent_offence", officer)
    assert {each.source for each in Shortening.objects.filter(state="waiting")} == {f"evidence:{other.pk}"}
    assert {each.recording_id for each in Shortening.objects.filter(state="waiting")} == {recording.pk, other.pk}


def test_a_category_with_an_earlier_limit_waits_also_while_a_hold_keeps_the_recording(officer, manager):
    made(terms(special={"training": 20}))
    services.carry_out_policy()
    recording = accepted(officer)
    hold = services.place_hold(recording, Hold.Kind.COMPLAINT, "Complaint 7", "", manager.custody_id)
    footage.categorise(recording, category=Category.objects.get(code="training"), by=officer, reason="A drill")
    (held,) = undecided(recording)
    assert (held.cause, held.source, held.edited_by) == ("category", "default", officer.custody_id)
    assert (held.before, held.after) == ("No category (the default)", "Training or test (20 days)")
    assert held.edit_reason == "A drill"
    clock.advance(25 * DAY)
    services.release_hold(hold, "Settled", "person:901")
    recording.refresh_from_db()
    services.sweep()
    recording.refresh_from_db()
    assert recording.state == Recording.State.LIVE
    assert recording.due_at >= recording.started_at + 31 * DAY - queries.policy().margin


def test_a_category_that_is_taken_back_waits_no_longer(officer):
    made(terms(special={"training": 20, "none": 10}))
    services.carry_out_policy()
    recording = accepted(officer)
    for code in ("training", "none"):
        footage.categorise(recording, category=Category.objects.get(code=code), by=officer)
    (held,) = undecided(recording)
    assert held.former_due_at == recording.started_at + 31 * DAY
    assert held.would_be_due_at == recording.started_at + 10 * DAY
    footage.categorise(recording, category=None, by=officer)
    recording.refresh_from_db()
    assert not undecided(recording)
    assert (recording.due_at, recording.due_rule) == (recording.started_at + 31 * DAY, "default")


def test_what_people_wrote_of_an_edit_goes_with_the_recording(officer, manager):
    held = reflagged(officer, officer, age=400 * DAY)
    assert held.before
    assert held.after
    services.approve_shortening(held.pk, reason="Right", actor=manager)
    clock.advance(8 * DAY)
    assert services.sweep().deleted == 1
    held.refresh_from_db()
    assert (held.before, held.after, held.edit_reason, held.decision_reason) == ("", "", "", "")
