"""Cameras whose clocks are unset, ahead or behind, and cameras that are docked late: through the real intake.

Whatever a camera says about the time, what it brings is not destroyed on arrival: it has its 31 days from when it was
really recorded, or the time for review, and where its time is in doubt somebody is told.
"""

# ruff: noqa: F811  (the fixtures of the intake's tests are imported, and asked for by their names)

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bluelamp.custody import queries as ledger
from bluelamp.footage.models import Recording
from bluelamp.formats import iso8601
from bluelamp.ingest import services as intake
from bluelamp.ingest.models import Discrepancy
from bluelamp.retention import queries, rules, services
from bluelamp.retention.rules import Step
from bluelamp.vault.keyring import get_keyring
from bluelamp.vault.objects import SealedReader
from tests.ingest.conftest import docking, entrance, shared_db, way  # noqa: F401  fixtures that tests here ask for
from tests.ingest.docks import Docking

CONTENT = b"these bytes are what the camera signed"
DAY, MINUTE, SECOND = timedelta(days=1), timedelta(minutes=1), timedelta(seconds=1)
LATE = "recording.arrived_late"


def bring(
    docking: Docking, *, age: timedelta, behind: timedelta, since: timedelta, clock_set: bool = True
) -> Recording:
    """A minute that ended `age` ago, recorded with a clock `behind`, docked with it `since` behind; the row."""
    ended = datetime.now(UTC) - age - behind
    docking.camera.record(
        CONTENT,
        started_at=iso8601.to_text(ended - MINUTE),
        ended_at=iso8601.to_text(ended),
        clock_set=clock_set,
        events=(),
        track=(),
    )
    docking.camera.clock_behind = since
    item = docking.open(clock_set=clock_set)[1]
    assert docking.send(item["upload_url"], CONTENT).status_code == 204
    found: Recording = docking.recordings.get()
    return found


def survives(recording: Recording) -> None:
    """The sweep that comes right afterwards leaves it where it is, and it opens."""
    services.sweep()
    recording.refresh_from_db()
    assert recording.state == Recording.State.LIVE
    assert get_keyring().has(recording.key_id)
    assert SealedReader(recording.original, recording.key_id).read(0, 100) == CONTENT


def tags(recording: Recording) -> list[str]:
    return [item.tag for item in ledger.history(recording.custody_id)]


def clock_alerts(docking: Docking) -> list[str]:
    intake.reconcile_docked()
    rows = Discrepancy.objects.filter(camera__serial=docking.camera.serial, kind__startswith="clock")
    return sorted(rows.values_list("kind", flat=True))


NO = timedelta()

# How old it is, how far behind the clock was then and is now, whether it was set; then: the age that it is taken to
# have, what its clock is called, whether it counts as late.
STORIES = {
    "all is well": (2 * DAY, NO, NO, True, 2 * DAY, "good", False),
    "docked in time for a whole review": (23 * DAY, NO, NO, True, 23 * DAY, "good", False),
    "docked on day 25": (25 * DAY, NO, NO, True, 25 * DAY, "good", True),
    "docked on day 31": (31 * DAY, NO, NO, True, 31 * DAY, "good", True),
    "docked on day 35": (35 * DAY, NO, NO, True, 35 * DAY, "good", True),
    "docked after a year": (364 * DAY, NO, NO, True, 364 * DAY, "good", True),
    "40 days behind": (2 * DAY, 40 * DAY, 40 * DAY, True, 2 * DAY, "drifting", False),
    "40 days ahead": (2 * DAY, -40 * DAY, -40 * DAY, True, 2 * DAY, "drifting", False),
    "two years behind": (2 * DAY, 730 * DAY, 730 * DAY, True, 2 * DAY, "drifting", False),
    "two years ahead": (2 * DAY, -730 * DAY, -730 * DAY, True, 2 * DAY, "drifting", False),
    "docked on day 35 with a clock 40 days ahead": (35 * DAY, -40 * DAY, -40 * DAY, True, 35 * DAY, "drifting", True),
    # The clock was put right in between, and nobody knows how wrong it was: the camera's word stands while it can be.
    "40 days behind and put right": (2 * DAY, 40 * DAY, NO, True, 42 * DAY, "good", True),
    "ahead and put right": (2 * DAY, -40 * DAY, NO, True, NO, "unset", False),
    "two years behind and put right": (2 * DAY, 730 * DAY, NO, True, NO, "unset", False),
    # Nobody set it: it shows 1970, or any time since. The day of docking counts.
    "never set": (2 * DAY, 20_000 * DAY, 20_000 * DAY, False, NO, "unset", False),
    "unset and docked on day 35": (35 * DAY, 20_000 * DAY, 20_000 * DAY, False, NO, "unset", False),
    "unset and plausible by chance": (2 * DAY, NO, NO, False, NO, "unset", False),
}


@pytest.mark.parametrize("story", STORIES)
def test_what_a_camera_brings_is_due_when_it_should_be_and_never_at_once(docking: Docking, story: str) -> None:
    age, behind, since, clock_set, taken_for, status, late = STORIES[story]
    recording = bring(docking, age=age, behind=behind, since=since, clock_set=clock_set)
    policy = queries.policy()

    assert abs(recording.received_at - recording.ended_at - taken_for) < MINUTE
    assert recording.clock_status == status
    if since == behind:
        # What the camera itself said is kept beside the corrected time.
        assert abs(recording.received_at - age - behind - recording.device_ended_at) < MINUTE
    limit = rules.default_due(recording.started_at, policy)
    due = recording.received_at + policy.review_grace if late else limit
    assert recording.due_at == due
    assert recording.due_rule == (rules.LATE_ARRIVAL if late else rules.DEFAULT)
    assert tags(recording).count(LATE) == late
    assert (recording.review_until is not None) == late

    survives(recording)
    decision = queries.decision(recording)
    assert decision.due_at == due
    assert decision.step(recording.received_at + policy.review_grace - policy.quarantine - MINUTE) is Step.KEEP
    assert decision.step(due - policy.margin - policy.quarantine - SECOND) is Step.KEEP
    assert decision.step(due) is Step.DELETE
    if clock_set and status != "unset" and not late:
        assert due - recording.received_at <= timedelta(days=31) - age + MINUTE


@pytest.mark.parametrize(
    ("since", "clock_set", "alerts"),
    [
        (NO, True, []),
        (40 * DAY, True, ["clock_drifting"]),
        (-40 * DAY, True, ["clock_drifting"]),
        (NO, False, ["clock_unset"]),
    ],
)
def test_a_clock_that_is_wrong_is_told(docking: Docking, since: timedelta, clock_set: bool, alerts: list[str]) -> None:
    bring(docking, age=DAY, behind=since, since=since, clock_set=clock_set)
    assert clock_alerts(docking) == alerts


def test_late_footage_is_counted_as_waiting_for_review(docking: Docking) -> None:
    before = queries.outlook().in_review
    recording = bring(docking, age=35 * DAY, behind=NO, since=NO)
    assert queries.outlook().in_review == before + 1
    event = next(item for item in ledger.history(recording.custody_id) if item.tag == LATE)
    assert iso8601.parse(event.details["review_until"]) == recording.received_at + 7 * DAY
    assert iso8601.parse(event.details["default_due_at"]) < recording.received_at


def test_a_hold_on_late_footage_keeps_it_beyond_its_time_for_review(docking: Docking) -> None:
    recording = bring(docking, age=35 * DAY, behind=NO, since=NO)
    services.place_hold(recording, "subject_access", "Asked for on day 36", "", "person:9001")
    recording.refresh_from_db()
    assert recording.due_at is None
    survives(recording)


def test_docking_again_after_the_clock_was_put_right_moves_no_due_date(docking: Docking) -> None:
    recording = bring(docking, age=2 * DAY, behind=40 * DAY, since=40 * DAY)
    due = recording.due_at
    docking.camera.clock_behind = timedelta()
    assert docking.open()[1]["state"] == "have"
    recording.refresh_from_db()
    assert (recording.due_at, recording.clock_status) == (due, "drifting")
