"""Cases against a real database: roles that let people watch, holds that last, doors that stay shut."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bluelamp.cases import queries, services
from bluelamp.cases.models import Case
from bluelamp.custody import queries as ledger
from bluelamp.footage import queries as footage_queries
from bluelamp.footage import services as footage
from bluelamp.footage.models import Recording
from bluelamp.kernel.errors import Conflict, Invalid
from bluelamp.people import access
from bluelamp.people.policy import Action, Role, may
from tests import factories, signin

pytestmark = pytest.mark.django_db


@pytest.fixture
def detective():
    return factories.person(Role.INVESTIGATOR, unit=factories.unit())


@pytest.fixture
def case(detective):
    return services.open_case("Lantern", opened_by=detective)


def _signed_in(client, person):
    signin.quickly(client, person)
    return client


def test_whoever_opens_a_case_is_its_officer(case, detective):
    assert case.members.get().person == detective
    assert [item.tag for item in ledger.history(case.custody_id)] == ["case.opened"]


def test_a_role_in_the_case_lets_an_officer_of_another_unit_watch_without_a_reason(case, detective):
    recording = factories.recording(factories.person(Role.OFFICER, unit=factories.unit()))
    outsider = factories.person(Role.OFFICER, unit=factories.unit())
    who = access.actor(outsider)
    assert not may(who, Action.WATCH, footage_queries.thing(recording)).allowed
    services.add_recording(case, recording, actor=detective, reason="Shows it")
    services.add_member(case, outsider, role="investigator", actor=detective)
    decision = may(who, Action.WATCH, footage_queries.thing(recording))
    assert decision.allowed
    assert not decision.needs_reason
    services.remove_member(case, outsider, actor=detective, reason="Moved on")
    assert not may(who, Action.WATCH, footage_queries.thing(recording)).allowed


def test_an_open_case_keeps_its_recordings_and_a_closed_one_no_longer_does(case, detective):
    recording = factories.recording(detective)
    services.add_recording(case, recording, actor=detective, reason="Shows it")
    assert [reason.code for reason in queries.retention_reasons([recording])[recording.pk]] == [case.custody_id]
    recording.refresh_from_db()
    assert recording.due_at is None
    services.close_case(case, actor=detective, outcome="No further action")
    assert queries.retention_reasons([recording])[recording.pk] == []
    recording.refresh_from_db()
    assert recording.due_at is not None


def test_a_deleted_recording_cannot_join_a_case(case, detective):
    recording = factories.recording(detective, state=Recording.State.DELETED)
    with pytest.raises(Conflict, match="deleted"):
        services.add_recording(case, recording, actor=detective, reason="Too late")


def test_a_closed_case_takes_nobody_and_nothing(case, detective):
    services.close_case(case, actor=detective, outcome="Convicted")
    with pytest.raises(Conflict, match="closed"):
        services.add_member(case, factories.person(Role.OFFICER), role="investigator", actor=detective)
    with pytest.raises(Conflict, match="closed"):
        services.add_recording(case, factories.recording(detective), actor=detective, reason="Late")


def test_a_case_without_a_name_is_refused(detective):
    with pytest.raises(Invalid):
        services.open_case("  ", opened_by=detective)
    assert Case.objects.count() == 0


@pytest.mark.parametrize(
    "role", [Role.OFFICER, Role.SUPERVISOR, Role.INVESTIGATOR, Role.RIGHTS_OFFICER, Role.OPERATOR, Role.BWV_MANAGER]
)
def test_a_case_is_closed_to_whoever_has_no_role_in_it(client, case, role):
    _signed_in(client, factories.person(role, unit=factories.unit()))
    assert client.get(reverse("cases:case", args=[case.pk])).status_code == 403
    assert client.post(reverse("cases:close", args=[case.pk]), {"outcome": "x"}).status_code == 403
    assert client.post(reverse("cases:add_member", args=[case.pk]), {}).status_code == 403
    assert ledger.history(case.custody_id)[-1].tag == "access.refused"


def test_an_auditor_reads_a_case_and_changes_nothing(client, case):
    _signed_in(client, factories.person(Role.AUDITOR))
    assert client.get(reverse("cases:case", args=[case.pk])).status_code == 200
    assert client.post(reverse("cases:close", args=[case.pk]), {"outcome": "x"}).status_code == 403


def test_nobody_gets_in_without_signing_in(client, case):
    for address in (reverse("cases:index"), reverse("cases:case", args=[case.pk]), reverse("cases:open")):
        answer = client.get(address)
        assert answer.status_code == 302
        assert "/account/login/" in answer.url


def test_an_officer_cannot_open_a_case(client):
    _signed_in(client, factories.person(Role.OFFICER, unit=factories.unit()))
    assert client.post(reverse("cases:open"), {"name": "Mine"}).status_code == 403


def test_a_recording_of_another_unit_cannot_be_pulled_into_ones_own_case_by_an_officer(client, case, detective):
    officer = factories.person(Role.OFFICER, unit=factories.unit())
    services.add_member(case, officer, role="investigator", actor=detective)
    recording = factories.recording(factories.person(Role.OFFICER, unit=factories.unit()))
    _signed_in(client, officer)
    answer = client.post(reverse("cases:add_recording", args=[recording.pk]), {"case": case.pk, "reason": "Curious"})
    assert answer.status_code == 403
    assert not case.links.exists()


def test_a_colleagues_role_is_ended_with_a_reason_from_the_cases_page(client, case, detective):
    colleague = factories.person(Role.OFFICER, unit=factories.unit())
    services.add_member(case, colleague, role="investigator", actor=detective)
    _signed_in(client, detective)
    address = reverse("cases:end_role", args=[case.pk, colleague.pk])
    assert address in client.get(reverse("cases:case", args=[case.pk])).content.decode()
    assert colleague.name in client.get(address).content.decode()
    assert client.post(address, {"reason": " "}).status_code == 422
    assert queries.is_member(case, access.actor(colleague))
    assert client.post(address, {"reason": "Moved to another team"}).status_code == 302
    assert not queries.is_member(case, access.actor(colleague))
    event = ledger.history(case.custody_id)[-1]
    assert (event.tag, event.reason) == ("case.member_left", "Moved to another team")


def test_the_last_officer_in_the_case_cannot_leave_it(client, case, detective):
    services.add_member(case, factories.person(Role.INVESTIGATOR), role="investigator", actor=detective)
    _signed_in(client, detective)
    address = reverse("cases:end_role", args=[case.pk, detective.pk])
    answer = client.post(address, {"reason": "Retiring"})
    assert answer.status_code == 409
    assert "only officer in the case" in answer.content.decode()
    successor = factories.person(Role.INVESTIGATOR)
    services.add_member(case, successor, role="officer_in_case", actor=detective)
    answer = client.post(address, {"reason": "Retiring"})
    assert answer.url == reverse("cases:index")
    with pytest.raises(Conflict, match="only officer"):
        services.remove_member(case, successor, actor=detective, reason="Me too")


@pytest.mark.parametrize("role", [Role.OFFICER, Role.INVESTIGATOR, Role.AUDITOR, Role.PROFESSIONAL_STANDARDS])
def test_nobody_outside_the_case_ends_a_role_in_it(client, case, detective, role):
    colleague = factories.person(Role.OFFICER)
    services.add_member(case, colleague, role="investigator", actor=detective)
    address = reverse("cases:end_role", args=[case.pk, colleague.pk])
    assert client.post(address, {"reason": "x"}).status_code == 302
    _signed_in(client, factories.person(role))
    assert client.post(address, {"reason": "x"}).status_code == 403
    assert queries.is_member(case, access.actor(colleague))


def test_reading_a_case_logs_others_recordings_that_it_lists(client, case, detective):
    others = factories.recording(factories.person(Role.OFFICER, unit=factories.unit()))
    own = factories.recording(detective)
    for recording in (others, own):
        services.add_recording(case, recording, actor=detective, reason="Shows it")
    _signed_in(client, detective)
    client.get(reverse("cases:case", args=[case.pk]))
    event = ledger.history(others.custody_id)[-1]
    assert (event.tag, event.actor) == ("footage.listed", detective.custody_id)
    assert event.details["filters"] == {"page": case.custody_id}
    assert ledger.history(own.custody_id)[-1].tag != "footage.listed"
    client.post(reverse("cases:close", args=[case.pk]), {})
    assert ledger.count("footage.listed") == 2


def test_the_rows_of_a_cases_recordings_are_locked_in_the_order_of_their_ids(case, detective):
    for recording in reversed([factories.recording(detective) for _ in range(3)]):
        services.add_recording(case, recording, actor=detective, reason="Shows it")
    with CaptureQueriesContext(connection) as done:
        services.close_case(case, actor=detective, outcome="Convicted")
    locks = [item["sql"] for item in done.captured_queries if "FOR UPDATE" in item["sql"]]
    assert 'ORDER BY "footage_recording"."id" ASC FOR UPDATE' in locks[0]


def test_why_a_recording_was_in_a_case_goes_with_the_recording(case, detective):
    recording = factories.recording(detective)
    link = services.add_recording(case, recording, actor=detective, reason="Shows the suspect's face")
    footage.mark_deleted(recording, reason="Test")
    link.refresh_from_db()
    assert link.reason == ""
