"""OpenStack's own client, which nobody here wrote, sends real H.264 in Matroska."""

from __future__ import annotations

import hashlib
import io
import json
import uuid
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import av
import pytest
import swiftclient
from swiftclient.service import SwiftService, SwiftUploadObject

from tests.axis.conftest import connect, content, recordings
from tests.axis.system import System, encrypt, stamp, times, trail
from tests.media import samples

AXIS = uuid.UUID("5369676e-6564-2056-6964-656f2e2e2e30").bytes
ONVIF = uuid.UUID("005bc93f-2d71-5e95-ada4-796f90877a6f").bytes


def _signed(video: bytes) -> bytes:
    """The same pictures in Matroska, every key frame with SEI units of both signatures (ITU-T H.264, D.1.6)."""
    out = io.BytesIO()
    with av.open(io.BytesIO(video)) as source, av.open(out, "w", format="matroska") as target:
        streams = {stream.index: target.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            if not packet.size:
                continue
            stream = packet.stream
            if stream.type == "video" and packet.is_keyframe:
                signed = av.Packet(_sei(AXIS) + _sei(ONVIF) + bytes(packet))
                signed.pts, signed.dts, signed.time_base = packet.pts, packet.dts, packet.time_base
                signed.is_keyframe = True
                packet = signed
            packet.stream = streams[stream.index]
            target.mux(packet)
    return out.getvalue()


def _sei(name: bytes) -> bytes:
    payload = name + b"signature of the picture before"
    unit = bytes((6, 5, len(payload))) + payload + b"\x80"
    return len(unit).to_bytes(4, "big") + unit


@pytest.fixture(scope="module")
def signed_mkv() -> bytes:
    made = _signed(samples.video(2))
    assert AXIS in made
    assert ONVIF in made
    return made


@pytest.fixture
def client(system: System):
    """Swift's own client with the connection file's credentials."""
    found = swiftclient.Connection(
        authurl=system.file["AuthenticationTokenURI"][0],
        user=system.file["BlobAPIUserName"],
        key=system.file["BlobAPIKey"],
        auth_version="1",
        retries=1,
    )
    yield found
    found.close()


def _said(kind: str, **values: object) -> dict[str, str]:
    return {f"x-{kind}-meta-{key}": quote(str(value), safe="") for key, value in values.items()}


def _clip(began: datetime, seconds: int = 60) -> dict[str, str]:
    ended = began + timedelta(seconds=seconds)
    return _said("object", **times("StartTime", began), **times("StopTime", ended), ContainerType="mkv")


def test_a_recording_of_two_signed_clips_with_track_and_bookmark(system: System, officer, client, signed_mkv) -> None:
    from bluelamp.footage import queries as footage
    from bluelamp.footage.models import Derivative
    from bluelamp.footage.services import processing
    from bluelamp.vault.objects import SealedReader
    from tests.axis.conftest import settle

    began = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=10)
    name = f"{system.user}_{system.serial}_{stamp(began)}"
    told = {"UserID": system.user, "BWCSerialNumber": system.serial, "Status": "Transferring"}
    client.put_container(name, headers=_said("container", **told, **times("TriggerOnTime", began)))
    other = samples.video(2, container="matroska", gop=10)
    for part, video in enumerate((signed_mkv, other)):
        begins = began + timedelta(minutes=part)
        etag = client.put_object(name, f"{stamp(begins)}_7f.mkv", io.BytesIO(video), headers=_clip(begins))
        assert etag == hashlib.md5(video).hexdigest()
    track = trail((began, 51.5, -0.1), (began + timedelta(seconds=70), 51.6, -0.1), start=began)
    client.put_object(name, "20261122_071905_7f_B8_gpstrail.json", track, headers=_said("object", FileType="json"))
    marked = _said("object", CategoryID="use_of_force", CategoryName="Use of force", StartTime=began.isoformat())
    client.put_object(name, "bookmark_1_1", "Ein Wörtchen".encode(), headers=marked)
    client.post_container(name, headers=_said("container", Status="Complete"))
    settle()

    first, second = recordings(system)
    assert content(first) == signed_mkv, "byte for byte as it came: the signatures are untouched"
    assert content(second) == other
    assert (first.part, second.part) == (1, 2)
    assert footage.standing_flag(first).category.code == "use_of_force"
    assert [place["lat"] for place in second.track] == ["51.6"]

    processing.prepare(first.pk)
    first.refresh_from_db()
    assert first.processing == "ready", first.processing_error
    copy = first.derivatives.get(kind=Derivative.Kind.VIEWING)
    reader = SealedReader(copy.object_name, first.key_id)
    remuxed = reader.read(0, reader.size)
    assert AXIS in remuxed
    assert ONVIF in remuxed
    with av.open(io.BytesIO(signed_mkv)) as before, av.open(io.BytesIO(remuxed)) as after:
        pictures = [
            [bytes(packet) for packet in video.demux(video.streams.video[0]) if packet.size]
            for video in (before, after)
        ]
    assert pictures[0] == pictures[1], "the coded pictures were taken over, not coded anew"


def test_the_clients_own_errors_are_the_protocols_statuses(system: System, client, mkv) -> None:
    for call, status in (
        (lambda: client.get_account(), 403),
        (lambda: client.get_container("System"), 403),
        (lambda: client.get_object("Users", system.user), 403),
        (lambda: client.delete_object("Users", system.user), 403),
        (lambda: client.head_container("nothing"), 404),
        (lambda: client.put_object("nothing", "x.mkv", mkv), 404),
        (lambda: client.post_container("nothing", {}), 404),
    ):
        with pytest.raises(swiftclient.ClientException) as refused:
            call()
        assert refused.value.http_status == status
    headers, body = client.get_object("System", "Capabilities.json")
    assert headers["etag"] == hashlib.md5(body).hexdigest()
    assert json.loads(body)["Store"]["StoreSignedVideo"] is True


def test_the_upload_service_stores_a_file_and_skips_it_when_it_is_there(system: System, mkv, tmp_path) -> None:
    file = tmp_path / "clip.mkv"
    file.write_bytes(mkv)
    began = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=10)
    name = f"{system.user}_{system.serial}_{stamp(began)}"
    options = {
        "auth": system.file["AuthenticationTokenURI"][0],
        "user": system.file["BlobAPIUserName"],
        "key": system.file["BlobAPIKey"],
        "auth_version": "1.0",
    }
    with SwiftService(options) as service:
        for _ in range(2):
            upload = SwiftUploadObject(str(file), f"{stamp(began)}_1.mkv", {"header": _lines(_clip(began))})
            results = list(service.upload(name, [upload], {"skip_identical": True}))
            assert all(result["success"] for result in results), results
    (recording,) = recordings(system)
    assert content(recording) == mkv


def _lines(headers: dict[str, str]) -> list[str]:
    return [f"{name}: {value}" for name, value in headers.items()]


def test_a_wrong_key_is_refused_in_the_clients_words(system: System) -> None:
    wrong = swiftclient.Connection(
        system.file["AuthenticationTokenURI"][0], system.file["BlobAPIUserName"], "wrong", retries=0
    )
    with pytest.raises(swiftclient.ClientException, match="Unauthorized|401"):
        wrong.head_account()


def test_an_encrypted_clip_comes_through_the_same_client(entrance, unit, officer, mkv) -> None:
    from bluelamp.ingest.axis import services
    from bluelamp.ingest.models import AxisObject

    with connect(entrance, unit, want_encryption=True) as system:
        system.announce(user_id=officer.warrant_number)
        client = swiftclient.Connection(
            system.file["AuthenticationTokenURI"][0], system.file["BlobAPIUserName"], system.file["BlobAPIKey"]
        )
        began = system.began
        name = system.container
        sealed, key = encrypt(mkv, system.file)
        client.put_container(name, headers=_said("container", UserID=system.user, BWCSerialNumber=system.serial))
        clip = f"{stamp(began)}_1.mkv"
        assert client.put_object(name, clip, sealed, headers=_clip(began)) == hashlib.md5(sealed).hexdigest()
        client.put_object(name, f"{stamp(began)}_1.key", key, headers=_said("object", FileType="key"))
        (recording,) = recordings(system)
        assert services.unwrap(AxisObject.objects.get(recording=recording.pk).pk) is True
        (recording,) = recordings(system)
        assert content(recording) == mkv
        client.close()
