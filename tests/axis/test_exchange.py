"""An exchange exactly as the protocol's tables list it."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from tests.axis.conftest import connect, content, recordings, settle
from tests.axis.system import System, meta


def test_a_recording_comes_whole_and_is_acknowledged_only_when_it_is_one_of_ours(system: System, officer, mkv) -> None:
    assert system.put(system.container, system.container_meta()).status_code == 201
    assert system.put(system.container, system.container_meta()).status_code == 202
    answer = system.clip(mkv)
    assert answer.status_code == 201, answer.text
    assert answer.headers["Etag"] == hashlib.md5(mkv).hexdigest()
    (recording,) = recordings(system)
    assert content(recording) == mkv
    assert recording.sha256 == hashlib.sha256(mkv).hexdigest()
    assert recording.wearer == officer
    assert recording.started_at == system.began
    assert recording.ended_at == system.ended
    assert recording.pre_event_seconds == 30
    assert recording.place == "51.5620, -0.1060"
    assert recording.filename == system.clip_name()
    assert system.complete().status_code == 204
    assert system.post(f"{system.container}/{system.clip_name()}", meta("Object", Extra="x")).status_code == 403


def test_clips_of_one_recording_are_parts_of_one_incident_in_order_of_time(system: System, mkv, other_mkv) -> None:
    system.open()
    assert system.clip(other_mkv, part=2).status_code == 201
    assert system.clip(mkv, part=1).status_code == 201
    first, second = recordings(system)
    assert (first.part, second.part) == (1, 2)
    assert first.incident_id == second.incident_id is not None
    assert second.started_at - first.started_at == timedelta(minutes=1)


def test_every_request_answers_with_the_status_of_the_protocols_table(system: System, mkv) -> None:
    auth = {"X-Auth-User": system.file["BlobAPIUserName"], "X-Auth-Key": system.file["BlobAPIKey"]}
    assert system.http.get(f"{system.address}/auth/v1.0", headers=auth).status_code == 200
    assert system.http.get(f"{system.address}/auth/v1.0").status_code == 401
    for method in ("POST", "PUT", "HEAD", "DELETE", "PATCH"):
        assert system.http.request(method, f"{system.address}/auth/v1.0", headers=auth).status_code == 400, method

    assert system.call("GET", "System/Capabilities.json").status_code == 200
    assert system.call("GET", "System/Categories.json").status_code == 200
    assert system.call("GET", "System/nothing").status_code == 404
    assert system.put("System").status_code == 202, "it is there from the start"
    identity = meta("Object", ConnectionId="c-1", SystemName="Northgate")
    assert system.put("System/5c1e1a7e-0000-4000-8000-000000000001", identity).status_code == 201
    again = system.call("HEAD", "System/5c1e1a7e-0000-4000-8000-000000000001")
    assert (again.status_code, again.headers["X-Object-Meta-Connectionid"]) == (200, "c-1")
    assert system.call("GET", "System/5c1e1a7e-0000-4000-8000-000000000001").status_code == 200

    assert system.post("nobody_made_this", meta("Container", Status="Transferring")).status_code == 404
    assert system.put("nobody_made_this/clip.mkv", system.clip_meta(), mkv).status_code == 404
    assert system.put(system.container, system.container_meta()).status_code == 201
    assert system.put(system.container, system.container_meta()).status_code == 202
    assert system.post(system.container, meta("Container", TriggerOff="Button")).status_code == 204
    assert system.post(f"{system.container}/{system.clip_name()}").status_code == 404
    assert system.clip(mkv).status_code == 201
    told = system.clip_meta()
    assert system.post(f"{system.container}/{system.clip_name()}", told).status_code == 202

    for path in (system.container, f"{system.container}/{system.clip_name()}", f"Users/{system.user}", "", "System"):
        assert system.call("GET", path).status_code == 403, path
    for path in (system.container, f"{system.container}/{system.clip_name()}", ""):
        for method, status in (("PATCH", 400), ("DELETE", 403), ("COPY", 403), ("OPTIONS", 400), ("TRACE", 400)):
            assert system.call(method, path).status_code == status, (method, path)
    assert system.post("").status_code == 400
    assert system.put("Users/").status_code == 202, "a slash after a container's name names no object"
    assert system.call("HEAD", "").status_code == 204


def test_containers_merge_their_metadata_and_an_empty_value_deletes_a_key(system: System) -> None:
    system.open(TriggerOff="Nobody knows yet")
    system.put(system.container, meta("Container", SCUSerialNumber="other", TriggerOff=""))
    system.post(system.container, meta("Container", Note="Zoë & Co / 100 %"))
    said = system.call("HEAD", system.container)
    assert said.status_code == 204
    assert said.headers["X-Container-Meta-Scuserialnumber"] == "other"
    assert "X-Container-Meta-Triggeroff" not in said.headers
    assert said.headers["X-Container-Meta-Bwcmodel"] == "W102"
    assert said.headers["X-Container-Meta-Note"] == "Zo%C3%AB%20%26%20Co%20%2F%20100%20%25"


def test_objects_replace_all_of_their_metadata(system: System, mkv) -> None:
    system.open()
    system.clip(mkv, Extra="one")
    path = f"{system.container}/{system.clip_name()}"
    assert system.call("HEAD", path).headers["X-Object-Meta-Extra"] == "one"
    assert system.post(path, meta("Object", Other="two")).status_code == 202
    said = system.call("HEAD", path)
    assert said.headers["X-Object-Meta-Other"] == "two"
    assert "X-Object-Meta-Extra" not in said.headers
    assert "X-Object-Meta-Starttime" not in said.headers
    assert said.headers["Etag"] == hashlib.md5(mkv).hexdigest()


def test_capabilities_and_categories_carry_their_md5(system: System) -> None:
    from bluelamp.footage.models import Category

    capabilities = system.call("GET", "System/Capabilities.json")
    assert capabilities.headers["Etag"] == hashlib.md5(capabilities.content).hexdigest()
    assert capabilities.json() == {
        "Read": {"ReadCategories": True},
        "Store": {
            "StoreBookmarks": True,
            "StoreGNSSTrackRecording": True,
            "StoreRejectedContent": True,
            "StoreSignedVideo": True,
            "StoreUserIDKey": True,
        },
        "StoreAndRead": {"StoreReadSystemID": True},
    }
    assert system.call("HEAD", "System/Capabilities.json").headers["Etag"] == capabilities.headers["Etag"]
    categories = system.call("GET", "System/Categories.json")
    assert categories.headers["Etag"] == hashlib.md5(categories.content).hexdigest()
    assert categories.json() == [{"Name": each.name, "Id": each.code} for each in Category.objects.all()]
    assert system.put("System/Capabilities.json", content=b"{}").status_code == 403


def test_a_recording_that_names_somebody_unknown_can_never_be_stored_and_raises_an_alert(system: System, mkv) -> None:
    from bluelamp.custody import queries as ledger
    from bluelamp.ingest.models import AxisAlert

    stranger = system.put("x_y_20261122T070000Z", system.container_meta(UserID="nobody"))
    assert stranger.status_code == 400
    assert stranger.json()["status"] == 400
    assert system.put("x_z_20261122T070000Z", system.container_meta(BWCSerialNumber="NOSUCH1")).status_code == 400
    assert [item.tag for item in ledger.history("camera:NOSUCH1")] == ["camera.refused"]
    # Without metadata the name says who it is.
    assert system.put(f"nobody_{system.serial}_20261122T070000Z").status_code == 201
    refused = system.put(f"nobody_{system.serial}_20261122T070000Z/c.mkv", system.clip_meta(), mkv)
    assert refused.status_code == 400
    alerts = AxisAlert.objects.filter(connection__user=system.file["BlobAPIUserName"])
    assert sorted(alerts.values_list("kind", "about")) == [("device", "NOSUCH1"), ("user", "nobody")]
    assert not recordings(system)


def test_what_a_disabled_user_recorded_with_a_disabled_camera_is_taken(system: System, officer, mkv) -> None:
    said = meta("Object", Active="False", Name="PC Amara Brooks", UserID=officer.warrant_number)
    assert system.post(f"Users/{system.user}", said).status_code == 202
    assert system.post(f"Devices/{system.serial}", meta("Object", Active="False")).status_code == 202
    system.open()
    assert system.clip(mkv).status_code == 201
    assert recordings(system)[0].wearer == officer


def test_a_camera_that_the_force_does_not_have_yet_is_registered_when_it_is_announced(system: System, unit) -> None:
    from bluelamp.custody import queries as ledger
    from bluelamp.fleet import queries as fleet

    camera = fleet.camera(system.serial)
    assert (camera.unit, camera.model) == (unit, "W102")
    registered = next(item for item in ledger.history(camera.custody_id) if item.tag == "camera.registered")
    assert registered.actor.startswith("axis:")


def test_clips_without_a_duration_or_out_of_bounds_can_never_be_stored(system: System, mkv) -> None:
    system.open()
    begins = int(system.began.timestamp())
    for said in (
        {"StopTime": begins, "StopTimeISO": ""},
        {"StopTime": begins - 1, "StopTimeISO": ""},
        {"StopTime": "", "StopTimeISO": ""},
        {"StartTime": "", "StartTimeISO": ""},
        {"StartTime": "yesterday", "StartTimeISO": "noon"},
        {"StartTime": 0, "StopTime": 60},
        {"StartTime": begins + 10**6, "StopTime": begins + 10**6 + 60},
        {"StartTime": begins, "StopTime": begins + 400_000},
    ):
        assert system.clip(mkv, **said).status_code == 400, said
    assert system.clip(b"").status_code == 400
    assert not recordings(system)


def test_times_that_disagree_are_taken_and_marked(system: System, mkv) -> None:
    system.open()
    assert system.clip(mkv, StartTimeISO="2026-01-01T00:00:00Z").status_code == 201
    (recording,) = recordings(system)
    assert recording.started_at == system.began
    assert recording.clock_status == "doubtful"


def test_a_clock_a_little_ahead_does_not_keep_footage_out(system: System, mkv) -> None:
    from bluelamp.kernel import clock

    system.open()
    ahead = int(clock.now().timestamp()) + 3600
    said = {"StartTime": ahead, "StartTimeISO": "", "StopTime": ahead + 60, "StopTimeISO": ""}
    assert system.clip(mkv, **said).status_code == 201
    (recording,) = recordings(system)
    assert recording.clock_status == "unset"
    assert recording.ended_at <= clock.now()
    assert recording.device_started_at.timestamp() == ahead


def test_what_is_complete_takes_nothing_more_but_bears_repetition(system: System, mkv, other_mkv) -> None:
    from bluelamp.custody import queries as ledger

    system.open()
    assert system.clip(mkv).status_code == 201
    assert system.complete().status_code == 204
    assert system.complete().status_code == 204
    assert system.clip(mkv).status_code == 201
    assert system.clip(other_mkv, part=2).status_code == 403
    assert system.put(f"{system.container}/bookmark_1_2", content=b"late").status_code == 403
    assert system.post(system.container, meta("Container", TriggerOff="Other")).status_code == 403
    settle()
    (recording,) = recordings(system)
    assert "axis.recording_completed" in [item.tag for item in ledger.history(recording.custody_id)]
    assert [event["kind"] for event in recording.events] == ["start", "stop"]


def test_an_officer_who_gets_an_account_later_wears_the_next_recording(entrance, unit, mkv) -> None:
    from tests import factories

    with connect(entrance, unit) as system:
        system.announce(user_id="W-LATER")
        officer = factories.person(unit=unit)
        type(officer).objects.filter(pk=officer.pk).update(warrant_number="W-LATER")
        system.open()
        assert system.clip(mkv).status_code == 201
        assert recordings(system)[0].wearer == officer
