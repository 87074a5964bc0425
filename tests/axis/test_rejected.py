"""Rejected content is never refused, never vanishes early, and is nobody's footage until a person decides."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest

from tests import factories
from tests.axis.conftest import content, settle
from tests.axis.system import System, meta

NAME = "RejectedContent_20261122T071905Z_5c1e1a7e-0000-4000-8000-000000000001"
SAID = {
    "RejectedContentOriginalContainer": "someone_B8A44F000001_20261122T071905Z",
    "RejectedContentTime": "2026-11-22T07:19:05Z",
    "RejectedContentReason": "Clip without duration",
}


def _open(system: System) -> None:
    assert system.put(NAME, meta("Container", **SAID)).status_code == 201


def _recordings(system: System):
    from bluelamp.footage.models import Recording
    from bluelamp.ingest.models import AxisObject

    sent = AxisObject.objects.filter(container__connection__user=system.file["BlobAPIUserName"], container__name=NAME)
    return list(Recording.objects.filter(pk__in=sent.values("recording")).order_by("received_at"))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("clip.mkv", {}),
        ("clip.mkv", {"StartTime": 0, "StopTime": 0}),
        ("clip.mkv", {"StartTime": 10**11 - 1, "StopTime": 5}),
        ("what is this.bin", {"UserID": "nobody"}),
    ],
)
def test_whatever_it_is_it_is_taken_and_held(system: System, name: str, said: dict[str, object], mkv) -> None:
    from bluelamp.retention import services as retention

    _open(system)
    assert system.put(f"{NAME}/{name}", meta("Object", **said), mkv).status_code == 201
    (recording,) = _recordings(system)
    assert content(recording) == mkv
    assert (recording.wearer, recording.unit, recording.camera) == (None, None, None)
    settle()
    recording.refresh_from_db()
    assert recording.due_at is None
    (hold,) = recording.holds.filter(released_at=None)
    assert "Clip without duration" in hold.reason
    retention.sweep()
    recording.refresh_from_db()
    assert recording.state == "live"


def test_empty_and_small_objects_are_taken_as_well(system: System) -> None:
    _open(system)
    for name in ("empty.mkv", "odd", "bookmark_1", "x.key", "y_gpstrail.json"):
        assert system.put(f"{NAME}/{name}").status_code == 201, name
    assert not _recordings(system)


def test_an_empty_clip_and_then_the_clip_are_no_dispute(system: System, mkv) -> None:
    from bluelamp.custody import queries as ledger
    from bluelamp.ingest.models import AxisAlert

    _open(system)
    path = f"{NAME}/clip.mkv"
    disputed = ledger.count("axis.object_disputed")
    assert system.put(path).status_code == 201
    assert system.put(path, system.clip_meta(), mkv).status_code == 201
    assert system.put(path, system.clip_meta(), mkv).status_code == 201
    assert system.put(path).status_code == 201, "and it may come empty again"
    (recording,) = _recordings(system)
    assert content(recording) == mkv
    assert ledger.count("axis.object_disputed") == disputed
    assert not AxisAlert.objects.filter(connection__user=_user(system), kind="disputed")
    found = system.call("HEAD", path)
    assert (found.headers["Etag"], found.headers["Content-Length"]) == (hashlib.md5(mkv).hexdigest(), str(len(mkv)))
    assert system.post(path, meta("Object", StartTime=1)).status_code == 202
    assert system.call("HEAD", path).headers["X-Object-Meta-Starttime"] == "1"


def test_a_manager_says_whose_it_is(system: System, officer, unit, mkv) -> None:
    from bluelamp.custody import queries as ledger
    from bluelamp.ingest.axis import queries, services
    from bluelamp.ingest.models import AxisAlert

    manager = factories.person(unit=unit)
    _open(system)
    system.put(f"{NAME}/clip.mkv", system.clip_meta(), mkv)
    settle()
    waiting = next(item for item in queries.undecided() if item.container.connection.user == _user(system))
    assert waiting.reason == "Clip without duration"
    count = services.decide_rejected(waiting.container, "take", by=manager, reason="It is hers.", officer=officer)
    assert count == 1
    (recording,) = _recordings(system)
    assert (recording.wearer, recording.unit) == (officer, unit)
    assert not recording.holds.filter(released_at=None)
    assert recording.due_at is not None
    assert not AxisAlert.objects.filter(about=str(waiting.container.pk), settled_at=None)
    settle()
    assert not recording.holds.filter(released_at=None), "what was decided stays decided"
    assert "axis.rejected_decided" in [item.tag for item in ledger.history(recording.custody_id)]


def test_what_is_let_go_is_first_given_time_for_review(system: System, unit, mkv) -> None:
    from bluelamp.ingest.axis import queries, services
    from bluelamp.kernel import clock

    manager = factories.person(unit=unit)
    _open(system)
    old = int((clock.now() - timedelta(days=60)).timestamp())
    system.put(f"{NAME}/clip.mkv", meta("Object", StartTime=old, StopTime=old + 60), mkv)
    settle()
    waiting = next(item for item in queries.undecided() if item.container.connection.user == _user(system))
    services.decide_rejected(waiting.container, "let_go", by=manager, reason="A test recording.")
    (recording,) = _recordings(system)
    assert recording.due_at > clock.now() + timedelta(days=6)


def test_a_decision_needs_a_reason_and_an_officer_and_is_made_once(system: System, officer, unit, mkv) -> None:
    from bluelamp.ingest.axis import queries, services
    from bluelamp.kernel.errors import Conflict, Invalid

    manager = factories.person(unit=unit)
    _open(system)
    system.put(f"{NAME}/clip.mkv", system.clip_meta(), mkv)
    settle()
    container = next(item for item in queries.undecided() if item.container.connection.user == _user(system)).container
    for decision, reason, who in (("take", " ", officer), ("take", "x", None), ("burn", "x", officer)):
        with pytest.raises(Invalid):
            services.decide_rejected(container, decision, by=manager, reason=reason, officer=who)
    services.decide_rejected(container, "let_go", by=manager, reason="x")
    with pytest.raises(Conflict):
        services.decide_rejected(container, "take", by=manager, reason="x", officer=officer)


def _user(system: System) -> str:
    return str(system.file["BlobAPIUserName"])
