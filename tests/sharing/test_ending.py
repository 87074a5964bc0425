"""What ends a share, who may end it, and what is left when its footage is deleted."""

from __future__ import annotations

import pytest
from django.core import mail
from django.urls import reverse

from bluelamp.cases import services as cases
from bluelamp.custody import queries as ledger
from bluelamp.footage import services as footage
from bluelamp.footage.models import Recording
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Conflict, Invalid
from bluelamp.people.policy import Role
from bluelamp.sharing import queries, rules, services
from tests import factories, signin
from tests.sharing import post

pytestmark = pytest.mark.django_db


def _lock(share) -> None:
    Recording.objects.filter(pk=share.recording_id).update(locked_at=clock.now())


def _revoke(client, share, person) -> int:
    signin.quickly(client, person)
    page = client.get(reverse("shares:share", args=[share.pk]))
    assert ("Revoke the share" in page.content.decode()) is (page.status_code == 200)
    return client.post(reverse("shares:revoke", args=[share.pk]), {"reason": "Mistake"}).status_code


def test_the_maker_revokes_a_share_of_locked_footage_whose_case_is_closed(client, story, shared):
    share = shared()
    _lock(share)
    cases.close_case(story[1], actor=story[2], outcome="Convicted")
    assert _revoke(client, share, story[2]) == 302
    share.refresh_from_db()
    assert queries.standing(share) is rules.Standing.REVOKED


def test_a_member_of_the_closed_case_revokes_a_colleagues_share_of_locked_footage(client, story, shared):
    colleague = factories.person(Role.OFFICER, unit=factories.unit())
    cases.add_member(story[1], colleague, role="investigator", actor=story[2])
    share = shared()
    _lock(share)
    cases.close_case(story[1], actor=story[2], outcome="Convicted")
    assert _revoke(client, share, colleague) == 302


@pytest.mark.parametrize("role", [Role.BWV_MANAGER, Role.PROFESSIONAL_STANDARDS])
def test_the_manager_and_professional_standards_revoke_any_share_of_locked_footage(client, shared, role):
    share = shared()
    _lock(share)
    assert _revoke(client, share, factories.person(role)) == 302


def test_whoever_has_nothing_to_do_with_a_share_cannot_revoke_it_not_even_the_wearer(client, story, shared):
    share = shared()
    for person in (story[0].wearer, factories.person(Role.INVESTIGATOR), factories.person(Role.POST_INCIDENT_MANAGER)):
        assert _revoke(client, share, person) == 403
    share.refresh_from_db()
    assert share.revoked_at is None


def test_an_auditor_sees_a_share_and_can_neither_revoke_it_nor_send_it_again(client, shared):
    share = shared()
    signin.quickly(client, factories.person(Role.AUDITOR))
    page = client.get(reverse("shares:share", args=[share.pk])).content.decode()
    assert "Revoke the share" not in page
    assert client.post(reverse("shares:revoke", args=[share.pk]), {"reason": "x"}).status_code == 403
    assert client.post(reverse("shares:send_again", args=[share.pk])).status_code == 403


def test_what_was_written_about_footage_goes_with_it_and_the_portal_says_only_that(client, story, shared):
    share = shared(summary="The assault outside the station")
    revoked = shared(summary="The very same assault", urn="01ZZ9")
    services.revoke(revoked, by=story[2], reason="A secret reason")
    client.post(reverse("share:sign_in"), {"email": "jo@cps.example"})
    post.deliver()
    client.post(reverse("share:code"), {"code": post.code()})
    footage.mark_deleted(story[0], reason="Test")
    for item in (share, revoked):
        item.refresh_from_db()
        assert (item.summary, item.urn, item.revoke_reason) == ("", "", "")
        assert queries.standing(item) is rules.Standing.DELETED
    page = client.get(reverse("share:index")).content.decode()
    assert page.count("This footage was deleted.") == 2
    assert "assault" not in page
    assert "secret" not in page
    watch = client.get(reverse("share:watch", args=[share.pk]))
    assert watch.status_code == 403
    assert "This footage was deleted." in watch.content.decode()
    assert "assault" not in watch.content.decode()
    assert "Ended on" in watch.content.decode()
    with pytest.raises(Conflict, match="deleted"):
        services.revoke(share, by=story[2], reason="Another secret")


def test_another_name_for_a_known_address_is_refused_in_words(shared):
    shared(name="Jo Reid")
    shared(name=" jo  REID")
    with pytest.raises(Invalid, match="known as the address of Jo Reid, not of Sam Poe"):
        shared(name="Sam Poe")


def test_reading_lists_and_pages_of_shares_is_in_the_ledger(client, story, shared):
    share = shared()
    signin.quickly(client, story[2])
    for address, page in (
        (reverse("shares:index"), "shares"),
        (reverse("shares:share", args=[share.pk]), share.custody_id),
    ):
        client.get(address)
        last = ledger.history(story[0].custody_id)[-1]
        assert last.tag == "footage.listed"
        assert last.actor == story[2].custody_id
        assert last.details["filters"] == {"page": page}


def test_the_form_to_share_a_recording_shows_its_facts_and_is_logged(client, story):
    signin.quickly(client, story[2])
    address = reverse("shares:share_recording", args=[story[0].pk])
    for status in (client.get(address).status_code, client.post(address, {}).status_code):
        assert status in (200, 422)
        assert ledger.history(story[0].custody_id)[-1].tag == "recording.consulted"
    assert ledger.count("recording.consulted") == 2


def _signed_in(client) -> None:
    client.post(reverse("share:sign_in"), {"email": "jo@cps.example"})
    post.deliver()
    client.post(reverse("share:code"), {"code": post.code()})


def test_an_ended_share_has_a_page_of_the_portal_that_says_who_when_and_what_next(client, story, shared):
    share = shared()
    _signed_in(client)
    services.revoke(share, by=story[2], reason="A secret reason")
    page = client.get(reverse("share:watch", args=[share.pk]))
    words = page.content.decode()
    assert page.status_code == 403
    for expected in ("This share has ended", "ended by the police", story[2].name, "Ended on", reverse("share:index")):
        assert expected in words, expected
    for staff in ("/account/login", "A secret reason", "Go to the home page", "your role", share.summary):
        assert staff not in words, staff
    assert 'href="/"' not in words


def test_a_share_of_locked_footage_is_only_not_available_and_has_no_end(client, shared):
    share = shared()
    _signed_in(client)
    _lock(share)
    words = client.get(reverse("share:watch", args=[share.pk])).content.decode()
    assert "This share is not available" in words
    assert "Ended on" not in words
    assert "locked" not in words


def test_the_links_that_lead_nowhere_stay_in_the_portal(client, story, shared):
    share = shared()
    post.deliver()
    link = mail.outbox[-1].body.partition("http")[2].split()[0].partition("/share/")[2]
    services.revoke(share, by=story[2], reason="Mistake")
    ended = client.get(f"/share/{link}")
    unknown = client.get(reverse("share:invitation", args=["x" * 43]))
    assert (ended.status_code, unknown.status_code) == (403, 404)
    assert "This share has ended" in ended.content.decode()
    for answer in (ended, unknown):
        assert "/account/login" not in answer.content.decode()


def test_confirming_beside_an_open_player_changes_only_that_part_of_the_page(client, shared):
    share = shared()
    _signed_in(client)
    address = reverse("share:acknowledge", args=[share.pk])
    part = client.post(address, headers={"HX-Request": "true"})
    assert part.status_code == 200
    assert "You confirmed receipt" in part.content.decode()
    assert "<html" not in part.content.decode()
    assert client.post(address).url == reverse("share:watch", args=[share.pk])
