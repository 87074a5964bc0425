"""`bluelamp witness`: its HTTP, its page, its folder, and what it prints."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import stat
import subprocess
import sys

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bluelamp.cli import witness as command
from bluelamp.formats.add_checkpoint import Submission
from bluelamp.formats.cosignature import WitnessKey, cosignatures
from bluelamp.formats.signed_note import VerifierKey
from bluelamp.kernel.errors import Invalid
from bluelamp.verify.witness import MOST_BODY_BYTES, Witness
from tests.axe import assert_accessible
from tests.browser import PHONE, WIDE, launch
from tests.verify import parties
from tests.verify.static_log import ORIGIN, StaticLog, entry

KEY = Ed25519PrivateKey.from_private_bytes(b"w" * 32)


@pytest.fixture
def log(tmp_path):
    return StaticLog(tmp_path / "log").append(entry(number) for number in range(20))


@pytest.fixture
def kept(tmp_path, log):
    made = Witness(tmp_path / "witness.sqlite", parties.NAME, KEY, [VerifierKey.parse(log.vkey)])
    yield made
    made.close()


def _ask(kept, *requests):
    """The answers of the application to (method, path, content) each, in turn."""

    async def ask():
        transport = httpx.ASGITransport(command.application(kept))
        async with httpx.AsyncClient(transport=transport, base_url="http://witness") as client:
            return [await client.request(method, path, content=content) for method, path, content in requests]

    return asyncio.run(ask())


def _post(log, old, size):
    return "POST", "/add-checkpoint", Submission(old, tuple(log.consistency(old, size)), log.note(size)).body()


def test_a_checkpoint_is_posted_cosigned_and_served(kept, log):
    path = f"/{hashlib.sha256(ORIGIN.encode()).hexdigest()}/checkpoint"
    none, cosigned, conflict, served = _ask(
        kept, ("GET", path, None), _post(log, 0, 7), _post(log, 0, 7), ("GET", path, None)
    )
    assert none.status_code == 404
    assert cosigned.status_code == 200
    assert cosignatures(log.note(7) + cosigned.text, [WitnessKey(parties.NAME, KEY.public_key())])
    assert (conflict.status_code, conflict.text) == (409, "7\n")
    assert conflict.headers["content-type"] == "text/x.tlog.size"
    assert served.text == log.note(7) + cosigned.text


@pytest.mark.parametrize(
    "request_",
    [
        ("GET", "/add-checkpoint", None),
        ("PUT", "/add-checkpoint", b""),
        ("POST", "/", b""),
        ("POST", "/healthz", b""),
        ("GET", "/witness.key", None),
        ("GET", "/../witness.key", None),
        ("GET", "/..%2f..%2fwitness.key/checkpoint", None),
    ],
)
def test_there_is_nothing_else_to_ask_for(kept, request_):
    assert _ask(kept, request_)[0].status_code in (404, 405)


def test_a_body_larger_than_any_right_one_is_not_read(kept):
    async def endless():
        for _ in range(1000):
            yield b"a" * MOST_BODY_BYTES
        raise AssertionError("all of it was read")

    assert _ask(kept, ("POST", "/add-checkpoint", endless()))[0].status_code == 413


def test_a_body_that_does_not_come_is_not_waited_for(kept, monkeypatch):
    monkeypatch.setattr(command, "_BODY_SECONDS", 0.01)

    async def slow():
        yield b"old 0\n"
        await asyncio.Event().wait()

    assert _ask(kept, ("POST", "/add-checkpoint", slow()))[0].status_code == 408


def test_requests_take_turns_and_are_told_when_it_takes_too_long(kept, log, monkeypatch):
    monkeypatch.setattr(command, "_TURN_SECONDS", 0.01)
    desk = command._Desk(kept)

    class Request:
        async def stream(self):
            yield _post(log, 0, 7)[2]

    async def go():
        await desk.turn.acquire()
        busy = await desk.add_checkpoint(Request())
        desk.turn.release()
        return busy, await desk.add_checkpoint(Request())

    busy, done = asyncio.run(go())
    assert (busy.status_code, busy.headers["retry-after"]) == (503, "5")
    assert done.status_code == 200


def test_the_page_says_what_is_witnessed_and_under_which_key(kept, log):
    page = _ask(kept, _post(log, 0, 7), ("GET", "/", None))[1]
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    text = page.text.replace("&#43;", "+")
    assert ORIGIN in text
    assert kept.vkey in text
    assert log.vkey in text
    assert re.search(r'<td class="number"[^>]*>7</td>', text)
    assert "No checkpoint with a log's signature was refused" in text


def test_the_page_shows_a_fork_with_both_checkpoints(kept, log):
    other = StaticLog(log.folder).append(entry(number, "other") for number in range(20))
    refused, page = _ask(kept, _post(log, 0, 7), _post(other, 7, 9), ("GET", "/", None))[1:]
    assert refused.status_code == 422
    assert "A log signed two histories" in page.text
    text = page.text.replace("&#43;", "+")
    assert log.note(7).splitlines()[2] in text
    assert other.note(9).splitlines()[2] in text


@pytest.mark.browser
def test_the_page_is_accessible_and_fits_a_phone(tmp_path, log):
    other = StaticLog(log.folder).append(entry(number, "other") for number in range(20))
    with parties.witness(tmp_path / "w", [log.vkey]) as witness, launch() as browser:
        for body in (_post(log, 0, 7)[2], _post(other, 7, 9)[2]):
            httpx.post(f"{witness.url}/add-checkpoint", content=body)
        for viewport, scheme in ((WIDE, "light"), (PHONE, "light"), (PHONE, "dark")):
            page = browser.new_page(viewport=viewport, color_scheme=scheme)
            page.goto(witness.url)
            page.get_by_text("The evidence", exact=True).click()
            assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
            assert_accessible(page, "the witness's page")
            page.close()


def test_health_is_told(kept):
    answer = _ask(kept, ("GET", "/healthz", None))[0]
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "logs": 1})


def test_the_key_is_made_once_and_readable_by_its_owner_only(tmp_path, log):
    keys = [VerifierKey.parse(log.vkey)]
    first = command.open_witness(tmp_path / "w", "witness.example", keys)
    first.close()
    again = command.open_witness(tmp_path / "w", "", keys)
    again.close()
    assert again.vkey == first.vkey
    assert stat.S_IMODE((tmp_path / "w" / "witness.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "w").stat().st_mode) == 0o700


def test_a_key_without_what_it_cosigned_is_not_used(tmp_path, log):
    command.open_witness(tmp_path / "w", "witness.example", []).close()
    for left in (tmp_path / "w").glob("witness.sqlite*"):
        left.unlink()
    with pytest.raises(Invalid, match="is missing, which says what this key has cosigned"):
        command.open_witness(tmp_path / "w", "witness.example", [])


def test_a_new_witness_needs_a_name_and_an_old_one_keeps_its_own(tmp_path):
    for name in ("", "two words", "a+b"):
        with pytest.raises(Invalid, match="needs a name"):
            command.open_witness(tmp_path / "w", name, [])
    command.open_witness(tmp_path / "w", "witness.example", []).close()
    with pytest.raises(Invalid, match="belongs to the witness witness.example"):
        command.open_witness(tmp_path / "w", "other.example", [])


def test_show_prints_the_state_and_the_evidence_and_tells_a_fork_by_its_exit_code(tmp_path, log):
    other = StaticLog(log.folder).append(entry(number, "other") for number in range(20))
    data = tmp_path / "w"
    assert parties.bluelamp("witness", "--data", data, "--show").returncode == 2
    with parties.witness(data, [log.vkey]) as witness, httpx.Client(base_url=witness.url) as client:
        assert client.post("/add-checkpoint", content=_post(log, 0, 7)[2]).status_code == 200
        shown = parties.bluelamp("witness", "--data", data, "--show")
        assert shown.returncode == 0
        assert f"{ORIGIN}: 7 events" in shown.stdout
        assert client.post("/add-checkpoint", content=_post(other, 7, 9)[2]).status_code == 422
        shown = parties.bluelamp("witness", "--data", data, "--show")
        assert shown.returncode == 1
        assert "FORK" in shown.stdout
        assert other.note(9).splitlines()[2] in shown.stdout
    document = json.loads(parties.bluelamp("witness", "--data", data, "--show", "--json").stdout)
    assert document["vkey"] == witness.vkey
    assert [item["kind"] for item in document["refused"]] == ["fork"]


def test_it_does_not_start_without_a_log_or_with_a_wrong_key(tmp_path):
    none = parties.bluelamp("witness", "--data", tmp_path / "w", "--name", "a")
    assert (none.returncode, "No log was named" in none.stderr) == (2, True)
    wrong = parties.bluelamp("witness", "--data", tmp_path / "w", "--name", "a", "--log", "nonsense")
    assert (wrong.returncode, "is not the key of a log" in wrong.stderr) == (2, True)
    assert not (tmp_path / "w").exists()


def test_a_witness_loads_neither_django_nor_the_database_driver():
    script = (
        "import sys\n"
        "from bluelamp.cli import follow, witness, witness_page\n"
        "import starlette.applications, uvicorn\n"
        "print(sorted({'django', 'psycopg', 'av', 'procrastinate'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
