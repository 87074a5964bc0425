"""Whoever comes to the body-worn systems' entrance without a right to, or with something else than the protocol."""

from __future__ import annotations

import socket
from urllib.parse import quote, urlsplit

import pytest

from bluelamp.custody import queries as ledger
from bluelamp.ingest.axis.services import refusals
from bluelamp.kernel.limiter import Limiter
from tests.axis.conftest import connect, recordings
from tests.axis.system import System, meta


@pytest.mark.parametrize("token", [None, "", "wrong", "1.9999999999.wrong", "x" * 10_000, "' OR 1=1"])
def test_without_a_valid_token_every_request_is_refused(system: System, token: str | None, mkv) -> None:
    system.headers = {} if token is None else {"X-Auth-Token": token}
    for method in ("GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "COPY"):
        for path in ("", "System/Capabilities.json", system.container, f"{system.container}/{system.clip_name()}"):
            assert system.call(method, path, system.clip_meta(), b"x").status_code == 401, (method, path)
    assert not recordings(system)


@pytest.mark.parametrize(
    "credentials",
    [
        {},
        {"X-Auth-User": "USER"},
        {"X-Auth-Key": "KEY"},
        {"X-Auth-User": "USER", "X-Auth-Key": "wrong"},
        {"X-Auth-User": "wrong", "X-Auth-Key": "KEY"},
        {"X-Auth-User": "USER", "Auth-Key": "KEY"},
        {"X-Auth-User": "x" * 10_000, "X-Auth-Key": "y" * 10_000},
        {"X-Auth-User": "%00", "X-Auth-Key": "\xff"},
    ],
)
def test_wrong_credentials_get_no_token(system: System, credentials: dict[str, str]) -> None:
    real = {"USER": system.file["BlobAPIUserName"], "KEY": system.file["BlobAPIKey"]}
    headers = {name: real.get(value, value).encode("latin-1") for name, value in credentials.items()}
    answer = system.http.get(f"{system.address}/auth/v1.0", headers=headers)
    assert answer.status_code == 401
    assert "X-Auth-Token" not in answer.headers
    assert system.file["BlobAPIKey"] not in answer.text


def test_refusals_are_on_record_but_cannot_flood_the_ledger(system: System, monkeypatch) -> None:
    monkeypatch.setattr(refusals, "_credentials", Limiter())
    before = len(ledger.history("system:axis"))
    for _ in range(30):
        assert system.http.get(f"{system.address}/auth/v1.0", headers={"X-Auth-User": "a", "X-Auth-Key": "b"})
    (refused,) = ledger.history("system:axis")[before:]
    assert (refused.tag, refused.details["peer"]) == ("axis.refused", "127.0.0.1")


def test_one_system_does_not_reach_anothers_account(system: System, entrance, unit) -> None:
    with connect(entrance, unit) as other:
        system.open()
        for method in ("GET", "HEAD", "PUT", "POST"):
            answer = other.http.request(method, f"{system.storage}/{system.container}", headers=other.headers)
            assert answer.status_code == 403, method
        assert other.call("HEAD", system.container).status_code == 404


def test_made_up_cameras_and_users_raise_a_bounded_number_of_alerts(system: System, monkeypatch) -> None:
    from bluelamp.ingest.models import AxisAlert

    monkeypatch.setattr(refusals, "MOST_STANDING", 3)
    for number in range(6):
        assert system.put(f"a{number}", meta("Container", BWCSerialNumber=f"NOSUCH{number}")).status_code == 400
        assert system.put(f"b{number}", meta("Container", UserID=f"nobody{number}")).status_code == 400
    alerts = AxisAlert.objects.filter(connection__user=system.file["BlobAPIUserName"])
    for kind, name in (("device", "NOSUCH"), ("user", "nobody")):
        about = alerts.filter(kind=kind).order_by("pk").values_list("about", flat=True)
        assert list(about) == [f"{name}0", f"{name}1", f"{name}2", "and more"]
    raised = [item.tag for item in ledger.history(alerts[0].connection.custody_id)].count("axis.alert_raised")
    assert raised == 8


@pytest.mark.parametrize("name", ["x" * 257, "a%00b", "a%0Ab", "%7F"])
def test_names_that_can_name_nothing_are_refused(system: System, name: str, mkv) -> None:
    assert system.put(name).status_code == 400
    system.open()
    long = name * 5 if name.startswith("x") else f"{name}.mkv"
    assert system.put(f"{system.container}/{long}", system.clip_meta(), mkv).status_code in (400, 404)


def test_a_name_is_as_long_as_its_bytes(system: System) -> None:
    assert system.put(quote("證" * 86)).status_code == 400
    system.open()
    said = meta("Object", FileType="json")
    # Letters in no order, which no database makes small.
    letters = "".join(chr(0x4E00 + number * 7919 % 20_000) for number in range(1000))
    for name, status in ((letters, 400), (letters[:342], 400), (letters[:341], 201)):
        assert system.put(f"{system.container}/{quote(name)}", said, b"{}").status_code == status, len(name)


@pytest.mark.parametrize(
    "name", ["../../etc/passwd.mkv", "a/b/../c.mkv", "%2e%2e%2fx.mkv", "ü ö/ß.mkv", "x'; DROP--.mkv"]
)
def test_names_are_opaque(system: System, name: str, mkv) -> None:
    system.open()
    path = f"{system.container}/{quote(name, safe='%')}"
    assert system.put(path, system.clip_meta(), mkv).status_code == 201
    assert system.put(path, system.clip_meta(), mkv).status_code == 201
    (recording,) = recordings(system)
    assert recording.original == f"recordings/{recording.pk}/original"


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Object-Meta-A": "x" * 2000},
        {"X-Object-Meta-A": "%00"},
        {"X-Object-Meta-A": "a%0D%0Ab"},
        {f"X-Object-Meta-{number}": "x" for number in range(95)},
    ],
)
def test_metadata_that_cannot_be_kept_is_refused(system: System, headers: dict[str, str], mkv) -> None:
    system.open()
    path = f"{system.container}/{system.clip_name()}"
    assert system.put(path, {**system.clip_meta(), **headers}, mkv).status_code == 400
    assert system.clip(mkv).status_code == 201
    assert system.post(path, headers).status_code == 400
    assert not any(system.call("HEAD", path).headers.get(f"x-object-meta-{key}") for key in "a")


def test_small_objects_stay_small(system: System) -> None:
    system.open()
    assert system.put(f"{system.container}/x.key", content=b"x" * 70_000).status_code == 400
    assert system.put(f"{system.container}/bookmark_1", content=b"x" * 300_000).status_code == 400
    assert system.put("Users/someone", content=b"x" * 300_000).status_code == 400
    assert system.put(f"{system.container}/odd.txt", content=b"x").status_code == 400


@pytest.mark.parametrize("serial", ["", "ü", "a/b", "-x", "x" * 65, "a b"])
def test_a_camera_with_an_impossible_serial_is_not_registered(system: System, serial: str) -> None:
    answer = system.put(f"Devices/{quote(serial, safe='')}", meta("Object", Model="W102"))
    assert answer.status_code in (400, 202), answer.text
    from bluelamp.ingest.models import AxisDevice

    assert not AxisDevice.objects.filter(serial=serial).exists()


def test_a_length_that_is_none_harms_nothing(system: System) -> None:
    system.open()
    parts = urlsplit(system.storage)
    for length in ("-1", "abc", "99999999999999999999"):
        head = [f"PUT {parts.path}/{system.container}/{system.clip_name()} HTTP/1.1", f"Host: {parts.netloc}"]
        head += [f"{name}: {value}" for name, value in {**system.headers, **system.clip_meta()}.items()]
        head += [f"Content-Length: {length}", "", ""]
        with socket.create_connection((parts.hostname, parts.port), timeout=20) as connection:
            connection.sendall("\r\n".join(head).encode())
            assert connection.recv(100).split(b" ")[1] == b"400", length
    assert not recordings(system)


def test_a_clip_larger_than_this_server_takes_can_never_be_stored(system: System, settings, mkv) -> None:
    import dataclasses

    settings.BLUELAMP = dataclasses.replace(settings.BLUELAMP, max_upload_bytes=1000)
    system.open()
    assert system.clip(mkv).status_code == 400
    assert system.clip(iter([mkv])).status_code == 400
    assert not recordings(system)


def test_a_full_disk_and_a_store_that_does_not_answer_have_their_own_statuses(system: System, mkv, monkeypatch) -> None:
    from bluelamp.ingest.services import acceptance
    from bluelamp.ingest.staging import room
    from bluelamp.kernel.errors import StorageFull
    from bluelamp.vault.errors import StoreUnavailable

    system.open()

    def full(*_: object, **__: object) -> None:
        raise StorageFull("No room.")

    class Down:
        def put_file(self, *_: object, **__: object) -> None:
            raise StoreUnavailable

    from bluelamp.ingest.services import deposits

    with monkeypatch.context() as patched:
        patched.setattr(deposits.staging, "require_room", full)
        answer = system.clip(mkv)
        assert (answer.status_code, answer.headers["Retry-After"]) == (507, "60")
    with monkeypatch.context() as patched:
        patched.setattr(acceptance, "get_store", Down)
        answer = system.clip(mkv)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert not recordings(system)
    assert system.clip(mkv).status_code == 201
    assert len(recordings(system)) == 1
    assert room
