"""Media bytes over the real route: which of them come, and what the ledger says of it."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from django.conf import settings
from starlette.applications import Starlette

from bluelamp.custody import queries as ledger
from bluelamp.footage import asgi, media, services
from bluelamp.footage.models import ServedRange
from bluelamp.vault.objects import SealedReader
from tests.footage.route import LONG, ask, original

# Which bytes


def test_a_whole_recording_comes_as_it_was_sealed(world):
    response = original(world)
    assert response.status_code == 200
    assert response.content == LONG
    assert response.headers["content-type"] == "video/mp4"
    assert response.headers["accept-ranges"] == "bytes"
    assert response.headers["cache-control"] == "private, no-store"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in response.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("header", "first", "last"),
    [
        ("bytes=0-99", 0, 99),
        ("bytes=1048500-1048700", 1048500, 1048700),
        ("bytes=2000000-", 2000000, len(LONG) - 1),
        ("bytes=-500", len(LONG) - 500, len(LONG) - 1),
    ],
)
def test_a_range_comes_alone_and_says_where_it_belongs(world, header, first, last):
    response = original(world, range=header)
    assert response.status_code == 206
    assert response.headers["content-range"] == f"bytes {first}-{last}/{len(LONG)}"
    assert int(response.headers["content-length"]) == last - first + 1
    assert response.content == LONG[first : last + 1]


def test_a_range_past_the_end_is_416_and_nothing_is_counted(world):
    response = original(world, range=f"bytes={len(LONG)}-")
    assert response.status_code == 416
    assert response.headers["content-range"] == f"bytes */{len(LONG)}"
    assert not ServedRange.objects.exists()


@pytest.mark.parametrize("header", ["bytes=9-1", "bytes=0-1,5-6", "bytes=" + "1" * 9000])
def test_a_malformed_or_multiple_range_is_answered_whole(world, header):
    response = original(world, range=header)
    assert response.status_code == 200
    assert len(response.content) == len(LONG)


def test_a_range_of_another_version_is_answered_whole(world):
    tag = original(world, range="bytes=0-0").headers["etag"]
    assert original(world, range="bytes=0-9", if_range=tag).status_code == 206
    assert original(world, range="bytes=0-9", if_range='"another"').status_code == 200


def test_head_tells_the_size_and_sends_and_counts_nothing(world):
    response = ask(media.url(world.viewing, "original"), world.session, "HEAD", range="bytes=0-9")
    assert response.status_code == 200
    assert int(response.headers["content-length"]) == len(LONG)
    assert response.content == b""
    assert not ServedRange.objects.exists()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_refused(world, method):
    assert ask(media.url(world.viewing, "original"), world.session, method).status_code == 405


def test_reading_holds_little_in_memory(world):
    reader = SealedReader(world.recording.original, world.recording.key_id)
    assert max(len(piece) for piece in reader.iter(0, len(LONG))) <= 1024 * 1024


# What is counted


def test_what_left_is_in_the_ledger_with_the_stretch_of_time_that_it_stands_for(world):
    original(world, range=f"bytes={len(LONG) // 2}-{len(LONG) // 2 + 99}")
    served = ServedRange.objects.get()
    assert (served.first_byte, served.last_byte) == (len(LONG) // 2, len(LONG) // 2 + 99)
    assert (served.from_ms, served.variant) == (30_000, "original")
    event = ledger.search(tag="recording.range_served")[0]
    assert event.actor == world.officer.custody_id
    assert event.subject == world.recording.custody_id
    assert event.details["approximate"] is True
    assert event.details["last_byte"] - event.details["first_byte"] == 99


def test_a_browser_that_goes_away_is_charged_only_with_what_left(world):
    path = media.url(world.viewing, "original")
    sent = asyncio.run(_until_gone(path, world.session, stop_after=3))
    served = ServedRange.objects.get()
    assert served.first_byte == 0
    assert served.last_byte + 1 == sent < len(LONG)


async def _until_gone(path, session, stop_after):
    """Take `stop_after` pieces and go away; returns how many bytes were taken."""
    gone = asyncio.Event()
    taken = []

    async def receive():
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        if message["type"] == "http.response.body":
            taken.append(len(message["body"]))
            if len(taken) == stop_after:
                gone.set()
                await asyncio.sleep(0.05)

    cookie = f"{settings.SESSION_COOKIE_NAME}={session}".encode()
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"cookie", cookie), (b"host", b"localhost")],
        "http_version": "1.1",
        "scheme": "http",
        "server": ("localhost", 80),
        "client": ("127.0.0.1", 1),
        "root_path": "",
    }
    await Starlette(routes=asgi.routes)(scope, receive, send)
    return sum(taken)


def test_a_long_answer_is_counted_while_it_is_on_its_way(world, monkeypatch):
    monkeypatch.setattr(asgi, "_RECORD_EVERY", 1024 * 1024)
    original(world)
    served = list(ServedRange.objects.order_by("first_byte"))
    assert len(served) > 1
    assert served[0].first_byte == 0
    assert served[-1].last_byte == len(LONG) - 1
    assert all(one.last_byte + 1 == other.first_byte for one, other in pairwise(served))


def test_a_lock_stops_an_answer_that_is_on_its_way(world, monkeypatch):
    monkeypatch.setattr(asgi, "_LOOK_AGAIN", -1.0)
    real = asgi._next
    calls = []

    def lock_after_the_first(pieces):
        calls.append(1)
        if len(calls) == 2:
            services.lock(world.recording, reason="Death in custody", by=world.officer)
        return real(pieces)

    monkeypatch.setattr(asgi, "_next", lock_after_the_first)
    with pytest.raises(Exception):  # noqa: B017  the connection breaks before the promised length
        response = original(world)
        assert len(response.content) == len(LONG)
    assert ServedRange.objects.get().last_byte < len(LONG) - 1
