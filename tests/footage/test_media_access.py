"""Media bytes over the real route: who gets them, and what ends it."""

from __future__ import annotations

import uuid
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.test import Client

from bluelamp.cases import services as cases
from bluelamp.custody import queries as ledger
from bluelamp.footage import hooks, media, services
from bluelamp.footage.models import Recording, ServedRange, Viewing
from bluelamp.kernel import clock
from bluelamp.people.policy import Role
from bluelamp.vault import objects
from bluelamp.vault.keyring import get_keyring
from tests import factories, signin
from tests.footage.conftest import film, prepared
from tests.footage.route import LONG, ask, opened, original, refusals, session_of

# Who gets them


def test_nobody_without_a_sign_in_gets_a_byte(world):
    response = ask(media.url(world.viewing, "original"))
    assert response.status_code == 403
    assert response.headers["content-type"] == "application/problem+json"
    assert LONG[:64] not in response.content
    assert ledger.search(tag="access.refused")[0].actor == "public"


def test_a_made_up_session_gets_nothing(world):
    assert ask(media.url(world.viewing, "original"), "x" * 32).status_code == 403
    assert ask(media.url(world.viewing, "original"), "'; DROP TABLE--").status_code == 403


def test_another_persons_session_does_not_open_it(world):
    other = factories.person(Role.BWV_MANAGER, unit=world.unit)
    response = ask(media.url(world.viewing, "original"), session_of(other))
    assert response.status_code == 403
    assert ledger.search(tag="access.refused")[0].actor == other.custody_id


def test_the_same_persons_other_session_does_not_open_it(world):
    assert ask(media.url(world.viewing, "original"), session_of(world.officer)).status_code == 403


def test_signing_out_ends_it(world):
    client = Client()
    signin.quickly(client, world.officer)
    viewing = opened(world.recording, world.officer, client.session.session_key)
    key = client.session.session_key
    assert ask(media.url(viewing, "original"), key, range="bytes=0-9").status_code == 206
    client.session.flush()
    assert ask(media.url(viewing, "original"), key, range="bytes=0-9").status_code == 403


def test_a_closed_account_ends_it(world):
    world.officer.is_active = False
    world.officer.save()
    assert original(world).status_code == 403


def test_a_changed_password_ends_it(world):
    world.officer.set_password("another long password")
    world.officer.save()
    assert original(world).status_code == 403


def test_an_expired_viewing_ends(world):
    Viewing.objects.update(expires_at=clock.real_now() - timedelta(seconds=1))
    assert original(world).status_code == 403
    assert refusals() == ["The time for which it was opened is over."]


def test_a_closed_viewing_ends(world):
    services.close_viewing(world.viewing, actor="system:test")
    assert original(world).status_code == 403
    assert refusals() == ["Access was ended."]


def test_an_incident_lock_ends_it_for_the_wearer_too(world):
    services.lock(world.recording, reason="Serious injury", by=world.officer)
    assert original(world).status_code == 403
    assert "locked" in refusals()[0]
    assert not ServedRange.objects.exists()


def test_one_whom_the_pim_releases_may_watch_in_spite_of_the_lock(world):
    services.lock(world.recording, reason="Serious injury", by=world.officer)
    services.let_watch(world.recording, person=world.officer, reason="First account given", by=world.officer)
    assert original(world).status_code == 403, "what stood open before the lock does not come back to life"
    world.viewing = opened(world.recording, world.officer, world.session, reason="To complete my statement")
    assert original(world, range="bytes=0-9").status_code == 206
    services.unlock(world.recording, reason="Over", by=world.officer)
    services.lock(world.recording, reason="Again", by=world.officer)
    assert original(world).status_code == 403


def test_a_role_taken_away_ends_it(world):
    manager = factories.person(Role.BWV_MANAGER, unit=factories.unit())
    session = session_of(manager)
    viewing = opened(world.recording, manager, session, reason="Fault report")
    assert ask(media.url(viewing, "original"), session, range="bytes=0-9").status_code == 206
    manager.roles = [Role.OFFICER.value]
    manager.save()
    assert ask(media.url(viewing, "original"), session, range="bytes=0-9").status_code == 403


@pytest.mark.parametrize("state", ["quarantined", "deleted"])
def test_a_recording_that_left_use_leaves_no_byte(world, state):
    Recording.objects.update(state=state)
    assert original(world).status_code == 403


def test_an_erased_key_opens_nothing(world):
    get_keyring().erase(world.recording.key_id)
    response = original(world)
    assert response.status_code == 410
    assert not ServedRange.objects.exists()


def test_damage_in_the_store_is_told_and_never_served(world):
    objects.delete(world.recording.original)
    assert original(world).status_code == 404
    other = uuid.uuid4()
    get_keyring().create(str(other))
    objects.seal_bytes(world.recording.original, str(other), LONG)
    response = original(world)
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    assert not ServedRange.objects.exists()


@pytest.mark.parametrize(
    "path",
    [
        "/media/{unknown}/original",
        "/media/not-a-uuid/original",
        "/media/{viewing}/../../etc/passwd",
        "/media/{viewing}/original/more",
        "/media/{viewing}/%2e%2e",
        "/media/{recording}/original",
        "/media/poster/{unknown}",
    ],
)
def test_a_tampered_address_finds_nothing(world, path):
    path = path.format(unknown=uuid.uuid4(), viewing=world.viewing.pk, recording=world.recording.pk)
    assert ask(path, world.session).status_code in (403, 404)
    assert not ServedRange.objects.exists()


@pytest.mark.parametrize("variant", ["download", "viewing", "thumbnail", "key"])
def test_a_viewing_to_watch_gives_nothing_but_what_is_watched(world, variant):
    response = ask(f"/media/{world.viewing.pk}/{variant}", world.session)
    assert response.status_code == 403
    assert LONG[:64] not in response.content


# Grants of upper rooms


@pytest.fixture
def share(world, monkeypatch):
    stands = SimpleNamespace(value=True)
    monkeypatch.setitem(hooks.grants, "trial", lambda viewing: stands.value)
    viewing = opened(world.recording, world.officer, world.session, viewer="recipient:1", grant="trial:1")
    return SimpleNamespace(viewing=viewing, stands=stands)


def test_a_grant_is_asked_at_every_request(world, share):
    path = media.url(share.viewing, "original")
    assert ask(path, world.session, range="bytes=0-9").status_code == 206
    share.stands.value = False
    assert ask(path, world.session, range="bytes=0-9").status_code == 403
    assert ledger.search(tag="access.refused")[0].actor == "recipient:1"


def test_a_lock_stops_a_share(world, share):
    services.lock(world.recording, reason="Serious injury", by=world.officer)
    assert ask(media.url(share.viewing, "original"), world.session).status_code == 403


def test_a_grant_that_nobody_knows_is_none(world):
    viewing = opened(world.recording, world.officer, world.session, viewer="recipient:1", grant="forged:1")
    assert ask(media.url(viewing, "original"), world.session).status_code == 403


def test_closing_a_grant_ends_all_its_viewings(world, share):
    assert services.close_viewings("trial:1", actor="person:1", reason="Revoked") == 1
    assert ask(media.url(share.viewing, "original"), world.session).status_code == 403
    assert services.close_viewings("trial:1", actor="person:1") == 0


# Downloads


def test_a_download_comes_under_a_safe_name(world):
    Recording.objects.update(filename='evil"\r\nSet-Cookie: a=b;\\../../x.MP4')
    manager = factories.person(Role.BWV_MANAGER, unit=world.unit)
    session = session_of(manager)
    viewing = opened(world.recording, manager, session, reason="Court", purpose="download")
    response = ask(media.url(viewing, "download"), session)
    disposition = response.headers["content-disposition"]
    assert disposition.startswith(f'attachment; filename="{world.recording.camera.serial}-')
    assert disposition.endswith('.mp4"')
    assert "set-cookie" not in response.headers
    assert response.content == LONG


def test_a_download_needs_the_right_to_share_at_each_request(world):
    viewing = opened(world.recording, world.officer, world.session, purpose="download")
    assert ask(media.url(viewing, "download"), world.session).status_code == 403


# Posters


@pytest.fixture
def pictured(world):
    made = prepared(world.officer)
    return SimpleNamespace(recording=made, session=world.session, officer=world.officer, unit=world.unit)


def test_the_wearer_sees_the_poster_without_a_viewing(pictured):
    response = ask(media.poster_url(pictured.recording), pictured.session)
    assert response.status_code == 200
    assert response.headers["content-type"] == "image/jpeg"
    assert response.content.startswith(b"\xff\xd8\xff")
    assert response.headers["cache-control"] == "private, no-store"


def test_a_poster_that_no_list_showed_is_recorded_once_and_the_wearers_own_never(pictured):
    detective = factories.person(Role.INVESTIGATOR, unit=pictured.unit)
    member = factories.person(Role.INVESTIGATOR)
    case = cases.open_case("Lantern", opened_by=detective, urn="01AB1")
    cases.add_recording(case, pictured.recording, actor=detective, reason="Shows it")
    cases.add_member(case, member, role="investigator", actor=detective)
    address, session = media.poster_url(pictured.recording), session_of(member)
    for _ in range(3):
        assert ask(address, session).status_code == 200
    ask(address, pictured.session)
    assert [item.actor for item in ledger.search(tag="footage.listed")] == [member.custody_id]
    services.log_listing(detective, [pictured.recording], {"page": "list"})
    ask(address, session_of(detective))
    assert ledger.count("footage.listed") == 2


@pytest.mark.parametrize("role", [Role.OFFICER, Role.SUPERVISOR, Role.BWV_MANAGER, Role.AUDITOR, Role.INVESTIGATOR])
def test_nobody_sees_the_poster_of_what_needs_a_reason(pictured, role):
    other = factories.person(role, unit=pictured.unit)
    response = ask(media.poster_url(pictured.recording), session_of(other))
    assert response.status_code == 403
    assert ledger.search(tag="access.refused")[0].actor == other.custody_id


def test_nobody_sees_a_poster_without_signing_in_or_of_a_locked_recording(pictured):
    assert ask(media.poster_url(pictured.recording)).status_code == 403
    services.lock(pictured.recording, reason="Serious injury", by=pictured.officer)
    assert ask(media.poster_url(pictured.recording), pictured.session).status_code == 403


def test_a_viewing_shows_poster_and_storyboard_and_plays_the_film(pictured):
    viewing = opened(pictured.recording, pictured.officer, pictured.session)
    for variant in ("poster", "storyboard"):
        response = ask(media.url(viewing, variant), pictured.session)
        assert response.content.startswith(b"\xff\xd8\xff")
    played = ask(media.play_url(viewing), pictured.session)
    assert played.content == film()
