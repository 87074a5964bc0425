"""Media bytes over the real route: who gets them, which of them, and what the ledger says of it."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from itertools import pairwise
from types import SimpleNamespace

import httpx
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from starlette.applications import Starlette

from bluelamp.custody import queries as ledger
from bluelamp.footage import asgi, hooks, media, services
from bluelamp.footage.models import Recording, ServedRange, Viewing
from bluelamp.kernel import clock
from bluelamp.people.policy import Role
from bluelamp.vault import objects
from bluelamp.vault.keyring import get_keyring
from bluelamp.vault.objects import SealedReader
from tests import factories, signin
from tests.footage.conftest import film, prepared

LONG = bytes(range(256)) * 4096 * 3  # 3 MiB: four sealed segments


@pytest.fixture
def world(committed_db):
    """A committed recording of 3 MiB, its wearer signed in, and a viewing of it opened by the wearer."""
    # The route's threads outlive a test's database: without this they would keep talking to another one.
    connection.settings_dict["CONN_MAX_AGE"] = 0
    unit = factories.unit("Northgate Response")
    officer = factories.person(Role.OFFICER, unit=unit)
    recording = factories.recording(
        officer,
        camera=factories.camera(unit),
        content=LONG,
        sealed=True,
        processing=Recording.Processing.READY,
        duration_ms=60_000,
        media={"container": "mp4"},
    )
    session = _session(officer)
    viewing = _open(recording, officer, session)
    return SimpleNamespace(unit=unit, officer=officer, recording=recording, session=session, viewing=viewing)


def _session(person) -> str:
    client = Client()
    signin.quickly(client, person)
    return client.session.session_key


def _open(recording, person, session, **more):
    given = {"viewer": person.custody_id, "viewer_name": str(person), "grant": "person", "reason": "", **more}
    return services.open_viewing(recording, session_key=session, **given)


def _ask(path, session="", method="GET", **headers):
    async def ask():
        app = httpx.ASGITransport(Starlette(routes=asgi.routes))
        cookies = {settings.SESSION_COOKIE_NAME: session} if session else {}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with httpx.AsyncClient(transport=app, base_url="http://localhost", cookies=cookies) as client:
            return await client.request(method, path, headers=named)

    return asyncio.run(ask())


def _original(world, **headers):
    return _ask(media.url(world.viewing, "original"), world.session, **headers)


def _refusals():
    return [item.details["why"] for item in ledger.search(tag="access.refused")]


# Which bytes


def test_a_whole_recording_comes_as_it_was_sealed(world):
    response = _original(world)
    assert response.status_code == 200
    assert response.content == LONG
    assert response.headers["content-type"] == "video/mp4"
    assert response.headers["accept-ranges"] == "bytes"
    assert response.headers["cache-control"] == "private, no-store"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in response.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("header", "first", "last"),
    [
        ("bytes=0-99", 0, 99),
        ("bytes=1048500-1048700", 1048500, 1048700),
        ("bytes=2000000-", 2000000, len(LONG) - 1),
        ("bytes=-500", len(LONG) - 500, len(LONG) - 1),
    ],
)
def test_a_range_comes_alone_and_says_where_it_belongs(world, header, first, last):
    response = _original(world, range=header)
    assert response.status_code == 206
    assert response.headers["content-range"] == f"bytes {first}-{last}/{len(LONG)}"
    assert int(response.headers["content-length"]) == last - first + 1
    assert response.content == LONG[first : last + 1]


def test_a_range_past_the_end_is_416_and_nothing_is_counted(world):
    response = _original(world, range=f"bytes={len(LONG)}-")
    assert response.status_code == 416
    assert response.headers["content-range"] == f"bytes */{len(LONG)}"
    assert not ServedRange.objects.exists()


@pytest.mark.parametrize("header", ["bytes=9-1", "bytes=0-1,5-6", "bytes=" + "1" * 9000])
def test_a_malformed_or_multiple_range_is_answered_whole(world, header):
    response = _original(world, range=header)
    assert response.status_code == 200
    assert len(response.content) == len(LONG)


def test_a_range_of_another_version_is_answered_whole(world):
    tag = _original(world, range="bytes=0-0").headers["etag"]
    assert _original(world, range="bytes=0-9", if_range=tag).status_code == 206
    assert _original(world, range="bytes=0-9", if_range='"another"').status_code == 200


def test_head_tells_the_size_and_sends_and_counts_nothing(world):
    response = _ask(media.url(world.viewing, "original"), world.session, "HEAD", range="bytes=0-9")
    assert response.status_code == 200
    assert int(response.headers["content-length"]) == len(LONG)
    assert response.content == b""
    assert not ServedRange.objects.exists()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_refused(world, method):
    assert _ask(media.url(world.viewing, "original"), world.session, method).status_code == 405


# What is counted


def test_what_left_is_in_the_ledger_with_the_stretch_of_time_that_it_stands_for(world):
    _original(world, range=f"bytes={len(LONG) // 2}-{len(LONG) // 2 + 99}")
    served = ServedRange.objects.get()
    assert (served.first_byte, served.last_byte) == (len(LONG) // 2, len(LONG) // 2 + 99)
    assert (served.from_ms, served.variant) == (30_000, "original")
    event = ledger.search(tag="recording.range_served")[0]
    assert event.actor == world.officer.custody_id
    assert event.subject == world.recording.custody_id
    assert event.details["approximate"] is True
    assert event.details["last_byte"] - event.details["first_byte"] == 99


def test_a_browser_that_goes_away_is_charged_only_with_what_left(world):
    path = media.url(world.viewing, "original")
    sent = asyncio.run(_until_gone(path, world.session, stop_after=3))
    served = ServedRange.objects.get()
    assert served.first_byte == 0
    assert served.last_byte + 1 == sent < len(LONG)


async def _until_gone(path, session, stop_after):
    """Take `stop_after` pieces and go away; returns how many bytes were taken."""
    gone = asyncio.Event()
    taken = []

    async def receive():
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        if message["type"] == "http.response.body":
            taken.append(len(message["body"]))
            if len(taken) == stop_after:
                gone.set()
                await asyncio.sleep(0.05)

    cookie = f"{settings.SESSION_COOKIE_NAME}={session}".encode()
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"cookie", cookie), (b"host", b"localhost")],
        "http_version": "1.1",
        "scheme": "http",
        "server": ("localhost", 80),
        "client": ("127.0.0.1", 1),
        "root_path": "",
    }
    await Starlette(routes=asgi.routes)(scope, receive, send)
    return sum(taken)


def test_a_long_answer_is_counted_while_it_is_on_its_way(world, monkeypatch):
    monkeypatch.setattr(asgi, "_RECORD_EVERY", 1024 * 1024)
    _original(world)
    served = list(ServedRange.objects.order_by("first_byte"))
    assert len(served) > 1
    assert served[0].first_byte == 0
    assert served[-1].last_byte == len(LONG) - 1
    assert all(one.last_byte + 1 == other.first_byte for one, other in pairwise(served))


def test_a_lock_stops_an_answer_that_is_on_its_way(world, monkeypatch):
    monkeypatch.setattr(asgi, "_LOOK_AGAIN", -1.0)
    real = asgi._next
    calls = []

    def lock_after_the_first(pieces):
        calls.append(1)
        if len(calls) == 2:
            services.lock(world.recording, reason="Death in custody", by=world.officer)
        return real(pieces)

    monkeypatch.setattr(asgi, "_next", lock_after_the_first)
    with pytest.raises(Exception):  # noqa: B017  the connection breaks before the promised length
        response = _original(world)
        assert len(response.content) == len(LONG)
    assert ServedRange.objects.get().last_byte < len(LONG) - 1


# Who gets them


def test_nobody_without_a_sign_in_gets_a_byte(world):
    response = _ask(media.url(world.viewing, "original"))
    assert response.status_code == 403
    assert response.headers["content-type"] == "application/problem+json"
    assert LONG[:64] not in response.content
    assert ledger.search(tag="access.refused")[0].actor == "public"


def test_a_made_up_session_gets_nothing(world):
    assert _ask(media.url(world.viewing, "original"), "x" * 32).status_code == 403
    assert _ask(media.url(world.viewing, "original"), "'; DROP TABLE--").status_code == 403


def test_another_persons_session_does_not_open_it(world):
    other = factories.person(Role.BWV_MANAGER, unit=world.unit)
    response = _ask(media.url(world.viewing, "original"), _session(other))
    assert response.status_code == 403
    assert ledger.search(tag="access.refused")[0].actor == other.custody_id


def test_the_same_persons_other_session_does_not_open_it(world):
    assert _ask(media.url(world.viewing, "original"), _session(world.officer)).status_code == 403


def test_signing_out_ends_it(world):
    client = Client()
    signin.quickly(client, world.officer)
    viewing = _open(world.recording, world.officer, client.session.session_key)
    key = client.session.session_key
    assert _ask(media.url(viewing, "original"), key, range="bytes=0-9").status_code == 206
    client.session.flush()
    assert _ask(media.url(viewing, "original"), key, range="bytes=0-9").status_code == 403


def test_a_closed_account_ends_it(world):
    world.officer.is_active = False
    world.officer.save()
    assert _original(world).status_code == 403


def test_a_changed_password_ends_it(world):
    world.officer.set_password("another long password")
    world.officer.save()
    assert _original(world).status_code == 403


def test_an_expired_viewing_ends(world):
    Viewing.objects.update(expires_at=clock.real_now() - timedelta(seconds=1))
    assert _original(world).status_code == 403
    assert _refusals() == ["The time for which it was opened is over."]


def test_a_closed_viewing_ends(world):
    services.close_viewing(world.viewing, actor="system:test")
    assert _original(world).status_code == 403
    assert _refusals() == ["Access was ended."]


def test_an_incident_lock_ends_it_for_the_wearer_too(world):
    services.lock(world.recording, reason="Serious injury", by=world.officer)
    assert _original(world).status_code == 403
    assert "locked" in _refusals()[0]
    assert not ServedRange.objects.exists()


def test_one_whom_the_pim_releases_may_watch_in_spite_of_the_lock(world):
    services.lock(world.recording, reason="Serious injury", by=world.officer)
    services.let_watch(world.recording, person=world.officer, reason="First account given", by=world.officer)
    assert _original(world, range="bytes=0-9").status_code == 206
    services.unlock(world.recording, reason="Over", by=world.officer)
    services.lock(world.recording, reason="Again", by=world.officer)
    assert _original(world).status_code == 403


def test_a_role_taken_away_ends_it(world):
    manager = factories.person(Role.BWV_MANAGER, unit=factories.unit())
    session = _session(manager)
    viewing = _open(world.recording, manager, session, reason="Fault report")
    assert _ask(media.url(viewing, "original"), session, range="bytes=0-9").status_code == 206
    manager.roles = [Role.OFFICER.value]
    manager.save()
    assert _ask(media.url(viewing, "original"), session, range="bytes=0-9").status_code == 403


@pytest.mark.parametrize("state", ["quarantined", "deleted"])
def test_a_recording_that_left_use_leaves_no_byte(world, state):
    Recording.objects.update(state=state)
    assert _original(world).status_code == 403


def test_an_erased_key_opens_nothing(world):
    get_keyring().erase(world.recording.key_id)
    response = _original(world)
    assert response.status_code == 410
    assert not ServedRange.objects.exists()


def test_damage_in_the_store_is_told_and_never_served(world):
    objects.delete(world.recording.original)
    assert _original(world).status_code == 404
    other = uuid.uuid4()
    get_keyring().create(str(other))
    objects.seal_bytes(world.recording.original, str(other), LONG)
    response = _original(world)
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
    assert _ask(path, world.session).status_code in (403, 404)
    assert not ServedRange.objects.exists()


@pytest.mark.parametrize("variant", ["download", "viewing", "thumbnail", "key"])
def test_a_viewing_to_watch_gives_nothing_but_what_is_watched(world, variant):
    response = _ask(f"/media/{world.viewing.pk}/{variant}", world.session)
    assert response.status_code == 403
    assert LONG[:64] not in response.content


# Grants of upper rooms


@pytest.fixture
def share(world, monkeypatch):
    stands = SimpleNamespace(value=True)
    monkeypatch.setitem(hooks.grants, "trial", lambda viewing: stands.value)
    viewing = _open(world.recording, world.officer, world.session, viewer="recipient:1", grant="trial:1")
    return SimpleNamespace(viewing=viewing, stands=stands)


def test_a_grant_is_asked_at_every_request(world, share):
    path = media.url(share.viewing, "original")
    assert _ask(path, world.session, range="bytes=0-9").status_code == 206
    share.stands.value = False
    assert _ask(path, world.session, range="bytes=0-9").status_code == 403
    assert ledger.search(tag="access.refused")[0].actor == "recipient:1"


def test_a_lock_stops_a_share(world, share):
    services.lock(world.recording, reason="Serious injury", by=world.officer)
    assert _ask(media.url(share.viewing, "original"), world.session).status_code == 403


def test_a_grant_that_nobody_knows_is_none(world):
    viewing = _open(world.recording, world.officer, world.session, viewer="recipient:1", grant="forged:1")
    assert _ask(media.url(viewing, "original"), world.session).status_code == 403


def test_closing_a_grant_ends_all_its_viewings(world, share):
    assert services.close_viewings("trial:1", actor="person:1", reason="Revoked") == 1
    assert _ask(media.url(share.viewing, "original"), world.session).status_code == 403
    assert services.close_viewings("trial:1", actor="person:1") == 0


# Downloads


def test_a_download_comes_under_a_safe_name(world):
    Recording.objects.update(filename='evil"\r\nSet-Cookie: a=b;\\../../x.MP4')
    manager = factories.person(Role.BWV_MANAGER, unit=world.unit)
    session = _session(manager)
    viewing = _open(world.recording, manager, session, reason="Court", purpose="download")
    response = _ask(media.url(viewing, "download"), session)
    disposition = response.headers["content-disposition"]
    assert disposition.startswith(f'attachment; filename="{world.recording.camera.serial}-')
    assert disposition.endswith('.mp4"')
    assert "set-cookie" not in response.headers
    assert response.content == LONG


def test_a_download_needs_the_right_to_share_at_each_request(world):
    viewing = _open(world.recording, world.officer, world.session, purpose="download")
    assert _ask(media.url(viewing, "download"), world.session).status_code == 403


# Posters


@pytest.fixture
def pictured(world):
    made = prepared(world.officer)
    return SimpleNamespace(recording=made, session=world.session, officer=world.officer, unit=world.unit)


def test_the_wearer_sees_the_poster_without_a_viewing(pictured):
    response = _ask(media.poster_url(pictured.recording), pictured.session)
    assert response.status_code == 200
    assert response.headers["content-type"] == "image/jpeg"
    assert response.content.startswith(b"\xff\xd8\xff")
    assert response.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize("role", [Role.OFFICER, Role.SUPERVISOR, Role.BWV_MANAGER, Role.AUDITOR, Role.INVESTIGATOR])
def test_nobody_sees_the_poster_of_what_needs_a_reason(pictured, role):
    other = factories.person(role, unit=pictured.unit)
    response = _ask(media.poster_url(pictured.recording), _session(other))
    assert response.status_code == 403
    assert ledger.search(tag="access.refused")[0].actor == other.custody_id


def test_nobody_sees_a_poster_without_signing_in_or_of_a_locked_recording(pictured):
    assert _ask(media.poster_url(pictured.recording)).status_code == 403
    services.lock(pictured.recording, reason="Serious injury", by=pictured.officer)
    assert _ask(media.poster_url(pictured.recording), pictured.session).status_code == 403


def test_a_viewing_shows_poster_and_storyboard_and_plays_the_film(pictured):
    viewing = _open(pictured.recording, pictured.officer, pictured.session)
    for variant in ("poster", "storyboard"):
        response = _ask(media.url(viewing, variant), pictured.session)
        assert response.content.startswith(b"\xff\xd8\xff")
    played = _ask(media.play_url(viewing), pictured.session)
    assert played.content == film()


def test_reading_holds_little_in_memory(world):
    reader = SealedReader(world.recording.original, world.recording.key_id)
    assert max(len(piece) for piece in reader.iter(0, len(LONG))) <= 1024 * 1024
