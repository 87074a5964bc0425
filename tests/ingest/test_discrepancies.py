"""Real dockings over the real entrance, compared with what arrived."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import connections
from django.test import Client

from bluelamp.custody import queries as custody
from bluelamp.footage.models import Recording
from bluelamp.ingest import missing, services
from bluelamp.ingest.models import Discrepancy, Offer, Reconciliation, Upload
from bluelamp.kernel.errors import Conflict, Invalid
from bluelamp.people.policy import Role
from bluelamp.web.filters import count
from tests import factories, signin
from tests.ingest.docks import Docking


def dock(docking: Docking, *, offered: list[int] | None = None, sent: bool = True, **changes: Any) -> None:
    """Dock the camera with the recordings of these numbers on it; those that are needed are sent."""
    entries = [entry for entry in docking.camera.entries if offered is None or entry.entry.sequence in offered]
    answers = docking.open(inventory=[entry.to_dict() for entry in entries], **changes)
    if sent:
        for sequence, answer in answers.items():
            if answer["state"] == "needed":
                assert docking.send(answer["upload_url"], docking.camera.content[sequence]).status_code == 204
    services.reconcile_docked()


def record(docking: Docking, count: int) -> None:
    for number in range(count):
        docking.camera.record(f"recording {number} of {docking.camera.serial}".encode())


def standing(docking: Docking) -> list[tuple[str, int | None, int | None, str]]:
    rows = Discrepancy.objects.filter(camera__serial=docking.camera.serial).order_by("found_at", "id")
    return list(rows.values_list("kind", "first", "last", "state"))


def events(docking: Docking) -> list[str]:
    history = custody.history(f"camera:{docking.camera.serial}")
    return [item.tag for item in history if item.tag.startswith("discrepancy.")]


def later(docking: Docking, **by: float) -> None:
    """As if everything of this camera had happened longer ago."""
    ago = timedelta(**by)
    for offer in Offer.objects.filter(camera__serial=docking.camera.serial):
        Offer.objects.filter(pk=offer.pk).update(first_at=offer.first_at - ago, last_at=offer.last_at - ago)
    for upload in docking.uploads:
        Upload.objects.filter(pk=upload.pk).update(updated_at=upload.updated_at - ago)
    services.reconcile_waiting()


def test_a_camera_of_which_everything_arrived_raises_nothing(docking: Docking) -> None:
    record(docking, 3)
    dock(docking)
    assert standing(docking) == []
    assert not Reconciliation.objects.filter(camera__serial=docking.camera.serial, due=True).exists()
    assert set(Offer.objects.filter(camera__serial=docking.camera.serial).values_list("state", flat=True)) == {
        "arrived"
    }


def test_a_gap_is_found_by_the_docking_and_resolves_itself_when_it_arrives(docking: Docking) -> None:
    record(docking, 5)
    dock(docking, offered=[1, 5])
    assert standing(docking) == [("gap", 2, 4, "open")]
    found = Discrepancy.objects.get(camera__serial=docking.camera.serial)
    assert (found.missing, found.session_id is not None) == (3, True)
    dock(docking, offered=[3])
    found.refresh_from_db()
    assert (found.state, found.missing) == ("open", 2)
    dock(docking, offered=[2, 4], sent=False)
    assert standing(docking) == [("gap", 2, 4, "open")], "offered is not arrived"
    dock(docking, offered=[2, 4])
    assert standing(docking) == [("gap", 2, 4, "resolved")]
    assert events(docking) == ["discrepancy.found", "discrepancy.resolved"]
    (told, _) = custody.history(found.custody_id)
    assert told.details["detail"] == "The camera offered recording 5, and never recordings 2 to 4."


def test_a_gap_below_footage_that_was_deleted_on_time_is_none(docking: Docking) -> None:
    record(docking, 2)
    dock(docking)
    docking.recordings.update(state=Recording.State.DELETED, manifest={})
    docking.camera.record(b"the third")
    dock(docking, offered=[3])
    assert standing(docking) == []


def test_what_was_offered_and_never_sent_is_told_after_six_quiet_hours(docking: Docking) -> None:
    record(docking, 2)
    dock(docking, sent=False)
    later(docking, hours=5.9)
    assert standing(docking) == []
    later(docking, hours=0.2)
    assert standing(docking) == [("never_arrived", 1, 2, "open")]
    dock(docking)
    assert standing(docking) == [("never_arrived", 1, 2, "resolved")]


def test_what_the_camera_no_longer_offers_is_told_at_the_next_docking(docking: Docking) -> None:
    record(docking, 2)
    dock(docking, sent=False)
    dock(docking, offered=[2])
    assert standing(docking) == [("never_arrived", 1, 1, "open")]


def test_an_upload_that_is_begun_here_and_ended_in_another_dock_is_no_discrepancy(docking: Docking) -> None:
    record(docking, 1)
    answer = docking.open()[1]
    assert docking.patch(answer["upload_url"], 0, docking.camera.content[1][:5]).status_code == 204
    services.reconcile_docked()
    dock(docking, sent=False)
    assert standing(docking) == []
    content = docking.camera.content[1]
    assert docking.patch(answer["upload_url"], 5, content[5:]).status_code == 204
    services.reconcile_waiting()
    assert standing(docking) == []


def test_refused_and_rejected_recordings_are_told_at_once(docking: Docking) -> None:
    record(docking, 3)
    forged = docking.camera.entries[1].to_dict()
    forged["signature"] = docking.camera.entries[0].signature
    entries = [docking.camera.entries[0].to_dict(), forged, docking.camera.entries[2].to_dict()]
    answers = docking.open(inventory=entries)
    docking.send(answers[1]["upload_url"], docking.camera.content[1])
    assert docking.send(answers[3]["upload_url"], b"x" * len(docking.camera.content[3])).status_code == 422
    services.reconcile_docked()
    assert standing(docking) == [("refused", 2, 2, "open"), ("rejected", 3, 3, "open")]
    dock(docking, offered=[2, 3])
    assert {state for *_, state in standing(docking)} == {"resolved"}


def test_an_entry_that_cannot_be_read_at_all_is_told_until_it_can(docking: Docking) -> None:
    record(docking, 1)
    docking.open(inventory=[docking.camera.entries[0].to_dict(), {"format": "nonsense"}])
    services.reconcile_docked()
    assert standing(docking) == [("refused", None, None, "open")]
    dock(docking)
    assert standing(docking) == [("refused", None, None, "resolved")]


def test_a_clock_that_is_unset_and_then_drifts_and_then_is_right(docking: Docking) -> None:
    record(docking, 1)
    dock(docking, clock_set=False)
    assert standing(docking) == [("clock_unset", None, None, "open")]
    docking.camera.clock_behind = timedelta(minutes=3)
    dock(docking)
    assert standing(docking) == [("clock_unset", None, None, "resolved"), ("clock_drifting", None, None, "open")]
    docking.camera.clock_behind = timedelta()
    dock(docking)
    assert {state for *_, state in standing(docking)} == {"resolved"}


def test_a_camera_that_is_turned_away_for_its_key_is_told_until_it_is_taken(docking: Docking) -> None:
    record(docking, 1)
    dock(docking)
    own, docking.camera.key = docking.camera.key, Ed25519PrivateKey.generate()
    assert docking.client.post("/api/v1/docking", json=docking.request(inventory=[])).status_code == 409
    services.reconcile_docked()
    assert standing(docking) == [("camera_refused", None, None, "open")]
    docking.camera.key = own
    dock(docking)
    assert standing(docking) == [("camera_refused", None, None, "resolved")]


def test_a_chain_that_was_rewritten_is_told_although_everything_arrived(docking: Docking) -> None:
    record(docking, 2)
    dock(docking)
    docking.camera.record(b"the third", previous="ab" * 32)
    dock(docking, offered=[3])
    assert standing(docking) == [("chain", 3, 3, "open")]


def test_who_closes_one_says_why_and_it_is_not_found_again(docking: Docking) -> None:
    record(docking, 3)
    dock(docking, offered=[3])
    found = Discrepancy.objects.get(camera__serial=docking.camera.serial)
    manager = factories.person(Role.BWV_MANAGER)
    with pytest.raises(Invalid, match="Say why"):
        services.close_discrepancy(found.pk, by=manager, reason="  ")
    services.close_discrepancy(found.pk, by=manager, reason="Lost in the fire of 3 May")
    with pytest.raises(Conflict):
        services.close_discrepancy(found.pk, by=manager, reason="Again")
    dock(docking, offered=[3])
    services.reconcile_waiting()
    assert standing(docking) == [("gap", 1, 2, "closed")]
    closed = custody.history(found.custody_id)[-1]
    assert (closed.tag, closed.actor, closed.reason) == (
        "discrepancy.closed", manager.custody_id, "Lost in the fire of 3 May",
    )  # fmt: skip
    assert closed.details["missing"] == 2


def test_comparing_twice_at_once_finds_it_once(docking: Docking) -> None:
    record(docking, 2)
    docking.open(inventory=[docking.camera.entries[1].to_dict()])
    camera = Offer.objects.get(camera__serial=docking.camera.serial).camera_id

    def compare() -> None:
        services.reconcile(camera)
        connections.close_all()

    threads = [threading.Thread(target=compare) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert standing(docking) == [("gap", 1, 1, "open")]
    assert events(docking) == ["discrepancy.found"]


def test_what_may_still_come_is_not_said_to_be_here(docking: Docking, client: Client) -> None:
    signin.quickly(client, factories.person(Role.BWV_MANAGER, unit=factories.unit()))
    before = missing.recordings_awaited()
    record(docking, 3)
    dock(docking, sent=False)
    assert missing.recordings_awaited() == before + 3
    assert standing(docking) == []
    listed = client.get("/fleet/docking/missing/").content.decode()
    assert f"{count(before + 3, 'recording')} that cameras showed have not arrived yet" in listed
    assert "Everything that cameras say they recorded is here" not in listed
    camera = client.get(f"/fleet/cameras/{docking.camera.serial}/").content.decode()
    assert "3 recordings that the camera showed have not arrived yet." in camera
    assert "agree, or somebody has answered for it" not in camera

    later(docking, hours=7)
    assert [kind for kind, *_ in standing(docking)] == ["never_arrived"]
    assert missing.recordings_awaited() == before  # told as missing now
    camera = client.get(f"/fleet/cameras/{docking.camera.serial}/").content.decode()
    assert "not arrived yet" not in camera

    dock(docking)
    camera = client.get(f"/fleet/cameras/{docking.camera.serial}/").content.decode()
    assert "What the camera signed and what arrived agree" in camera

    record(docking, 1)
    answer = docking.open()[4]
    assert missing.recordings_awaited() == before + 1
    docking.send(answer["upload_url"], docking.camera.content[4])
    assert missing.recordings_awaited() == before  # not compared yet, and here all the same


def test_the_strip_tells_where_each_number_stands(docking: Docking) -> None:
    record(docking, 6)
    dock(docking, offered=[1, 2])
    docking.recordings.filter(sequence=1).update(state=Recording.State.DELETED)
    dock(docking, offered=[5, 6], sent=False)
    answer = docking.open(inventory=[entry.to_dict() for entry in docking.camera.entries[4:]])
    docking.patch(answer[6]["upload_url"], 0, docking.camera.content[6][:3])
    camera = Offer.objects.filter(camera__serial=docking.camera.serial)[0].camera
    assert [(each.numbers, each.state) for each in missing.stretches(camera)] == [
        ("1", "Deleted on time"),
        ("2", "Here"),
        ("3 to 5", "Missing"),
        ("6", "On its way"),
    ]
