"""The worker's job, and a package's bytes over the real route: who gets them, and what the ledger says of it."""

from __future__ import annotations

import asyncio
import io
import threading
from datetime import timedelta
from types import SimpleNamespace

import httpx
import pytest
from django.conf import settings
from django.test import Client
from starlette.applications import Starlette

from bluelamp.cases import services as cases
from bluelamp.custody import keys
from bluelamp.custody import queries as ledger
from bluelamp.footage import services as footage
from bluelamp.footage.models import Recording
from bluelamp.kernel import clock
from bluelamp.people.policy import Role
from bluelamp.sharing.packages import asgi, services
from bluelamp.sharing.packages.addresses import download_url
from bluelamp.sharing.packages.models import Package, PackageDownload
from bluelamp.verify.package import verify_package
from tests import factories, signin
from tests.sharing import packing

LONG = bytes(range(256)) * 4096 * 2  # 2 MiB: three sealed segments


@pytest.fixture
def world(committed_db):
    """A detective's package, ready, with a download opened in a session of theirs."""
    detective = factories.person(Role.INVESTIGATOR, unit=factories.unit())
    recording = factories.recording(detective, sealed=True, content=LONG)
    packing.collected(recording)
    case = cases.open_case("Lantern", opened_by=detective)
    cases.add_recording(case, recording, actor=detective, reason="Shows it")
    footage.flag(recording, category=factories.category(), reason="Assault", by=detective)
    package = packing.finished(packing.asked((recording, case, detective)))
    session = _session(detective)
    download = services.open_download(
        package, who=detective.custody_id, who_name=str(detective), reason="For the court", session_key=session
    )
    return SimpleNamespace(
        detective=detective, recording=recording, case=case, package=package, session=session, download=download
    )


def _session(person) -> str:
    client = Client()
    signin.quickly(client, person)
    return client.session.session_key


def _ask(world, session=None, method="GET", **headers):
    address = download_url(world.download)

    async def ask():
        app = httpx.ASGITransport(Starlette(routes=asgi.routes))
        cookies = {settings.SESSION_COOKIE_NAME: world.session if session is None else session}
        async with httpx.AsyncClient(transport=app, base_url="http://localhost", cookies=cookies) as client:
            return await client.request(method, address, headers=headers)

    return asyncio.run(ask())


def _refusals(world):
    history = ledger.history(world.package.custody_id)
    return [item.details["why"] for item in history if item.tag == "package.refused"]


def test_the_workers_job_makes_a_package_ready_by_itself(committed_db):
    detective = factories.person(Role.INVESTIGATOR, unit=factories.unit())
    recording = factories.recording(detective, sealed=True)
    packing.collected(recording)
    case = cases.open_case("Lantern", opened_by=detective)
    cases.add_recording(case, recording, actor=detective, reason="Shows it")
    footage.flag(recording, category=factories.category(), reason="Assault", by=detective)
    package = packing.asked((recording, case, detective))
    stop = threading.Event()
    log = threading.Thread(target=packing.keep_sequencing, args=(stop,))
    log.start()
    try:
        services.finish(package.pk)
        services.finish(package.pk)  # a job that is run again finds nothing to do
    finally:
        stop.set()
        log.join()
    package.refresh_from_db()
    assert package.state == Package.State.READY
    assert verify_package(io.BytesIO(packing.zipped(package)), [keys.own_vkey()]).exit_code == 0
    assert [item.tag for item in ledger.history(package.custody_id)] == ["package.made", "package.sealed"]


def test_the_whole_package_comes_with_its_length_and_its_name(world):
    answer = _ask(world)
    assert answer.status_code == 200
    assert int(answer.headers["content-length"]) == world.package.size == len(answer.content)
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"].startswith('attachment; filename="ABC-1-')
    assert answer.headers["cache-control"] == "private, no-store"
    assert verify_package(io.BytesIO(answer.content), [keys.own_vkey()]).exit_code == 0


def test_a_download_that_broke_off_goes_on_and_both_parts_are_the_package(world):
    whole = _ask(world).content
    tag = _ask(world, method="HEAD").headers["etag"]
    first = _ask(world, range="bytes=0-1500000")
    rest = _ask(world, **{"range": "bytes=1500001-", "if-range": tag})
    assert (first.status_code, rest.status_code) == (206, 206)
    assert rest.headers["content-range"] == f"bytes 1500001-{len(whole) - 1}/{len(whole)}"
    assert first.content + rest.content == whole


def test_one_download_is_one_disclosure_recorded_before_and_what_left_is_counted(world):
    tags = [item.tag for item in ledger.history(world.package.custody_id)]
    assert tags.count("package.downloaded") == 1  # opened, and nothing has left
    _ask(world, range="bytes=0-99")
    _ask(world, range="bytes=100-299")
    history = ledger.history(world.recording.custody_id)
    (opened,) = [item for item in history if item.tag == "package.downloaded"]
    assert (opened.operation, opened.reason, opened.actor) == (
        "disclosure",
        "For the court",
        world.detective.custody_id,
    )
    assert "package.bytes_served" not in [item.tag for item in history]
    of_package = ledger.history(world.package.custody_id)
    served = [item.details for item in of_package if item.tag == "package.bytes_served"]
    assert [(item["first_byte"], item["last_byte"]) for item in served] == [(0, 99), (100, 299)]
    assert PackageDownload.objects.get().bytes_sent == 300


def test_another_session_even_of_the_same_person_gets_nothing(world):
    for session in ("", "x" * 32, _session(world.detective), _session(factories.person(Role.BWV_MANAGER))):
        assert _ask(world, session).status_code == 403
    assert _refusals(world) == ["It was opened in another sign-in."] * 4


def test_an_unknown_download_is_not_found(world):
    world.download.pk = world.package.pk
    assert _ask(world).status_code == 404


def test_a_withdrawn_package_sends_not_one_more_byte(world):
    services.withdraw(world.package, by=world.detective, reason="Sent to the wrong person")
    assert _ask(world, range="bytes=100-").status_code == 403
    assert _refusals(world) == ["This package was withdrawn."]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"locked_at": True}, "not available at the moment"),
        ({"state": Recording.State.QUARANTINED}, "not available at the moment"),
        ({"state": Recording.State.DELETED}, "was deleted"),
    ],
)
def test_footage_that_left_use_sends_nothing(world, change, words):
    values = {name: clock.now() if value is True else value for name, value in change.items()}
    Recording.objects.filter(pk=world.recording.pk).update(**values)
    assert _ask(world).status_code == 403
    assert words in _refusals(world)[0]


def test_who_may_not_share_the_footage_any_more_gets_nothing(world):
    cases.close_case(world.case, actor=world.detective, outcome="Over")
    assert _ask(world).status_code == 403
    assert _refusals(world) == ["Your role does not include this."]


def test_a_download_ends_with_its_time(world):
    PackageDownload.objects.update(expires_at=clock.real_now() - timedelta(seconds=1))
    assert _ask(world).status_code == 403
    assert _refusals(world) == ["The time for which it was opened is over."]


def test_a_browser_that_is_refused_is_led_to_a_page_in_words(world):
    services.withdraw(world.package, by=world.detective, reason="Mistake")
    answer = _ask(world, accept="text/html,*/*")
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/shares/packages/{world.package.pk}/"


def test_a_stretch_past_the_end_is_416(world):
    assert _ask(world, range=f"bytes={world.package.size}-").status_code == 416
