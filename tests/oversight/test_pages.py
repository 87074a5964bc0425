"""The pages of oversight in a real browser, with footage that is late, watched by many, and shared."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from tests import live, signin
from tests.axe import assert_accessible
from tests.browser import PHONE, WIDE, follow, launch
from tests.oversight import story

pytestmark = [pytest.mark.browser, pytest.mark.server]

ARTEFACTS = Path(__file__).parents[2] / "test-artefacts" / "oversight"
HEAVIEST_PAGE = 100_000


def test_every_page_is_accessible_light_and_dark_wide_and_narrow():
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    with live.running() as server, launch() as browser:
        made = server.call(story.whole_force)
        with browser.new_context(base_url=server.base_url, viewport=WIDE, locale="en-GB") as context:
            page = context.new_page()
            said: list[str] = []
            page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
            signin.in_browser(page, server.base_url, made["username"], made["password"], made["totp_secret"])
            pages = {
                "home": "/",
                "oversight": "/oversight/",
                "ledger": "/audit/",
                "ledger-filtered": "/audit/?group=recording&actor=PC+A+Hale&operation=consultation",
                "ledger-wrong": "/audit/?actor=Nobody+At+All&since=2026-02-30",
                "ledger-empty": "/audit/?since=2031-01-01",
                "event": "/audit/events/20/",
                "who-looked": f"/audit/recordings/{made['recording']}/",
                "operations": "/audit/operations/",
                "report": "/audit/report/",
                "report-wrong": "/audit/report/?since=2026-02-02&until=2026-01-01",
                "proof": "/audit/events/20/proof/",
                "story": f"/footage/{made['recording']}/history/",
                "who-looked-at-mine": "/footage/mine/who-looked/",
                "history-of-a-share": f"/shares/{made['share']}/",
                "history-of-a-case": f"/cases/{made['case']}/",
                "checkpoint": "/audit/checkpoint/",
                "verified": "",
                "public-figures": "/public/figures/",
                "log": "/log/",
                "erasures": "/audit/erasures/",
                "erasure-ask": "/audit/events/20/erase/",
            }
            for name, address in pages.items():
                if address:
                    response = page.goto(address)
                    assert response is not None
                    assert len(response.body()) < HEAVIEST_PAGE, name
                else:
                    note = page.locator("pre").first.inner_text()
                    page.get_by_label("A signed note that you kept (optional)").fill(note)
                    follow(page.get_by_role("button", name="Verify now"))
                    assert "The note that you kept still holds" in page.inner_text("main")
                for scheme, size in product(("light", "dark"), (WIDE, PHONE)):
                    page.set_viewport_size(size)
                    page.emulate_media(color_scheme=scheme)
                    where = f"{name} ({scheme}, {size['width']} px)"
                    assert_accessible(page, where)
                    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), where
                    page.screenshot(path=ARTEFACTS / f"{name}-{scheme}-{size['width']}.png", full_page=True)
            page.goto("/oversight/")
            for details in page.locator("details").all():
                details.locator("summary").click()
            page.set_viewport_size(WIDE)
            assert_accessible(page, "oversight with every query open")
            page.screenshot(path=ARTEFACTS / "oversight-open.png", full_page=True)
            assert not [text for text in said if "422" not in text]
