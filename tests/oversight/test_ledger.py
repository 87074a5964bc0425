"""The ledger's pages: filters, paging, export; and the door."""

from __future__ import annotations

import csv
import hashlib
import io
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bluelamp import custody
from bluelamp.custody import queries as custody_queries
from bluelamp.custody import sequencer
from bluelamp.custody.models import CustodyDetail
from bluelamp.footage import services as footage
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Invalid
from bluelamp.kernel.transaction import atomic
from bluelamp.oversight import services
from bluelamp.oversight.forms import LedgerForm
from bluelamp.oversight.queries import finding, ledger, report
from bluelamp.oversight.services import reading
from bluelamp.people import access
from bluelamp.people.events import SignedIn
from bluelamp.people.policy import Action, Role, may
from bluelamp.verify.ledger import commits
from tests import factories, signin
from tests.oversight import story

pytestmark = pytest.mark.django_db

GET_PAGES = ("audit:index", "audit:checkpoint", "audit:operations")
MAY = {Role.AUDITOR, Role.PROFESSIONAL_STANDARDS}


@pytest.fixture
def wearer():
    return factories.person(Role.OFFICER, unit=factories.unit("Brixton"), name="Olu Bright")


@pytest.fixture
def recording(wearer):
    return factories.recording(wearer, camera=factories.camera(wearer.unit, serial="BL000777"))


def _ledger(client, **asked):
    response = client.get(reverse("audit:index"), asked)
    assert response.status_code == 200, response.content.decode()
    return response.content.decode()


def _sign_ins(count):
    with atomic():
        for number in range(count):
            custody.record(
                SignedIn(actor=f"person:{number}", subject=f"person:{number}", address="::1", second_factor=True)
            )


# The door


@pytest.mark.parametrize("role", [role for role in Role if role not in MAY])
def test_nobody_without_the_right_role_reads_the_ledger(role, signed_in, recording):
    client = signed_in(factories.person(role, unit=recording.unit))
    addresses = [reverse(name) for name in GET_PAGES]
    addresses += [reverse("audit:event", args=[1]), reverse("audit:recording", args=[recording.pk])]
    for address in addresses:
        before = custody_queries.count("access.refused")
        assert client.get(address).status_code == 403, address
        assert custody_queries.count("access.refused") == before + 1, address
    for address in (reverse("audit:export"), reverse("audit:checkpoint")):
        assert client.post(address, {"reason": "curious"}).status_code == 403
    assert custody_queries.count("ledger.exported") == 0
    assert custody_queries.count("ledger.verified") == 0
    assert custody_queries.count("ledger.consulted") == 0


def test_a_stranger_is_sent_to_sign_in(recording):
    client = Client()
    for address in (
        *(reverse(name) for name in GET_PAGES),
        reverse("audit:event", args=[1]),
        reverse("audit:recording", args=[recording.pk]),
    ):
        assert client.get(address)["Location"].startswith("/account/login/")
    assert client.post(reverse("audit:export"), {"reason": "x"})["Location"].startswith("/account/login/")
    assert custody_queries.count("ledger.exported") == 0


@pytest.mark.parametrize("role", sorted(MAY))
def test_auditors_and_professional_standards_read_it_and_find_it_in_the_menu(role, signed_in):
    client = signed_in(factories.person(role))
    page = _ledger(client)
    assert f'href="{reverse("audit:index")}"' in page
    assert may(access.actor(factories.person(role)), Action.VIEW_AUDIT).allowed


def test_an_export_needs_a_form_of_ours(auditor):
    client = Client(enforce_csrf_checks=True)
    signin.quickly(client, auditor)
    assert client.post(reverse("audit:export"), {"reason": "x"}).status_code == 403
    assert client.post(reverse("audit:checkpoint")).status_code == 403
    assert custody_queries.count("ledger.exported") == 0


# Reading


def test_the_ledger_reads_in_words_newest_first(as_auditor, recording, wearer):
    colleague = factories.person(Role.OFFICER, unit=wearer.unit, name="Ben Marsh")
    footage.flag(recording, category=factories.category(), reason="Assault on Brixton Road", by=wearer)
    story.opened(recording, colleague, reason="Statement of <b>Ms Lee</b>")
    page = _ledger(as_auditor)
    assert page.index("Ben Marsh") < page.index("Flagged as evidence")
    assert "Opened to watch." in page
    assert "Reason: Statement of &lt;b&gt;Ms Lee&lt;/b&gt;" in page
    assert "camera BL000777" in page


def test_reading_a_page_is_one_event_of_its_own(as_auditor, auditor, recording, wearer):
    story.opened(recording, wearer)
    before = custody_queries.count("ledger.consulted")
    _ledger(as_auditor, group="recording", actor="Olu")
    (item,) = ledger.events(ledger.Wanted(group="ledger"), 5)
    assert custody_queries.count("ledger.consulted") == before + 1
    assert (item.actor, item.subject) == (auditor.custody_id, "system:ledger")
    assert item.details == {"page": "ledger", "filters": {"group": "recording", "actor": "Olu"}, "shown": 1}


def test_a_page_of_fifty_events_makes_one_query_a_kind_of_name(as_auditor, wearer):
    for _ in range(50):
        story.opened(factories.recording(wearer), factories.person(Role.OFFICER))
    with CaptureQueriesContext(connection) as queries:
        _ledger(as_auditor, group="recording")
    assert sum('FROM "people_person"' in query["sql"] for query in queries) <= 3  # who is signed in, and the names
    assert sum('FROM "footage_recording"' in query["sql"] for query in queries) == 1
    assert len(queries) < 20


def test_paging_neither_repeats_nor_leaves_out_though_events_keep_coming(as_auditor):
    _sign_ins(130)
    wanted = ledger.Wanted(group="session")
    seen, before = [], None
    while True:
        page = ledger.page(ledger.Wanted(group="session", before=before))
        seen += [item.id for item in page.items]
        _sign_ins(3)
        before = page.older
        if before is None:
            break
    first = ledger.events(ledger.Wanted(group="session"), 1000)
    known = sorted((item.id for item in first), reverse=True)
    assert seen == [number for number in known if number <= seen[0]]
    assert len(seen) == len(set(seen))
    page = ledger.page(wanted)
    assert f"before={page.older}" in _ledger(as_auditor, group="session")


# Filters


def test_filters_narrow_by_kind_actor_operation_and_day(as_auditor, recording, wearer):
    footage.flag(recording, category=factories.category(), reason="Assault", by=wearer)
    story.opened(recording, wearer)
    items = ledger.events(ledger.Wanted(operation="consultation", group="recording"), 10)
    assert {item.tag for item in items} == {"recording.viewed"}
    assert {item.tag for item in ledger.events(ledger.Wanted(actors=(wearer.custody_id,)), 10)} == {
        "recording.categorised",
        "recording.flagged",
        "recording.viewed",
    }
    later = datetime.now(UTC) + timedelta(days=400)
    assert ledger.events(ledger.Wanted(since=later), 10) == []
    assert ledger.events(ledger.Wanted(until=later, group="recording"), 10)
    page = _ledger(as_auditor, operation="alteration", actor=wearer.warrant_number, group="recording")
    assert "Flagged as evidence" in page
    assert "Opened to watch" not in page


def test_days_are_london_days():
    form = LedgerForm({"since": "2026-07-01", "until": "2026-07-01"})
    assert form.is_valid()
    assert form.wanted.since == datetime(2026, 6, 30, 23, tzinfo=UTC)
    assert form.wanted.until == datetime(2026, 7, 1, 23, tzinfo=UTC)


def test_a_pasted_page_address_names_its_thing(as_auditor, recording, wearer):
    story.opened(recording, wearer, reason="Only this one")
    other = factories.recording(wearer)
    story.opened(other, wearer, reason="Another one")
    for pasted in (
        f"http://localhost:8000{reverse('footage:recording', args=[recording.pk])}?from=list",
        reverse("footage:recording", args=[recording.pk]),
        str(recording.pk),
        recording.custody_id,
    ):
        page = _ledger(as_auditor, subject=pasted)
        assert "Only this one" in page, pasted
        assert "Another one" not in page, pasted


def test_what_an_event_also_is_about_is_found_too(as_auditor, wearer):
    listed = factories.recording(wearer)
    reader = factories.person(Role.SUPERVISOR, unit=wearer.unit)
    footage.log_listing(reader, [listed], {"text": "brixton"})
    assert "One recording of others was listed." in _ledger(as_auditor, subject=listed.custody_id)


def test_a_reference_a_serial_and_a_name_are_understood(wearer, recording):
    request = story.request()
    for text, custody_id in (
        (request.reference.lower(), request.custody_id),
        ("bl000777", "camera:BL000777"),
        ("olu bright", wearer.custody_id),
    ):
        form = LedgerForm({"subject": text})
        assert form.is_valid(), text
        assert custody_id in form.wanted.subjects


def test_a_name_is_found_by_how_its_words_begin():
    ada = factories.person(Role.OFFICER, name="PC A Hale")
    ben = factories.person(Role.OFFICER, name="PC B Hale")
    odd = factories.person(Role.OFFICER, name="D'Arcy (acting) [temp]")
    assert finding.actors("pc a hale") == (ada.custody_id,)
    assert set(finding.actors("hal")) == {ada.custody_id, ben.custody_id}
    assert finding.actors("ale") == ()
    for text in ("d'arcy", "D'Arcy [temp]", ".*", "(", "[a-z]"):
        assert finding.actors(text) in ((odd.custody_id,), ()), text


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ({"actor": "Nobody At All"}, "Nobody is known by that name"),
        ({"subject": "/nowhere/at/all/"}, "Nothing is known by that id"),
        ({"subject": "%%%"}, "Nothing is known by that id"),
        ({"since": "2026-02-30"}, "Enter a first day that exists"),
        ({"since": "2026-03-02", "until": "2026-03-01"}, "The last day must not be before the first"),
        ({"group": "secrets"}, "Select a valid choice"),
        ({"operation": "destruction"}, "Select a valid choice"),
        ({"before": "-1"}, "greater than or equal to 1"),
        ({"before": "9" * 30}, "less than or equal to"),
    ],
)
def test_a_filter_that_makes_no_sense_is_explained_and_shows_nothing(as_auditor, asked, problem):
    response = as_auditor.get(reverse("audit:index"), asked)
    assert response.status_code == 422
    assert problem in response.content.decode()


@pytest.mark.parametrize("text", ["' OR 1=1 --", "person:1' OR '1'='1", "{}", "\\", "recording:*"])
def test_nothing_typed_reaches_the_database_as_anything_but_a_value(as_auditor, text):
    response = as_auditor.get(reverse("audit:index"), {"actor": text, "subject": text})
    assert response.status_code in (200, 422)


def test_a_null_byte_is_refused_in_words(as_auditor):
    assert as_auditor.get(reverse("audit:index"), {"actor": "a\x00b"}).status_code == 422


def test_an_unknown_event_is_not_found(as_auditor):
    assert as_auditor.get(reverse("audit:event", args=[2**62])).status_code == 404
    assert as_auditor.get("/audit/events/99999999999999999999999/").status_code == 404


# One event


def test_an_event_shows_its_fields_its_commitment_and_the_checkpoint_over_it(as_auditor, recording, wearer):
    footage.flag(recording, category=factories.category(), reason="Assault", by=wearer)
    (item,) = [each for each in custody_queries.history(recording.custody_id) if each.tag == "recording.flagged"]
    address = reverse("audit:event", args=[item.id])
    page = as_auditor.get(address).content.decode()
    assert "Not yet in a checkpoint" in page
    checkpoint = sequencer.run_once()
    entry = ledger.event(item.id)
    page = as_auditor.get(address).content.decode()
    assert entry.matches
    assert entry.entry.hex() in page
    assert entry.leaf_hash.hex() in page
    assert f"of {checkpoint.size:,} events" in page
    assert "Assault" in page
    for field in entry.fields:
        assert field.name in page
        assert field.salt.hex() in page
    assert custody_queries.count("ledger.consulted") == 2


def test_the_checkpoint_over_an_event_is_the_first_that_covers_it():
    _sign_ins(3)
    first = sequencer.run_once()
    _sign_ins(2)
    second = sequencer.run_once()
    assert ledger.covering(first.size - 1).size == first.size
    assert ledger.covering(first.size).size == second.size
    assert ledger.covering(second.size) is None
    assert ledger.covering(None) is None


def test_values_that_do_not_give_the_entry_are_called_tampering():
    _sign_ins(1)
    (item,) = ledger.events(ledger.Wanted(group="session"), 1)
    entry = ledger.event(item.id)
    stored = bytes(CustodyDetail.objects.get(event_id=item.id).stored)
    assert commits(entry.entry, stored)
    assert not commits(entry.entry, stored.replace(b"person:", b"persoN:"))
    assert not commits(entry.entry, stored[:-1])
    assert not commits(entry.entry, b"")


@pytest.mark.parametrize("subject", ["recording:never-a-uuid", "recording:", "", "nothing", "person:x"])
def test_an_event_about_an_odd_subject_still_has_its_page(as_auditor, subject):
    with atomic():
        made = custody.record(SignedIn(actor="", subject=subject, address="::1", second_factor=False))
    response = as_auditor.get(reverse("audit:event", args=[made.id]))
    assert response.status_code == 200
    assert "who looked at it" not in response.content.decode()


# Export


def _export(client, reason="MOPAC audit 2026", **asked):
    return client.post(f"{reverse('audit:export')}?{urlencode(asked)}", {"reason": reason})


def test_an_export_holds_what_the_filters_find_and_is_itself_recorded(as_auditor, auditor, recording, wearer):
    story.opened(recording, wearer, reason="Statement")
    response = _export(as_auditor, group="recording")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in response["Content-Disposition"]
    (row,) = csv.DictReader(io.StringIO(response.content.decode("utf-8-sig")))
    assert row["type"] == "recording.viewed"
    assert row["actor"] == wearer.custody_id
    assert row["actor's name"] == f"Olu Bright ({wearer.warrant_number})"
    assert row["reason"] == "Statement"
    (item,) = [each for each in custody_queries.history("system:ledger") if each.tag == "ledger.exported"]
    assert item.actor == auditor.custody_id
    assert item.reason == "MOPAC audit 2026"
    assert item.details["events"] == 1
    assert item.details["complete"] is True
    assert item.details["filters"] == {"group": "recording"}
    assert item.details["sha256"] == hashlib.sha256(response.content).hexdigest()


def test_an_export_without_a_reason_gives_nothing_away(as_auditor, recording, wearer):
    story.opened(recording, wearer, reason="Statement")
    response = _export(as_auditor, reason="  ", group="recording")
    assert response.status_code == 422
    assert "Say why you take this away" in response.content.decode()
    assert custody_queries.count("ledger.exported") == 0
    with pytest.raises(Invalid):
        services.export(ledger.Wanted(), actor="person:1", reason=" ", filters={})


def test_an_export_with_a_filter_that_makes_no_sense_gives_nothing_away(as_auditor):
    assert _export(as_auditor, actor="Nobody At All").status_code == 422
    assert custody_queries.count("ledger.exported") == 0


def test_an_export_is_bounded_and_says_that_it_is_not_all(monkeypatch):
    monkeypatch.setattr(reading, "MOST_EXPORTED", 3)
    _sign_ins(5)
    made = services.export(ledger.Wanted(group="session"), actor="person:1", reason="Audit", filters={})
    assert (made.events, made.complete) == (3, False)
    rows = list(csv.DictReader(io.StringIO(made.content.decode("utf-8-sig"))))
    assert [row["actor"] for row in rows] == ["person:4", "person:3", "person:2"]
    (item,) = ledger.events(ledger.Wanted(group="ledger"), 1)
    assert item.details["complete"] is False


@pytest.mark.parametrize("text", ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\tx"])
def test_a_reason_cannot_become_a_formula_in_a_spreadsheet(recording, wearer, text):
    footage.lock(recording, by=factories.person(Role.POST_INCIDENT_MANAGER), reason=f"{text} really")
    made = services.export(ledger.Wanted(group="recording"), actor="person:1", reason="Audit", filters={})
    cells = [cell for row in csv.reader(io.StringIO(made.content.decode("utf-8-sig"))) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t"))]


# The six operations


def test_the_six_operations_are_explained_with_what_happened_lately(as_auditor, recording, wearer):
    story.opened(recording, wearer)
    page = as_auditor.get(reverse("audit:operations")).content.decode()
    for code in ("Collection", "Alteration", "Consultation", "Disclosure", "Combination", "Erasure"):
        assert code in page
    now = clock.now()
    counts = {item.operation.code: item.count for item in report.operations(now - timedelta(days=30), now)}
    assert counts["consultation"] >= 1
    assert counts["erasure"] == 0


def test_an_event_of_a_thing_that_is_gone_still_reads(as_auditor):
    gone = f"recording:{uuid4()}"
    with atomic():
        custody.record(SignedIn(actor="person:987654", subject=gone, address="::1", second_factor=False))
    page = _ledger(as_auditor, subject=gone)
    assert gone in page
    assert "person:987654" in page
