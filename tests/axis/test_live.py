"""A body-worn system against a real `bluelamp up`, and its manager in a real browser."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest
import swiftclient

from tests import axe, browser, live, signin
from tests.axis.system import System, bookmark, encrypt, meta

pytestmark = [pytest.mark.server, pytest.mark.browser]

_SCREENS = Path(os.environ["SCREENSHOTS"]) if "SCREENSHOTS" in os.environ else None


def test_from_the_connection_file_to_a_recording_that_can_be_watched(mkv: bytes, tmp_path: Path) -> None:
    from tests.axis import seed

    with live.running() as server:
        made = server.call(seed.force)
        out = tmp_path / "connection.json"
        server.bluelamp("axis", "connection-file", "--out", out, "--name", "Northgate, Axis", "--encryption")
        file = json.loads(out.read_text())
        with System(server.base_url, file) as system:
            _send(system, made["warrant"], mkv)
            found = server.call(seed.ready, serial=system.serial)
            assert found["sha256"] == hashlib.sha256(mkv).hexdigest(), "what was inside the encrypted clip"
            assert found["viewing"], "MKV gets a copy that a browser plays"
            assert {"start", "marker"} <= set(found["events"])
            assert found["due"] == "None", "flagged as an arrest"
            _trouble(system, mkv)
        assert not [said for said in server.errors() if not said.startswith("postgres.log")]
        with browser.launch() as chromium:
            for size in (browser.WIDE, browser.PHONE):
                page = chromium.new_page(viewport=size)
                signin.in_browser(page, server.base_url, made["username"], signin.PASSWORD, made["secret"])
                _walk(page, server.base_url, found["id"], f"{size['width']}")
                page.context.close()


def _send(system: System, warrant: str, mkv: bytes) -> None:
    """One encrypted clip through Swift's own client; its key follows, then a bookmark."""
    system.sign_in()
    system.announce(user_id=warrant)
    system.open()
    sealed, key = encrypt(mkv, system.file)
    client = swiftclient.Connection(
        system.file["AuthenticationTokenURI"][0], system.file["BlobAPIUserName"], system.file["BlobAPIKey"]
    )
    etag = client.put_object(system.container, system.clip_name(), sealed, headers=system.clip_meta())
    assert etag == hashlib.md5(sealed).hexdigest()
    client.put_object(system.container, system.clip_name() + ".key", key, headers=meta("Object", FileType="key"))
    client.put_object(system.container, "bookmark_1", b"Detained", headers=bookmark(system.began, "arrest", "Arrest"))
    client.close()
    assert system.complete().status_code == 204


def _trouble(system: System, mkv: bytes) -> None:
    """Somebody unknown, a user without a number, rejected content."""
    assert system.put("u_x_20261122T071905Z", system.container_meta(BWCSerialNumber="NOSUCH")).status_code == 400
    assert system.put("Users/7", meta("Object", Name="Loan")).status_code == 201
    name = "RejectedContent_20261122T071905Z_7"
    said = meta("Container", RejectedContentReason="No duration", RejectedContentOriginalContainer="a_b_c")
    assert system.put(name, said).status_code == 201
    assert system.put(f"{name}/x.mkv", content=mkv).status_code == 201


def _walk(page, base: str, recording: str, size: str) -> None:
    for name, path in (
        ("home", "/"),
        ("systems", "/fleet/axis/"),
        ("new", "/fleet/axis/new/"),
        ("rejected", "/fleet/axis/rejected/"),
        ("recording", f"/footage/{recording}/"),
    ):
        page.goto(base + path)
        _look(page, f"{name}-{size}")
    page.goto(f"{base}/fleet/axis/rejected/")
    browser.follow(page.get_by_role("link", name="Decide").first)
    _look(page, f"decide-{size}")
    browser.follow(page.get_by_role("link", name="x.mkv"))
    _look(page, f"rejected-recording-{size}")
    page.goto(f"{base}/fleet/axis/")
    browser.follow(page.get_by_role("link", name="Northgate, Axis", exact=True))
    _look(page, f"system-{size}")
    browser.follow(page.get_by_role("link", name="Say who it is").first)
    _look(page, f"user-{size}")
    page.goto(f"{base}/fleet/axis/new/")
    page.get_by_label("Name of the system").fill(f"System {size}")
    page.get_by_label("Unit that its cameras belong to").select_option(index=1)
    browser.follow(page.get_by_role("button", name="Make the connection file"))
    _look(page, f"issued-{size}")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save the file").click()
    said = json.loads(Path(download.value.path()).read_text())
    assert said["BlobAPI"] == "Swift 1.0"
    assert said["AuthenticationTokenURI"] == [f"{base}/auth/v1.0"]


def _look(page, name: str) -> None:
    axe.assert_accessible(page, name)
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{name} is wider than its window by {wide}"
    if _SCREENS is not None:
        page.screenshot(path=str(_SCREENS / f"{name}.png"), full_page=True)
