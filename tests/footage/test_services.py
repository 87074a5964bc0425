"""The verbs of footage against a real database: each with its event, each refusing what it must."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from bluelamp.custody import queries as ledger
from bluelamp.footage import hooks, queries, services
from bluelamp.footage.models import Category, Incident, Recording, ServedRange
from bluelamp.footage.services import locked
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Conflict, Invalid, NotAllowed
from bluelamp.kernel.hooks import Hook
from bluelamp.kernel.ids import new_id
from tests import factories

pytestmark = pytest.mark.django_db


def _new(officer, **more):
    recording_id = new_id()
    given = {
        "id": recording_id,
        "filename": "0001.mp4",
        "sha256": hashlib.sha256(b"x").hexdigest(),
        "size": 1,
        "original": f"recordings/{recording_id}/original",
        "started_at": clock.now() - timedelta(minutes=2),
        "ended_at": clock.now() - timedelta(minutes=1),
        "wearer": officer,
        "unit": officer.unit,
        **more,
    }
    return services.NewRecording(**given)


def _last(recording, tag):
    return ledger.search(tag=tag, subject=recording.custody_id)[0]


def _tags(recording):
    return [item.tag for item in ledger.history(recording.custody_id)]


@pytest.fixture
def raw(officer):
    return factories.recording(officer, camera=factories.camera(officer.unit))


@pytest.fixture
def violence():
    return Category.objects.get(code="violent_offence")


# Acceptance


def test_acceptance_makes_row_event_and_job_together(officer, monkeypatch):
    told = Hook("test")
    told.register(lambda recordings: told_of.append(recordings))
    told_of = []
    monkeypatch.setattr(hooks, "accepted", told)
    camera = factories.camera(officer.unit)
    incident = new_id()
    new = _new(officer, camera=camera, sequence=7, incident=incident, place="High Street")
    recording = services.accept(new, actor="dock:1")
    assert Incident.objects.filter(pk=incident).exists()
    assert (recording.mount, recording.state, recording.processing) == (camera.mount, "live", "waiting")
    assert told_of == [[recording]]
    event = ledger.history(recording.custody_id)[0]
    assert (event.tag, event.actor, event.details["sequence"]) == ("recording.collected", "dock:1", 7)
    assert recording.collected.id == event.id
    assert len(recording.collected.entry) == 32
    job = ProcrastinateJob.objects.get(task_name="footage.prepare")
    assert job.args == {"recording_id": str(recording.pk)}


def test_the_same_recording_is_not_accepted_twice(officer):
    camera = factories.camera(officer.unit)
    services.accept(_new(officer, camera=camera, sequence=1))
    with pytest.raises(Conflict):
        services.accept(_new(officer, camera=camera, sequence=1))
    services.accept(_new(officer, camera=camera, sequence=2))
    assert Recording.objects.count() == 2


# Flag, category, reference, note


def test_a_flag_says_what_why_who_and_sets_the_category(raw, officer, violence):
    services.flag(raw, category=violence, reason=" Assault on PC ", by=officer, reference=("crime", "01/123/26"))
    flag = queries.standing_flag(raw)
    assert (flag.category, flag.reason, flag.flagged_by) == (violence, "Assault on PC", officer)
    raw.refresh_from_db()
    assert raw.category == violence
    assert raw.references.get().value == "01/123/26"
    assert {"recording.flagged", "recording.categorised", "recording.reference_added"} <= set(_tags(raw))


def test_flagging_again_replaces_the_flag_and_keeps_the_former(raw, officer, violence):
    services.flag(raw, category=violence, reason="First", by=officer)
    services.flag(raw, category=Category.objects.get(code="arrest"), reason="Second", by=officer)
    assert raw.flags.filter(released_at=None).count() == 1
    assert raw.flags.count() == 2


@pytest.mark.parametrize("reason", ["", "   ", "x" * 1001])
def test_a_flag_without_a_reason_is_not_set(raw, officer, violence, reason):
    with pytest.raises(Invalid):
        services.flag(raw, category=violence, reason=reason, by=officer)
    assert not raw.flags.exists()


def test_a_category_without_evidence_cannot_be_a_flag(raw, officer):
    with pytest.raises(Invalid):
        services.flag(raw, category=Category.objects.get(code="training"), reason="Why", by=officer)


def test_releasing_a_flag_needs_one_and_a_reason(raw, officer, violence):
    with pytest.raises(Conflict):
        services.release_flag(raw, reason="Over", by=officer)
    services.flag(raw, category=violence, reason="Assault", by=officer)
    with pytest.raises(Invalid):
        services.release_flag(raw, reason=" ", by=officer)
    services.release_flag(raw, reason="Charges dropped", by=officer)
    assert queries.standing_flag(raw) is None
    assert _last(raw, "recording.flag_released").reason == "Charges dropped"


def test_whoever_set_a_flag_takes_it_back_within_the_hour_and_later_another_person_does(
    raw, officer, manager, violence
):
    services.flag(raw, category=violence, reason="Wrong recording", by=manager)
    clock.advance(timedelta(minutes=59))
    services.release_flag(raw, reason="A mistake", by=manager)

    services.flag(raw, category=violence, reason="Assault", by=manager)
    clock.advance(timedelta(minutes=61))
    with pytest.raises(NotAllowed, match="You flagged this recording yourself"):
        services.release_flag(raw, reason="Over", by=manager)
    assert queries.standing_flag(raw) is not None
    services.release_flag(raw, reason="Over", by=officer)


def test_a_flag_that_replaced_another_is_never_taken_back_alone(raw, manager, violence):
    services.flag(raw, category=violence, reason="Assault", by=manager)
    clock.advance(timedelta(days=1))
    services.flag(raw, category=violence, reason="Assault, again", by=manager)
    with pytest.raises(NotAllowed):
        services.release_flag(raw, reason="Over", by=manager)


def test_every_change_of_facts_asks_retention_again(raw, officer, violence, monkeypatch):
    asked = []
    told = Hook("test")
    told.register(lambda recording: asked.append(recording.pk))
    monkeypatch.setattr(hooks, "facts_changed", told)
    services.flag(raw, category=violence, reason="Assault", by=officer)
    services.release_flag(raw, reason="Over", by=officer)
    services.lock(raw, reason="Death", by=officer)
    services.unlock(raw, reason="Over", by=officer)
    assert len(asked) >= 4


def test_a_reference_is_kept_as_one_writes_it_in_capitals_and_once(raw, officer):
    services.add_reference(raw, kind="cad", value="  1234 /  22nov26 ", by=officer)
    services.add_reference(raw, kind="cad", value="1234 / 22NOV26", by=officer)
    assert raw.references.get().value == "1234 / 22NOV26"
    assert _tags(raw).count("recording.reference_added") == 1
    with pytest.raises(Invalid):
        services.add_reference(raw, kind="lottery", value="1", by=officer)


def test_a_note_stands_at_its_moment_and_the_ledger_has_its_hash_not_its_text(raw, officer):
    note = services.add_note(raw, text="He says: stop.", at_ms=5000, by=officer)
    event = _last(raw, "recording.note_added")
    assert note.at_ms == event.details["at_ms"] == 5000
    assert event.details["text_sha256"] == hashlib.sha256(b"He says: stop.").hexdigest()
    assert "stop" not in str(event)
    for wrong in (-1, 60_001):
        with pytest.raises(Invalid):
            services.add_note(raw, text="Beyond", at_ms=wrong, by=officer)


# Lock


def test_a_lock_is_set_once_and_ended_with_a_reason(raw, officer):
    services.lock(raw, reason="Death in custody", by=officer)
    with pytest.raises(Conflict):
        services.lock(raw, reason="Again", by=officer)
    with pytest.raises(Invalid):
        services.unlock(raw, reason="", by=officer)
    services.unlock(raw, reason="Released by PIM", by=officer)
    assert raw.locked_at is None
    with pytest.raises(Conflict):
        services.let_watch(raw, person=officer, reason="Too late", by=officer)


@pytest.fixture
def two_files(officer):
    incident = Incident.objects.create()
    return [factories.recording(officer, incident=incident, part=part) for part in (1, 2)]


def test_a_lock_acts_on_every_file_of_the_incident(two_files, officer, pim):
    one, two = two_files
    services.lock(two, reason="Serious injury", by=pim)
    services.let_watch(one, person=officer, reason="First account given", by=pim)
    for file in two_files:
        file.refresh_from_db()
        assert (file.locked_by, file.lock_reason) == (pim, "Serious injury")
        assert list(file.released_to.all()) == [officer]
        assert {"recording.locked", "recording.watch_released"} <= set(_tags(file))
    services.unlock(two, reason="Over", by=pim)
    one.refresh_from_db()
    assert one.locked_at is None
    assert "recording.unlocked" in _tags(one)


def test_a_file_that_arrives_after_the_lock_is_locked_from_the_start(two_files, officer, pim):
    services.lock(two_files[0], reason="Serious injury", by=pim)
    services.let_watch(two_files[0], person=officer, reason="First account given", by=pim)
    late = services.accept(_new(officer, incident=two_files[0].incident_id, part=3))
    assert (late.locked_by, late.lock_reason, late.due_rule) == (pim, "Serious injury", "lock")
    assert list(late.released_to.all()) == [officer]
    assert "recording.locked" in _tags(late)


def test_nobody_unlocks_own_footage_through_another_file_of_the_incident(two_files, officer, pim):
    Recording.objects.filter(pk=two_files[1].pk).update(wearer=pim)
    services.lock(two_files[0], reason="Serious injury", by=officer)
    with pytest.raises(NotAllowed, match="You recorded another file"):
        services.unlock(two_files[0], reason="Over", by=pim)
    with pytest.raises(NotAllowed):
        services.let_watch(two_files[0], person=pim, reason="Mine", by=pim)


# Going


def test_rows_are_locked_in_one_order_with_the_files_of_their_incidents(two_files, raw):
    assert locked.many([raw.pk, two_files[1].pk]) == sorted([raw, two_files[1]], key=lambda file: file.pk)
    assert locked.many([]) == []
    assert locked.incident(two_files[1]) == sorted(two_files, key=lambda file: file.pk)


def test_whoever_wrote_about_a_recording_hears_that_it_goes_in_the_same_transaction(raw, monkeypatch):
    heard = []
    told = Hook("test")
    told.register(lambda recordings: heard.extend((recording.pk, recording.state) for recording in recordings))
    monkeypatch.setattr(hooks, "deleted", told)
    services.mark_deleted(raw)
    assert heard == [(raw.pk, Recording.State.DELETED)]


def test_the_due_date_is_set_once_for_one_answer(raw):
    due = clock.now() + timedelta(days=31)
    services.set_due(raw, due, "default")
    services.set_due(raw, due, "default")
    services.set_due(raw, None, "open case")
    assert _tags(raw) == ["recording.due_set"] * 2
    raw.refresh_from_db()
    assert (raw.due_at, raw.due_rule) == (None, "open case")


def test_quarantine_and_back(raw):
    with pytest.raises(Conflict):
        services.mark_restored(raw)
    services.mark_quarantined(raw)
    with pytest.raises(Conflict):
        services.mark_quarantined(raw)
    services.mark_restored(raw, reason="A request came")
    assert _tags(raw) == ["recording.quarantined", "recording.restored"]


def test_a_tombstone_has_nothing_of_the_content_left(raw, officer, violence):
    secret = "Secretplace"
    Recording.objects.filter(pk=raw.pk).update(
        place=secret,
        manifest={"x": secret},
        events=[{"note": secret}],
        track=[{"lat": secret}],
        waveform=[1],
        storyboard={"a": 1},
        media={"b": secret},
        processing_error=secret,
        lock_reason=secret,
        filename=f"{secret}.mp4",
    )
    raw.refresh_from_db()
    services.flag(raw, category=violence, reason=secret, by=officer)
    services.add_note(raw, text=secret, by=officer)
    services.add_reference(raw, kind="cad", value=secret, by=officer)
    services.mark_deleted(raw)
    raw.refresh_from_db()
    assert secret.lower() not in str([vars(raw), *raw.flags.values()]).lower()
    assert not raw.notes.exists()
    assert not raw.references.exists()
    assert (raw.sha256, raw.size, raw.camera_id) != ("", 0, None)
    assert secret not in str(_last(raw, "recording.deleted"))
    with pytest.raises(Conflict):
        services.mark_deleted(raw)


def test_nothing_can_be_said_of_a_deleted_recording(raw, officer, violence):
    services.mark_deleted(raw)
    for change in (
        lambda: services.flag(raw, category=violence, reason="Late", by=officer),
        lambda: services.add_note(raw, text="Late", by=officer),
        lambda: services.add_reference(raw, kind="cad", value="1", by=officer),
        lambda: services.categorise(raw, category=violence, by=officer),
        lambda: services.lock(raw, reason="Late", by=officer),
    ):
        with pytest.raises(Conflict):
            change()


# Viewing


def _open(recording, officer, **more):
    given = {"viewer": officer.custody_id, "viewer_name": "Ada", "grant": "person", "reason": "r", **more}
    return services.open_viewing(recording, session_key="s" * 32, **given)


def test_a_viewing_is_in_the_ledger_before_any_byte(raw, officer):
    viewing = _open(raw, officer, reason="Statement")
    event = _last(raw, "recording.viewed")
    assert (event.reason, event.details["viewing"]) == ("Statement", str(viewing.pk))
    assert "s" * 32 not in str(vars(viewing))
    assert not ServedRange.objects.exists()


def test_a_viewing_needs_a_session_and_a_live_recording(raw, officer):
    with pytest.raises(Invalid):
        services.open_viewing(raw, viewer="person:1", viewer_name="", grant="person", reason="", session_key="")
    services.mark_quarantined(raw)
    with pytest.raises(Conflict):
        _open(raw, officer)


def test_ranges_become_one_stretch_a_viewer(raw, officer):
    raw.duration_ms = 60_000
    raw.save()
    viewing = _open(raw, officer)
    for first, last in ((0, 99), (100, 299), (600, 799)):
        services.record_range(viewing, "original", first, last, 1000)
    (watched,) = queries.watched(raw)
    assert watched.stretches == ((0, 18_000), (36_000, 48_000))
    assert watched.seconds == 30


def test_reading_ones_own_facts_is_not_logged_and_those_of_others_are(raw, officer, colleague):
    services.log_consultation(officer, raw)
    assert _tags(raw) == []
    services.log_consultation(colleague, raw)
    assert _tags(raw) == ["recording.consulted"]


def test_a_page_of_results_is_one_event_that_names_the_recordings_of_others(raw, officer, colleague):
    own = factories.recording(colleague)
    services.log_listing(colleague, [raw, own], {"text": "high street", "unit": None})
    (event,) = ledger.search(tag="footage.listed")
    assert event.also == (raw.custody_id,)
    assert event.details == {"filters": {"text": "high street"}, "count": 1}
    services.log_listing(colleague, [own], {})
    assert ledger.count("footage.listed") == 1
