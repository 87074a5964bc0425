"""Thousands of bad requests: none may break the server, keep it waiting, or leave anything behind.

CAMPAIGN_SEED replays a campaign's requests; the answers also depend on what the earlier ones did.
"""

from __future__ import annotations

import json
import os
import random
import re
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from bluelamp.ingest import openapi
from tests.axis.system import System
from tests.campaigns import hostile
from tests.campaigns.rawhttp import Answer, Sent, exchange
from tests.ingest.docks import TUS, Camera, Docking, metadata
from tests.ingest.up import BLUELAMP, Up, demonstration

MIB = 1024 * 1024
GROWTH_BYTES = 64 * MIB
"""What the server may hold more after nine tenths of a campaign than after the first: its buffers for receiving are
kept for the next upload, up to 64 of 1 MiB (see the pump), and these requests fill a few of them."""

GROWTH_OPEN = 20
"""Threads, and descriptors, that may be more at the end: pools are filled as requests happen to meet, and each of
their threads keeps a connection to the database."""

FRESH_AFTER = 150
"""Requests after which there are new uploads to spoil."""

_OURS = re.compile(
    r"/api/v1/docking|/api/v1/docking/[^/]+/(receipts|unavailable)/[^/]+|/dock/tus/?|/dock/tus/[^/]+|/auth/v1\.0"
    r"|/v1/[^/]+/?|/v1/[^/]+/[^/]+(/.*)?",
    re.DOTALL,
)
_SETTINGS = settings(
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    report_multiple_bugs=False,
)
_CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")
_TROUBLE = ("dock.failed", "dock.database_failed", "Exception in ASGI", "never retrieved", "Exception in callback")


@dataclass(frozen=True)
class Vitals:
    """What the server's process holds."""

    resident: int
    descriptors: int
    threads: int

    @classmethod
    def of(cls, pid: int) -> Vitals:
        proc = Path("/proc") / str(pid)
        return cls(Up.resident_bytes(pid), len(list((proc / "fd").iterdir())), len(list((proc / "task").iterdir())))


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    up = Up(demonstration(tmp_path_factory.mktemp("fuzz") / "data"))
    up.start()
    yield up
    up.stop()


def test_twelve_hundred_bad_requests_do_no_harm(up: Up, tell: Callable[[str], None]) -> None:
    Campaign(up, 1_200, tell, seed=1_200).run()


@pytest.mark.soak
def test_twelve_thousand_bad_requests_do_no_harm(up: Up, tell: Callable[[str], None]) -> None:
    Campaign(up, 13_000, tell, seed=random.SystemRandom().randrange(10**9)).run()


class Campaign:
    """Bad requests: six tenths of them spoilt ones, three tenths nearly HTTP, one tenth from the OpenAPI document."""

    def __init__(self, up: Up, requests: int, tell: Callable[[str], None], *, seed: int) -> None:
        self._up, self._requests, self._tell = up, requests, tell
        self._seed = int(os.environ.get("CAMPAIGN_SEED") or seed)
        self._chance = random.Random(self._seed)
        self._address = ("localhost", up.port)
        self._serial = f"FUZZ{self._seed}"
        self._token = up.dock_token(self._serial, f"{self._serial}B")
        self._docking = Docking(up.url, self._token, Camera(self._serial))
        self._axis = _system(up)
        self._world: hostile.World | None = None
        self._before: Vitals | None = None
        self._count = self._recorded = 0
        self._statuses: Counter[int] = Counter()

    def run(self) -> None:
        self._tell(f"CAMPAIGN_SEED={self._seed}")
        began = time.monotonic()
        with self._docking, self._trouble_told():
            # The first tenth lets threads, connections and buffers come into being.
            self._part(self._requests // 10)
            self._before = self._vitals()
            self._part(self._requests - self._requests // 10)
            after = self._vitals()
            self._tell(
                f"{self._count} requests in {time.monotonic() - began:.0f} s; {sorted(self._statuses.items())}; "
                f"{self._before} -> {after}"
            )
            self._nothing_has_grown(after)
            nothing_is_left_over(self._up)
            assert not troubles(self._up)
            an_ordinary_upload_is_whole(self._up, f"{self._serial}B", self._token)

    @contextmanager
    def _trouble_told(self) -> Iterator[None]:
        """Where an answer was wrong, what the server wrote down about it may be all that tells why."""
        try:
            yield
        except BaseException:
            for line in troubles(self._up):
                self._tell(line)
            raise

    def _part(self, requests: int) -> None:
        spoilt = settings(_SETTINGS, max_examples=requests * 6 // 10)
        seed(self._chance.random())(spoilt(given(hostile.PLANS)(self._spoilt)))()
        nearly = settings(_SETTINGS, max_examples=requests * 3 // 10)
        seed(self._chance.random())(nearly(given(hostile.torn())(self._torn)))()
        self._from_document(requests // 10)

    def _spoilt(self, plan: hostile.Plan) -> None:
        sent, path = hostile.sent_of(plan, self._fresh())
        self._look_at(sent, path)

    def _torn(self, plan: dict[str, Any]) -> None:
        sent = hostile.torn_of(plan, self._fresh())
        self._look_at(sent, "")

    def _look_at(self, sent: Sent, path: str) -> None:
        answers = exchange(self._address, sent)
        assert answers or not sent.whole, f"no answer to a {sent}"
        for answer in answers:
            self._statuses[answer.status] += 1
            assert answer.status < 500 or answer.status in {503, 507}, f"{answer} to a {sent}"
            if answer.status >= 400 and _OURS.fullmatch(unquote(path)):
                assert_problem(answer, sent)

    def _from_document(self, requests: int) -> None:
        schema = schemathesis.openapi.from_dict(openapi.document())
        operations = [result.ok() for result in schema.get_all_operations()]
        modes = [GenerationMode.NEGATIVE, GenerationMode.NEGATIVE, GenerationMode.POSITIVE]
        each = max(1, requests // (len(operations) * len(modes)))

        def look_at(case: Any) -> None:
            known = self._fresh()
            if "upload" in (case.path_parameters or {}) and self._chance.random() < 0.8:
                case.path_parameters["upload"] = known.upload(self._chance.randrange(30)).rpartition("/")[2]
            headers = {"Authorization": f"Bearer {self._token}"} if self._chance.random() < 0.9 else {}
            response = case.call(base_url=self._up.url, headers=headers, timeout=20)
            self._conforms(case, response)

        for operation in operations:
            for mode in modes:
                rule = settings(_SETTINGS, max_examples=each)
                drawn = operation.as_strategy(generation_mode=mode)
                try:
                    seed(self._chance.random())(rule(given(drawn)(look_at)))()
                except Unsatisfiable:
                    pass  # an operation without parameters has nothing that could be wrong

    def _conforms(self, case: Any, response: Any) -> None:
        self._statuses[response.status_code] += 1
        case.validate_response(response, checks=_CHECKS)

    def _fresh(self) -> hostile.World:
        """What there is to spoil; anew every so often, since requests end uploads."""
        if self._world is None or self._count % FRESH_AFTER == 0:
            self._world = self._prepared()
        self._count += 1
        return self._world

    def _prepared(self) -> hostile.World:
        """A session with uploads at their beginning, in their midst, at their end, rejected and given up; and parts."""
        docking, camera = self._docking, self._docking.camera
        contents = [bytes([number]) * 3000 for number in range(5)]
        numbers = [self._recorded + 1 + number for number in range(len(contents))]
        self._recorded = numbers[-1]
        camera.entries.clear()  # an inventory has an end
        for number, content in zip(numbers, contents, strict=True):
            camera.record(content, sequence=number)
        asked = docking.open()
        urls = [asked[number]["upload_url"] for number in numbers]
        _expect(204, docking.patch(urls[1], 0, contents[1][:1000]))
        _expect(204, docking.patch(urls[2], 0, contents[2]))
        _expect(422, docking.patch(urls[3], 0, b"x" * 3000))
        _expect(204, docking.client.delete(urls[4], headers=TUS))
        for length in ({"Upload-Length": "2000"}, {"Upload-Defer-Length": "1"}):
            headers = {**TUS, **length, "Upload-Concat": "partial", "Upload-Metadata": metadata({"filename": "part"})}
            created = docking.client.post("/dock/tus/", headers=headers)
            _expect(201, created)
            urls.append(created.headers["Location"])
            docking.patch(urls[-1], 0, bytes(2000))
        return hostile.World(
            host=f"localhost:{self._up.port}",
            token=self._token,
            session=docking.answer["session"],
            uploads=[urlsplit(url).path for url in urls],
            docking=docking.request(),
            axis_token=self._axis.headers["X-Auth-Token"],
            axis=self._axis_targets(),
        )

    def _axis_targets(self) -> list[tuple[str, list[hostile.Header]]]:
        axis = self._axis
        assert axis.sign_in().status_code == 200
        account = urlsplit(axis.storage).path
        plain = {
            "": {},
            "System/Capabilities.json": {},
            f"Users/{axis.user}": {"X-Object-Meta-Active": "True"},
            f"Devices/{axis.serial}": {"X-Object-Meta-Model": "W102"},
            axis.container: axis.container_meta(),
            f"{axis.container}/{axis.clip_name()}": axis.clip_meta(),
            f"{axis.container}/{axis.clip_name(2)}": axis.clip_meta(2),
            f"{axis.container}/x.key": {},
            f"{axis.container}/bookmark_1": {},
            f"{axis.container}/location.json": {},
            "nothing/at-all": {},
        }
        return [
            (f"{account}/{path}".rstrip("/"), [(name.encode(), value.encode()) for name, value in headers.items()])
            for path, headers in plain.items()
        ]

    def _vitals(self) -> Vitals:
        pid = self._up.pid("web")
        assert pid is not None
        if self._before is None:
            return Vitals.of(pid)
        # What was cut off is let go of within moments; more than a lease's patience it never takes.
        until = time.monotonic() + 15
        while (now := Vitals.of(pid)).descriptors > self._before.descriptors and time.monotonic() < until:
            time.sleep(0.2)
        return now

    def _nothing_has_grown(self, after: Vitals) -> None:
        assert self._before is not None
        assert after.resident <= self._before.resident + GROWTH_BYTES
        assert after.descriptors <= self._before.descriptors + GROWTH_OPEN
        assert after.threads <= self._before.threads + GROWTH_OPEN


def assert_problem(answer: Answer, sent: Sent) -> None:
    """An error says what happened, as RFC 9457 has it."""
    assert answer.headers.get("content-type") == "application/problem+json", f"{answer} to a {sent}"
    if answer.status == 503:
        assert "retry-after" in answer.headers, f"{answer} to a {sent}"
    if not sent.bodiless:
        told = answer.json()
        assert told["title"], f"{answer} to a {sent}"
        assert told["detail"], f"{answer} to a {sent}"
        assert told["status"] == answer.status, f"{answer} to a {sent}"
        assert "database does not answer" not in told["detail"], f"{answer} to a {sent}"


def nothing_is_left_over(up: Up) -> None:
    """Staging holds folders of open uploads alone, and the keyring keys of recordings and open uploads alone."""
    rows = up.rows("SELECT id, recording_id FROM ingest_upload WHERE NOT cleared")
    uploads = {str(upload): str(recording) for upload, recording in rows}
    folders = list((up.data / "staging").iterdir())
    assert not {path.name for path in folders} - set(uploads)
    assert not [path for folder in folders for path in folder.iterdir() if path.name.startswith("spool")]
    with sqlite3.connect(up.data / "keyring" / "keyring.sqlite") as keyring:
        # An erased key's record stays, without the key.
        live = "SELECT key_id FROM data_key WHERE key_id NOT IN (SELECT key_id FROM erased_key)"
        keys = {row[0] for row in keyring.execute(live)}
    recordings = {str(row[0]) for row in up.rows("SELECT id FROM footage_recording")}
    assert recordings
    assert not keys - recordings - set(uploads.values())
    assert not recordings - keys


def troubles(up: Up) -> list[str]:
    """What the server wrote down that it should never have to."""
    lines = (line for log in (up.data / "logs").glob("web*") for line in log.read_text(errors="replace").splitlines())
    return [line[:3000] for line in lines if any(trouble in line for trouble in _TROUBLE)]


def an_ordinary_upload_is_whole(up: Up, serial: str, token: str) -> None:
    """As if nothing had been."""
    with Docking(up.url, token, Camera(serial)) as docking:
        content = random.Random(serial).randbytes(2_500_000)
        docking.camera.record(content)
        url = docking.open()[1]["upload_url"]
        assert docking.send(url, content).status_code == 204
        assert docking.receipt(1).json()["sha256"] == docking.camera.entries[0].entry.sha256


def _expect(status: int, answer: httpx.Response) -> None:
    assert answer.status_code == status, (answer.status_code, answer.text)


def _system(up: Up) -> System:
    """A body-worn system with a camera and a user of its own."""
    out = up.data / "connection.json"
    command = [BLUELAMP, "axis", "connection-file", "--out", out, "--name", f"System {time.time_ns()}"]
    subprocess.run([*command, "--data", up.data], env=up._environment, capture_output=True, check=True)
    system = System(up.url, json.loads(out.read_text()))
    out.unlink()
    assert system.sign_in().status_code == 200
    system.announce()
    system.open()
    return system
