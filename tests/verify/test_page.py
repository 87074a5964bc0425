"""The page as a solicitor meets it: from the disk, without a network, at a desk and on a telephone."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests import browser
from tests.axe import assert_accessible
from tests.verify import package_cases
from tests.verify.build import OTHER_VKEY, VKEY, WITNESS, WITNESS_VKEY, Recipe, Repeated, write_zip

pytestmark = pytest.mark.browser

MEDIUM = package_cases.MEDIUM


@pytest.fixture
def package(tmp_path: Path) -> Path:
    path = tmp_path / "AB-1.zip"
    path.write_bytes(Recipe().zip())
    return path


@pytest.fixture
def tampered(tmp_path: Path) -> Path:
    path = tmp_path / "AB-1 changed.zip"
    path.write_bytes(Recipe(tampered={MEDIUM: lambda content: content[:-1] + b"x"}).zip())
    return path


def _check(page: Page, package: Path, key: str = "", witness: str = "") -> None:
    page.set_input_files("#file", package)
    page.fill("#keys", key)
    if witness:
        page.get_by_text("Keys of independent witnesses").click()
        page.fill("#witnesses", witness)
    page.get_by_role("button", name="Check the package").click()
    page.wait_for_selector("#verdict")


def test_a_good_package_is_called_good_with_all_six_steps(verifier_page: Page, package: Path) -> None:
    _check(verifier_page, package, VKEY, WITNESS_VKEY)
    expect(verifier_page.get_by_role("heading", name="Good", exact=True)).to_be_focused()
    expect(verifier_page.locator(".steps li.good")).to_have_count(6)
    expect(verifier_page.get_by_role("status")).to_have_text("Good.")
    expect(verifier_page.get_by_text(f"{WITNESS}, ")).to_have_count(2)
    expect(verifier_page.get_by_text("Metropolitan Example Constabulary", exact=True)).to_be_visible()
    expect(verifier_page.get_by_text("22 November 2026 at 07:19 GMT")).to_be_visible()
    assert verifier_page.evaluate("bluelampResult.exit_code") == 0


def test_a_changed_byte_is_named_with_what_it_means_and_what_to_do(verifier_page: Page, tampered: Path) -> None:
    _check(verifier_page, tampered, VKEY)
    expect(verifier_page.get_by_role("heading", name="Evidence of tampering or damage")).to_be_focused()
    found = verifier_page.locator(".problems li")
    expect(found).to_have_count(1)
    expect(found).to_contain_text(MEDIUM)
    expect(found).to_contain_text("At least one byte of it was changed or damaged.")
    expect(found).to_contain_text("What to do:")
    expect(verifier_page.locator(".steps li").nth(1)).to_contain_text("Not good")
    expect(verifier_page.locator(".steps li").nth(2)).to_contain_text("Not checked")


def test_a_timestamp_is_named_and_the_page_says_that_it_did_not_check_it(verifier_page: Page, tmp_path: Path) -> None:
    path = tmp_path / "stamped.zip"
    path.write_bytes(Recipe(stamp=lambda text: b"not looked at").zip())
    _check(verifier_page, path, VKEY)
    expect(verifier_page.get_by_role("heading", name="Timestamp", exact=True)).to_be_visible()
    expect(verifier_page.get_by_text("when it had 5 events")).to_contain_text("It was not checked")
    assert_accessible(verifier_page, "with a timestamp")


def test_without_a_key_the_page_cannot_tell_and_shows_which_to_compare(verifier_page: Page, package: Path) -> None:
    _check(verifier_page, package)
    expect(verifier_page.get_by_role("heading", name="Cannot tell", exact=True)).to_be_focused()
    expect(verifier_page.locator(".keys")).to_have_text(VKEY)
    expect(verifier_page.get_by_text("What the package says of itself")).to_be_visible()
    # The field stays empty: a key that the package brings proves nothing.
    assert verifier_page.input_value("#keys") == ""


def test_a_key_that_comes_later_needs_no_second_reading(verifier_page: Page, package: Path) -> None:
    _check(verifier_page, package)
    # Whoever read it now would find nothing.
    package.unlink()
    verifier_page.fill("#keys", VKEY)
    verifier_page.get_by_role("button", name="Check again").click()
    expect(verifier_page.get_by_role("heading", name="Good", exact=True)).to_be_focused()
    verifier_page.get_by_role("button", name="Check again").click()
    expect(verifier_page.locator(".problems").get_by_text("The file cannot be read.")).to_be_visible()


def test_a_file_chosen_again_is_read_again(verifier_page: Page, package: Path, tampered: Path) -> None:
    _check(verifier_page, package, VKEY)
    package.write_bytes(tampered.read_bytes())
    verifier_page.set_input_files("#file", package)
    verifier_page.locator("#start").click()
    expect(verifier_page.get_by_role("heading", name="Evidence of tampering or damage")).to_be_focused()


def test_another_key_than_the_packages_does_not_count(verifier_page: Page, package: Path) -> None:
    _check(verifier_page, package, OTHER_VKEY)
    expect(
        verifier_page.locator(".problems").get_by_text("The package is not signed with the key that you gave.")
    ).to_be_visible()


def test_a_key_copied_by_halves_is_asked_for_again(verifier_page: Page, package: Path) -> None:
    _check(verifier_page, package, VKEY[:-3])
    expect(verifier_page.locator(".problems").get_by_text("What you gave is not a key.")).to_be_visible()


def test_without_a_file_the_page_asks_for_one(verifier_page: Page) -> None:
    verifier_page.get_by_role("button", name="Check the package").click()
    expect(verifier_page.get_by_role("alert")).to_have_text(
        "Choose the package first: the ZIP file that you were given."
    )
    expect(verifier_page.locator("#file")).to_be_focused()


def test_a_dropped_file_is_taken(verifier_page: Page, package: Path) -> None:
    content = list(package.read_bytes())
    transfer = verifier_page.evaluate_handle(
        """(content) => {
          const transfer = new DataTransfer()
          transfer.items.add(new File([new Uint8Array(content)], 'dropped.zip'))
          return transfer
        }""",
        content,
    )
    verifier_page.dispatch_event("#drop", "dragover", {"dataTransfer": transfer})
    verifier_page.dispatch_event("#drop", "drop", {"dataTransfer": transfer})
    expect(verifier_page.locator("#chosen")).to_contain_text("dropped.zip")
    verifier_page.fill("#keys", VKEY)
    verifier_page.keyboard.press("Tab")
    verifier_page.get_by_role("button", name="Check the package").press("Enter")
    expect(verifier_page.get_by_role("heading", name="Good", exact=True)).to_be_focused()


def test_the_check_is_cancelled_and_says_so(verifier_page: Page, tmp_path: Path) -> None:
    package = tmp_path / "large.zip"
    with package.open("wb") as file:
        write_zip(file, Recipe(media={"data/large.mp4": Repeated(bytes(2**20), 400)}).files())
    verifier_page.set_input_files("#file", package)
    verifier_page.get_by_role("button", name="Check the package").click()
    verifier_page.get_by_role("button", name="Cancel").click()
    expect(verifier_page.get_by_role("alert")).to_contain_text("cancelled")
    assert verifier_page.evaluate("bluelampResult") is None
    expect(verifier_page.get_by_role("button", name="Check the package")).to_be_visible()


def test_words_from_the_package_are_shown_as_text(verifier_page: Page, tmp_path: Path) -> None:
    markup = "<img src=x onerror=alert(1)>"
    edit = package_cases.document(lambda plain: plain.update(case=markup))
    path = tmp_path / "markup.zip"
    path.write_bytes(package_cases.sealed("package.json", edit)())
    _check(verifier_page, path)
    expect(verifier_page.locator("dd").get_by_text(markup)).to_be_visible()
    assert verifier_page.locator("#result img").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [browser.WIDE, browser.PHONE], ids=["desk", "phone"])
def test_every_state_is_accessible(
    chromium: Browser, page_file: Path, package: Path, tampered: Path, scheme: str, size: dict[str, int]
) -> None:
    context = chromium.new_context(offline=True, viewport=size, color_scheme=scheme)
    page = context.new_page()
    page.goto(page_file.as_uri())
    assert_accessible(page, "the empty form")
    page.get_by_text("Keys of independent witnesses").click()
    assert_accessible(page, "the form with witnesses")
    for path, key in ((package, VKEY), (package, ""), (tampered, VKEY)):
        page.set_input_files("#file", path)
        page.fill("#keys", key)
        page.locator("#start").click()
        page.wait_for_selector("#verdict")
        page.get_by_text("Technical result").click()
        assert_accessible(page, f"the result of {path.name} with {key or 'no key'}")
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 0
    context.close()


def test_the_page_allows_nothing_but_itself(page_file: Path) -> None:
    text = page_file.read_text()
    assert "default-src 'none'" in text
    assert "unsafe-inline" not in text
    assert "'unsafe-eval'" not in text
    # Nothing that a browser would fetch.
    assert not [mark for mark in ("<link", "<iframe", "<img", "<script src", "@import", "url(") if mark in text]
