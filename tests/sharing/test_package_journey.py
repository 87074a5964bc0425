"""An officer hands out a package, a prosecutor fetches one, and it is checked with the network cable out."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests import axe, live, signin
from tests.browser import PHONE, WIDE, follow, launch
from tests.sharing import packing

pytestmark = [pytest.mark.browser, pytest.mark.server]


@pytest.fixture(scope="module")
def server() -> Iterator[live.Live]:
    with live.running() as running:
        yield running


@pytest.fixture(scope="module")
def made(server: live.Live) -> dict[str, str]:
    return server.call(packing.seed)


@pytest.fixture(scope="module")
def browser(made: dict[str, str]) -> Iterator[Browser]:
    with launch() as opened:
        yield opened


def test_an_officers_package_is_made_taken_away_and_withdrawn(server, made, browser, tmp_path):
    page = browser.new_page(viewport=WIDE)
    signin.in_browser(page, server.base_url, made["username"], signin.PASSWORD, made["secret"])
    page.goto(f"{server.base_url}/cases/{made['case']}/")
    follow(page.get_by_role("link", name="Make a package"))
    _look(page, "the form")
    page.get_by_label("Who it is for").fill("Jo Reid, CPS")
    follow(page.get_by_role("button", name="Make the package"))
    package = _taken(page, tmp_path, reason="To hand it to the court")
    _look(page, "the package's page")
    page.get_by_label("Why it is withdrawn").fill("Sent to the wrong person")
    follow(page.get_by_role("button", name="Withdraw the package"))
    page.get_by_text("This package was withdrawn.").wait_for()
    assert page.get_by_role("button", name="Download the package").count() == 0
    done = server.bluelamp("verify", package, "--key", made["vkey"])
    assert done.stdout.startswith("Good")


def test_a_prosecutors_package_is_good_to_the_page_that_travels_in_it_without_a_network(
    server, made, browser, tmp_path
):
    page = browser.new_page(viewport=PHONE)
    page.goto(server.mail_to("jo@cps.example", r"(http\S+/share/invitation/\S+)"))
    follow(page.get_by_role("button", name="Send the code"))
    page.get_by_label("One-time code").fill(server.mail_to("jo@cps.example", r"code is (\d{6})"))
    follow(page.get_by_role("button", name="Sign in"))
    follow(page.get_by_role("link", name="Download as a package"))
    _look(page, "the recipient's page")
    follow(page.get_by_role("button", name="Make the package"))
    package = _taken(page, tmp_path)
    _look(page, "the recipient's page with a package")
    result = _checked(browser, package, made["vkey"], tmp_path)
    assert (result["verdict"], result["problems"]) == ("good", [])
    assert result["claims"]["recipient"] == "Jo Reid, CPS"
    content = bytearray(package.read_bytes())
    content[len(content) // 2] ^= 1
    package.write_bytes(content)
    assert _checked(browser, package, made["vkey"], tmp_path)["verdict"] == "tampering"


def _taken(page: Page, folder: Path, reason: str = "") -> Path:
    """Waits for the package, downloads it."""
    button = page.get_by_role("button", name="Download the package")
    button.wait_for(timeout=60_000)
    if reason:
        page.get_by_label("Why you download it").fill(reason)
    with page.expect_download() as download:
        button.click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def _checked(browser: Browser, package: Path, vkey: str, folder: Path) -> dict[str, Any]:
    """What verify.html, unpacked from the package, says of it; nothing can be fetched meanwhile."""
    with zipfile.ZipFile(package) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("/verify.html")]
        archive.extract(name, folder)
    context = browser.new_context(viewport=WIDE, offline=True)
    page = context.new_page()
    page.goto((folder / name).as_uri())
    page.set_input_files("#file", package)
    page.fill("#keys", vkey)
    page.click("#start")
    page.locator("#verdict").wait_for(timeout=60_000)
    result: dict[str, Any] = page.evaluate("window.bluelampResult")
    context.close()
    return result


def _look(page: Page, where: str) -> None:
    axe.assert_accessible(page, where)
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0, f"{where} is wider than the window"
