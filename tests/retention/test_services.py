"""Holds, extensions, releases: what people do to how long a recording is kept."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest

from bluelamp.custody import queries as custody
from bluelamp.footage import services as footage
from bluelamp.footage.models import Recording
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Conflict, Invalid, NotAllowed
from bluelamp.kernel.ids import new_id
from bluelamp.people.policy import Role
from bluelamp.retention import hooks, queries, services
from bluelamp.retention.models import Hold
from bluelamp.retention.rules import RetentionReason
from tests import factories

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def officer():
    return factories.person(Role.OFFICER, unit=factories.unit())


@pytest.fixture
def manager():
    return factories.person(Role.BWV_MANAGER)


@pytest.fixture
def keep_reasons():
    before = list(hooks.reasons._functions)
    yield hooks.reasons
    hooks.reasons._functions[:] = before


def accepted(wearer, *, age=timedelta(hours=1)) -> Recording:
    """A recording that came in through footage's own door."""
    recording_id = new_id()
    started = clock.now() - age
    return footage.accept(
        footage.NewRecording(
            id=recording_id,
            filename="a.mp4",
            sha256=hashlib.sha256(recording_id.bytes).hexdigest(),
            size=10,
            original=f"recordings/{recording_id}/original",
            started_at=started,
            ended_at=started + timedelta(minutes=1),
            wearer=wearer,
            unit=wearer.unit,
        )
    )


def tags(recording) -> list[str]:
    return [item.tag for item in custody.history(recording.custody_id)]


def test_acceptance_sets_the_due_date_in_its_own_transaction(officer):
    recording = accepted(officer)
    assert recording.due_at == recording.started_at + 31 * DAY
    assert recording.due_rule == "default"
    assert tags(recording) == ["recording.collected", "recording.due_set"]


def test_footage_that_arrives_late_is_given_time_and_raises_an_alert(officer):
    recording = accepted(officer, age=40 * DAY)
    assert recording.due_at == recording.received_at + 7 * DAY
    assert recording.review_until == recording.due_at
    assert custody.count("recording.arrived_late") == 1
    assert services.sweep().quarantined == 0


def test_a_flag_keeps_for_its_category_and_its_release_falls_back_to_the_default(officer):
    recording = accepted(officer)
    footage.flag(recording, category=factories.category("violence", 365), reason="Assault", by=officer)
    assert recording.due_at == recording.started_at + (365 + 3) * DAY
    footage.release_flag(recording, reason="No further action", by=officer)
    assert recording.due_at == recording.started_at + 31 * DAY
    assert recording.review_until is None


def test_a_flag_released_after_the_default_leaves_time_for_review(officer):
    recording = accepted(officer)
    footage.flag(recording, category=factories.category("violence", 365), reason="Assault", by=officer)
    clock.advance(100 * DAY)
    footage.release_flag(recording, reason="No further action", by=factories.person(Role.BWV_MANAGER))
    assert recording.due_at == recording.review_until
    assert recording.due_at - clock.now() > 7 * DAY - timedelta(minutes=1)
    assert "retention.review_given" in tags(recording)
    services.sweep()
    recording.refresh_from_db()
    assert recording.state == Recording.State.LIVE


def test_a_hold_stops_deletion_at_once_even_in_the_last_second_of_quarantine(officer):
    recording = accepted(officer)
    clock.advance(30 * DAY)
    assert services.sweep().quarantined == 1
    hold = services.place_hold(recording, Hold.Kind.COMPLAINT, "Complaint 12", "", "person:9001")
    recording.refresh_from_db()
    assert recording.state == Recording.State.LIVE
    assert recording.due_at is None
    clock.advance(400 * DAY)
    assert services.sweep() == services.SweepResult()
    assert "details restricted" in queries.decision(recording).sentence
    assert "Complaint 12" not in queries.decision(recording).sentence
    assert tags(recording)[-4:] == [
        "recording.quarantined",
        "hold.placed",
        "recording.due_set",
        "recording.restored",
    ]
    assert hold.placed_by == "person:9001"


def test_releasing_a_hold_on_what_is_overdue_deletes_it_only_after_review_and_quarantine(officer):
    recording = accepted(officer)
    hold = services.place_hold(recording, Hold.Kind.FOI, "FOI 9", "", "person:9001")
    clock.advance(60 * DAY)
    services.release_hold(hold, "Answered", "person:9002")
    recording.refresh_from_db()
    assert services.sweep() == services.SweepResult()
    clock.advance(5 * DAY)
    assert services.sweep() == services.SweepResult(quarantined=1)
    clock.advance(2 * DAY)
    assert services.sweep() == services.SweepResult(deleted=1)


def test_releasing_one_of_two_holds_changes_nothing(officer):
    recording = accepted(officer)
    first = services.place_hold(recording, Hold.Kind.FOI, "FOI 9", "", "person:9001")
    services.place_hold(recording, Hold.Kind.COMPLAINT, "Complaint", "", "person:9001")
    services.release_hold(first, "Answered", "person:9002")
    recording.refresh_from_db()
    assert recording.due_at is None


def test_whoever_placed_a_hold_by_hand_cannot_release_it(officer):
    recording = accepted(officer)
    hold = services.place_hold(recording, Hold.Kind.OTHER, "Wait", "", "person:9001")
    with pytest.raises(NotAllowed, match="You placed this hold yourself"):
        services.release_hold(hold, "Changed my mind", "person:9001")
    hold.refresh_from_db()
    assert hold.released_at is None


def test_whoever_wore_the_camera_releases_no_hold_whatever_role_they_have_besides():
    wearer = factories.person(Role.OFFICER, Role.BWV_MANAGER, unit=factories.unit())
    hold = services.place_hold(accepted(wearer), Hold.Kind.COMPLAINT, "Complaint", "", "person:9001")
    with pytest.raises(NotAllowed, match="You wore the camera"):
        services.release_hold(hold, "Settled", wearer.custody_id)
    hold.refresh_from_db()
    assert hold.released_at is None


def test_a_hold_is_released_once_and_with_a_reason(officer):
    recording = accepted(officer)
    hold = services.place_hold(recording, Hold.Kind.OTHER, "Wait", "", "person:9001")
    with pytest.raises(Invalid):
        services.release_hold(hold, "  ", "person:9002")
    services.release_hold(hold, "Done", "person:9002")
    with pytest.raises(Conflict):
        services.release_hold(hold, "Done", "person:9002")


def test_the_same_source_holds_once(officer):
    recording = accepted(officer)
    first = services.place_hold(recording, Hold.Kind.SUBJECT_ACCESS, "SAR", "request:7", "public")
    again = services.place_hold(recording, Hold.Kind.SUBJECT_ACCESS, "SAR", "request:7", "public")
    assert again == first
    assert custody.count("hold.placed") == 1
    assert "hold.placed" in [item.tag for item in custody.history("request:7")]


def test_a_request_holds_many_and_its_end_releases_them_all(officer):
    recordings = [accepted(officer) for _ in range(3)]
    gone = factories.recording(officer, state=Recording.State.DELETED)
    placed = services.place_holds([*recordings, gone], Hold.Kind.SUBJECT_ACCESS, "SAR", "request:7", "public")
    assert len(placed.holds) == 3
    assert placed.too_late == (gone.pk,)
    assert services.release_holds("request:7", "Answered", "person:9001") == 3
    assert services.release_holds("request:7", "Answered", "person:9001") == 0
    with pytest.raises(ValueError, match="one by one"):
        services.release_holds("", "All of them", "person:9001")


def test_a_bulk_hold_of_nothing_is_no_error():
    assert services.place_holds([], Hold.Kind.SUBJECT_ACCESS, "SAR", "request:7", "public").holds == ()


def test_a_deleted_recording_cannot_be_held_and_the_refusal_says_so(officer):
    gone = factories.recording(officer, state=Recording.State.DELETED)
    with pytest.raises(Conflict, match="deleted before the hold"):
        services.place_hold(gone, Hold.Kind.OTHER, "Too late", "", "person:9001")
    with pytest.raises(Conflict):
        services.recompute(gone)
    assert custody.count("hold.placed") == 0


def test_a_hold_needs_a_known_kind_and_a_reason(officer):
    recording = accepted(officer)
    with pytest.raises(Invalid):
        services.place_hold(recording, "whim", "Because", "", "person:9001")
    with pytest.raises(Invalid):
        services.place_hold(recording, Hold.Kind.OTHER, " ", "", "person:9001")


def test_an_extension_keeps_until_its_day_and_one_that_extends_nothing_is_refused(officer):
    recording = accepted(officer)
    until = clock.now() + 60 * DAY
    services.extend(recording, until=until, reason="Inquiry", actor=officer.custody_id)
    assert recording.due_at == until + 3 * DAY
    assert recording.due_rule == "extension"
    for pointless in (until, clock.now() + 3 * DAY, clock.now() - DAY):
        with pytest.raises(Invalid):
            services.extend(recording, until=pointless, reason="Again", actor=officer.custody_id)


def test_an_extension_beyond_seven_years_is_refused_and_says_what_to_do_instead(officer):
    recording = accepted(officer)
    longest = queries.policy().longest_extension
    with pytest.raises(Invalid, match="more than 7 years away.*flagged as evidence.*hold"):
        services.extend(
            recording, until=clock.now() + longest + DAY, reason="A slip of the pen", actor=officer.custody_id
        )
    assert recording.due_rule == "default"
    services.extend(recording, until=clock.now() + longest - DAY, reason="Inquiry", actor=officer.custody_id)
    assert recording.due_rule == "extension"


def test_an_extension_under_a_hold_counts_once_the_hold_is_released(officer):
    recording = accepted(officer)
    hold = services.place_hold(recording, Hold.Kind.FOI, "FOI 9", "", "person:9001")
    until = clock.now() + 60 * DAY
    services.extend(recording, until=until, reason="Inquiry", actor=officer.custody_id)
    assert recording.due_at is None
    services.release_hold(hold, "Answered", "person:9002")
    recording.refresh_from_db()
    assert recording.due_at == until + 3 * DAY


def test_changing_the_category_of_a_flag_never_shortens(officer):
    recording = accepted(officer)
    footage.flag(recording, category=factories.category("violence", 365), reason="Assault", by=officer)
    long = recording.due_at
    footage.flag(recording, category=factories.category("nuisance", 40), reason="On reflection", by=officer)
    assert recording.due_at == long
    stopped = custody.history(recording.custody_id)[-1]
    assert "retention.shortening_stopped" in tags(recording)
    assert stopped.actor == "system:retention"


def test_flagging_anew_under_a_hold_never_shortens_what_the_former_flag_promised(officer, manager):
    recording = accepted(officer)
    detective = factories.person(Role.INVESTIGATOR)
    footage.flag(recording, category=factories.category("undecided", None), reason="Arrest", by=detective)
    services.place_hold(recording, Hold.Kind.SUBJECT_ACCESS, "SAR", "request:7", "public")
    footage.flag(recording, category=factories.category("nuisance", 31), reason="On reflection", by=officer)
    assert "retention.shortening_stopped" in tags(recording)

    services.release_holds("request:7", "Answered", "person:9001")
    recording.refresh_from_db()
    assert recording.due_at is None
    assert recording.due_rule == f"held_back:{queries.shortenings().get().pk}"
    services.approve_shortening(queries.shortenings().get().pk, reason="Agreed", actor=manager)
    recording.refresh_from_db()
    assert recording.due_at == recording.started_at + (31 + 3) * DAY


def test_flagging_anew_with_a_shorter_period_under_a_hold_keeps_the_longer_date(officer):
    recording = accepted(officer)
    footage.flag(recording, category=factories.category("violence", 365), reason="Assault", by=officer)
    services.place_hold(recording, Hold.Kind.FOI, "FOI 9", "request:9", "public")
    footage.flag(recording, category=factories.category("nuisance", 40), reason="On reflection", by=officer)
    services.release_holds("request:9", "Answered", "person:9001")
    recording.refresh_from_db()
    assert recording.due_at == recording.started_at + (365 + 3) * DAY


def test_flagging_anew_for_longer_stops_nothing(officer):
    recording = accepted(officer)
    footage.flag(recording, category=factories.category("nuisance", 40), reason="Noise", by=officer)
    footage.flag(recording, category=factories.category("violence", 365), reason="Assault", by=officer)
    assert "retention.shortening_stopped" not in tags(recording)
    assert recording.due_rule == "evidence"


def test_deciding_for_an_undecided_category_waits_for_a_second_person(officer, manager):
    recording = accepted(officer)
    footage.flag(recording, category=factories.category("undecided", None), reason="Arrest", by=officer)
    footage.flag(recording, category=factories.category("violence", 365), reason="Decided", by=officer)
    assert recording.due_at is None
    services.approve_shortening(queries.shortenings().get().pk, reason="Agreed", actor=manager)
    recording.refresh_from_db()
    assert recording.due_at == recording.started_at + (365 + 3) * DAY


def test_editing_the_recorded_date_never_shortens(officer):
    recording = accepted(officer)
    due = recording.due_at
    recording.started_at -= 20 * DAY
    recording.save()
    services.recompute(recording)
    # Its deletion begins when it would have begun, so as to end inside the limit.
    assert recording.due_at == due - queries.policy().margin


def test_a_lock_keeps_and_its_end_lets_go_lawfully(officer):
    recording = accepted(officer)
    footage.lock(recording, reason="Death in custody", by=officer)
    assert recording.due_at is None
    assert recording.due_rule == "lock"
    footage.unlock(recording, reason="Released", by=officer)
    assert recording.due_at == recording.started_at + 31 * DAY


def test_another_room_can_keep_and_its_reason_may_end_unannounced(officer, keep_reasons):
    recording = accepted(officer)
    standing = [RetentionReason("case:1", "Part of a case", "it is part of a case", "CPIA 1996")]
    keep_reasons.register(lambda asked: {recording.pk: standing})
    services.recompute(recording)
    assert recording.due_at is None
    clock.advance(50 * DAY)
    standing.clear()
    assert services.reconsider() == 1
    recording.refresh_from_db()
    assert recording.due_at == recording.review_until


def test_one_recording_whose_reasons_fail_does_not_keep_the_others_from_being_reconsidered(officer, keep_reasons):
    broken, ended = accepted(officer, age=2 * DAY), accepted(officer)
    standing = [RetentionReason("case:1", "Part of a case", "it is part of a case", "CPIA 1996")]
    keep_reasons.register(lambda asked: {each.pk: standing for each in asked})
    for recording in (broken, ended):
        services.recompute(recording)
    clock.advance(50 * DAY)
    standing.clear()

    def answer(asked):
        if broken.pk in {each.pk for each in asked}:
            raise RuntimeError("this room does not answer")
        return {}

    keep_reasons.register(answer)
    assert services.reconsider() == 1
    ended.refresh_from_db()
    assert ended.due_at == ended.review_until
    broken.refresh_from_db()
    assert broken.due_at is None


def test_a_reason_that_appears_without_a_word_stops_the_sweep(officer, keep_reasons):
    recording = accepted(officer)
    clock.advance(30 * DAY)
    services.sweep()
    reason = RetentionReason("case:1", "Part of a case", "it is part of a case", "CPIA")
    keep_reasons.register(lambda asked: {recording.pk: [reason]})
    clock.advance(10 * DAY)
    assert services.sweep() == services.SweepResult(restored=1)
    recording.refresh_from_db()
    assert recording.state == Recording.State.LIVE
    assert recording.due_at is None


def test_recomputing_what_has_not_changed_records_nothing(officer):
    recording = accepted(officer)
    before = tags(recording)
    services.recompute(recording)
    assert tags(recording) == before
