"""A camera is docked: what is needed, what is here already, what is refused, and the receipts."""

from __future__ import annotations

import base64
import json
import uuid
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from bluelamp.custody import queries as ledger
from bluelamp.footage.models import Recording
from bluelamp.formats import iso8601
from bluelamp.formats.receipt import verify_receipt
from bluelamp.ingest.models import DockingSession
from bluelamp.vault.keyring import get_keyring
from bluelamp.vault.objects import SealedReader
from tests import factories
from tests.ingest.docks import Camera, Docking

CONTENT = b"these bytes are what the camera signed" * 50_000
HALF = len(CONTENT) // 2


def tags(subject: str) -> list[str]:
    return [item.tag for item in ledger.history(subject)]


def test_a_recording_goes_from_camera_to_receipt(docking: Docking) -> None:
    signed = docking.camera.record(CONTENT)
    item = docking.open()[1]
    assert item["state"] == "needed"
    assert docking.receipt(1).status_code == 202
    assert docking.receipt(1).headers["Retry-After"]

    *_, last = sent = [docking.patch(item["upload_url"], at, CONTENT[at : at + HALF]) for at in (0, HALF)]
    assert [each.status_code for each in sent] == [204, 204]
    assert "Bluelamp-Receipt" not in sent[0].headers

    answer = docking.receipt(1)
    assert json.loads(base64.b64decode(last.headers["Bluelamp-Receipt"])) == answer.json()
    receipt = verify_receipt(answer.json(), docking.answer["receipt_key"])
    assert (receipt.serial, receipt.sequence) == (docking.camera.serial, 1)
    assert (receipt.sha256, receipt.size) == (signed.entry.sha256, len(CONTENT))
    recording = Recording.objects.get(pk=receipt.recording_id)
    assert SealedReader(recording.original, recording.key_id).read(0, len(CONTENT) + 1) == CONTENT
    assert recording.wearer is not None
    assert recording.unit.name == "Northgate"
    assert recording.due_at is not None
    assert recording.manifest == signed.to_dict()
    collected = ledger.history(recording.custody_id)[0]
    assert collected.tag == "recording.collected"
    assert collected.actor.startswith("dock:")


def test_what_is_accepted_leaves_nothing_in_staging_and_no_second_copy_of_its_facts(docking: Docking) -> None:
    from bluelamp.ingest import staging

    docking.camera.record(CONTENT)
    docking.send(docking.open()[1]["upload_url"], CONTENT)
    upload = docking.uploads.get()
    assert upload.state == "accepted"
    assert not staging.folder_of(upload.pk).exists()
    assert (upload.manifest, upload.filename, upload.metadata) == ({}, "", "")
    text = json.dumps(DockingSession.objects.get(camera__serial=docking.camera.serial).inventory)
    assert "51.5" not in text
    assert ".mp4" not in text


def test_docking_again_answers_have_with_the_same_receipt(docking: Docking) -> None:
    docking.camera.record(CONTENT)
    docking.send(docking.open()[1]["upload_url"], CONTENT)
    first = docking.receipt(1).json()
    docking.camera.record(b"a second one")
    again = docking.open()
    assert again[1]["state"] == "have"
    assert again[1]["receipt"] == first
    assert again[1]["upload_url"] is None
    assert again[2]["state"] == "needed"
    assert docking.receipt(1).json() == first
    assert docking.recordings.count() == 1


def test_a_recording_that_was_deleted_on_time_is_not_taken_again(docking: Docking) -> None:
    from bluelamp.footage.services import mark_deleted

    docking.camera.record(CONTENT)
    docking.send(docking.open()[1]["upload_url"], CONTENT)
    receipt = docking.receipt(1).json()
    mark_deleted(docking.recordings.get())
    item = docking.open()[1]
    assert item["state"] == "have"
    assert item["receipt"] == receipt


def test_an_unfinished_upload_goes_on_in_the_next_session(docking: Docking) -> None:
    docking.camera.record(CONTENT)
    url = docking.open()[1]["upload_url"]
    assert docking.patch(url, 0, CONTENT[:1_200_000]).headers["Upload-Offset"] == "1200000"
    assert docking.open()[1]["upload_url"] == url
    assert docking.head(url).headers["Upload-Offset"] == "1200000"
    assert docking.patch(url, 1_200_000, CONTENT[1_200_000:]).status_code == 204
    assert docking.receipt(1).status_code == 200


def test_a_camera_that_moves_to_another_dock_goes_on_there(docking: Docking) -> None:
    from bluelamp.fleet import services as fleet

    docking.camera.record(CONTENT)
    url = docking.open()[1]["upload_url"]
    docking.patch(url, 0, CONTENT[:500_000])
    _, token = fleet.add_dock(f"Southgate {docking.camera.serial}", None, "person:1")
    with Docking(docking.base, token, docking.camera) as other:
        assert other.open()[1]["upload_url"] == url
        assert docking.head(url).status_code == 404
        assert other.patch(url, 500_000, CONTENT[500_000:]).status_code == 204
        assert other.receipt(1).status_code == 200
    assert docking.client.get(f"/api/v1/docking/{docking.answer['session']}/receipts/1").status_code == 200


def test_the_answer_tells_the_server_s_time_and_the_offset(docking: Docking) -> None:
    docking.camera.clock_behind = timedelta(seconds=90)
    docking.camera.record(CONTENT)
    docking.open()
    assert 89_000 < docking.answer["clock_offset_ms"] < 95_000
    assert abs(iso8601.parse(docking.answer["server_time"]) - datetime.now(UTC)) < timedelta(seconds=10)
    docking.send(docking.answer["recordings"][0]["upload_url"], CONTENT)
    recording = docking.recordings.get()
    assert recording.clock_status == "drifting"
    assert recording.clock_offset_ms == docking.answer["clock_offset_ms"]
    corrected = recording.device_started_at + timedelta(milliseconds=recording.clock_offset_ms)
    assert recording.started_at == corrected


def test_the_offset_of_the_first_docking_stays_with_a_recording(docking: Docking) -> None:
    """The dock may set the camera's clock; the offset measured after that does not fit what was recorded before."""
    docking.camera.clock_behind = timedelta(hours=1)
    docking.camera.record(CONTENT)
    docking.open()
    docking.camera.clock_behind = timedelta()
    item = docking.open()[1]
    assert abs(docking.answer["clock_offset_ms"]) < 10_000
    docking.send(item["upload_url"], CONTENT)
    assert docking.recordings.get().clock_offset_ms > 3_500_000


def test_a_text_file_named_mp4_is_evidence_as_it_came(docking: Docking) -> None:
    docking.camera.record(b"just text", filename="film.mp4")
    docking.send(docking.open()[1]["upload_url"], b"just text")
    assert docking.receipt(1).status_code == 200
    assert docking.recordings.get().processing == "waiting"


def test_an_empty_file_is_accepted_without_a_request_for_its_bytes(docking: Docking) -> None:
    docking.camera.record(b"")
    docking.open()
    receipt = docking.receipt(1)
    assert receipt.status_code == 200
    assert receipt.json()["size"] == 0
    recording = docking.recordings.get()
    assert SealedReader(recording.original, recording.key_id).read(0, 10) == b""


def test_the_parts_of_a_split_share_an_incident(docking: Docking) -> None:
    incident = str(uuid.uuid4())
    docking.camera.record(b"part one", incident=incident, part=1)
    docking.camera.record(b"part two", incident=incident, part=2)
    docking.camera.record(b"another")
    for item in docking.open().values():
        docking.send(item["upload_url"], docking.camera.content[item["sequence"]])
    one, two, other = docking.recordings.order_by("sequence")
    assert one.incident == two.incident
    assert other.incident != one.incident


def test_a_camera_s_key_is_pinned_at_its_first_docking(docking: Docking) -> None:
    docking.camera.record(CONTENT)
    docking.open()
    impostor = Camera(docking.camera.serial)
    impostor.record(b"forged")
    with Docking(docking.base, docking.token, impostor) as other:
        refused = other.client.post("/api/v1/docking", json=other.request())
    assert refused.status_code == 409
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert "another key" in refused.json()["detail"]
    assert "camera.key_refused" in tags(f"camera:{docking.camera.serial}")


def test_an_unknown_camera_is_refused_in_words_and_on_record(docking: Docking) -> None:
    refused = docking.client.post("/api/v1/docking", json=docking.request(serial="STRANGE-1"))
    assert refused.status_code == 422
    assert "STRANGE-1" in refused.json()["detail"]
    assert refused.json()["meaning"]
    assert refused.json()["next_step"]
    assert tags("camera:STRANGE-1") == ["camera.refused"]


def test_an_entry_with_a_bad_signature_is_refused_and_the_others_are_taken(docking: Docking) -> None:
    for content in (b"one", b"two", b"three"):
        docking.camera.record(content)
    inventory = [signed.to_dict() for signed in docking.camera.entries]
    inventory[1]["entry"]["told"] = False
    del inventory[2]["signature"]
    found = docking.open(inventory=inventory)
    assert [found[n]["state"] for n in (1, 2, 3)] == ["needed", "refused", "refused"]
    assert "changed after signing" in found[2]["why"]
    assert "lacks" in found[3]["why"]
    opened = [item for item in ledger.history(f"camera:{docking.camera.serial}") if item.tag == "docking.opened"]
    assert [item["sequence"] for item in opened[0].details["refused"]] == [2, 3]
    assert docking.receipt(2).status_code == 422
    assert docking.create(2).status_code == 422


def test_another_camera_s_entry_is_refused(docking: Docking) -> None:
    stranger = Camera("OTHER-9")
    stranger.key = docking.camera.key
    stranger.record(b"one")
    found = docking.open(inventory=[stranger.entries[0].to_dict()])
    assert found[1]["state"] == "refused"


def test_two_recordings_under_one_number_are_both_refused(docking: Docking) -> None:
    docking.camera.record(b"one")
    docking.camera.record(b"another one", sequence=1)
    response = docking.client.post("/api/v1/docking", json=docking.request())
    assert [item["state"] for item in response.json()["recordings"]] == ["refused", "refused"]


def test_an_entry_given_twice_is_answered_once(docking: Docking) -> None:
    signed = docking.camera.record(b"one").to_dict()
    response = docking.client.post("/api/v1/docking", json=docking.request(inventory=[signed, signed]))
    assert [item["state"] for item in response.json()["recordings"]] == ["needed"]
    assert docking.uploads.count() == 1


def test_other_bytes_under_a_number_that_is_here_are_refused(docking: Docking) -> None:
    docking.camera.record(CONTENT)
    docking.send(docking.open()[1]["upload_url"], CONTENT)
    docking.camera.entries.clear()
    docking.camera.record(b"something else", sequence=1)
    item = docking.open()[1]
    assert item["state"] == "refused"
    assert "here already" in item["why"]
    assert docking.receipt(1).status_code == 422


def test_other_bytes_under_a_number_still_on_its_way_replace_it(docking: Docking) -> None:
    docking.camera.record(CONTENT)
    before = docking.open()[1]["upload_url"]
    docking.patch(before, 0, CONTENT[:100_000])
    docking.camera.entries.clear()
    docking.camera.record(b"something else", sequence=1)
    item = docking.open()[1]
    assert item["upload_url"] != before
    assert docking.head(before).status_code == 410
    old = docking.uploads.get(state="abandoned")
    assert old.cleared
    assert not get_keyring().has(old.key_id)
    assert docking.send(item["upload_url"], b"something else").status_code == 204


def test_gaps_in_the_chain_are_on_record(docking: Docking) -> None:
    for content in (b"one", b"two", b"three"):
        docking.camera.record(content)
    del docking.camera.entries[1]
    docking.open()
    opened = ledger.history(f"camera:{docking.camera.serial}")[-1]
    assert opened.details["problems"] == [f"Camera {docking.camera.serial}: recording 2 is missing."]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"device_clock": "yesterday"}, "clock"),
        ({"battery_percent": 200}, "battery"),
        ({"storage": {"capacity": 1}}, "storage"),
        ({"inventory": "all of it"}, "inventory"),
        ({"serial": "../../etc/passwd"}, "serial"),
        ({"surprise": 1}, "surprise"),
        ({"clock_set": "yes"}, "clock_set"),
    ],
)
def test_a_docking_request_outside_the_protocol_is_refused_in_words(docking: Docking, changes, said: str) -> None:
    refused = docking.client.post("/api/v1/docking", json=docking.request(**changes))
    assert refused.status_code == 422
    assert said in refused.json()["detail"]


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff\xfe", b'{"serial": NaN}', b"[" * 100_000])
def test_what_is_not_a_json_object_is_refused(docking: Docking, body: bytes) -> None:
    refused = docking.client.post("/api/v1/docking", content=body, headers={"Content-Type": "application/json"})
    assert refused.status_code == 422
    assert refused.headers["Content-Type"] == "application/problem+json"


def test_a_docking_request_must_be_json(docking: Docking) -> None:
    assert docking.client.post("/api/v1/docking", data={"serial": "x"}).status_code == 415


def test_receipts_are_told_only_to_the_dock_of_the_session(docking: Docking) -> None:
    from bluelamp.fleet import services as fleet

    docking.camera.record(CONTENT)
    docking.send(docking.open()[1]["upload_url"], CONTENT)
    path = f"/api/v1/docking/{docking.answer['session']}/receipts/1"
    _, token = fleet.add_dock(f"Eastgate {docking.camera.serial}", None, "person:1")
    other = {"Authorization": f"Bearer {token}"}
    assert httpx.get(docking.base + path, headers=other).status_code == 404
    assert httpx.get(docking.base + path).status_code == 401
    assert docking.receipt(2).status_code == 404
    assert docking.client.get(f"/api/v1/docking/{uuid.uuid4()}/receipts/1").status_code == 404
    assert docking.client.get("/api/v1/docking/none/receipts/1").status_code == 404
    assert docking.client.get(f"/api/v1/docking/{docking.answer['session']}/receipts/-1").status_code == 404
    assert docking.receipt(10**30).status_code == 404


def test_a_receipt_signed_with_a_former_key_is_signed_anew(docking: Docking) -> None:
    from bluelamp.custody import keys

    docking.camera.record(CONTENT)
    docking.send(docking.open()[1]["upload_url"], CONTENT)
    former = docking.receipt(1).json()
    from django.conf import settings

    (settings.BLUELAMP.keys / "receipt.key").unlink()
    keys.receipt_key()
    item = docking.open()[1]
    receipt = verify_receipt(item["receipt"], docking.answer["receipt_key"])
    assert receipt.leaf_entry == former["leaf_entry"]
    assert receipt.received_at == former["received_at"]


def test_a_recording_that_came_another_way_has_a_receipt_too(docking: Docking) -> None:
    from bluelamp.fleet.models import Camera as FleetCamera
    from bluelamp.footage.services import NewRecording, accept
    from bluelamp.kernel import clock
    from bluelamp.kernel.ids import new_id

    signed = docking.camera.record(CONTENT)
    recording_id = new_id()
    accept(
        NewRecording(
            id=recording_id,
            filename="imported.mp4",
            sha256=signed.entry.sha256,
            size=signed.entry.size,
            original=f"recordings/{recording_id}/original",
            started_at=clock.now(),
            ended_at=clock.now(),
            camera=FleetCamera.objects.get(serial=docking.camera.serial),
            sequence=1,
        )
    )
    item = docking.open()[1]
    assert item["state"] == "have"
    assert verify_receipt(item["receipt"], docking.answer["receipt_key"]).recording_id == str(recording_id)


def test_a_wearer_is_the_one_at_the_time_of_recording(docking: Docking) -> None:
    from bluelamp.fleet import services as fleet
    from bluelamp.fleet.models import Camera as FleetCamera

    camera = FleetCamera.objects.get(serial=docking.camera.serial)
    long_ago = iso8601.to_text(datetime.now(UTC) - timedelta(days=2))
    docking.camera.record(b"before the issue", started_at=long_ago, ended_at=long_ago)
    fleet.return_camera(camera, actor="person:1")
    fleet.issue(camera, factories.person(unit=factories.unit()), actor="person:1")
    docking.send(docking.open()[1]["upload_url"], b"before the issue")
    recording = docking.recordings.get()
    assert recording.wearer is None
    assert recording.unit == camera.unit
