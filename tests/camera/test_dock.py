import errno
import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from bluelamp.camera import CameraError, Device
from bluelamp.camera.dock import DockClient, DockResult
from bluelamp.camera.dock_memory import DockMemory
from bluelamp.camera.dock_server import DockServer, Patience, retry_after_seconds
from bluelamp.formats.manifest import SignedEntry, verify_entry
from tests.camera.server import TOKEN, DockingServer

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@pytest.fixture
def server() -> Iterator[DockingServer]:
    one = DockingServer()
    yield one
    one.close()


def client(server: DockingServer, token: str = TOKEN, **options: object) -> DockClient:
    settings = {"patience_seconds": 3.0, "receipt_wait_seconds": 3.0, **options}
    return DockClient(server.url, token, lambda: NOW, **settings)


def files(device: Device) -> int:
    return len(list(device.folder.glob("*.mp4")))


def originals(device: Device) -> dict[int, bytes]:
    return {signed.entry.sequence: device.path(signed).read_bytes() for signed in device.entries()}


def nothing_was_erased(device: Device, result: DockResult | None = None) -> bool:
    return files(device) == 3 and (result is None or (result.erased == [] and not result.all_safe))


def test_docking_uploads_verifies_and_clears_the_camera(device: Device, server: DockingServer) -> None:
    bytes_before = originals(device)
    result = client(server).dock(device.folder)
    assert server.received == bytes_before
    assert result.uploaded == result.receipts_verified == result.erased == [1, 2, 3]
    assert result.all_safe
    assert result.clock_offset_ms == 1500
    assert files(device) == 0
    assert len((device.folder / "receipts.jsonl").read_text().splitlines()) == 3
    assert device.inventory() == []


def test_the_dock_announces_the_camera_and_its_full_inventory(device: Device, server: DockingServer) -> None:
    client(server, keep=True).dock(device.folder)
    (body,) = server.sessions
    assert body["serial"] == "BL-3"
    assert body["device_clock"] == "2026-11-22T09:00:00Z"
    assert body["clock_set"] is True
    assert body["public_key"] == device.public_key
    assert body["battery_percent"] == 100
    assert set(body["storage"]) == {"capacity", "free"}
    for document in body["inventory"]:
        verify_entry(SignedEntry.from_json(document), device.public_key)
    metadata = next(iter(server.uploads.values())).metadata
    assert set(metadata) == {"session", "serial", "sequence", "filename", "sha256"}


def test_docking_again_uploads_nothing_twice_and_clears_what_was_kept(device: Device, server: DockingServer) -> None:
    client(server, keep=True).dock(device.folder)
    assert files(device) == 3
    uploads = len(server.uploads)
    result = client(server).dock(device.folder)
    assert (result.uploaded, result.already, result.erased) == ([], [1, 2, 3], [1, 2, 3])
    assert len(server.uploads) == uploads
    assert client(server).dock(device.folder).all_safe


def test_a_lost_connection_is_resumed_where_it_stopped(device: Device, server: DockingServer) -> None:
    server.faults.drop_patches = 2
    bytes_before = originals(device)
    result = client(server, parallel=1).dock(device.folder)
    assert result.all_safe
    assert server.received == bytes_before
    assert len(server.uploads) == 3  # none was begun anew


def test_an_upload_begun_in_an_earlier_docking_is_resumed(device: Device, server: DockingServer) -> None:
    server.faults.locked_patches = 10_000
    first = client(server, patience_seconds=0.3).dock(device.folder)
    assert nothing_was_erased(device, first)
    assert all("go" in problem for problem in first.problems)
    server.faults.locked_patches = 0
    assert client(server).dock(device.folder).all_safe
    assert len(server.uploads) == 3


def test_an_upload_that_the_server_has_forgotten_is_begun_anew(device: Device, server: DockingServer) -> None:
    memory = DockMemory(device.folder)
    memory.remember_upload(1, f"{server.url}/dock/tus/long-gone")
    result = client(server).dock(device.folder)
    assert result.all_safe
    assert memory.upload_url(1) is None


def test_a_busy_server_is_asked_again(device: Device, server: DockingServer) -> None:
    server.faults.session_busy = 2
    server.faults.locked_patches = 1
    server.faults.receipts_later = 2
    assert client(server).dock(device.folder).all_safe


@pytest.mark.parametrize(
    ("field", "value"),
    [("sha256", "0" * 64), ("size", 1), ("serial", "BL-9"), ("sequence", 77)],
)
def test_a_receipt_for_something_else_erases_nothing(
    device: Device, server: DockingServer, field: str, value: object
) -> None:
    def bend(receipt: dict[str, object]) -> dict[str, object]:
        from bluelamp.formats.receipt import FIELD_NAMES, Receipt, sign_receipt

        plain = {name: receipt[name] for name in FIELD_NAMES} | {field: value}
        return sign_receipt(Receipt(**plain), server.key, "receipts")

    server.faults.bend_receipt = bend
    result = client(server).dock(device.folder)
    assert nothing_was_erased(device, result)
    assert result.receipts_verified == []
    assert f"another {field}" in result.problems[0]


def test_a_receipt_with_a_bent_signature_erases_nothing(device: Device, server: DockingServer) -> None:
    server.faults.bend_receipt = lambda receipt: {**receipt, "received_at": "2026-11-22T09:00:01Z"}
    result = client(server).dock(device.folder)
    assert nothing_was_erased(device, result)
    assert "signature is not the server's" in result.problems[0]


def test_a_receipt_that_comes_with_the_last_bytes_need_not_be_asked_for(device: Device, server: DockingServer) -> None:
    server.faults.receipt_with_bytes = True
    result = client(server).dock(device.folder)
    assert result.all_safe
    assert result.erased == result.receipts_verified == [1, 2, 3]
    assert server.receipts_asked == 0


@pytest.mark.parametrize("header", ["no base64!", "bm8ganNvbg==", "W10=", "e30"])
def test_a_header_that_is_no_receipt_makes_the_dock_ask(device: Device, server: DockingServer, header: str) -> None:
    server.faults.receipt_with_bytes, server.faults.bend_header = True, header
    assert client(server).dock(device.folder).receipts_verified == [1, 2, 3]
    assert server.receipts_asked == 3


def test_a_bent_receipt_with_the_last_bytes_erases_nothing(device: Device, server: DockingServer) -> None:
    server.faults.receipt_with_bytes = True
    server.faults.bend_receipt = lambda receipt: {**receipt, "received_at": "2026-11-22T09:00:01Z"}
    result = client(server).dock(device.folder)
    assert nothing_was_erased(device, result)
    assert "signature is not the server's" in result.problems[0]


def test_another_servers_key_is_refused_before_anything_is_uploaded(device: Device, server: DockingServer) -> None:
    client(server, keep=True).dock(device.folder)
    impostor = DockingServer()
    try:
        with pytest.raises(CameraError) as caught:
            client(impostor).dock(device.folder)
    finally:
        impostor.close()
    assert "another key" in str(caught.value)
    assert "nothing was erased" in str(caught.value)
    assert impostor.uploads == {}
    assert files(device) == 3


def test_a_wrong_token_is_said_in_words(device: Device, server: DockingServer) -> None:
    with pytest.raises(CameraError, match="does not know this dock's token"):
        client(server, token="stolen").dock(device.folder)
    assert files(device) == 3


def test_a_server_that_is_not_there_is_said_in_words(device: Device) -> None:
    with pytest.raises(CameraError, match="does not answer"):
        DockClient("http://127.0.0.1:9", TOKEN, lambda: NOW, patience_seconds=0.2).dock(device.folder)
    with pytest.raises(CameraError, match="no server's address"):
        DockClient("bwv.example", TOKEN, lambda: NOW).dock(device.folder)
    assert files(device) == 3


def test_a_camera_that_is_turned_away_for_its_key_hears_so_at_once(device: Device, server: DockingServer) -> None:
    server.faults.other_key = True
    with pytest.raises(CameraError, match=r"another key\..*still on the camera.*Ask the manager"):
        client(server).dock(device.folder)
    assert server.requests.count("POST /api/v1/docking") == 1, "asking again changes nothing"
    assert files(device) == 3


def test_something_else_at_the_address_is_said_in_words(device: Device, server: DockingServer) -> None:
    server.faults.broken_session = True
    with pytest.raises(CameraError, match="does not speak"):
        client(server).dock(device.folder)


def test_what_the_server_refuses_is_kept_with_its_reason(device: Device, server: DockingServer) -> None:
    server.faults.states[1] = {"state": "refused", "why": "This camera is not known."}
    server.faults.reject[2] = "The file does not match its hash."
    result = client(server).dock(device.folder)
    assert result.erased == [3]
    assert [refusal.sequence for refusal in result.refused] == [1, 2]
    assert result.refused[0].why == "This camera is not known."
    assert "does not match its hash" in result.refused[1].why
    assert files(device) == 2
    assert not result.all_safe


def test_a_refused_upload_gives_the_servers_words(device: Device, server: DockingServer) -> None:
    server.faults.refuse_create = 422
    result = client(server).dock(device.folder)
    assert nothing_was_erased(device, result)
    assert "The store is being moved." in result.refused[0].why


def test_the_token_is_never_sent_to_another_host(device: Device, server: DockingServer) -> None:
    elsewhere = DockingServer()
    server.faults.foreign_location = elsewhere.url
    server.faults.states[2] = {"state": "needed", "upload_url": f"{elsewhere.url}/dock/tus/x"}
    try:
        result = client(server).dock(device.folder)
    finally:
        elsewhere.close()
    assert nothing_was_erased(device, result)
    assert elsewhere.requests == []
    assert "another host" in result.refused[0].why


@pytest.mark.parametrize("status", [204, 404])  # a server that knows nothing of it changes nothing
def test_a_recording_that_vanished_or_changed_is_reported_and_the_others_are_safe(
    device: Device, server: DockingServer, status: int
) -> None:
    server.faults.unavailable_status = status
    first, second, _ = device.entries()
    device.path(first).unlink()
    with device.path(second).open("ab") as file:
        file.write(b"more")
    result = client(server).dock(device.folder)
    assert result.erased == [3]
    assert any("no longer on the camera" in problem for problem in result.problems)
    assert any("manifest entry says" in problem for problem in result.problems)
    assert device.path(second).exists()
    assert server.unavailable == {1: "gone", 2: "altered"}
    assert result.in_vain == [1, 2]
    assert not result.docking_again_helps


def test_a_recording_that_cannot_be_read_is_reported_to_the_server(device: Device, server: DockingServer) -> None:
    first, *_ = device.entries()
    device.path(first).unlink()
    device.path(first).mkdir()  # root reads a file whatever its mode says
    result = client(server).dock(device.folder)
    assert any("cannot be read on the camera" in problem for problem in result.problems)
    assert server.unavailable == {1: "unreadable"}
    assert result.in_vain == [1]
    assert not result.docking_again_helps


def test_a_file_that_fails_while_it_is_read_is_reported_to_the_server(
    device: Device, server: DockingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def worn_out(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("tusclient.uploader.Uploader.upload_chunk", worn_out)
    result = client(server).dock(device.folder)
    assert set(server.unavailable.values()) == {"unreadable"}
    assert len(server.unavailable) == 3
    assert nothing_was_erased(device, result)


def test_a_camera_that_is_pulled_out_is_not_said_to_have_lost_anything(device: Device, server: DockingServer) -> None:
    away = device.folder.with_name("away")

    def pulled(sequence: int, filename: str, sent: int, size: int, /) -> None:
        if sent == size and device.folder.exists():
            device.folder.rename(away)

    result = client(server, parallel=1).dock(device.folder, pulled)
    assert len(result.problems) == 3
    assert all("taken out of the dock" in problem for problem in result.problems)
    assert result.in_vain == []
    assert result.docking_again_helps
    assert server.unavailable == {}
    assert not device.folder.exists(), "nothing was made in its place"


def test_what_another_dock_brought_meanwhile_is_not_lost(device: Device, server: DockingServer) -> None:
    first, *_ = device.entries()
    content = device.path(first).read_bytes()
    device.path(first).unlink()
    server.faults.unavailable_status = 409
    server.faults.receive_on_report = {1: content}
    result = client(server).dock(device.folder)
    assert result.all_safe
    assert result.receipts_verified == [1, 2, 3]


def test_recordings_that_the_server_says_nothing_or_nonsense_about_are_kept(
    device: Device, server: DockingServer
) -> None:
    server.faults.states[1] = {"state": "maybe"}
    server.faults.states[2] = {"sequence": 999, "state": "have"}
    result = client(server).dock(device.folder)
    assert result.erased == [3]
    assert len(result.problems) == 2
    assert files(device) == 2


def test_a_recording_left_open_by_a_power_cut_is_closed_and_docked_too(device: Device, server: DockingServer) -> None:
    from bluelamp.camera.journal import Journal

    (*_, last) = device.entries()
    draft = {**last.entry.to_dict(), "sequence": 4, "filename": "cut.mp4"}
    for name in ("ended_at", "size", "sha256", "previous"):
        del draft[name]
    Journal.beside(device.folder / "cut.mp4", draft).write()
    (device.folder / "cut.mp4").write_bytes(device.path(last).read_bytes())
    assert client(server).dock(device.folder).erased == [1, 2, 3, 4]


def test_progress_reaches_the_size_of_every_file(device: Device, server: DockingServer) -> None:
    sizes = {signed.entry.sequence: signed.entry.size for signed in device.entries()}
    seen: dict[int, int] = {}

    def watch(sequence: int, filename: str, sent: int, size: int) -> None:
        seen[sequence] = sent
        assert size == sizes[sequence]

    client(server).dock(device.folder, watch)
    assert seen == sizes


def test_patience_doubles_its_pauses_keeps_to_retry_after_and_ends() -> None:
    slept: list[float] = []
    patience = Patience(20, slept.append)
    assert patience.pause()
    assert patience.pause()
    assert patience.pause("7")
    assert 0.3 < slept[0] < 0.7 < slept[1] < 1.3
    assert slept[2] == 7
    while patience.pause():
        pass
    assert abs(sum(slept) - 20) < 0.001
    patience.progressed()
    assert patience.pause()
    assert retry_after_seconds("Sun, 22 Nov 2026 07:00:00 GMT") is None


def test_addresses_on_other_hosts_are_not_the_servers_own() -> None:
    server = DockServer("https://bwv.example/", "t", 1)
    assert server.own_url("/dock/tus/1") == "https://bwv.example/dock/tus/1"
    assert server.own_url("https://bwv.example/dock/tus/1") == "https://bwv.example/dock/tus/1"
    assert server.own_url("http://bwv.example/dock/tus/1") is None
    assert server.own_url("https://bwv.example.evil/dock/tus/1") is None
    assert server.own_url("//evil/dock/tus/1") is None
    server.close()


def test_what_the_dock_remembers_is_written_down(device: Device, server: DockingServer) -> None:
    client(server).dock(device.folder)
    pinned = json.loads((device.folder / "server-key.json").read_text())
    assert set(pinned) == {"receipt_key", "server"}
    assert json.loads((device.folder / "uploads.json").read_text()) == {}
