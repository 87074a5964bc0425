"""The pages of retention in a real browser: empty and full, wide and narrow, and two people who change the policy."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from tests import live, signin
from tests.axe import assert_accessible
from tests.browser import PHONE, WIDE, follow, launch
from tests.retention import story

pytestmark = [pytest.mark.browser, pytest.mark.server]

ARTEFACTS = Path(__file__).parents[2] / "test-artefacts" / "retention"
HEAVIEST_PAGE = 100_000


def look_at(page, name: str, address: str = "") -> None:
    """Every form of one page: accessible, inside its width, light enough; with a picture of each."""
    if address:
        response = page.goto(address)
        assert response is not None
        assert response.status == 200, name
        assert len(response.body()) < HEAVIEST_PAGE, name
    for scheme, size in product(("light", "dark"), (WIDE, PHONE)):
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme)
        where = f"{name} ({scheme}, {size['width']} px)"
        assert_accessible(page, where)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), where
        page.screenshot(path=ARTEFACTS / f"{name}-{scheme}-{size['width']}.png", full_page=True)


def test_retention_is_changed_with_care_in_a_browser():
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    with live.running() as server, launch() as browser:
        author = server.call(story.empty_force)
        with browser.new_context(base_url=server.base_url, viewport=WIDE, locale="en-GB") as context:
            page = context.new_page()
            said: list[str] = []
            page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
            signin.in_browser(page, server.base_url, author["username"], author["password"], author["totp_secret"])
            for name in ("", "held-back/", "holds/", "reviews/", "held-back/decide/", "reviews/decide/", "deletions/"):
                look_at(page, f"empty-{name.strip('/').replace('/', '-') or 'policy'}", f"/policy/{name}")
            made = server.call(story.work)
            pages = {
                "policy": "/policy/",
                "versions": "/policy/versions/",
                "propose": "/policy/propose/",
                "proposal": f"/policy/proposals/{made['proposal']}/",
                "held-back": "/policy/held-back/",
                "shortening": f"/policy/held-back/{made['shortening']}/",
                "correction": f"/policy/held-back/{made['correction']}/",
                "decide-held-back": "/policy/held-back/decide/",
                "holds": "/policy/holds/",
                "holds-filtered": "/policy/holds/?kind=legal&state=due&words=Matter",
                "hold": f"/policy/holds/{made['hold']}/",
                "reviews": "/policy/reviews/",
                "decide-reviews": "/policy/reviews/decide/",
                "place-hold": f"/policy/recordings/{made['plain']}/hold/",
            }
            for name, address in pages.items():
                look_at(page, name, address)
            page.goto(f"/policy/proposals/{made['proposal']}/")
            for details in page.locator("main details").all():
                details.locator("summary").click()
            look_at(page, "proposal-open")

            page.goto("/policy/propose/")
            page.get_by_label("Default, days", exact=True).fill("many")
            page.get_by_label("Arrest: kept for, days").fill("-1")
            follow(page.get_by_role("button", name="Show what this would do"))
            look_at(page, "propose-wrong")
            page.get_by_label("Default, days", exact=True).fill("28")
            page.get_by_label("Arrest: kept for, days").fill("")
            page.get_by_label("Training or test: in place of the default, days").fill("21")
            page.get_by_label("Reason").fill("The board decided on 28 days.")
            follow(page.get_by_role("button", name="Show what this would do"))
            assert "a colleague has to approve it" in page.inner_text("main")
            assert page.get_by_role("button", name="Approve").count() == 0
            own = page.url
        with browser.new_context(base_url=server.base_url, viewport=PHONE, locale="en-GB") as context:
            page = context.new_page()
            signin.in_browser(page, server.base_url, made["username"], made["password"], made["totp_secret"])
            page.goto(own)
            page.get_by_label("Reason").fill("Looked at with the board.")
            follow(page.get_by_role("button", name="Approve"))
            assert "There is a new version of the policy" in page.inner_text("main")
            look_at(page, "versions-after")
            look_at(page, "proposal-stale", f"/policy/proposals/{made['proposal']}/")

            page.goto("/policy/held-back/decide/")
            page.get_by_label("Yes, approve the edit").check()
            page.get_by_label("Reason").fill("All of one night.")
            follow(page.get_by_role("button", name="Decide on all of them"))
            assert "Look at 5 more of the sample first" in page.inner_text("main")
            look_at(page, "decide-held-back-refused")
            for link in [each.get_attribute("href") for each in page.get_by_role("link", name="Recorded").all()]:
                page.goto(str(link))
            page.goto("/policy/held-back/decide/")
            assert "You have opened all of them" in page.inner_text("main")
            page.get_by_label("Yes, approve the edit").check()
            page.get_by_label("Reason").fill("All of one night.")
            follow(page.get_by_role("button", name="Decide on all of them"))
            assert "Decided on 7 edits" in page.inner_text("main")

            page.goto(f"/policy/holds/{made['hold']}/")
            page.get_by_label("No, release it").check()
            page.get_by_label("Reason").fill("The matter is closed.")
            follow(page.get_by_role("button", name="Decide"))
            assert "The hold is released" in page.inner_text("main")
            assert not [text for text in said if "422" not in text]
        assert server.call(story.what_checks_find) == []
        assert not server.errors()
