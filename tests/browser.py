"""A real Chromium for tests, driven through Playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Locator, expect, sync_playwright

WIDE = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}

_PATIENCE_MS = 20_000.0  # for what a page is expected to come to show, on a machine that is busy with other tests
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def executable() -> str | None:
    """The browser to use: BLUELAMP_CHROMIUM, else one on the path, else None for Playwright's own."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = (shutil.which(name) for name in names)
    return os.environ.get("BLUELAMP_CHROMIUM") or next((path for path in found if path), None)


@contextmanager
def launch() -> Iterator[Browser]:
    """A headless Chromium, closed at the end.

    While it is open this thread has a running event loop, so Django's ORM refuses to work in it: let the pages and
    the command line do the work, or query from another thread.
    """
    expect.set_options(timeout=_PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=_ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def follow(found: Locator) -> None:
    """Click a link or a button that leads to another page, and wait until that page is loaded.

    A click by itself does not wait: whoever reads the page after it may still read the former one, or half of the next.
    """
    with found.page.expect_navigation():
        found.click()
