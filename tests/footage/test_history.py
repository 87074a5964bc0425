"""The custody history in words, and what of it each reader may learn."""

from __future__ import annotations

import pytest

from bluelamp import custody
from bluelamp.custody import queries as ledger
from bluelamp.custody import words
from bluelamp.footage import history, queries, services
from bluelamp.footage.events import RecordingConsulted
from bluelamp.kernel.transaction import atomic
from bluelamp.people import access
from bluelamp.people import services as people
from bluelamp.people.policy import Role
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def raw(officer):
    return factories.recording(officer, duration_ms=60_000)


def _lines(recording, reader):
    return history.lines(recording, access.actor(reader), queries.thing(recording))


def _watch(recording, person, reason, *stretches):
    viewing = services.open_viewing(
        recording,
        viewer=person.custody_id,
        viewer_name=str(person),
        grant="person",
        reason=reason,
        session_key="k",
    )
    for first, last in stretches:
        services.record_range(viewing, "original", first, last, 600)


def test_a_hundred_ranges_of_one_player_are_one_line_of_what_was_watched(raw, manager, detective):
    _watch(raw, detective, "Statement", (0, 99), (100, 199), (400, 499))
    what = [(line.what, line.who) for line in _lines(raw, manager)]
    assert what == [
        ("Watched or downloaded: 0:00 to 0:20, 0:40 to 0:50, approximately", str(detective)),
        ("Opened to watch", str(detective)),
    ]


def test_runs_of_looking_are_counted_and_broken_by_anything_else(raw, manager, colleague, officer):
    for _ in range(3):
        services.log_consultation(colleague, raw)
    services.add_note(raw, text="x", by=officer)
    services.log_consultation(colleague, raw)
    counted = [(line.what, line.times) for line in _lines(raw, manager) if line.what == "Facts read"]
    assert counted == [("Facts read", 1), ("Facts read", 3)]


def test_an_auditor_reads_every_reason_and_the_wearer_none_of_others(raw, officer, manager, auditor, standards):
    _watch(raw, manager, "Camera fault")
    _watch(raw, standards, "Complaint")
    _watch(raw, officer, "My statement")
    seen_by_auditor = {(line.who, line.reason) for line in _lines(raw, auditor)}
    assert seen_by_auditor == {
        (str(manager), "Camera fault"),
        (str(standards), "Complaint"),
        (str(officer), "My statement"),
    }
    seen_by_wearer = {(line.who, line.reason) for line in _lines(raw, officer)}
    assert seen_by_wearer == {(str(manager), ""), (str(officer), "My statement")}


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.BWV_MANAGER, Role.INVESTIGATOR, Role.RIGHTS_OFFICER])
def test_another_role_does_not_let_a_wearer_see_who_looks_into_them(station, standards, role):
    wearer = factories.person(Role.OFFICER, role, unit=station)
    recording = factories.recording(wearer)
    _watch(recording, standards, "Complaint")
    assert _lines(recording, wearer) == []


def test_nor_that_somebody_did_who_has_left_professional_standards_since(raw, officer, standards, manager):
    people.set_roles(standards, [Role.SUPERVISOR], actor=manager.custody_id, reason="Posting")
    standards.refresh_from_db()
    _watch(raw, standards, "Complaint")
    _watch(raw, manager, "Camera fault")
    assert [line.who for line in _lines(raw, officer)] == [str(manager)]


def test_an_unknown_event_and_an_unknown_actor_still_read_as_words(raw, manager):
    with atomic():
        custody.record(RecordingConsulted(actor="elsewhere:9", subject=raw.custody_id))
    (line,) = _lines(raw, manager)
    assert (line.who, line.what) == ("elsewhere:9", "Facts read")


def test_the_recordings_page_and_the_audit_trail_say_the_same(raw, officer, manager, auditor):
    category = factories.category()
    services.flag(raw, category=category, reason="Assault", by=officer)
    services.add_reference(raw, kind="crime", value="01/123", by=officer)
    services.lock(raw, reason="Injury", by=manager)
    said = [words.describe(item).removesuffix(".") for item in ledger.history(raw.custody_id)]
    shown = [line.what for line in _lines(raw, auditor)]
    assert shown == said[::-1]
    assert f"Flagged as evidence: {category.name}" in shown


def test_whoever_wore_the_camera_reads_no_reasons_of_others_also_as_professional_standards(raw, officer):
    from bluelamp.retention import services as retention

    retention.place_hold(raw, "complaint", "Ann Example complained", "", "person:900")
    standards = factories.person(Role.PROFESSIONAL_STANDARDS)
    assert "Ann Example complained" in [line.reason for line in _lines(raw, standards)]
    officer.roles = [Role.OFFICER.value, Role.PROFESSIONAL_STANDARDS.value]
    officer.save()
    assert "Ann Example complained" not in [line.reason for line in _lines(raw, officer)]
