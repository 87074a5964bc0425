"""The visitors of the journeys do notice what must not happen."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser

from tests.journeys.visit import HEAVIEST_PAGE, Visitor

pytestmark = pytest.mark.browser

_HEAD = """<!DOCTYPE html><html lang=en><meta name=viewport content='width=device-width'>
<title>A page</title><link rel=icon href='data:,'><main><h1>A page</h1>"""
_PAGES = {
    "/good/": "",
    "/unnamed-picture/": "<img src='data:image/gif;base64,R0lGODlhAQABAAAAACw='>",
    "/too-wide/": "<p style='width: 2000px'>Wide</p>",
    "/too-heavy/": f"<p>{'heavy ' * (HEAVIEST_PAGE // 6)}</p>",
    "/forbidden-script/": "<script>document.title = 'Done'</script>",
    "/missing-file/": "<link rel=stylesheet href=/nowhere.css>",
}


@pytest.fixture
def site() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = (_HEAD + _PAGES[self.path]).encode() if self.path in _PAGES else b""
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Security-Policy", "script-src 'self'")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("localhost", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/unnamed-picture/", "image-alt"),
        ("/too-wide/", "sideways"),
        ("/too-heavy/", "bytes before media"),
        ("/forbidden-script/", "Content Security Policy"),
        ("/missing-file/", "404 for"),
    ],
)
def test_a_fault_of_a_page_is_told(chromium: Browser, site: str, path: str, told: str) -> None:
    somebody = Visitor(chromium, site, "visit")
    somebody.go(path)
    somebody.look(path.strip("/"))
    assert any(told in found for found in somebody.leave())


def test_a_good_page_is_passed_in_silence_but_not_without_a_look(chromium: Browser, site: str) -> None:
    somebody = Visitor(chromium, site, "visit")
    somebody.go("/good/")
    somebody.look("good")
    somebody.go("/too-wide/")
    assert somebody.leave() == ["visit: /too-wide/ was never looked at"]
