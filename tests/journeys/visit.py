"""Somebody at a browser, watched for everything that must not happen on any page.

Each page that a visitor comes to is looked at (`look`): no accessibility finding, in light and dark, on a desktop and
on a phone; no sideways scrolling; no error on the console, no breach of the content security policy, no failed
request; less than 100 kB before media. `leave` tells everything that was found, a page passed without a look included.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request, Response

from tests import signin
from tests.axe import assert_accessible
from tests.browser import PHONE, WIDE, follow

ARTEFACTS = Path(__file__).parents[2] / "test-artefacts" / "journeys"
HEAVIEST_PAGE = 100_000  # bytes as sent, before media
_OF_THE_PAGE = {"Document", "Stylesheet", "Script", "Font", "Image"}

_CUT_CAPTIONS = """() => [...document.querySelectorAll('caption:not(.govuk-visually-hidden)')]
    .filter(caption => caption.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
    .map(caption => caption.textContent)"""

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")

_examined: set[tuple[str, int, int]] = set()
"""Kinds of pages that were examined on a phone and in the dark already; it takes time."""


class Visitor:
    """One person's browser with one tab."""

    def __init__(self, browser: Browser, base_url: str, journey: str, **options: Any) -> None:
        self._context = browser.new_context(
            base_url=base_url, viewport=WIDE, locale="en-GB", reduced_motion="reduce", **options
        )
        self.page: Page = self._context.new_page()
        self._has_scripts = bool(options.get("java_script_enabled", True))
        self.status = 0
        self._base_url, self._journey = base_url, journey
        self._problems: list[tuple[int, str]] = []
        self._found: list[str] = []
        self._passed: set[str] = set()
        self._looked_at: set[str] = set()
        self._weighs: dict[str, int] = {}
        self._under_way: dict[str, tuple[str, str]] = {}
        self._listen()

    def go(self, path: str) -> None:
        """Open an address of the site."""
        self.page.goto(path)

    def press(self, name: str, *, exact: bool = True) -> None:
        """Press the button, or follow the link, of that name, and wait for the page that comes."""
        main = self.page.get_by_role("main")
        found = main.get_by_role("button", name=name, exact=exact).or_(main.get_by_role("link", name=name, exact=exact))
        follow(found.first)

    def open(self, summary: str) -> None:
        """Open the part of the page that is folded under these words."""
        self.page.locator("summary", has_text=summary).first.click()

    def sign_in(self, account: dict[str, str]) -> None:
        """With password and one-time code, looking at both pages on the way."""
        self.go("/account/login/")
        self.look("sign-in")
        self.page.get_by_label("Username", exact=True).fill(account["username"])
        self.page.locator("input[name=password]").fill(account["password"])
        self.press("Sign in")
        self.look("one-time-code")
        self.page.get_by_label("Code", exact=True).fill(signin.fresh_code(account["totp_secret"]))
        self.press("Continue")

    def wait(self, expression: str, seconds: float = 30) -> None:
        """Until a JavaScript expression is true. (Playwright's own way is stopped by our content security policy.)"""
        deadline = time.monotonic() + seconds
        while not self.page.evaluate(expression):
            assert time.monotonic() < deadline, f"waited in vain for {expression}"
            self.page.wait_for_timeout(50)

    @property
    def text(self) -> str:
        """What the page says, in one line."""
        return " ".join(self.page.inner_text("main").split())

    def look(self, step: str, *, refused: int = 0) -> None:
        """Examine the page as it stands and keep its picture, wide and narrow, under the step's name.

        `refused`: the HTTP status with which this page, or something that it asked for, was refused as it should be.
        """
        page = self.page
        page.wait_for_load_state("load")
        self._wait_for_the_weight()
        self._looked_at.add(_kind(page.url))
        where = f"{self._journey}, {step}"
        weight = sum(self._weighs.values())
        if weight >= HEAVIEST_PAGE:
            heaviest = sorted(self._weighs.items(), key=lambda part: -part[1])[:6]
            self._found.append(f"{where}: {weight:,} bytes before media; the heaviest are {heaviest}")
        kind = (_kind(page.url), self.status, page.locator("video").count())
        examined = kind in _examined
        if self._has_scripts:
            _examined.add(kind)
        ARTEFACTS.mkdir(parents=True, exist_ok=True)
        for size in (WIDE, PHONE):
            page.set_viewport_size(size)
            mode = f"{where} (light, {size['width']} px)"
            sideways = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            if sideways > 0:
                self._found.append(f"{mode}: scrolls {sideways} px sideways")
            self._found += [f"{mode}: the caption “{caption}” is cut off" for caption in page.evaluate(_CUT_CAPTIONS)]
            if size is WIDE or not examined:
                self._examine(mode)
            page.screenshot(path=ARTEFACTS / f"{self._journey}-{step}-{size['width']}.png", full_page=True)
        if not examined:
            page.emulate_media(color_scheme="dark")
            for size in (PHONE, WIDE):
                page.set_viewport_size(size)
                self._examine(f"{where} (dark, {size['width']} px)")
        page.set_viewport_size(WIDE)
        page.emulate_media(color_scheme="light")
        self._gather_problems(where, refused)

    def forgive(self, *words: str) -> None:
        """Take no offence at what went wrong since the last look where it says one of these words."""
        self._problems[:] = [problem for problem in self._problems if not any(word in problem[1] for word in words)]

    def leave(self) -> list[str]:
        """Close the browser. Returns all that was found wrong on the way, in words."""
        self._gather_problems(f"{self._journey}, at the end", 0)
        self._context.close()
        for path in sorted(self._passed - self._looked_at):
            self._found.append(f"{self._journey}: {path} was never looked at")
        return self._found

    def fetch(self, address: str, first: int = 0, last: int = 999) -> tuple[int, str, int]:
        """Ask for a stretch of bytes from within the page, as its player does: status, type and how many came."""
        status, kind, size = self.page.evaluate(
            """async ([address, range]) => {
                const answer = await fetch(address, {headers: {Range: range}})
                return [answer.status, answer.headers.get('Content-Type'), (await answer.arrayBuffer()).byteLength]
            }""",
            [address, f"bytes={first}-{last}"],
        )
        return status, kind, size

    @property
    def at(self) -> float:
        """The second that the page's video shows."""
        return float(self.page.evaluate("document.querySelector('video').currentTime"))

    @property
    def source(self) -> str:
        """The address of the page's video."""
        return str(self.page.locator("video").get_attribute("src"))

    def _listen(self) -> None:
        page = self.page
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self._problems.append((0, f"script error: {error}")))
        page.on("requestfailed", self._on_failure)
        page.on("response", self._on_response)
        page.on("framenavigated", lambda frame: self._on_arrival(frame.url) if frame == page.main_frame else None)
        devtools = self._context.new_cdp_session(page)
        devtools.send("Network.enable")
        # Each page is weighed as if it were the first.
        devtools.send("Network.setCacheDisabled", {"cacheDisabled": True})

        def begins(event: dict[str, Any]) -> None:
            kind, path = event["type"], urlsplit(event["request"]["url"]).path
            if kind == "Document":
                self._weighs, self._under_way = {}, {}
            if path.startswith("/") and kind != "Media" and not path.startswith("/media/"):
                self._under_way[event["requestId"]] = (kind, path)

        def ends(event: dict[str, Any]) -> None:
            _, path = self._under_way.pop(event["requestId"], ("", ""))
            if path:
                self._weighs[path] = self._weighs.get(path, 0) + int(event["encodedDataLength"])

        devtools.on("Network.requestWillBeSent", begins)
        devtools.on("Network.loadingFinished", ends)
        devtools.on("Network.loadingFailed", lambda event: self._under_way.pop(event["requestId"], None))

    def _wait_for_the_weight(self) -> None:
        """Until all that belongs to the page has come. That a page is loaded is told before what its parts weighed is.

        What its scripts ask for later is not waited for; it may be asked for again and again.
        """
        deadline = time.monotonic() + 20
        while waits := [path for kind, path in self._under_way.values() if kind in _OF_THE_PAGE]:
            assert time.monotonic() < deadline, f"{self.page.url} never got {waits}"
            self.page.wait_for_timeout(10)

    def _on_console(self, message: Any) -> None:
        if message.type not in ("error", "warning"):
            return
        refused = re.search(r"responded with a status of (\d+)", message.text)
        self._problems.append((int(refused[1]) if refused else 0, f"console: {message.text} {message.location}"))

    def _on_failure(self, request: Request) -> None:
        # The browser itself gives up what a left page, a seek or a download makes needless.
        if request.failure != "net::ERR_ABORTED":
            self._problems.append((0, f"request failed: {request.url}: {request.failure}"))

    def _on_response(self, response: Response) -> None:
        if response.status >= 400:
            self._problems.append((response.status, f"{response.status} for {response.url}"))
        if response.request.is_navigation_request() and response.frame == self.page.main_frame:
            self.status = response.status

    def _on_arrival(self, url: str) -> None:
        if url.startswith(self._base_url):
            self._passed.add(_kind(url))

    def _examine(self, mode: str) -> None:
        if not self._has_scripts:
            return
        try:
            assert_accessible(self.page, mode)
        except pytest.fail.Exception as found:
            self._found.append(str(found))

    def _gather_problems(self, where: str, refused: int) -> None:
        for status, said in self._problems:
            if not refused or status != refused:
                self._found.append(f"{where}: {said}")
        self._problems.clear()


def _kind(url: str) -> str:
    """The address without the ids in it."""
    path = _UUID.sub("ID", urlsplit(url).path)
    return re.sub(r"/(\d+|BL\d+|[\w-]{30,})(?=/|$)", "/ID", path)
