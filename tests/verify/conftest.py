"""A browser without a network, with the verifier's page open from the disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from bluelamp.verify import page as verifier
from tests import browser


@pytest.fixture(scope="session")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """verify.html as it lies in an unpacked package."""
    path = tmp_path_factory.mktemp("unpacked") / "verify.html"
    path.write_bytes(verifier.html())
    return path


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.launch() as running:
        yield running


@pytest.fixture
def verifier_page(chromium: Browser, page_file: Path) -> Iterator[Page]:
    """The page at file://, offline; whatever it says on the console fails the test."""
    context = chromium.new_context(offline=True, viewport=browser.WIDE)
    opened = context.new_page()
    complaints: list[str] = []
    requests: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("request", lambda request: requests.append(request.url))
    opened.goto(page_file.as_uri())
    yield opened
    context.close()
    assert not complaints
    # The page itself and the worker that it carries; nothing else was asked for.
    assert all(url.startswith(("file:", "blob:")) for url in requests)
    assert sum(url.startswith("file:") for url in requests) == 1
