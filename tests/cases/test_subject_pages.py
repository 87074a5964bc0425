"""The pages on which an outcome is recorded: its effect is shown first, and the doors stay shut."""

from __future__ import annotations

import html
import re
from datetime import date, timedelta

import pytest
from django.urls import reverse

from bluelamp.cases import services
from bluelamp.cases.models import Subject
from bluelamp.cases.rules import with_appeal, with_appeal_closed
from bluelamp.cases.services.subjects import today
from bluelamp.custody import queries as ledger
from bluelamp.people.policy import Role
from bluelamp.retention.rules import Appeal, MopiGroup, Stage, calendar
from tests import factories, signin
from tests.cases.outcomes import grouped, happened
from tests.pages import text_of

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)"(?: value="([^"]*)")?')


@pytest.fixture
def as_detective(client, detective):
    signin.quickly(client, detective)
    return client


def at(name, subject, *more):
    return reverse(f"cases:{name}", args=[subject.case_id, subject.pk, *more])


def hidden(answer) -> dict[str, str]:
    """What the page would send if its first button were pressed."""
    found = dict(_HIDDEN.findall(answer.content.decode()))
    found.pop("csrfmiddlewaretoken", None)
    return {name: html.unescape(value) for name, value in found.items()}


CONVICTED = {"stage": "convicted", "custodial": "no"}


def given(**more):
    return {**CONVICTED, "on": (today() - DAY).isoformat(), **more}


def test_an_outcome_is_recorded_after_its_effect_was_seen(as_detective, case, subject, detective):
    services.close_case(case, actor=detective, outcome="Over")
    page = as_detective.get(at("proceedings", subject))
    assert "On the next page you see what your answer does to the footage" in text_of(page)
    shown = as_detective.post(at("proceedings", subject), given())
    last = calendar.add_months(today() - DAY, 6)
    gone = calendar.on(last + 4 * DAY)
    assert shown.status_code == 200
    assert f"1 recording Kept without an end date Gone by {gone} Shorter than now" in text_of(shown)
    assert "Nothing is saved yet." in text_of(shown)
    assert Subject.objects.get().stage == "undecided"
    sent = hidden(shown)
    assert sent["stage"] == "convicted"
    saved = as_detective.post(at("proceedings", subject), sent)
    assert saved.url == at("subject", subject)
    page = text_of(as_detective.get(saved.url))
    assert "Recorded. The footage of the case is kept as you were shown." in page
    assert f"Kept until the end of {calendar.on(last)} because somebody was convicted in its case" in page
    assert Subject.objects.get().stage == "convicted"


def test_the_answer_can_be_changed_after_its_effect_was_seen(as_detective, subject):
    sent = hidden(as_detective.post(at("proceedings", subject), given()))
    again = as_detective.post(at("proceedings", subject), {**sent, "again": "1"})
    assert again.status_code == 200
    assert 'value="convicted" checked' in again.content.decode()
    assert Subject.objects.get().stage == "undecided"


def test_nothing_is_saved_where_the_footage_changed_since_its_effect_was_seen(as_detective, case, subject, detective):
    services.close_case(case, actor=detective, outcome="Over")
    sent = hidden(as_detective.post(at("proceedings", subject), given()))
    other = services.open_case("Other", opened_by=detective)
    services.add_recording(other, case.links.get().recording, actor=detective, reason="Shows it")
    answer = as_detective.post(at("proceedings", subject), sent)
    assert "The footage has changed since you looked. Nothing was saved" in text_of(answer)
    assert Subject.objects.get().stage == "undecided"
    as_detective.post(at("proceedings", subject), hidden(answer))
    assert Subject.objects.get().stage == "convicted"


def test_of_an_open_case_it_is_shown_what_comes_once_it_is_closed(as_detective, subject):
    shown = text_of(as_detective.post(at("proceedings", subject), given()))
    gone = calendar.on(calendar.add_months(today() - DAY, 6) + 4 * DAY)
    assert "Nothing changes: all footage of the case would be kept as long as now (1 recording)." in shown
    assert "The case is open, and an open case keeps its footage." in shown
    assert f"1 recording Kept without an end date Gone by {gone} Shorter than now" in shown


def test_a_made_up_effect_saves_nothing(as_detective, subject):
    answer = as_detective.post(at("proceedings", subject), given(seen="0" * 32))
    assert answer.status_code == 200
    assert Subject.objects.get().stage == "undecided"


def test_a_correction_asks_why_and_says_that_a_second_person_must_approve(as_detective, case, subject, detective):
    services.close_case(case, actor=detective, outcome="Over")
    as_detective.post(at("proceedings", subject), hidden(as_detective.post(at("proceedings", subject), given())))
    wrong = {"stage": "acquitted", "on": today().isoformat()}
    asked = as_detective.post(at("proceedings", subject), wrong)
    assert asked.status_code == 422
    assert "This changes what was recorded before: say why it was wrong." in text_of(asked)
    shown = as_detective.post(at("proceedings", subject), {**wrong, "reason": "Wrong defendant"})
    assert "1 recording would go earlier by this correction" in text_of(shown)
    assert "Nothing changes: all footage of the case would be kept as long as now (1 recording)." in text_of(shown)
    as_detective.post(at("proceedings", subject), hidden(shown))
    assert ledger.history(case.custody_id)[-1].reason == "Wrong defendant"


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({}, "Choose an answer for “Where do the proceedings stand?”."),
        ({"stage": "charged"}, "Enter the day"),
        ({"stage": "charged", "on": "2026-02-30"}, "Enter a day that exists"),
        ({"stage": "convicted", "on": "2026-01-02"}, "Say whether custody or a hospital order was imposed"),
        ({"stage": "acquitted", "on": "2026-01-02", "custodial": "yes"}, "Only somebody who was convicted"),
        ({"stage": "acquitted", "on": "2026-01-02", "released_on": "2027-01-02"}, "Only somebody in custody"),
        ({"stage": "charged", "on": "2999-01-02"}, "That date lies ahead"),
        ({"stage": "undecided"}, "That is what is recorded already"),
        ({"stage": "hanged"}, "Select a valid choice"),
    ],
)
def test_what_is_missing_is_named_beside_its_field(as_detective, subject, sent, said):
    answer = as_detective.post(at("proceedings", subject), sent)
    assert answer.status_code == 422
    assert said in text_of(answer)
    assert Subject.objects.get().stage == "undecided"


def through(client, address, sent):
    """Answer, look, save."""
    shown = client.post(address, sent)
    assert shown.status_code == 200, text_of(shown)
    return client.post(address, hidden(shown))


def test_appeals_are_opened_and_decided(as_detective, case, subject):
    yesterday = (today() - DAY).isoformat()
    through(as_detective, at("open_appeal", subject), {"kind": "ccrc", "opened_on": yesterday})
    page = as_detective.get(at("subject", subject))
    assert "an application to the Criminal Cases Review Commission is open in its case" in text_of(page)
    assert at("close_appeal", subject, 0) in page.content.decode()
    early = as_detective.post(at("close_appeal", subject, 0), {"closed_on": (today() - 5 * DAY).isoformat()})
    assert "cannot be decided before it was opened" in text_of(early)
    through(as_detective, at("close_appeal", subject, 0), {"closed_on": today().isoformat()})
    assert as_detective.get(at("close_appeal", subject, 0)).status_code == 404
    assert as_detective.get(at("close_appeal", subject, 1)).status_code == 404
    assert subject.appeals.get().closed_on == today()


def test_a_group_is_set_and_reviewed(client, case, subject, detective):
    signin.quickly(client, detective)
    assert client.get(at("review_group", subject)).status_code == 404
    group = {"group": "2", "clear_from": date(2010, 5, 1).isoformat(), "reason": "Robbery"}
    through(client, at("group", subject), group)
    page = text_of(client.get(at("subject", subject)))
    assert "Group 2: other sexual, violent or serious offences" in page
    assert "Review whether it is still needed" in page
    refused = through(client, at("review_group", subject), {"keep": "no", "reason": "No risk"})
    assert refused.status_code == 403
    assert "You chose this person's group yourself." in text_of(refused)
    colleague = factories.person(Role.INVESTIGATOR)
    services.add_member(case, colleague, role="investigator", actor=detective)
    client.logout()
    signin.quickly(client, colleague)
    through(client, at("review_group", subject), {"keep": "no", "reason": "No risk"})
    assert "Let go" in text_of(client.get(at("subject", subject)))


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"group": "2", "born": "1992-02-29"}, "The date of birth is kept in group 1 only"),
        ({"group": "3", "years": "9"}, "Years are for group 4 only"),
        ({"group": "4", "years": "5"}, "greater than or equal to 6"),
        ({"group": "1", "born": "2999-01-01"}, "The date of birth lies ahead"),
        ({"group": "1", "clear_from": "2999-01-01"}, "cannot have come to notice"),
        ({"group": "5"}, "Select a valid choice"),
    ],
)
def test_a_group_that_cannot_be_is_refused(as_detective, subject, sent, said):
    answer = as_detective.post(at("group", subject), {"clear_from": "2020-01-01", "reason": "Robbery", **sent})
    assert answer.status_code == 422
    assert said in text_of(answer)
    assert Subject.objects.get().group is None


def test_a_person_is_added_on_the_cases_page(as_detective, case, recording):
    page = as_detective.get(reverse("cases:case", args=[case.pk]))
    address = reverse("cases:add_subject", args=[case.pk])
    assert address in page.content.decode()
    assert "If somebody was charged or convicted, add that person and record it first" in text_of(page)
    assert as_detective.post(address, {"label": ""}).status_code == 422
    made = as_detective.post(address, {"label": "Custody 12/26"})
    assert made.status_code == 302
    assert "already" in text_of(as_detective.post(address, {"label": "Custody 12/26"}))
    page = text_of(as_detective.get(reverse("cases:case", args=[case.pk])))
    assert "Custody 12/26 Nobody has decided yet whether to charge" in page
    assert "Nothing changes: all footage of the case would be kept as long as now (1 recording)." in page


def test_the_cases_page_shows_what_closing_it_would_do(as_detective, case, recording):
    page = text_of(as_detective.get(reverse("cases:case", args=[case.pk])))
    assert "What closing it now does to its footage" in page
    assert "1 recording Kept without an end date Gone by" in page


CHANGES = ["proceedings", "open_appeal", "group", "review_group"]


@pytest.mark.parametrize("name", ["subject", *CHANGES])
@pytest.mark.parametrize("role", [Role.OFFICER, Role.SUPERVISOR, Role.INVESTIGATOR, Role.BWV_MANAGER, Role.OPERATOR])
def test_whoever_has_no_role_in_the_case_learns_and_changes_nothing(client, subject, name, role):
    signin.quickly(client, factories.person(role, unit=factories.unit()))
    assert client.get(at(name, subject)).status_code == 403
    if name in CHANGES:
        assert client.post(at(name, subject), given()).status_code == 403
    assert ledger.history(subject.case.custody_id)[-1].tag == "access.refused"
    assert Subject.objects.get().stage == "undecided"


def test_an_auditor_reads_and_changes_nothing_and_sees_no_date_of_birth(client, subject, detective):
    signin.quickly(client, detective)
    through(
        client, at("group", subject), {"group": "1", "clear_from": "2020-01-01", "born": "1992-02-29", "reason": "M"}
    )
    assert "29 Feb 1992" in text_of(client.get(at("subject", subject)))
    client.logout()
    signin.quickly(client, factories.person(Role.AUDITOR))
    page = client.get(at("subject", subject))
    assert page.status_code == 200
    assert "29 Feb 1992" not in text_of(page)
    assert at("proceedings", subject) not in page.content.decode()
    for name in CHANGES:
        assert client.post(at(name, subject), given()).status_code == 403
    assert client.post(at("close_appeal", subject, 0), {}).status_code == 403
    assert client.post(reverse("cases:add_subject", args=[subject.case_id]), {"label": "x"}).status_code == 403


def test_a_stranger_is_sent_to_sign_in(client, subject):
    for name in ("subject", *CHANGES):
        answer = client.get(at(name, subject))
        assert answer.status_code == 302
        assert "/account/login/" in answer.url


def test_a_person_is_not_reached_through_another_case(as_detective, subject, detective):
    other = services.open_case("Other", opened_by=detective)
    for name in ("subject", *CHANGES):
        assert as_detective.get(reverse(f"cases:{name}", args=[other.pk, subject.pk])).status_code == 404


def test_nothing_is_recorded_without_the_pages_token(subject, detective):
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    signin.quickly(strict, detective)
    for name in CHANGES:
        assert strict.post(at(name, subject), given()).status_code == 403
    assert strict.post(reverse("cases:add_subject", args=[subject.case_id]), {"label": "x"}).status_code == 403
    assert Subject.objects.count() == 1


def consulted(case, person):
    found = ledger.search(tag="case.subject_consulted", subject=case.custody_id, actor=person.custody_id)
    return [item.details["person"] for item in found]


def test_reading_what_is_recorded_of_a_person_is_a_consultation_and_sending_an_answer_is_none(
    as_detective, case, subject, detective
):
    assert not consulted(case, detective)
    as_detective.get(at("subject", subject))
    assert consulted(case, detective) == [str(subject.pk)]
    for name in ("proceedings", "open_appeal", "group"):
        as_detective.get(at(name, subject))
    assert len(consulted(case, detective)) == 4
    as_detective.post(at("proceedings", subject), given())
    assert len(consulted(case, detective)) == 4
    page = as_detective.get(reverse("cases:case", args=[case.pk]))
    assert len(consulted(case, detective)) == 5
    assert "read what is recorded" not in text_of(page)


def test_who_is_refused_a_persons_page_consulted_nothing(client, case, subject):
    other = factories.person(Role.INVESTIGATOR, unit=factories.unit())
    signin.quickly(client, other)
    assert client.get(at("subject", subject)).status_code == 403
    assert not consulted(case, other)


def test_a_wearer_reads_that_a_case_needs_the_recording_and_nothing_of_the_person(client, case, subject, detective):
    wearer = factories.person(Role.OFFICER, unit=factories.unit())
    recording = factories.recording(wearer)
    services.add_recording(case, recording, actor=detective, reason="Shows it")
    happened(subject, Stage.CONVICTED, today() - DAY, custodial=True, released_on=today() + 900 * DAY)
    services.record_known(subject, with_appeal(subject.known, Appeal(today())), actor=detective)
    services.close_case(case, actor=detective, outcome="Over")
    services.record_known(subject, with_appeal_closed(subject.known, 0, today()), actor=detective)
    grouped(subject, MopiGroup.PUBLIC_PROTECTION, born=date(1992, 5, 17), reason="Murder")
    signin.quickly(client, wearer)
    page = text_of(client.get(reverse("footage:recording", args=[recording.pk]))).lower()
    assert "because a case that it belongs to needs it" in page
    assert "by the rule “case”" in page
    told = ("convicted", "mopi", "appeal", "proceedings", "custody or hospital", "murder", "1992", "17 may")
    assert not [word for word in told if word in page]
