"""The report for the Commissioner: every consultation and disclosure of the period, and nothing of another."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
import json
import re
from datetime import timedelta

import pytest
from django.test import Client

from bluelamp import custody
from bluelamp.custody import queries as custody_queries
from bluelamp.footage.services.viewing import log_refusal
from bluelamp.kernel import clock
from bluelamp.kernel.transaction import atomic
from bluelamp.oversight import report_pdf
from bluelamp.oversight.queries import report as reports
from bluelamp.oversight.rules import LONDON
from bluelamp.people.policy import Role
from bluelamp.retention.events import RecordingErased
from tests import factories
from tests.oversight import story

pytestmark = pytest.mark.django_db
ADDRESS = "/audit/report/"


@pytest.fixture(autouse=True)
def _mail(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


@pytest.fixture
def wearer():
    return factories.person(Role.OFFICER, unit=factories.unit("Brixton"), name="Olu Bright")


@pytest.fixture
def lived(wearer):
    """A day with openings of each kind, a disclosure, a refusal and an erasure."""
    recording = factories.recording(wearer)
    colleague = factories.person(Role.OFFICER, unit=wearer.unit, name="Kit Marsh")
    story.opened(recording, wearer)
    story.opened(recording, colleague, reason="=Statement")
    story.opened(recording, colleague, reason="Copy for court", purpose="download")
    share = story.shared(recording)
    log_refusal(recording, actor=colleague.custody_id, what="media", why="It was recorded by another unit.")
    with atomic():
        custody.record(
            RecordingErased(
                actor="system:retention",
                subject="recording:0190a6c0-0000-7000-8000-000000000000",
                certificate=share.pk,
                sha256="0" * 64,
                size=7,
                rule="default",
                key_erased_at=clock.now(),
                objects_removed=2,
            )
        )
    return share


def made(days=1):
    now = clock.now()
    return reports.report(now - timedelta(days=days), now + timedelta(minutes=1), now)


@pytest.mark.parametrize("role", [role for role in Role if role not in {Role.AUDITOR, Role.PROFESSIONAL_STANDARDS}])
def test_nobody_else_reads_or_takes_the_report(role, signed_in, lived):
    client = signed_in(factories.person(role))
    assert client.get(ADDRESS).status_code == 403
    assert client.post(ADDRESS, {"reason": "curious", "format": "json"}).status_code == 403
    assert custody_queries.count("ledger.report_taken") == 0


def test_a_stranger_is_sent_to_sign_in():
    assert Client().get(ADDRESS)["Location"].startswith("/account/login/")


def test_openings_are_told_by_what_justified_them(lived):
    seen = made().consultations
    assert (seen.openings, seen.downloads, seen.people) == (3, 1, 2)
    assert (seen.stated, seen.own_or_case, seen.shared) == (2, 1, 0)


def test_each_operation_is_counted_as_the_ledger_has_it(lived):
    found = made()
    assert [item.operation.letter for item in found.operations] == list("abcdef")
    for item in found.operations:
        assert item.count == sum(custody_queries.count(tag) for tag in custody_queries.tags_of(item.operation.code))
        assert item.count == sum(kind.count for kind in item.kinds)
    assert found.events == sum(item.count for item in found.operations)
    assert found.refusals == (("Watch", 1),)
    assert found.erasures == (("Default", 1),)


def test_a_disclosure_tells_when_who_to_whom_and_why(lived):
    (row,) = [
        row for row in made().disclosures if row.what.startswith("A recording was shared") or "share" in row.subject
    ]
    assert row.at <= clock.now()
    assert row.who == f"{lived.created_by.name} ({lived.created_by.warrant_number})"
    assert "Jo Reid" in row.recipients


def test_another_period_has_none_of_it(lived):
    now = clock.now()
    before = reports.report(now - timedelta(days=9), now - timedelta(days=2), now)
    assert before.events == 0
    assert before.consultations.openings == 0
    assert before.disclosures == before.refusals == before.erasures == ()


def test_the_page_cites_the_law_and_shows_the_figures(as_auditor, lived):
    page = as_auditor.get(ADDRESS).content.decode()
    for words in (
        "s.62(1)",
        "s.62(2)",
        "s.62(3)",
        "s.62(4)",
        "s.62(5)",
        "A stated reason",
        "Jo Reid",
        "Checks that ran",
    ):
        assert words in page, words
    (said,) = custody_queries.search(tag="ledger.consulted", limit=1)
    assert said.details["page"] == "report"


def test_the_file_has_every_row_and_the_ledger_knows_which_file_it_was(as_auditor, auditor, lived):
    response = as_auditor.post(ADDRESS, {"format": "json", "reason": "ICO reference RFA17"})
    document = json.loads(response.content)
    assert document["format"] == "bluelamp-s62-report/1"
    assert {row["event"] for row in document["consultations"]} == {
        item.id
        for item in custody_queries.search(operation="consultation", limit=1000)
        if item.tag != "recording.range_served" and item.at <= clock.now() and item.id <= _last(document)
    }
    assert any("Jo Reid" in row["recipients"] for row in document["disclosures"])
    (said,) = custody_queries.search(tag="ledger.report_taken")
    assert (said.actor, said.reason) == (auditor.custody_id, "ICO reference RFA17")
    assert said.details["sha256"] == hashlib.sha256(response.content).hexdigest()
    today = clock.now().astimezone(LONDON).date()
    assert f"{today:%Y%m%d}.json" in response["Content-Disposition"]


def _pages(content: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b(?!s)", content))


def test_the_report_on_paper_is_taken_as_the_file_is(as_auditor, lived):
    response = as_auditor.post(ADDRESS, {"format": "pdf", "reason": "ICO reference RFA17"})
    assert response["Content-Type"] == "application/pdf"
    assert response.content.startswith(b"%PDF-")
    (said,) = custody_queries.search(tag="ledger.report_taken")
    assert said.details["format"] == "pdf"
    assert said.details["sha256"] == hashlib.sha256(response.content).hexdigest()
    assert response["Content-Disposition"].endswith('.pdf"')


def test_nobody_else_takes_the_report_on_paper(signed_in, lived):
    for role in set(Role) - {Role.AUDITOR, Role.PROFESSIONAL_STANDARDS}:
        client = signed_in(factories.person(role))
        assert client.post(ADDRESS, {"format": "pdf", "reason": "curious"}).status_code == 403
    assert custody_queries.count("ledger.report_taken") == 0


def test_the_paper_has_an_empty_period_and_a_very_full_one(lived):
    found = made()
    (row, *_) = found.disclosures
    assert _pages(report_pdf.pdf(dataclasses.replace(found, disclosures=()), "Force")) <= 3
    long = dataclasses.replace(row, what="Łukasz Ngũgĩ " * 60, recipients="x" * 300, justification="苦情 " * 100)
    full = dataclasses.replace(found, disclosures=(long,) * reports.MOST_LISTED)
    assert _pages(report_pdf.pdf(full, "Force")) > 40


def test_the_spreadsheet_runs_nothing_that_a_reason_says(as_auditor, lived):
    response = as_auditor.post(ADDRESS, {"format": "csv", "reason": "Review"})
    rows = list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))
    assert "'=Statement" in {row["justification"] for row in rows}
    assert {row["operation"] for row in rows} == {"consultation", "disclosure"}


@pytest.mark.parametrize(
    "asked",
    [
        {"since": "2026-11-20", "until": "2026-11-19"},
        {"since": "2026-02-30", "until": "2026-03-01"},
        {"since": "2020-01-01", "until": "2026-01-01"},
    ],
    ids=["backwards", "no such day", "too long"],
)
def test_a_period_that_is_none_is_said_and_nothing_is_taken(as_auditor, asked):
    assert as_auditor.get(ADDRESS, asked).status_code == 422
    assert as_auditor.get("/audit/operations/", asked).status_code == 422


def test_nothing_is_taken_away_without_a_reason(as_auditor, lived):
    assert as_auditor.post(ADDRESS, {"format": "json", "reason": "  "}).status_code == 422
    assert custody_queries.count("ledger.report_taken") == 0


def _last(document):
    return max(row["event"] for row in document["consultations"])
