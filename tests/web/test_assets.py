import asyncio
import gzip
import os

import httpx
import pytest

from bluelamp.web.assets import StaticApp, find


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "static"
    (root / "web").mkdir(parents=True)
    (root / "web" / "page.css").write_text("body { margin: 0 }")
    (root / "web" / "page.css.gz").write_bytes(gzip.compress(b"body { margin: 0 }"))
    (root / "web" / "app.mjs").write_text("export {}")
    (tmp_path / "secret.txt").write_text("the root key")
    return root


@pytest.fixture
def ask(folder):
    app = StaticApp([("", folder)])

    def _ask(path, method="GET", **headers):
        async def go():
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                named = {name.replace("_", "-"): value for name, value in headers.items()}
                return await client.request(method, path, headers=named)

        return asyncio.run(go())

    return _ask


def test_the_right_hash_lets_a_browser_keep_the_file_for_ever(ask, folder):
    version = find("web/page.css", [("", folder)]).hash
    answer = ask(f"/web/page.css?v={version}")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("query", ["", "?v=000000000000"])
def test_a_missing_or_old_hash_must_ask_again(ask, query):
    assert ask(f"/web/page.css{query}").headers["cache-control"] == "no-cache"


def test_a_changed_file_has_a_new_hash(folder):
    before = find("web/page.css", [("", folder)]).hash
    (folder / "web" / "page.css").write_text("body { margin: 1px }")
    assert find("web/page.css", [("", folder)]).hash != before


def test_the_gzipped_twin_is_sent_to_whoever_takes_it(ask):
    packed = ask("/web/page.css", accept_encoding="br, gzip")
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.text == "body { margin: 0 }"
    assert packed.headers["vary"] == "accept-encoding"
    for refusal in ("identity", "gzip;q=0", ""):
        assert "content-encoding" not in ask("/web/page.css", accept_encoding=refusal).headers


def test_a_twin_older_than_its_file_is_not_sent(ask, folder):
    (folder / "web" / "page.css").write_text("body { margin: 2px }")
    os.utime(folder / "web" / "page.css.gz", ns=(1, 1))
    answer = ask("/web/page.css", accept_encoding="gzip")
    assert "content-encoding" not in answer.headers
    assert answer.text == "body { margin: 2px }"


def test_an_unchanged_file_is_not_sent_again(ask):
    etag = ask("/web/page.css").headers["etag"]
    answer = ask("/web/page.css", if_none_match=f'"other", W/{etag}')
    assert answer.status_code == 304
    assert answer.content == b""


def test_head_answers_without_the_body(ask):
    answer = ask("/web/page.css", method="HEAD", accept_encoding="identity")
    assert answer.headers["content-length"] == "18"
    assert answer.content == b""


def test_other_methods_are_refused(ask):
    answer = ask("/web/page.css", method="POST")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/web",
        "/web/",
        "/web/nothing.css",
        "/web/page.css.gz",
        "/%2e%2e/secret.txt",
        "/web/%2e%2e/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/..%5csecret.txt",
        "/%2fetc/passwd",
        "/web/page.css%00",
    ],
)
def test_nothing_but_a_file_in_the_folders_is_served(ask, path):
    answer = ask(path)
    assert answer.status_code == 404
    assert "root key" not in answer.text


def test_a_symbolic_link_does_not_lead_out(ask, folder):
    (folder / "web" / "link.txt").symlink_to(folder.parent / "secret.txt")
    assert ask("/web/link.txt").status_code == 404


def test_modules_are_javascript_whatever_the_machine_thinks(ask):
    assert ask("/web/app.mjs").headers["content-type"] == "text/javascript; charset=utf-8"


def test_a_page_links_its_static_files_with_their_hash_and_they_are_there(site):
    page = site.get("/footage/").text
    addresses = [part.split('"')[0] for part in page.split('"/static/')[1:]]
    assert {address.split("?v=")[0] for address in addresses} == {
        "vendor/bluelamp.css",
        "vendor/bluelamp.js",
        "vendor/htmx.min.js",
        "web/lamp.svg",
    }
    for address in addresses:
        answer = site.get(f"/static/{address}")
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
