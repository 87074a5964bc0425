import re
from itertools import product

import httpx
import pytest

from tests.axe import assert_accessible, findings
from tests.browser import PHONE, WIDE

pytestmark = pytest.mark.browser

PAGES = (
    "/_components",
    "/footage/",
    "/public/",
    "/say/success/",
    "/fail/not-allowed/",
    "/fail/crash/",
    "/fail/busy/",
    "/public/fail/not-signed-in/",
    "/nowhere/",
)

# (foreground, background, least contrast): WCAG 2.2, 1.4.3 for text and 1.4.11 for edges and bars.
BODY = "--govuk-body-background-colour"
PAIRS = [
    *((f"--govuk-{name}-colour", BODY, 4.5) for name in ("text", "secondary-text", "error", "success")),
    *((f"--govuk-link{state}-colour", BODY, 4.5) for state in ("", "-visited", "-hover", "-active")),
    *((f"--govuk-{name}-colour", "--bl-surface", 4.5) for name in ("text", "secondary-text", "error")),
    *((f"--govuk-link{state}-colour", "--bl-surface", 4.5) for state in ("", "-visited", "-hover", "-active")),
    *((f"--bl-{tone}", BODY, 4.5) for tone in ("good", "caution", "bad", "bad-strong")),
    ("--govuk-link-hover-colour", "--bl-surface-strong", 4.5),
    ("--govuk-secondary-text-colour", "--govuk-template-background-colour", 4.5),
    ("--govuk-focus-text-colour", "--govuk-focus-colour", 4.5),
    ("--bl-header-text", "--bl-header", 4.5),
    ("--bl-header-muted", "--bl-header", 4.5),
    ("#ffffff", "--bl-button", 4.5),
    ("#ffffff", "--bl-button-hover", 4.5),
    ("#ffffff", "--bl-warning", 4.5),
    ("#ffffff", "--bl-warning-hover", 4.5),
    ("#ffffff", "--govuk-brand-colour", 4.5),
    ("--bl-quiet-text", "--bl-quiet", 4.5),
    ("--bl-quiet-text", "--bl-quiet-hover", 4.5),
    ("--govuk-input-border-colour", BODY, 3),
    ("--govuk-input-border-colour", "--bl-surface", 3),
    ("--bl-issued", BODY, 3),
    ("--bl-planned", BODY, 3),
    ("--bl-issued", "--bl-surface-strong", 3),
    ("--bl-lamp", "--bl-header", 3),
]


@pytest.mark.parametrize(("scheme", "viewport"), list(product(("light", "dark"), (WIDE, PHONE))))
def test_no_page_has_an_accessibility_finding_or_scrolls_sideways(site, chromium, scheme, viewport):
    with chromium.new_context(viewport=viewport, color_scheme=scheme) as context:
        page = context.new_page()
        for path in PAGES:
            page.goto(site.url + path)
            assert_accessible(page, f"{path} ({scheme}, {viewport['width']} px)")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_the_accessibility_check_does_find_what_is_wrong(site, chromium):
    with chromium.new_context() as context:
        page = context.new_page()
        page.goto(f"{site.url}/footage/")
        page.evaluate("document.querySelector('main').innerHTML = '<img src=x><p>faint</p>'")
        page.evaluate("document.querySelector('main p').style.color = '#bbb'")
        assert {"color-contrast", "image-alt"} <= {finding["id"] for finding in findings(page)}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_pair_of_colours_has_enough_contrast(site, chromium, scheme):
    with chromium.new_context(color_scheme=scheme) as context:
        page = context.new_page()
        page.goto(f"{site.url}/footage/")
        low = []
        for front, back, least in PAIRS:
            contrast = _contrast(_colour(page, front), _colour(page, back))
            if contrast < least:
                low.append(f"{front} on {back}: {contrast:.2f}, needs {least}")
        assert low == []


def test_a_page_breaks_no_policy_and_its_scripts_run(site, chromium):
    with chromium.new_context() as context:
        page = context.new_page()
        said = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(f"{site.url}/_components")
        page.wait_for_function("window.htmx !== undefined")
        assert said == []


def test_progress_moves_by_events_and_by_asking(site, chromium):
    with chromium.new_context() as context:
        page = context.new_page()
        page.goto(f"{site.url}/_components")
        page.wait_for_selector("#streamed[data-state=done]")
        assert page.inner_text("#streamed [role=status]") == "Everything is here."
        assert page.evaluate("document.querySelector('#streamed progress').position") == 1
        page.wait_for_selector("#polled[data-state=done]", timeout=5000)
        assert page.inner_text("#polled [role=status]") == "The package is ready."
        assert page.get_attribute("#polled", "hx-get") is None


def test_a_page_is_readable_without_javascript(site, chromium):
    with chromium.new_context(java_script_enabled=False, viewport=PHONE) as context:
        page = context.new_page()
        page.goto(f"{site.url}/_components")
        for link in ("Footage", "Cases", "Requests"):
            assert page.get_by_role("navigation", name="Menu").get_by_role("link", name=link).is_visible()
        assert page.get_by_role("heading", name="Cameras", exact=True).is_visible()
        assert page.get_by_role("link", name="Reload to see how far it is").first.is_visible()


def test_the_first_tab_stop_skips_to_the_content(site, chromium):
    with chromium.new_context() as context:
        page = context.new_page()
        page.goto(f"{site.url}/footage/")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to main content"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main-content"


def test_the_menu_opens_on_a_phone_by_keyboard(site, chromium):
    with chromium.new_context(viewport=PHONE) as context:
        page = context.new_page()
        page.goto(f"{site.url}/footage/")
        link = page.get_by_role("navigation", name="Menu").get_by_role("link", name="Cases")
        assert not link.is_visible()
        page.get_by_role("button", name="Menu").focus()
        page.keyboard.press("Enter")
        assert link.is_visible()


def test_an_error_in_the_summary_leads_to_its_field(site, chromium):
    with chromium.new_context() as context:
        page = context.new_page()
        page.goto(f"{site.url}/_components")
        for error in page.query_selector_all(".govuk-error-summary__list a"):
            error.click()
            assert page.evaluate("document.activeElement.id") == error.get_attribute("href")[1:]


def test_a_message_is_said_once_and_escaped(site, chromium):
    with chromium.new_context() as context:
        page = context.new_page()
        page.goto(f"{site.url}/say/success/")
        assert "The recording <AB/1> is kept as evidence." in page.inner_text(".govuk-notification-banner")
        page.reload()
        assert page.query_selector(".govuk-notification-banner") is None


def test_a_page_weighs_less_than_100_kb(site):
    for path in ("/footage/", "/_components"):
        page = httpx.get(site.url + path)
        addresses = re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text)
        files = sum(len(_sent(site.url + address)) for address in addresses)
        assert len(page.content) + files < 100_000, path


def _sent(url):
    with httpx.stream("GET", url, headers={"accept-encoding": "gzip"}) as answer:
        return b"".join(answer.iter_raw())


def _colour(page, name):
    probe = """(value) => {
        const element = document.body.appendChild(document.createElement('i'))
        element.style.color = value.startsWith('--') ? `var(${value})` : value
        const colour = getComputedStyle(element).color
        element.remove()
        return colour
    }"""
    return [int(part) for part in re.findall(r"\d+", page.evaluate(probe, name))[:3]]


def _contrast(one, other):
    def luminance(colour):
        parts = [c / 255 for c in colour]
        red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
