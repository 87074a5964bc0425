"""Sharing against a real database: who may, what is sent, what ends it, and what the ledger says."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse

from bluelamp.custody import queries as ledger
from bluelamp.footage.models import Recording
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Conflict, Invalid, NotAllowed
from bluelamp.people.policy import Role
from bluelamp.sharing import queries, rules, services
from bluelamp.sharing.models import Share
from tests import factories, signin
from tests.sharing import post

pytestmark = pytest.mark.django_db


def _sign_in(client, share):
    client.post(reverse("share:sign_in"), {"email": share.recipient.email})
    post.deliver()
    return client.post(reverse("share:code"), {"code": post.code()})


def test_a_share_is_sent_to_its_recipient_and_stands_in_the_ledger(shared):
    share = shared()
    post.deliver()
    share.refresh_from_db()
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
def test_a_share_that_cannot_be_right_is_refused_in_words(shared, more, words):
    with pytest.raises(Invalid, match=words):
        shared(**more)
    assert Share.objects.count() == 0


def test_only_flagged_live_unlocked_footage_can_be_shared(story, shared):
    recording, _, detective = story
    unflagged = factories.recording(detective)
    with pytest.raises(Conflict, match="flagged as evidence"):
        shared(unflagged)
    Recording.objects.filter(pk=recording.pk).update(locked_at=clock.now())
    with pytest.raises(Conflict, match="locked"):
        shared()
    Recording.objects.filter(pk=recording.pk).update(locked_at=None, state=Recording.State.QUARANTINED)
    with pytest.raises(Conflict, match="leaving"):
        shared()


def test_a_revoked_share_ends_every_viewing_at_once(story, shared):
    share = shared()
    viewing = services.open_shared(share, session_key="s")
    assert queries.grant_stands(viewing)
    services.revoke(share, by=story[2], reason="Sent to the wrong person")
    viewing.refresh_from_db()
    assert viewing.closed_at is not None
    assert not queries.grant_stands(viewing)
    with pytest.raises(NotAllowed, match="ended by the police"):
        services.open_shared(share, session_key="s")


def test_a_share_for_watching_gives_no_download_even_with_a_viewing_of_that_purpose(story, shared):
    share = shared()
    with pytest.raises(NotAllowed, match="watching only"):
        services.open_shared(share, session_key="s", purpose="download")


def test_a_share_expires_on_bluelamps_clock(story, shared):
    share = shared(days=1)
    viewing = services.open_shared(share, session_key="s")
    Share.objects.filter(pk=share.pk).update(expires_at=clock.now() - timedelta(seconds=1))
    assert not queries.grant_stands(viewing)


def test_a_lock_after_an_incident_stops_a_share(shared):
    share = shared()
    viewing = services.open_shared(share, session_key="s")
    Recording.objects.filter(pk=share.recording_id).update(locked_at=clock.now())
    assert not queries.grant_stands(viewing)


def test_a_recipient_sees_only_own_shares_and_a_refusal_is_recorded(client, shared):
    mine = shared()
    theirs = shared(name="Else", email="else@cps.example")
    assert _sign_in(client, mine).url == reverse("share:index")
    assert client.get(reverse("share:watch", args=[mine.pk])).status_code == 200
    assert client.get(reverse("share:watch", args=[theirs.pk])).status_code == 404
    assert [item.tag for item in ledger.history(theirs.custody_id)][-1] == "recipient.refused"


def test_a_revoked_share_is_explained_to_its_recipient(client, story, shared):
    share = shared()
    _sign_in(client, share)
    services.revoke(share, by=story[2], reason="Mistake")
    page = client.get(reverse("share:watch", args=[share.pk]))
    assert page.status_code == 403
    assert "ended by the police" in page.content.decode()


@pytest.mark.parametrize("path", ["share:index", "share:watch", "share:download", "share:acknowledge"])
def test_the_portal_is_closed_to_whoever_has_not_signed_in(client, shared, path):
    share = shared()
    address = reverse(path, args=[] if path == "share:index" else [share.pk])
    answer = client.post(address) if path in ("share:download", "share:acknowledge") else client.get(address)
    assert answer.status_code == 302
    assert answer.url == reverse("share:sign_in")


def test_an_unknown_link_says_so_and_nothing_else(client):
    answer = client.get(reverse("share:invitation", args=["x" * 43]))
    assert answer.status_code == 404
    assert "does not work" in answer.content.decode()


@pytest.mark.parametrize("role", [Role.OFFICER, Role.SUPERVISOR, Role.RIGHTS_OFFICER, Role.AUDITOR, Role.OPERATOR])
def test_a_role_without_the_right_cannot_share(client, story, role):
    recording, _, _ = story
    stranger = factories.person(role, unit=factories.unit())
    signin.quickly(client, stranger)
    answer = client.get(reverse("shares:share_recording", args=[recording.pk]))
    assert answer.status_code == 403
    assert ledger.history(f"recording:{recording.pk}")[-1].tag == "access.refused"


def test_the_sharer_sees_what_the_recipient_watched(client, story, shared):
    share = shared()
    services.open_shared(share, session_key="s")
    signin.quickly(client, story[2])
    page = client.get(reverse("shares:share", args=[share.pk]))
    assert page.status_code == 200
    assert "Jo Reid, CPS" in page.content.decode()


def test_a_standing_share_keeps_its_recording_until_it_expires(story, shared):
    share = shared(days=300)
    ((reason,),) = queries.retention_reasons([share.recording]).values()
    assert reason.until == share.expires_at
    services.revoke(share, by=story[2], reason="Over")
    assert not queries.retention_reasons([share.recording])
    assert queries.standing(share) is rules.Standing.REVOKED
