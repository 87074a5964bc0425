"""The explorer: counts by operation and over time that agree with the list, filters together, links, both exports."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bluelamp import custody
from bluelamp.custody import keys, proving, sequencer
from bluelamp.custody import queries as custody_queries
from bluelamp.formats.disclosure import DisclosedEvent
from bluelamp.formats.signed_note import VerifierKey
from bluelamp.kernel import clock
from bluelamp.kernel.transaction import atomic
from bluelamp.oversight import services
from bluelamp.oversight.forms import LedgerForm
from bluelamp.oversight.queries import counting, ledger
from bluelamp.oversight.queries.ledger import Wanted
from bluelamp.people.events import SignedIn, SignedOut
from bluelamp.people.policy import Role
from tests import factories
from tests.oversight import story

pytestmark = pytest.mark.django_db


@pytest.fixture
def wearer():
    return factories.person(Role.OFFICER, unit=factories.unit("Brixton"), name="Olu Bright")


@pytest.fixture
def recording(wearer):
    return factories.recording(wearer)


def signed(person="person:1", count=1, kind=SignedIn):
    more = {"address": "::1", "second_factor": True} if kind is SignedIn else {"how": "by hand"}
    with atomic():
        custody.record_all([kind(actor=person, subject=person, **more) for _ in range(count)])


def over(since, until, **more):
    return counting.summary(Wanted(since=since, until=until, **more), clock.now())


def test_the_counts_agree_with_the_list_whatever_is_asked(recording, wearer):
    signed(count=7)
    signed("person:2", count=3, kind=SignedOut)
    story.opened(recording, wearer)
    now = clock.now()
    since, until = now - timedelta(days=1), now + timedelta(minutes=1)
    for asked in (
        {},
        {"group": "session"},
        {"tag": "session.ended"},
        {"operation": "consultation"},
        {"actors": ("person:1",)},
        {"actors": ("person:1",), "operation": "erasure"},
        {"subjects": (recording.custody_id,)},
        {"group": "session", "actors": ("person:2", "person:1"), "tag": "session.started"},
    ):
        found = over(since, until, **asked)
        listed = ledger.events(Wanted(since=since, until=until, **asked), 10_000)
        assert found.total == len(listed), asked
        assert sum(column.total for column in found.columns) == found.total
        assert sum(count for _, count in found.types) == found.total
        for code, count in found.operations.items():
            assert count == sum(item.operation == code for item in listed), (asked, code)
    assert over(since, until, actors=("person:2",)).operations["consultation"] == 3


def test_a_day_is_listed_alike_whichever_way_it_is_found(recording, wearer):
    signed(count=60)
    story.opened(recording, wearer)
    now = clock.now()
    short = Wanted(since=now - timedelta(days=1), until=now + timedelta(hours=1))
    long = Wanted(since=now - timedelta(days=9), until=now + timedelta(hours=1))
    for size in (7, 50, 1000):
        first = ledger.page(short, size)
        assert first.items == ledger.page(long, size).items
        assert (first.older is None) == (size == 1000)
    seen, before = [], None
    while True:
        page = ledger.page(dataclasses.replace(short, before=before), 7)
        seen += [item.id for item in page.items]
        before = page.older
        if before is None:
            break
    assert seen == [item.id for item in ledger.page(long, 1000).items]


def test_an_event_just_before_midnight_in_london_counts_for_that_day(monkeypatch):
    at = datetime(2026, 7, 1, 22, 59, 59, tzinfo=UTC)  # 23:59:59 in London
    monkeypatch.setattr(clock, "now", lambda: at)
    signed()
    monkeypatch.setattr(clock, "now", lambda: at + timedelta(seconds=1))
    signed(count=2)
    form = LedgerForm({"since": "2026-06-30", "until": "2026-07-02"})
    assert form.is_valid()
    found = counting.summary(form.wanted, at)
    assert [(str(column.first), column.total) for column in found.columns] == [
        ("2026-06-30", 0),
        ("2026-07-01", 1),
        ("2026-07-02", 2),
    ]


@pytest.mark.parametrize(("days", "unit", "columns"), [(30, "day", 30), (62, "day", 62), (63, "week", 9)])
def test_a_long_period_is_told_by_week_and_a_longer_one_by_month(days, unit, columns):
    last = datetime(2026, 3, 1, tzinfo=UTC)
    found = over(last - timedelta(days=days), last)
    assert (found.unit, len(found.columns)) == (unit, columns)
    years = over(datetime(2023, 3, 15, tzinfo=UTC), datetime(2025, 3, 1, tzinfo=UTC))
    assert years.unit == "month"
    assert [column.first.day for column in years.columns] == [15] + [1] * 23
    assert years.columns[-1].last == years.last


def test_a_first_day_that_is_still_to_come_has_no_events_and_breaks_nothing(as_auditor):
    response = as_auditor.get("/audit/", {"since": "2031-01-01"})
    assert response.status_code == 200
    assert "0 events from" in response.content.decode()


def test_counting_stops_at_a_bound_and_says_so(monkeypatch):
    monkeypatch.setattr(counting, "MOST_COUNTED", 4)
    signed(count=6)
    now = clock.now()
    bounded = over(now - timedelta(days=1), now + timedelta(minutes=1), actors=("person:1",))
    assert (bounded.total, bounded.complete) == (4, False)
    assert over(now - timedelta(days=1), now + timedelta(minutes=1), group="session").complete


def test_the_page_shows_the_chart_its_table_and_links_that_keep_the_other_filters(as_auditor, recording, wearer):
    story.opened(recording, wearer)
    page = as_auditor.get("/audit/", {"operation": "consultation"}).content.decode()
    assert '<svg role="img" aria-labelledby="time-title time-desc"' in page
    assert "Figures as a table" in page
    assert "operation=consultation&amp;" + urlencode({"actor": wearer.custody_id}) in page
    assert "operation=consultation&amp;tag=recording.viewed" in page
    narrowed = as_auditor.get("/audit/", {"operation": "consultation", "tag": "recording.viewed"}).content.decode()
    assert "1 event from" in narrowed


def test_the_page_asks_no_more_of_the_database_for_many_events_than_for_few(as_auditor):
    def asked():
        with CaptureQueriesContext(connection) as captured:
            as_auditor.get("/audit/", {"group": "session"})
        return len(captured)

    signed()
    asked()
    few = asked()
    signed(count=40)
    assert asked() == few


def test_an_event_links_its_actor_its_subjects_and_its_neighbours(as_auditor, recording, wearer):
    for _ in range(3):
        story.opened(recording, wearer)
    first, middle, last = [item.id for item in custody_queries.search(tag="recording.viewed")][::-1]
    page = as_auditor.get(f"/audit/events/{middle}/").content.decode()
    for address in (
        f"/audit/events/{first}/",
        f"/audit/events/{last}/",
        f"/audit/events/{middle}/proof/",
        "/audit/?" + urlencode({"subject": recording.custody_id}),
        "/audit/?tag=recording.viewed",
    ):
        assert f'href="{address}"' in page, address


def test_a_json_export_has_what_proves_each_event_and_is_recorded(as_auditor, auditor, recording, wearer):
    story.opened(recording, wearer, reason="Statement")
    sequencer.drain()
    response = as_auditor.post("/audit/export/?tag=recording.viewed", {"format": "json", "reason": "ICO ref 7"})
    assert response["Content-Type"] == "application/json"
    assert response["Content-Disposition"].endswith('.json"')
    document = json.loads(response.content)
    assert (document["format"], document["complete"]) == ("bluelamp-ledger-export/1", True)
    (one,) = document["events"]
    event = DisclosedEvent.parse(one["disclosed"])
    assert event.fields["reason"] == "Statement"
    proof = proving.log_proof(one["event"])
    assert proof.index == one["leaf"]
    proof.verify(event.entry(), VerifierKey.parse(keys.own_vkey()))
    (said,) = custody_queries.search(tag="ledger.exported")
    assert (said.actor, said.reason) == (auditor.custody_id, "ICO ref 7")
    assert (said.details["format"], said.details["events"]) == ("json", 1)


def test_an_export_of_no_known_form_is_refused(as_auditor):
    assert as_auditor.post("/audit/export/", {"format": "exe", "reason": "x"}).status_code == 422
    assert as_auditor.post("/audit/export/", {"format": "json", "reason": ""}).status_code == 422
    assert custody_queries.count("ledger.exported") == 0


def test_a_ledger_that_was_narrowed_to_a_person_can_be_read_again(as_auditor, wearer):
    asked = urlencode({"actor": wearer.custody_id})
    assert as_auditor.get(f"/audit/?{asked}").status_code == 200
    for address in ("/audit/", "/audit/?operation=consultation"):
        assert as_auditor.get(address).status_code == 200
    narrowed = custody_queries.search(tag="ledger.consulted")[-1]
    assert wearer.name in as_auditor.get(f"/audit/events/{narrowed.id}/").content.decode()


def test_a_type_of_event_that_does_not_exist_is_no_filter(as_auditor):
    response = as_auditor.get("/audit/", {"tag": "recording.stolen"})
    assert response.status_code == 422
    assert services.MOST_EXPORTED == 10_000
