"""Sharing against a real database: who may, what is sent, what ends it, and what the ledger says."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse

from bluelamp.cases import services as cases
from bluelamp.custody import queries as ledger
from bluelamp.footage import services as footage
from bluelamp.footage.models import Recording
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Conflict, Invalid, NotAllowed
from bluelamp.people.models import Organisation
from bluelamp.people.policy import Role
from bluelamp.sharing import queries, rules, services
from bluelamp.sharing.models import Recipient, Share
from tests import factories, signin

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _mail(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


@pytest.fixture
def cps():
    return Organisation.objects.create(name="CPS", kind=Organisation.Kind.CPS, email_domains=["cps.example"])


@pytest.fixture
def story(cps):
    unit = factories.unit()
    wearer = factories.person(Role.OFFICER, unit=unit)
    detective = factories.person(Role.INVESTIGATOR, unit=unit)
    recording = factories.recording(wearer, sealed=True)
    case = cases.open_case("Lantern", opened_by=detective, urn="01AB1")
    cases.add_recording(case, recording, actor=detective, reason="Shows it")
    footage.flag(recording, category=factories.category(), reason="Assault", by=wearer)
    return recording, case, detective


def _share(story, cps, **more):
    recording, case, detective = story
    given = {
        "name": "Jo Reid",
        "email": "jo@cps.example",
        "organisation": cps,
        "summary": "The assault",
        "urn": "01ab1",
        "may_download": False,
        "days": 30,
        "by": detective,
        "case": case,
    }
    return services.share(recording, **{**given, **more})


def _code() -> str:
    return re.search(r"code is (\d{6})", mail.outbox[-1].body)[1]


def _sign_in(client, share, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        services.send_code(share.recipient)
    session = client.session
    session["share_code_for"] = {"recipient": str(share.recipient.pk), "then": reverse("share:index")}
    session.save()
    return client.post(reverse("share:code"), {"code": _code()})


def test_a_share_is_sent_to_its_recipient_and_stands_in_the_ledger(story, cps, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        share = _share(story, cps)
    assert mail.outbox[-1].to == ["jo@cps.example"]
    token = re.search(r"/share/invitation/([^/]+)/", mail.outbox[-1].body)[1]
    assert queries.by_token(token) == share
    assert token not in share.token_sha256
    (event,) = [item for item in ledger.history(f"recording:{share.recording_id}") if item.tag == "share.created"]
    assert event.operation == "disclosure"
    assert event.details["recipient"] == "Jo Reid <jo@cps.example>"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"email": "jo@cps.example.evil.example"}, "not an address of CPS"),
        ({"summary": "  "}, "what the footage shows"),
        ({"days": 0}, "from 1 to"),
        ({"days": 9999}, "from 1 to"),
        ({"name": " "}, "Name the person"),
    ],
)
def test_a_share_that_cannot_be_right_is_refused_in_words(story, cps, more, words):
    with pytest.raises(Invalid, match=words):
        _share(story, cps, **more)
    assert Share.objects.count() == 0


def test_only_flagged_live_unlocked_footage_can_be_shared(story, cps):
    recording, case, detective = story
    unflagged = factories.recording(detective)
    with pytest.raises(Conflict, match="flagged as evidence"):
        _share((unflagged, case, detective), cps)
    Recording.objects.filter(pk=recording.pk).update(locked_at=clock.now())
    with pytest.raises(Conflict, match="locked"):
        _share(story, cps)
    Recording.objects.filter(pk=recording.pk).update(locked_at=None, state=Recording.State.QUARANTINED)
    with pytest.raises(Conflict, match="leaving"):
        _share(story, cps)


def test_a_revoked_share_ends_every_viewing_at_once(story, cps):
    share = _share(story, cps)
    viewing = services.open_shared(share, session_key="s")
    assert queries.grant_stands(viewing)
    services.revoke(share, by=story[2], reason="Sent to the wrong person")
    viewing.refresh_from_db()
    assert viewing.closed_at is not None
    assert not queries.grant_stands(viewing)
    with pytest.raises(NotAllowed, match="ended by the police"):
        services.open_shared(share, session_key="s")


def test_a_share_for_watching_gives_no_download_even_with_a_viewing_of_that_purpose(story, cps):
    share = _share(story, cps)
    with pytest.raises(NotAllowed, match="watching only"):
        services.open_shared(share, session_key="s", purpose="download")


def test_a_share_expires_on_bluelamps_clock(story, cps):
    share = _share(story, cps, days=1)
    viewing = services.open_shared(share, session_key="s")
    Share.objects.filter(pk=share.pk).update(expires_at=clock.now() - timedelta(seconds=1))
    assert not queries.grant_stands(viewing)


def test_a_lock_after_an_incident_stops_a_share(story, cps):
    share = _share(story, cps)
    viewing = services.open_shared(share, session_key="s")
    Recording.objects.filter(pk=share.recording_id).update(locked_at=clock.now())
    assert not queries.grant_stands(viewing)


def test_a_code_works_once_and_five_wrong_tries_use_it_up(story, cps, django_capture_on_commit_callbacks):
    share = _share(story, cps)
    for attempt in ("right", "guessed"):
        with django_capture_on_commit_callbacks(execute=True):
            services.send_code(share.recipient)
        code = _code()
        wrong = f"{(int(code) + 1) % 10**6:06}"
        if attempt == "right":
            assert services.check_code(share.recipient, f" {code[:3]} {code[3:]} ")
            assert not services.check_code(share.recipient, code)
        else:
            assert not any(services.check_code(share.recipient, wrong) for _ in range(5))
            assert not services.check_code(share.recipient, code)


def test_another_recipients_code_does_not_sign_in(story, cps, django_capture_on_commit_callbacks):
    share = _share(story, cps)
    other = Recipient.objects.create(name="Else", email="else@cps.example", organisation=cps)
    with django_capture_on_commit_callbacks(execute=True):
        services.send_code(share.recipient)
    assert not services.check_code(other, _code())


def test_a_recipient_sees_only_own_shares_and_a_refusal_is_recorded(
    client, story, cps, django_capture_on_commit_callbacks
):
    mine = _share(story, cps)
    theirs = _share(story, cps, name="Else", email="else@cps.example")
    assert _sign_in(client, mine, django_capture_on_commit_callbacks).url == reverse("share:index")
    assert client.get(reverse("share:watch", args=[mine.pk])).status_code == 200
    assert client.get(reverse("share:watch", args=[theirs.pk])).status_code == 404
    assert [item.tag for item in ledger.history(theirs.custody_id)][-1] == "recipient.refused"


def test_a_revoked_share_is_explained_to_its_recipient(client, story, cps, django_capture_on_commit_callbacks):
    share = _share(story, cps)
    _sign_in(client, share, django_capture_on_commit_callbacks)
    services.revoke(share, by=story[2], reason="Mistake")
    page = client.get(reverse("share:watch", args=[share.pk]))
    assert page.status_code == 403
    assert "ended by the police" in page.content.decode()


@pytest.mark.parametrize("path", ["share:index", "share:watch", "share:download", "share:acknowledge"])
def test_the_portal_is_closed_to_whoever_has_not_signed_in(client, story, cps, path):
    share = _share(story, cps)
    address = reverse(path, args=[] if path == "share:index" else [share.pk])
    answer = client.post(address) if path in ("share:download", "share:acknowledge") else client.get(address)
    assert answer.status_code == 302
    assert answer.url == reverse("share:sign_in")


def test_asking_for_a_code_answers_the_same_for_a_stranger(client, story, cps, django_capture_on_commit_callbacks):
    _share(story, cps)
    answers = []
    for email in ("jo@cps.example", "nobody@else.example"):
        with django_capture_on_commit_callbacks(execute=True):
            answer = client.post(reverse("share:sign_in"), {"email": email})
        page = client.get(reverse("share:code"))
        answers.append(
            (answer.status_code, answer.url, re.sub(r'value="[^"]{20,}"|nonce="[^"]+"', "", page.content.decode()))
        )
    shapes = [(status, url, re.sub(r"\d", "", text)) for status, url, text in answers]
    assert shapes[0] == shapes[1]


def test_an_unknown_link_says_so_and_nothing_else(client):
    answer = client.get(reverse("share:invitation", args=["x" * 43]))
    assert answer.status_code == 404
    assert "does not work" in answer.content.decode()


@pytest.mark.parametrize("role", [Role.OFFICER, Role.SUPERVISOR, Role.RIGHTS_OFFICER, Role.AUDITOR, Role.OPERATOR])
def test_a_role_without_the_right_cannot_share(client, story, cps, role):
    recording, _, _ = story
    stranger = factories.person(role, unit=factories.unit())
    signin.quickly(client, stranger)
    answer = client.get(reverse("shares:share_recording", args=[recording.pk]))
    assert answer.status_code == 403
    assert ledger.history(f"recording:{recording.pk}")[-1].tag == "access.refused"


def test_the_sharer_sees_what_the_recipient_watched(client, story, cps):
    share = _share(story, cps)
    services.open_shared(share, session_key="s")
    signin.quickly(client, story[2])
    page = client.get(reverse("shares:share", args=[share.pk]))
    assert page.status_code == 200
    assert "Jo Reid, CPS" in page.content.decode()


def test_a_standing_share_keeps_its_recording_until_it_expires(story, cps):
    share = _share(story, cps, days=300)
    (reason,) = queries.retention_reasons(share.recording)
    assert reason.until == share.expires_at
    services.revoke(share, by=story[2], reason="Over")
    assert queries.retention_reasons(share.recording) == []
    assert queries.standing(share) is rules.Standing.REVOKED
