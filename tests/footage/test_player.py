"""The pages in a real browser: the player really plays and seeks, by hand and by key, and everybody can use it."""

from __future__ import annotations

import socket
import threading
import time
from types import SimpleNamespace

import pytest
import uvicorn
from django.conf import settings
from django.db import connection
from django.test import Client

from bluelamp.custody import queries as ledger
from bluelamp.footage import services
from bluelamp.footage.models import Category, Recording, ServedRange
from bluelamp.people.policy import Role
from tests import factories, signin
from tests.axe import assert_accessible
from tests.browser import PHONE, WIDE, follow, launch
from tests.footage.conftest import film, prepared

pytestmark = pytest.mark.browser

SECONDS = 12


@pytest.fixture
def live(committed_db):
    """A running server with a film of twelve seconds and recordings in every state."""
    from bluelamp.footage.services import processing
    from bluelamp.project.asgi import application

    # The server's threads outlive a test's database: without this they would keep talking to another one.
    connection.settings_dict["CONN_MAX_AGE"] = 0
    unit = factories.unit("Northgate Response")
    officer = factories.person(Role.OFFICER, unit=unit, name="Ada Okafor")
    colleague = factories.person(Role.OFFICER, unit=unit, name="Ben Hart")
    manager = factories.person(Role.BWV_MANAGER, unit=unit, name="Eve Moor")
    main = factories.recording(officer, camera=factories.camera(unit), content=film(SECONDS), sealed=True)
    processing.prepare(main.pk)
    at = [(main.started_at + (main.ended_at - main.started_at) * share / 60) for share in (1, 3, 5)]
    events = [
        {"at": moment.isoformat(), "kind": kind, "note": ""}
        for moment, kind in zip(at, ("marker", "mute", "unmute"), strict=True)
    ]
    track = [
        {"at": at[0].isoformat(), "lat": "51.5", "lon": "-0.1"},
        {"at": at[2].isoformat(), "lat": "51.501", "lon": "-0.1"},
    ]
    Recording.objects.filter(pk=main.pk).update(events=events, track=track)
    services.flag(main, category=Category.objects.get(code="arrest"), reason="Arrest", by=officer)
    services.add_note(main, text="He runs", at_ms=4000, by=officer)
    states = {
        "main": main,
        "waiting": factories.recording(officer),
        "failed": factories.recording(officer, processing="failed", processing_error="It is no video."),
        "locked": prepared(officer),
        "deleted": factories.recording(officer),
    }
    services.lock(states["locked"], reason="Serious injury", by=manager)
    services.mark_deleted(states["deleted"])
    keys = {person.name: _session(person) for person in (officer, colleague, manager)}
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(application, log_level="error", lifespan="on"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.05)
        address = f"http://localhost:{listener.getsockname()[1]}"
        connection.close()
        yield SimpleNamespace(address=address, keys=keys, ids={name: item.pk for name, item in states.items()})
        server.should_exit = True
        thread.join(10)


def _session(person):
    client = Client()
    signin.quickly(client, person)
    return client.session.session_key


def _page(browser, live, who, viewport=WIDE, scheme="light"):
    context = browser.new_context(viewport=viewport, color_scheme=scheme)
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": live.keys[who], "url": live.address}])
    page = context.new_page()
    page.problems = []
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.on("console", lambda message: page.problems.append(message.text) if message.type == "error" else None)
    return page


def _video(page, what):
    return page.evaluate(f"document.querySelector('video').{what}")


def _wait(page, condition):
    """Until `condition` on the video `v` holds; polled from here, since the page's own policy forbids eval."""
    until = time.monotonic() + 10
    while not page.evaluate(f"(() => {{ const v = document.querySelector('video'); return {condition} }})()"):
        assert time.monotonic() < until, f"never: {condition}"
        time.sleep(0.05)


def test_an_address_with_a_moment_begins_there_though_the_film_was_known_before_the_script_ran(live):
    with launch() as browser:
        page = _page(browser, live, "Ada Okafor")
        page.add_init_script(
            "document.addEventListener('readystatechange', () => "
            "{ if (document.querySelector('video')) document.querySelector('video').preload = 'auto' })"
        )
        held = []
        page.route("**/player.js*", lambda route: held.append(route))
        page.goto(f"{live.address}/footage/{live.ids['main']}/#t=4", wait_until="commit")
        _wait(page, "v && v.readyState >= 1")
        held[0].continue_()
        _wait(page, "Math.abs(v.currentTime - 4) < 0.5")


def test_the_player_plays_seeks_and_answers_to_keys(live):
    with launch() as browser:
        page = _page(browser, live, "Ada Okafor")
        answers = []
        page.on("response", lambda r: answers.append(r) if r.url.endswith("/original") else None)
        page.goto(f"{live.address}/footage/{live.ids['main']}/")
        page.wait_for_selector(".footage-player--ready")
        assert answers == [], "nothing leaves before somebody plays"

        page.get_by_role("button", name="Play", exact=True).click()
        _wait(page, "v.currentTime > 0.7")
        assert answers[0].status == 206
        page.keyboard.press("k")
        _wait(page, "v.paused")

        before = _video(page, "currentTime")
        page.keyboard.press(".")
        _wait(page, f"!v.seeking && v.currentTime > {before}")
        assert _video(page, "currentTime") - before < 0.1
        page.keyboard.press(",")
        page.keyboard.press("Shift+>")
        assert _video(page, "playbackRate") == 1.5
        page.keyboard.press("5")
        _wait(page, "!v.seeking && Math.abs(v.currentTime - 6) < 0.1")
        page.keyboard.press("l")
        _wait(page, "!v.seeking && v.currentTime > 11")
        page.keyboard.press("j")
        _wait(page, "!v.seeking && v.currentTime < 3")

        page.get_by_role("link", name="0:05", exact=True).click()
        _wait(page, "!v.seeking && v.currentTime === 5")
        box = page.locator("[data-timeline]").bounding_box()
        page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + 20)
        assert page.locator("[data-preview]").inner_text() == "0:09"
        page.mouse.click(box["x"] + box["width"] * 0.25, box["y"] + 20)
        _wait(page, "!v.seeking && Math.abs(v.currentTime - 3) < 0.3")

        page.keyboard.press("n")
        assert page.locator("#note-at").input_value() in ("0:02", "0:03")
        page.keyboard.type("jkl?")
        assert page.locator("#note-text").input_value() == "jkl?"
        assert _video(page, "paused")
        page.locator("h1").click()
        page.keyboard.press("Shift+?")
        assert page.get_by_role("dialog", name="Keyboard").is_visible()
        page.get_by_label("Single keys work anywhere").uncheck(force=True)
        page.get_by_role("button", name="Close").click()
        page.locator("h1").click()
        page.keyboard.press("k")
        assert _video(page, "paused"), "confined to the player, keys do nothing elsewhere"
        assert page.problems == []
    stretches = [s.from_ms for s in ServedRange.objects.all() if s.from_ms is not None]
    assert stretches
    assert ledger.count("recording.range_served") == ServedRange.objects.count()


def test_footage_that_is_locked_while_it_is_open_stops_and_says_why(live):
    with launch() as browser:
        page = _page(browser, live, "Ada Okafor")
        page.goto(f"{live.address}/footage/{live.ids['main']}/")
        page.wait_for_selector(".footage-player--ready")
        done = threading.Thread(target=_lock, args=(live.ids["main"],))
        done.start()
        done.join()
        page.keyboard.press("k")
        page.wait_for_selector(".footage-screen__problem:not([hidden])")
        assert "locked" in page.locator(".footage-screen__problem").inner_text()
        page.reload()
        assert page.get_by_role("heading", name="Locked: nobody may watch this now").is_visible()


def _lock(recording_id):
    recording = Recording.objects.get(pk=recording_id)
    services.lock(recording, reason="Serious injury", by=recording.wearer)
    connection.close()


def test_without_scripts_the_native_player_and_the_forms_remain(live):
    with launch() as browser:
        context = browser.new_context(java_script_enabled=False)
        context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": live.keys["Ada Okafor"], "url": live.address}]
        )
        page = context.new_page()
        page.goto(f"{live.address}/footage/{live.ids['main']}/")
        assert page.locator("video[controls]").is_visible()
        assert not page.locator("[data-controls]").is_visible()
        page.get_by_label("Note", exact=True).fill("Written without scripts")
        follow(page.get_by_role("button", name="Save note"))
        assert page.get_by_text("Written without scripts").is_visible()


@pytest.mark.parametrize(("viewport", "scheme"), [(WIDE, "light"), (PHONE, "dark")])
def test_every_page_is_accessible_and_never_scrolls_sideways(live, viewport, scheme):
    visits = [("Ada Okafor", "/footage/"), ("Ada Okafor", "/footage/?since=x"), ("Ada Okafor", "/footage/?q=zebra")]
    visits += [("Ada Okafor", f"/footage/{live.ids[name]}/") for name in live.ids if name != "deleted"]
    visits += [("Ben Hart", f"/footage/{live.ids['main']}/")]
    visits += [("Eve Moor", f"/footage/{live.ids[name]}/") for name in ("main", "deleted", "locked")]
    with launch() as browser:
        for who, path in visits:
            page = _page(browser, live, who, viewport, scheme)
            page.goto(f"{live.address}{path}")
            page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
            assert_accessible(page, f"{path} as {who}")
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
            assert len(page.content()) < 100_000
            page.context.close()
