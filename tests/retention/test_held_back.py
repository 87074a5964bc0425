"""Edits that would shorten: held back, approved or refused by a second person, cooled."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import IntegrityError, connections, transaction

from bluelamp.custody import queries as custody
from bluelamp.footage import services as footage
from bluelamp.footage.models import Category, Incident, Recording
from bluelamp.kernel import clock
from bluelamp.kernel.errors import BluelampError, Conflict, Invalid, NotAllowed, NotFound
from bluelamp.people.models import Person
from bluelamp.people.policy import Role
from bluelamp.retention import queries, services
from bluelamp.retention.models import Hold, Shortening
from tests import factories
from tests.retention.test_services import accepted, tags

DAY = timedelta(days=1)


@pytest.fixture
def officer(db):
    return factories.person(Role.OFFICER, unit=factories.unit())


@pytest.fixture
def manager(db):
    return factories.person(Role.BWV_MANAGER)


def reflagged(officer, by: Person, *, first: str = "violent_offence", then: str = "stop_search", **more) -> Shortening:
    """A recording flagged anew for a shorter time, by `by`."""
    recording = accepted(officer, **more)
    for code in (first, then):
        footage.flag(recording, category=Category.objects.get(code=code), reason="Evidence", by=by)
    return Shortening.objects.get(recording=recording)


def fresh(held: Shortening) -> Recording:
    return Recording.objects.get(pk=held.recording_id)


def test_an_edit_is_held_back_with_both_dates_and_its_editor(officer):
    held = reflagged(officer, officer)
    recording = fresh(held)
    assert (held.cause, held.state, held.edited_by) == ("flag", "waiting", officer.custody_id)
    assert recording.due_at == held.former_due_at > held.would_be_due_at
    assert recording.due_rule == f"held_back:{held.pk}"
    assert "a second person has not decided" in queries.decision(recording).sentence
    assert tags(recording).count("retention.shortening_stopped") == 1


def test_another_category_that_goes_earlier_unflagged_names_who_chose_it(officer, manager):
    from tests.retention.test_policy import made, terms

    made(terms(special={"training": 20}))
    services.carry_out_policy()
    recording = accepted(officer)
    footage.categorise(recording, category=Category.objects.get(code="training"), by=officer)
    held = Shortening.objects.get()
    assert (held.cause, held.edited_by) == ("category", officer.custody_id)
    with pytest.raises(NotAllowed):
        services.approve_shortening(held.pk, reason="Yes", actor=officer)
    services.approve_shortening(held.pk, reason="Yes", actor=manager)
    assert fresh(held).due_at == recording.started_at + 20 * DAY


def test_an_approved_edit_takes_effect_after_its_cooling_period(officer, manager):
    held = reflagged(officer, officer, age=400 * DAY)
    services.approve_shortening(held.pk, reason="Right", actor=manager)
    held.refresh_from_db()
    recording = fresh(held)
    assert held.state == "approved"
    assert recording.due_at == held.not_before
    assert abs(held.not_before - clock.now() - 7 * DAY) < timedelta(minutes=1)
    assert services.sweep() == services.SweepResult()
    clock.advance(4 * DAY + timedelta(minutes=5))
    assert services.sweep().quarantined == 1
    clock.advance(3 * DAY)
    assert services.sweep().deleted == 1
    held.refresh_from_db()
    assert held.decision_reason == ""


def test_an_approved_edit_never_keeps_beyond_the_former_date(officer, manager):
    recording = accepted(officer)
    clock.advance(26 * DAY)
    former = recording.due_at
    recording.started_at -= 4 * DAY
    recording.save()
    services.recompute(recording, edited_by="person:77")
    services.approve_shortening(Shortening.objects.get().pk, reason="Right", actor=manager)
    recording.refresh_from_db()
    # Its deletion begins when it would have begun, so as to end inside the limit.
    assert recording.due_at == former - queries.policy().margin


def test_a_refused_edit_keeps_the_former_date_and_may_be_approved_after_all(officer, manager):
    held = reflagged(officer, officer, first="arrest")
    services.refuse_shortening(held.pk, reason="No", actor=manager)
    assert fresh(held).due_at is None
    assert "refused" in queries.decision(fresh(held)).sentence
    with pytest.raises(Conflict, match="refused already"):
        services.refuse_shortening(held.pk, reason="No", actor=manager)
    services.approve_shortening(held.pk, reason="After all", actor=factories.person(Role.PROFESSIONAL_STANDARDS))
    assert fresh(held).due_at == fresh(held).started_at + (365 + 3) * DAY
    assert [tag for tag in tags(fresh(held)) if "shortening" in tag] == [
        "retention.shortening_stopped",
        "retention.shortening_refused",
        "retention.shortening_approved",
    ]


def test_neither_the_editor_nor_the_wearer_decides(officer, manager):
    by_manager = reflagged(officer, manager)
    for act in (services.approve_shortening, services.refuse_shortening):
        with pytest.raises(NotAllowed, match="You made this edit yourself"):
            act(by_manager.pk, reason="Mine", actor=manager)
        with pytest.raises(NotAllowed, match="You recorded this yourself"):
            act(by_manager.pk, reason="Mine", actor=officer)
    by_manager.refresh_from_db()
    assert by_manager.state == "waiting"


def test_a_decision_needs_a_reason_an_edit_and_is_made_once(officer, manager):
    held = reflagged(officer, officer)
    with pytest.raises(Invalid):
        services.approve_shortening(held.pk, reason="  ", actor=manager)
    with pytest.raises(NotFound):
        services.approve_shortening(0, reason="Yes", actor=manager)
    services.approve_shortening(held.pk, reason="Yes", actor=manager)
    with pytest.raises(Conflict, match="decided on this edit already"):
        services.approve_shortening(held.pk, reason="Yes", actor=factories.person(Role.RIGHTS_OFFICER))
    assert custody.count("retention.shortening_approved") == 1


def test_the_database_refuses_an_editors_own_approval(officer):
    held = reflagged(officer, officer)
    for forged in (
        {"decided_by": officer.custody_id},
        {"decided_by": ""},
        {"decided_by": "person:0", "not_before": None},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Shortening.objects.filter(pk=held.pk).update(
                **{"state": "approved", "not_before": clock.now(), "decided_at": clock.now(), **forged}
            )


def test_an_edit_that_is_taken_back_waits_no_longer(officer):
    held = reflagged(officer, officer)
    footage.flag(fresh(held), category=Category.objects.get(code="violent_offence"), reason="Again", by=officer)
    held.refresh_from_db()
    assert held.state == "undone"
    assert fresh(held).due_rule == "evidence"
    assert not queries.shortenings().exists()


def test_a_hold_stops_what_an_approved_edit_made_due_even_in_quarantine(officer, manager):
    held = reflagged(officer, officer, age=400 * DAY)
    services.approve_shortening(held.pk, reason="Right", actor=manager)
    clock.advance(5 * DAY)
    services.sweep()
    assert fresh(held).state == Recording.State.QUARANTINED
    services.place_hold(fresh(held), Hold.Kind.LEGAL, "Inquest", "", "person:9009")
    assert fresh(held).state == Recording.State.LIVE
    clock.advance(30 * DAY)
    services.sweep()
    assert fresh(held).state == Recording.State.LIVE


def test_the_other_files_of_an_incident_keep_what_the_former_flag_promised(officer, manager):
    recording, other = accepted(officer), accepted(officer)
    Recording.objects.update(incident=Incident.objects.create())
    recording.refresh_from_db()
    for code in ("violent_offence", "stop_search"):
        footage.flag(recording, category=Category.objects.get(code=code), reason="Evidence", by=officer)
    assert {held.recording_id for held in queries.shortenings()} == {recording.pk, other.pk}
    other.refresh_from_db()
    before = other.due_at
    for held in queries.shortenings():
        services.approve_shortening(held.pk, reason="Right", actor=manager)
    other.refresh_from_db()
    assert other.due_at < before


def test_many_are_decided_together_once_a_sample_was_looked_at(officer, manager):
    listed = [reflagged(officer, officer) for _ in range(12)]
    mine = reflagged(officer, manager)
    ids = [held.pk for held in listed] + [mine.pk]
    with pytest.raises(Invalid, match="Look at 5 more"):
        services.decide_shortenings(ids, approve=True, reason="One night", actor=manager)
    sample = queries.sample([f"shortening:{number}" for number in ids], manager.custody_id)
    assert len(sample) == 5
    assert sample == queries.sample([f"shortening:{number}" for number in reversed(ids)], manager.custody_id)
    for subject in sample[:4]:
        services.look_into(subject, listed[0].recording, manager.custody_id)
        services.look_into(subject, listed[0].recording, manager.custody_id)
    with pytest.raises(Invalid, match="Look at 1 more"):
        services.decide_shortenings(ids, approve=True, reason="One night", actor=manager)
    services.look_into(sample[4], listed[0].recording, manager.custody_id)
    assert custody.count("retention.looked_into") == 5
    done, left = services.decide_shortenings(ids, approve=True, reason="One night", actor=manager)
    assert done == 12
    assert len(left) == 1
    assert "You made this edit yourself" in left[0]
    assert custody.history(listed[0].recording.custody_id)[-1].tag in (
        "recording.due_set",
        "retention.shortening_approved",
    )
    mine.refresh_from_db()
    assert mine.state == "waiting"


def test_what_was_opened_long_ago_is_opened_again(officer, manager):
    held = reflagged(officer, officer)
    subject = f"shortening:{held.pk}"
    services.look_into(subject, held.recording, manager.custody_id)
    assert set(queries.looked_at([subject], manager.custody_id)) == {subject}
    clock.advance(8 * DAY)
    assert not queries.looked_at([subject], manager.custody_id)
    with pytest.raises(Invalid, match="Look at 1 more"):
        services.decide_shortenings([held.pk], approve=True, reason="Yes", actor=manager)
    services.look_into(subject, held.recording, manager.custody_id)
    assert services.decide_shortenings([held.pk], approve=False, reason="No", actor=manager) == (1, [])
    assert custody.count("retention.looked_into") == 2


def test_a_sample_is_a_tenth_and_differs_from_person_to_person():
    subjects = [f"hold:{number}" for number in range(200)]
    assert len(queries.sample(subjects, "person:9001")) == 20
    assert queries.sample(subjects, "person:9001") != queries.sample(subjects, "person:9002")
    assert queries.sample(subjects[:3], "person:9001") != []
    assert len(queries.sample(subjects[:3], "person:9001")) == 3


def test_too_many_or_none_at_once_are_refused(manager):
    for ids in ([], range(1, services.MOST_AT_ONCE + 2)):
        with pytest.raises(Invalid, match="Choose between"):
            services.decide_shortenings(ids, approve=True, reason="All", actor=manager)


def at_once(*acts) -> list[str]:
    """What several did at the same instant, each on its own connection: "done", or the error's name."""
    said: list[str] = []
    ready = threading.Barrier(len(acts))

    def run(act) -> None:
        try:
            ready.wait(10)
            act()
        except BluelampError as error:
            said.append(type(error).__name__)
        else:
            said.append("done")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return sorted(said)


def test_of_two_who_decide_at_once_one_finds_it_decided(committed_db):
    officer = factories.person(Role.OFFICER, unit=factories.unit())
    first, second = factories.person(Role.BWV_MANAGER), factories.person(Role.RIGHTS_OFFICER)
    for _ in range(5):
        held = reflagged(officer, officer)
        said = at_once(
            lambda held=held: services.approve_shortening(held.pk, reason="Yes", actor=first),
            lambda held=held: services.approve_shortening(held.pk, reason="Yes", actor=second),
        )
        assert said == ["Conflict", "done"]
    assert custody.count("retention.shortening_approved") == 5


def test_of_two_who_approve_a_policy_at_once_one_finds_it_decided(committed_db):
    from tests.retention.test_policy import AUTHOR, terms

    for days in (30, 29):
        proposal = services.propose_policy(
            terms(default_days=days), effective_at=clock.now(), reason="Shorter", actor=AUTHOR
        )
        said = at_once(
            *(
                lambda who=who, proposal=proposal: services.approve_policy(proposal.pk, reason="Yes", actor=who)
                for who in ("person:9002", "person:9003")
            )
        )
        assert said == ["Conflict", "done"]
    assert custody.count("policy.version_made") == 2
