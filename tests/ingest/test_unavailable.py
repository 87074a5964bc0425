"""A dock says that it cannot send what its camera offered: the force hears of it at once, and nothing else changes."""

from __future__ import annotations

import re
import uuid

import httpx
import pytest
from django.test import Client

from bluelamp.custody import queries as custody
from bluelamp.fleet import services as fleet
from bluelamp.ingest import advice, live, missing, services
from bluelamp.ingest.models import Discrepancy, Offer, Reconciliation
from bluelamp.kernel import clock
from bluelamp.people.policy import Role
from tests import factories, signin
from tests.ingest.docks import Docking
from tests.pages import text_of


def told(docking: Docking) -> list[tuple[str, int | None, str]]:
    services.reconcile_docked()
    rows = Discrepancy.objects.filter(camera__serial=docking.camera.serial).order_by("found_at", "id")
    return list(rows.values_list("kind", "first", "state"))


def reports(docking: Docking) -> list[custody.HistoryItem]:
    history = custody.history(f"camera:{docking.camera.serial}")
    return [item for item in history if item.tag == "docking.recording_unavailable"]


@pytest.fixture
def lost(docking: Docking) -> Docking:
    """A camera docked with two recordings, of which the second can be sent."""
    docking.camera.record(b"the first of " + docking.camera.serial.encode())
    docking.camera.record(b"the second of " + docking.camera.serial.encode())
    docking.open()
    return docking


def test_the_force_hears_at_once_that_a_file_has_gone_from_the_camera(lost: Docking, client: Client) -> None:
    assert told(lost) == []
    assert lost.unavailable(1, "gone").status_code == 204
    assert told(lost) == [("never_arrived", 1, "open")]
    (report,) = reports(lost)
    assert report.actor.startswith("dock:")
    assert (report.details["sequence"], report.details["why"]) == (1, "gone")
    signin.quickly(client, factories.person(Role.BWV_MANAGER, unit=factories.unit()))
    found = Discrepancy.objects.get(camera__serial=lost.camera.serial)
    page = text_of(client.get(f"/fleet/docking/missing/{found.pk}/"))
    assert page.count("Its file is no longer on the camera, as the dock found when it was to be sent.") >= 2
    assert "Keep the camera out of use and have it examined" in page


@pytest.mark.parametrize(
    ("why", "means"),
    [
        ("gone", "their files were no longer on it"),
        ("altered", "not as long as the camera signed"),
        ("unreadable", "the dock could not read them"),
    ],
)
def test_what_a_dock_cannot_send_has_its_own_advice_and_none_once_it_is_closed(
    lost: Docking, client: Client, why: str, means: str
) -> None:
    lost.unavailable(1, why)
    told(lost)
    signin.quickly(client, factories.person(Role.BWV_MANAGER, unit=factories.unit()))
    found = Discrepancy.objects.get(camera__serial=lost.camera.serial)
    address = f"/fleet/docking/missing/{found.pk}/"
    page = client.get(address).content.decode()
    steps = re.findall(r"<li>(.*?)</li>", page.partition("What to do next</h2>")[2].partition("</ol>")[0])
    assert means in page
    assert steps[0].startswith("Keep the camera out of use and have it examined")
    for words in ("it should have them still", "<li>Dock the camera again", "leave it in the dock"):
        assert words not in page, words

    services.close_discrepancy(found.pk, by=factories.person(Role.BWV_MANAGER), reason="Lost in the river.")
    page = client.get(address).content.decode()
    assert means in page
    assert not [step for step in steps if step in page]
    assert "What to do next" not in page
    assert "Missing, answered for: " in page, "in the table of numbers"

    lost.open()
    assert means in client.get(address).content.decode(), "docked again, before the dock has looked"


def test_where_only_one_of_several_has_gone_the_advice_is_for_all_of_them(lost: Docking) -> None:
    told(lost)
    camera = Offer.objects.filter(camera__serial=lost.camera.serial)[0].camera
    now = clock.now()
    found = Discrepancy.objects.create(
        camera=camera, kind="never_arrived", first=1, last=2, missing=2, first_seen_at=now, last_seen_at=now,
        found_at=now, detail="Offered and not arrived; nothing came from the camera for 6 hours.",
    )  # fmt: skip
    lost.unavailable(1, "gone")
    assert missing.story(found).advice == advice.on("never_arrived")
    lost.unavailable(2, "gone")
    assert missing.story(found).advice == advice.on("never_arrived", "gone") != advice.on("never_arrived")


def test_once_somebody_answered_for_it_it_is_not_listed_as_docking_now(lost: Docking) -> None:
    lost.unavailable(1, "gone")
    told(lost)
    assert _listed(lost) == {1: "lost", 2: "waiting"}
    before = live.live()
    (found,) = Discrepancy.objects.filter(camera__serial=lost.camera.serial)
    services.close_discrepancy(found.pk, by=factories.person(Role.BWV_MANAGER), reason="Lost in the river.")
    assert _listed(lost) == {2: "waiting"}
    assert live.live()._count("lost") == before._count("lost") - 1
    assert live.live().elsewhere == before.elsewhere

    # What comes after all is listed again.
    url = lost.open()[1]["upload_url"]
    assert _listed(lost).keys() == {1, 2}
    assert lost.patch(url, 0, lost.camera.content[1][:3]).status_code == 204
    assert _listed(lost).keys() == {1, 2}


def _listed(docking: Docking) -> dict[int, str]:
    uploads = [each for place in live.live().places for each in place.uploads if _is(docking, each.upload)]
    return {each.upload.sequence: each.state for each in uploads}


def test_said_again_it_changes_nothing_and_another_reason_is_told(lost: Docking) -> None:
    for _ in range(3):
        assert lost.unavailable(1, "gone").status_code == 204
    assert len(reports(lost)) == 1
    told(lost)
    assert lost.unavailable(1, "gone").status_code == 204
    assert not Reconciliation.objects.get(camera__serial=lost.camera.serial).due
    assert lost.unavailable(1, "unreadable").status_code == 204
    assert [report.details["why"] for report in reports(lost)] == ["gone", "unreadable"]


def test_what_comes_after_all_is_taken_and_resolves_it(lost: Docking) -> None:
    lost.unavailable(1, "unreadable")
    assert told(lost) == [("never_arrived", 1, "open")]
    url = lost.open()[1]["upload_url"]
    assert set(Offer.objects.filter(camera__serial=lost.camera.serial).values_list("unavailable", flat=True)) == {""}
    assert lost.send(url, lost.camera.content[1]).status_code == 204
    services.reconcile_waiting()
    assert told(lost) == [("never_arrived", 1, "resolved")]
    assert lost.receipt(1).status_code == 200


def test_a_dock_with_nothing_but_lost_files_is_not_called_silent(lost: Docking) -> None:
    lost.unavailable(1, "gone")
    lost.unavailable(2, "altered")
    place = next(place for place in live.live().places if any(_is(lost, each.upload) for each in place.uploads))
    assert {each.state for each in place.uploads if _is(lost, each.upload)} == {"lost"}
    # Other tests' cameras stand in the same dock.
    lost_there = sum(each.state == "lost" for place in live.live().places for each in place.uploads)
    assert f"{lost_there} cannot be sent" in live.live().sentence
    assert "no longer on the camera" in next(each.why for each in place.uploads if each.upload.sequence == 1)


def _is(docking: Docking, upload) -> bool:
    return upload.camera is not None and upload.camera.serial == docking.camera.serial


def test_it_is_not_said_of_what_is_here_or_was_refused_or_is_another_session_s(lost: Docking) -> None:
    url = {item["sequence"]: item["upload_url"] for item in lost.answer["recordings"]}[2]
    assert lost.send(url, lost.camera.content[2]).status_code == 204
    before = lost.answer["session"]
    refused = lost.unavailable(2, "gone")
    assert refused.status_code == 409
    assert "is not awaited" in refused.json()["detail"]
    lost.open()
    assert lost.unavailable(2, "gone").status_code == 409
    lost.answer["session"] = before
    assert lost.unavailable(1, "gone").status_code == 409, "offered in another session since"
    assert reports(lost) == []
    assert missing.recordings_awaited() >= 1


def test_only_the_session_s_dock_and_its_recordings_are_known(lost: Docking) -> None:
    _, other_token = fleet.add_dock(f"Westgate {lost.camera.serial}", None, "person:1")
    assert lost.unavailable(99, "gone").status_code == 404
    own = lost.answer["session"]
    for session in (str(uuid.uuid4()), "x", "%00", "1" * 500):
        lost.answer["session"] = session
        assert lost.unavailable(1, "gone").status_code == 404, session
    lost.answer["session"] = own
    lost.client.headers["Authorization"] = f"Bearer {other_token}"
    assert lost.unavailable(1, "gone").status_code == 404
    lost.client.headers["Authorization"] = "Bearer wrong"
    assert lost.unavailable(1, "gone").status_code == 401
    assert told(lost) == []


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 422),
        (b"{", 422),
        (b"[]", 422),
        (b"{}", 422),
        (b'{"why": "stolen"}', 422),
        (b'{"why": null}', 422),
        (b'{"why": ["gone"]}', 422),
        (b'{"why": "gone", "more": 1}', 422),
        (b'{"why": "gone", "why": "gone"}', 422),
        (b"\xff" * 10, 422),
        (b'{"why": "' + b"x" * 2000 + b'"}', 413),
    ],
)
def test_what_is_not_the_protocol_is_refused_in_words(lost: Docking, content: bytes, status: int) -> None:
    answer = _post(lost, content, "application/json")
    assert answer.status_code == status, answer.text
    assert answer.json()["meaning"]
    assert told(lost) == []


def test_it_has_to_be_json(lost: Docking) -> None:
    assert _post(lost, b'{"why": "gone"}', "text/plain").status_code == 415


def _post(docking: Docking, content: bytes, kind: str) -> httpx.Response:
    address = f"/api/v1/docking/{docking.answer['session']}/unavailable/1"
    return docking.client.post(address, content=content, headers={"Content-Type": kind})
