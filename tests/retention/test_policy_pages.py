"""The pages on which retention is changed with care: what they say, to whom they open, what they refuse."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from bluelamp.custody import queries as custody
from bluelamp.footage import services as footage
from bluelamp.footage.models import Category
from bluelamp.kernel import clock
from bluelamp.people.policy import Role
from bluelamp.retention import queries, services
from bluelamp.retention.models import Hold, PolicyProposal, PolicyVersion, Shortening
from bluelamp.retention.terms import PERIOD_NAMES, Terms
from tests import factories, signin
from tests.pages import text_of
from tests.retention.test_services import accepted

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def manager():
    return factories.person(Role.BWV_MANAGER, name="Mo Manager")


@pytest.fixture
def rights():
    return factories.person(Role.RIGHTS_OFFICER, name="Rae Rights")


@pytest.fixture
def officer():
    return factories.person(Role.OFFICER, unit=factories.unit(), name="PC Ola")


def as_(person, **more) -> Client:
    client = Client(**more)
    signin.quickly(client, person)
    return client


def filled_in(**other: object) -> dict[str, object]:
    terms = Terms.from_json(queries.latest_version().terms)
    filled = {name: getattr(terms, name) for name in PERIOD_NAMES}
    for code, keep in terms.keep.items():
        filled[f"keep_{code}"] = "" if keep is None else keep
        filled[f"special_{code}"] = terms.special.get(code, "")
    return {**filled, "effective_on": queries.today().isoformat(), "reason": "The board decided", **other}


def proposed(person, **other: object) -> PolicyProposal:
    answer = as_(person).post(reverse("retention:propose"), filled_in(**other))
    assert answer.status_code == 302, text_of(answer)
    return PolicyProposal.objects.order_by("-pk")[0]


def decide(person, proposal, decision="approve", reason="Agreed"):
    address = reverse("retention:decide_proposal", args=[proposal.pk])
    return as_(person).post(address, {"decision": decision, "reason": reason})


@pytest.fixture
def shortening(officer):
    recording = accepted(officer)
    for code in ("violent_offence", "stop_search"):
        footage.flag(recording, category=Category.objects.get(code=code), reason="Evidence", by=officer)
    return Shortening.objects.get()


@pytest.fixture
def hold(officer):
    return services.place_hold(accepted(officer), Hold.Kind.COMPLAINT, "Complaint by Ann", "", "person:0")


@pytest.fixture
def doors(manager, shortening, hold):
    made = proposed(manager, default_days=28)
    return {
        "propose": (reverse("retention:propose"), filled_in(default_days=40)),
        "decide": (reverse("retention:decide_proposal", args=[made.pk]), {"decision": "approve", "reason": "x"}),
        "reckon": (reverse("retention:reckon_proposal", args=[made.pk]), {}),
        "held_back": (reverse("retention:held_back"), None),
        "shortening": (
            reverse("retention:shortening", args=[shortening.pk]),
            {"decision": "approve", "reason": "x"},
        ),
        "decide_held_back": (
            reverse("retention:decide_held_back"),
            {"decision": "approve", "reason": "x", "ids": str(shortening.pk)},
        ),
        "holds": (reverse("retention:holds"), None),
        "hold": (reverse("retention:hold", args=[hold.pk]), {"decision": "release", "reason": "x"}),
        "reviews": (reverse("retention:reviews"), None),
        "decide_reviews": (reverse("retention:decide_reviews"), {"decision": "release", "reason": "x", "ids": ""}),
    }


NAMES = [
    "propose",
    "decide",
    "reckon",
    "held_back",
    "shortening",
    "decide_held_back",
    "holds",
    "hold",
    "reviews",
    "decide_reviews",
]


def nothing_happened(shortening, hold) -> bool:
    shortening.refresh_from_db()
    hold.refresh_from_db()
    one_proposal = PolicyProposal.objects.count() == 1
    return (
        one_proposal and shortening.state == "waiting" and not hold.released_at and PolicyVersion.objects.count() == 1
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("role", [Role.OFFICER, Role.SUPERVISOR, Role.INVESTIGATOR, Role.AUDITOR, Role.OPERATOR])
def test_the_wrong_role_is_refused_in_words_and_the_refusal_is_recorded(doors, shortening, hold, name, role):
    address, data = doors[name]
    stranger = factories.person(role, unit=factories.unit())
    client = as_(stranger)
    answers = [client.post(address, data)] if name in ("decide", "reckon") else [client.get(address)]
    if data and name != "decide":
        answers.append(client.post(address, data))
    for answer in answers:
        assert answer.status_code == 403
        assert "ask your supervisor or the body-worn video manager" in text_of(answer)
    assert custody.search(tag="access.refused")[0].actor == stranger.custody_id
    assert nothing_happened(shortening, hold)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("held_back", "holds", "reviews")])
def test_a_form_from_elsewhere_is_refused(doors, shortening, hold, name):
    address, data = doors[name]
    person = factories.person(Role.RIGHTS_OFFICER, Role.BWV_MANAGER, Role.PROFESSIONAL_STANDARDS)
    assert as_(person, enforce_csrf_checks=True).post(address, data).status_code == 403
    assert nothing_happened(shortening, hold)


@pytest.mark.parametrize("name", ["proposal", "decide_proposal", "reckon_proposal", "shortening", "hold"])
def test_what_is_not_there_is_not_found(manager, name):
    client, address = as_(manager), reverse(f"retention:{name}", args=[999])
    answer = client.post(address, {"reason": "x"}) if name.endswith("_proposal") else client.get(address)
    assert answer.status_code == 404


def test_everybody_reads_the_versions_and_a_proposal(officer, manager):
    made = proposed(manager, default_days=28)
    said = text_of(as_(officer).get(reverse("retention:versions")))
    assert "Version 1 In force" in said
    assert "Proposed by Mo Manager" in said
    assert "Propose a change" not in said
    page = text_of(as_(officer).get(reverse("retention:proposal", args=[made.pk])))
    assert "Default 31 days 28 days Shortens" in page
    assert "information rights officer or professional standards decides" in page
    assert "None of those drawn is for you" not in page


def test_a_change_is_proposed_looked_at_approved_by_another_and_in_force(officer, manager, rights):
    accepted(officer)
    made = proposed(manager, default_days=20, special_training=10, keep_arrest=400)
    page = text_of(as_(manager).get(reverse("retention:proposal", args=[made.pk])))
    assert "1 would go earlier" in page
    assert "a colleague has to approve it" in page
    assert "Some of them, drawn by chance" in page
    answer = decide(rights, made)
    assert answer.status_code == 302
    services.carry_out_policy()
    said = text_of(as_(rights).get(reverse("retention:versions")))
    assert "Version 2 In force" in said
    assert "Rae Rights" in said
    assert "Training or test, in place of the default The default 10 days Shortens" in said
    policy = text_of(as_(officer).get(reverse("retention:policy")))
    assert "gone within 20 days of recording" in policy


def test_its_author_neither_approves_a_shortening_nor_does_anybody_twice_or_late(manager, rights):
    first, stale = proposed(manager, default_days=28), proposed(manager, default_days=27)
    own = decide(manager, first)
    assert own.status_code == 422
    assert "You proposed this change yourself" in text_of(own)
    assert decide(rights, first, reason=" ").status_code == 422
    assert decide(rights, first).status_code == 302
    for late in (first, stale):
        answer = decide(rights, late)
        assert answer.status_code == 422
    page = text_of(as_(rights).get(reverse("retention:proposal", args=[stale.pk])))
    assert "Another version has been made since" in page
    assert 'value="approve"' not in as_(rights).get(reverse("retention:proposal", args=[stale.pk])).content.decode()
    assert PolicyVersion.objects.count() == 2


def test_an_author_confirms_a_longer_period_and_withdraws_another(manager):
    longer = proposed(manager, default_days=35)
    assert decide(manager, longer, reason="").status_code == 302
    other = proposed(manager, default_days=36)
    assert decide(manager, other, decision="refuse", reason="A slip").status_code == 302
    other.refresh_from_db()
    assert other.state == "withdrawn"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"default_days": "many"}, "Enter a whole number for “Default”"),
        ({"default_days": ""}, "Enter a number for “Default”"),
        ({"default_days": "-3"}, "must be at least 1"),
        ({"keep_arrest": "99999999999"}, "must be at most 36600"),
        ({"special_training": "2"}, "Quarantine is at least a day"),
        ({"effective_on": "2001-01-01"}, "Choose today or a later day"),
        ({"effective_on": "2026-02-30"}, "Enter a day that exists"),
        ({"reason": " "}, "Enter a reason"),
        ({}, "That is the policy as it stands"),
    ],
)
def test_what_cannot_be_is_said_in_words_with_what_was_typed(manager, typed, said):
    given = filled_in(**typed)
    answer = as_(manager).post(reverse("retention:propose"), given)
    assert answer.status_code == 422
    assert said in text_of(answer)
    assert not PolicyProposal.objects.exists()


def test_an_edit_is_opened_and_approved_by_a_second_person(shortening, manager, officer):
    listing = text_of(as_(manager).get(reverse("retention:held_back")))
    assert "PC Ola" in listing
    address = reverse("retention:shortening", args=[shortening.pk])
    page = text_of(as_(manager).get(address))
    assert "nothing goes by it for 7 days" in page
    assert custody.count("retention.looked_into") == 1
    assert as_(manager).post(address, {"decision": "approve"}).status_code == 422
    assert as_(manager).post(address, {"decision": "approve", "reason": "Right"}).status_code == 302
    again = as_(manager).post(address, {"decision": "approve", "reason": "Right"})
    assert again.status_code == 422
    assert "decided on this edit already" in text_of(again)


def test_an_editor_with_the_right_sees_that_a_colleague_decides(officer, manager):
    recording = accepted(officer)
    for code in ("violent_offence", "stop_search"):
        footage.flag(recording, category=Category.objects.get(code=code), reason="Evidence", by=manager)
    address = reverse("retention:shortening", args=[Shortening.objects.get().pk])
    assert "a colleague has to decide" in text_of(as_(manager).get(address))
    refused = as_(manager).post(address, {"decision": "approve", "reason": "Mine"})
    assert refused.status_code == 422
    assert "You made this edit yourself" in text_of(refused)
    bulk = text_of(as_(manager).get(reverse("retention:decide_held_back")))
    assert "Nothing here is for you to decide" in bulk


def test_several_edits_are_decided_once_the_sample_is_opened_and_the_list_is_the_same(shortening, manager, officer):
    address, client = reverse("retention:decide_held_back"), as_(manager)
    form = {"decision": "refuse", "reason": "No", "ids": str(shortening.pk)}
    blind = client.post(address, form)
    assert blind.status_code == 422
    assert "Look at 1 more of the sample first" in text_of(blind)
    client.get(reverse("retention:shortening", args=[shortening.pk]))
    other = client.post(address, {**form, "ids": "12345"})
    assert other.status_code == 422
    assert "Meanwhile there are others" in text_of(other)
    assert client.post(address, form).status_code == 302
    shortening.refresh_from_db()
    assert shortening.state == "refused"
    assert "No edit waits" in text_of(client.get(reverse("retention:held_back")))
    assert "PC Ola" in text_of(client.get(reverse("retention:held_back") + "?state=refused"))
    assert client.get(reverse("retention:held_back") + "?state=approved").status_code == 200


def test_a_hold_is_placed_with_an_owner_and_a_date_and_found_in_the_list(officer, manager):
    recording = accepted(officer)
    day = (queries.today() + 10 * DAY).isoformat()
    address = reverse("retention:place_hold", args=[recording.pk])
    given = {"kind": "legal", "reason": "Inquest 7", "owner": "role:rights_officer", "review_on": day}
    assert as_(manager).post(address, {**given, "owner": "role:chief"}).status_code == 422
    assert as_(manager).post(address, {**given, "review_on": "2001-01-01"}).status_code == 422
    assert as_(manager).post(address, given).status_code == 302
    said = text_of(as_(manager).get(reverse("retention:holds") + "?kind=legal&owner=role:rights_officer&words=inquest"))
    assert "Inquest 7 Information rights officer" in said
    assert "No holds" in text_of(as_(manager).get(reverse("retention:holds") + "?kind=foi"))
    assert as_(manager).get(reverse("retention:holds") + "?kind=nonsense&state=x&page=99").status_code == 200


def test_a_due_hold_is_reviewed_kept_and_released(hold, manager, rights):
    assert "Nothing is due" in text_of(as_(manager).get(reverse("retention:reviews")))
    clock.advance(91 * DAY)
    assert "Complaint by Ann" in text_of(as_(manager).get(reverse("retention:reviews")))
    address = reverse("retention:hold", args=[hold.pk])
    assert "If this hold ended now" in text_of(as_(manager).get(address))
    assert as_(rights).post(address, {"decision": "keep", "reason": "Open"}).status_code == 302
    assert "Nothing is due" in text_of(as_(manager).get(reverse("retention:reviews")))
    # Information rights holds, and does not release.
    assert as_(rights).post(address, {"decision": "release", "reason": "Over"}).status_code in (403, 422)
    hold.refresh_from_db()
    assert hold.released_at is None
    assert as_(manager).post(address, {"decision": "release", "reason": "Over"}).status_code == 302
    assert "Nothing is left to decide" in text_of(as_(manager).get(address))


def test_due_holds_are_decided_together_by_whoever_may(hold, officer, manager, rights):
    services.place_hold(accepted(officer), Hold.Kind.FOI, "FOI 3", "request:3", "person:0")
    clock.advance(91 * DAY)
    address = reverse("retention:decide_reviews")
    form = {"decision": "release", "reason": "Over", "ids": str(hold.pk)}
    for person in (manager, rights):
        as_(person).get(reverse("retention:hold", args=[hold.pk]))
    refused = as_(rights).post(address, form)
    assert refused.status_code == 422
    assert "Your role does not include this" in text_of(refused)
    assert "all of these holds" in text_of(as_(manager).get(address))
    assert as_(manager).post(address, form).status_code == 302
    hold.refresh_from_db()
    assert hold.released_at is not None
    assert "Nothing is due for review" in text_of(as_(manager).get(address))


def test_the_policy_page_shows_the_next_twelve_months_and_its_empty_state(officer, manager):
    empty = text_of(as_(manager).get(reverse("retention:policy")))
    assert "there is nothing to project" in empty
    assert "Nothing has a date" in empty
    accepted(officer)
    said = text_of(as_(manager).get(reverse("retention:policy")))
    assert "What this assumes" in said
    assert "what has no date stays" in said


def test_a_recordings_page_leads_those_who_decide_to_the_edit(shortening, manager, officer):
    address = reverse("footage:recording", args=[shortening.recording_id])
    assert reverse("retention:shortening", args=[shortening.pk]) in as_(manager).get(address).content.decode()
    wearers = as_(officer).get(address)
    assert "a second person has not decided on that yet" in text_of(wearers)
    assert reverse("retention:shortening", args=[shortening.pk]) not in wearers.content.decode()


def test_a_requests_page_says_what_its_end_would_release(officer, rights):
    from tests.oversight import story

    asked = story.request()
    page = reverse("requests:request", args=[asked.pk])
    assert "If these holds ended now" not in text_of(as_(rights).get(page))
    for _ in range(2):
        services.place_hold(accepted(officer), Hold.Kind.SUBJECT_ACCESS, "Asked for", asked.custody_id, "public")
    said = text_of(as_(rights).get(page))
    assert "If these holds ended now: of 2 recordings (20 bytes)" in said
    assert queries.holds().count() == 2
