"""An officer adds CCTV and a member of the public's video; the connection breaks in the middle, and it goes on."""

from __future__ import annotations

import base64
import hashlib
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Dialog, Route, expect

from tests.browser import PHONE, WIDE, follow
from tests.journeys.conftest import Force, Visitors
from tests.journeys.visit import ARTEFACTS, Visitor
from tests.media import samples

pytestmark = [pytest.mark.browser, pytest.mark.server]

PHONE_BYTES = 40 * 1024 * 1024
"""More than two of the pieces in which the page sends a file."""

_DROP = """async (files) => {
    const transfer = new DataTransfer()
    for (const file of files) {
        const bytes = Uint8Array.from(atob(file.base64), letter => letter.charCodeAt(0))
        transfer.items.add(new File([bytes], file.name, {type: file.type || ''}))
    }
    for (const kind of ['dragenter', 'dragover', 'drop']) {
        document.querySelector('[data-drop]').dispatchEvent(
            new DragEvent(kind, {dataTransfer: transfer, bubbles: true, cancelable: true}))
    }
}"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A real H.264 film as the shop's recorder gives it, and what a phone gave that nothing here can play."""
    folder = tmp_path_factory.mktemp("handed-over")
    (folder / "camera 2.mp4").write_bytes(samples.video(4))
    (folder / "IMG_0412.MOV").write_bytes(random.Random(412).randbytes(PHONE_BYTES))
    return {path.name: path for path in folder.iterdir()}


def test_an_officer_adds_cctv_and_a_phones_video_over_a_breaking_connection(
    force: Force, visitor: Visitors, files: dict[str, Path]
) -> None:
    officer = visitor(force.cameras[1]["wearer"])
    officer.go("/footage/")
    officer.look("list")
    officer.press("Add footage")
    officer.look("empty-form")
    officer.press("Save and choose the files")
    officer.look("wrong-form", refused=422)
    _says_what_it_is(officer)
    officer.look("nothing-yet")
    _what_is_no_footage_is_asked_about(officer)
    _the_film_is_dropped(officer, files["camera 2.mp4"])
    _the_phones_file_breaks_off_and_goes_on(officer, files["IMG_0412.MOV"])
    _after_the_page_was_left_it_goes_on_too(officer, files["IMG_0412.MOV"])
    _the_same_again_is_known(officer, files["camera 2.mp4"])
    _the_recording_says_where_it_came_from(officer)


def _says_what_it_is(officer: Visitor) -> None:
    began = datetime.now(UTC) - timedelta(days=2)
    page = officer.page
    page.get_by_label("CCTV").check(force=True)
    page.get_by_label("Where was it recorded?").fill("Corner shop, 14 High Street")
    page.get_by_label("Date on which it begins").fill(f"{began:%Y-%m-%d}")
    page.get_by_label("Time at which it begins").fill("21:14:05")
    page.get_by_label("It was fast").check(force=True)
    page.get_by_label("Off by: minutes").fill("3")
    page.get_by_label("Who handed it over, and how?").fill("J. Brook, the manager, on a USB stick")
    page.get_by_label("Exhibit reference").fill("JB/1")
    page.get_by_label("It is evidence", exact=True).check(force=True)
    page.get_by_label("Category").select_option(label="Violence against the person")
    page.get_by_label("Why is it evidence?").fill("The door is struck")
    officer.press("Save and choose the files")


def _what_is_no_footage_is_asked_about(officer: Visitor) -> None:
    """A document is sent only where the officer says so, and of all that is not sent the page says why."""
    page = officer.page
    page.once("dialog", lambda dialog: _declined(dialog, asked))
    asked: list[str] = []
    statement = {"name": "statement.pdf", "type": "application/pdf", "base64": base64.b64encode(b"%PDF-1.7").decode()}
    empty = [{"name": f"camera {number}.mp4", "type": "video/mp4", "base64": ""} for number in (1, 3)]
    page.evaluate(_DROP, [statement, *empty])
    assert len(asked) == 1
    assert asked[0].startswith("statement.pdf: it looks like a document, not like footage.")
    trouble = page.locator("[data-trouble]")
    expect(trouble).to_contain_text("Not everything was sent")
    for name in ("camera 1.mp4", "camera 3.mp4", "statement.pdf"):
        expect(trouble).to_contain_text(name)
    officer.look("not-sent")
    page.evaluate("""() => {
        const ours = DataTransferItem.prototype.webkitGetAsEntry
        DataTransferItem.prototype.webkitGetAsEntry = () => ({isDirectory: true})
        window.restore = () => { DataTransferItem.prototype.webkitGetAsEntry = ours }
    }""")
    page.evaluate(_DROP, [{"name": "export", "base64": ""}])
    expect(page.get_by_role("heading", name="A folder cannot be dropped")).to_be_visible()
    page.evaluate("window.restore()")
    expect(page.locator("[data-rows] li")).to_have_count(0)
    expect(page.locator("[data-file]")).to_have_count(0)


def _declined(dialog: Dialog, asked: list[str]) -> None:
    asked.append(dialog.message)
    dialog.dismiss()


def _a_document_is_sent_where_the_officer_says_so(officer: Visitor) -> None:
    page = officer.page
    page.once("dialog", lambda dialog: dialog.accept())
    document = base64.b64encode(b"%PDF-1.7 the shop's own statement").decode()
    page.evaluate(_DROP, [{"name": "statement.pdf", "type": "application/pdf", "base64": document}])
    sent = page.locator("[data-file][data-state=here]", has_text="statement.pdf")
    expect(sent).to_contain_text("Safe on the server", timeout=30_000)
    expect(sent).to_contain_text("It could not be prepared for viewing", timeout=60_000)
    expect(page.locator("[data-trouble]")).to_be_hidden()
    officer.look("document")


def _the_film_is_dropped(officer: Visitor, film: Path) -> None:
    content = film.read_bytes()
    officer.page.evaluate(_DROP, [{"name": film.name, "base64": base64.b64encode(content).decode()}])
    here = officer.page.locator("[data-file][data-state=here]")
    expect(here).to_have_count(1, timeout=30_000)
    expect(here).to_contain_text(hashlib.sha256(content).hexdigest())
    expect(officer.page.locator("[data-said]")).to_have_text(f"{film.name} is safe on the server.")
    officer.look("film-here")


def _the_phones_file_breaks_off_and_goes_on(officer: Visitor, phone: Path) -> None:
    page = officer.page
    row = page.locator("[data-rows] li")
    let_through = 1

    def cut(route: Route) -> None:
        nonlocal let_through
        if route.request.method == "PATCH" and let_through == 0:
            route.abort("connectionreset")
            return
        let_through -= route.request.method == "PATCH"
        route.continue_()

    page.route("**/dock/tus/**", cut)
    page.get_by_label("Drop files here, or choose them").set_input_files(phone)
    expect(row).to_contain_text("interrupted", timeout=30_000)
    assert page.evaluate("!dispatchEvent(new Event('beforeunload', {cancelable: true}))"), "leaving must be warned of"
    for size in (PHONE, WIDE):
        page.set_viewport_size(size)
        page.screenshot(path=_picture(f"interrupted-{size['width']}"), full_page=True)
    row.get_by_role("button", name="Pause").click()
    expect(row).to_contain_text("Paused")
    officer.forgive("net::ERR_CONNECTION_RESET", "net::ERR_FAILED")
    officer.look("paused")
    cookies = page.context.cookies()
    page.context.clear_cookies()
    row.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    expect(page.get_by_role("link", name="Sign in again")).to_be_visible()
    officer.look("signed-out", refused=401)
    page.context.add_cookies(cookies)  # as they were


def _after_the_page_was_left_it_goes_on_too(officer: Visitor, phone: Path) -> None:
    page = officer.page
    page.unroute("**/dock/tus/**")
    officer.go(page.url)
    arriving = page.locator("[data-file][data-state=arriving]")
    expect(arriving).to_contain_text("has arrived and is kept")
    officer.look("unfinished")
    sent: list[int] = []
    page.on(
        "request",
        lambda one: sent.append(int(one.headers["upload-offset"])) if one.method == "PATCH" else None,
    )
    page.get_by_label("Drop files here, or choose them").set_input_files(phone)
    expect(page.locator("[data-file][data-state=here]")).to_have_count(2, timeout=60_000)
    assert sent
    assert sent[0] >= 16 * 1024 * 1024, "what had arrived is not sent again"
    digest = hashlib.sha256(phone.read_bytes()).hexdigest()
    page.get_by_label("Compare with a SHA-256 that you were told").fill(digest.upper())
    expect(page.locator("[data-compared]")).to_have_text(f"It is the same as that of {phone.name}.")
    officer.look("both-here")


def _the_same_again_is_known(officer: Visitor, film: Path) -> None:
    officer.page.get_by_label("Drop files here, or choose them").set_input_files(film)
    expect(officer.page.locator("[data-file][data-state=twin]")).to_contain_text("not stored twice", timeout=30_000)
    officer.look("again", refused=422)
    _a_document_is_sent_where_the_officer_says_so(officer)
    officer.press("Mark as finished")
    assert "no more files can be added here" in officer.text
    officer.look("finished")


def _the_recording_says_where_it_came_from(officer: Visitor) -> None:
    follow(officer.page.locator("[data-file]", has_text="camera 2.mp4").get_by_role("link").last)
    expect(officer.page.get_by_role("heading", name="Watch this recording")).to_be_visible(timeout=60_000)
    for words in ("Added by", "Corner shop, 14 High Street", "3 minutes fast", "J. Brook", "The door is struck"):
        assert words in officer.text, words
    officer.look("recording")


def _picture(name: str) -> Path:
    return ARTEFACTS / f"adding-{name}.png"


def test_without_scripts_the_form_works_and_the_next_page_says_what_is_missing(force: Force, visitor: Visitors) -> None:
    officer = visitor(force.cameras[1]["wearer"], java_script_enabled=False)
    officer.go("/footage/add/")
    officer.look("form-without-scripts")
    _says_what_it_is(officer)
    assert "What you said is saved. Sending files needs JavaScript" in officer.text
    assert not officer.page.get_by_label("Drop files here, or choose them").is_visible()
    officer.look("files-without-scripts")
