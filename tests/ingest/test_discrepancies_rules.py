"""What the rules find in a camera's history, and what they leave in peace."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bluelamp.formats.manifest import FIRST_PREVIOUS
from bluelamp.ingest import discrepancies, spans
from bluelamp.ingest.discrepancies import Docked, Facts, Finding, Offered, Standing

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MORNING = uuid.UUID(int=1)
EVENING = uuid.UUID(int=2)
HOUR = timedelta(hours=1)


def offered(sequence: int, *, ago: timedelta = HOUR, session: uuid.UUID = MORNING, **more: Any) -> Offered:
    at = NOW - ago
    fields: dict[str, Any] = {
        "entry_hash": f"hash {sequence}",
        "previous": f"hash {sequence - 1}" if sequence > 1 else FIRST_PREVIOUS,
        "signed": True,
        "first_session": session,
        "first_at": at,
        "last_session": session,
        "last_at": at,
        **more,
    }
    return Offered(sequence, **fields)


def docked(session: uuid.UUID = MORNING, *, ago: timedelta = HOUR, offset_ms: int = 0, **more: Any) -> Docked:
    return Docked(session, NOW - ago, more.pop("clock_set", True), offset_ms, **more)


def found(facts: Facts, at: datetime = NOW) -> list[tuple[str, int | None, int | None]]:
    return [(finding.kind, finding.first, finding.last) for finding in discrepancies.findings(facts, at)]


def arrived(*numbers: int, **more: Any) -> list[Offered]:
    return [offered(number, arrived=True, **more) for number in numbers]


def test_nothing_is_found_where_everything_arrived() -> None:
    assert found(Facts(here=(1, 2, 3), offers=arrived(1, 2, 3), dockings=[docked()])) == []


def test_numbers_that_were_never_offered_are_a_gap() -> None:
    facts = Facts(here=(1, 2, 8), offers=arrived(1, 2, 8), dockings=[docked()])
    (finding,) = discrepancies.findings(facts, NOW)
    assert (finding.kind, finding.span, finding.missing) == ("gap", (3, 7), 5)
    assert finding.detail == "The camera offered recording 8, and never recordings 3 to 7."


def test_a_first_docking_that_begins_late_says_so() -> None:
    facts = Facts(here=(57,), offers=arrived(57), dockings=[docked()])
    (finding,) = discrepancies.findings(facts, NOW)
    assert finding.span == (1, 56)
    assert "what is known of it begins with 57" in finding.detail


def test_footage_deleted_on_time_leaves_no_gap() -> None:
    """A tombstone keeps camera and number; an entry of it need not be offered again."""
    assert found(Facts(here=(1, 2, 3), offers=arrived(3), dockings=[docked()])) == []


def test_a_camera_that_signs_nothing_misses_nothing() -> None:
    assert found(Facts(here=(4, 9), dockings=[docked()])) == []


def test_a_number_whose_signature_is_bad_makes_no_gap_below_it() -> None:
    forged = offered(9_000_000_000_000_000, signed=False, refused=True, why="Its signature does not fit.")
    facts = Facts(here=(1,), offers=[*arrived(1), forged], dockings=[docked()])
    assert found(facts) == [("refused", forged.sequence, forged.sequence)]


def test_an_inventory_that_comes_in_several_sessions_makes_no_gap_before_its_end() -> None:
    facts = Facts(offers=arrived(2001), dockings=[docked(complete=False)])
    assert found(facts) == []


def test_a_recording_that_is_still_on_its_way_is_left_in_peace() -> None:
    waiting = offered(1, ago=timedelta(hours=8), moved_at=NOW - timedelta(minutes=1))
    assert found(Facts(offers=[waiting], dockings=[docked(ago=timedelta(hours=8))], moved_at=waiting.moved_at)) == []


def test_one_that_waits_its_turn_while_others_arrive_is_left_in_peace_for_most_of_a_day() -> None:
    waiting = offered(2, ago=timedelta(hours=8))
    facts = Facts(here=(1,), offers=[*arrived(1), waiting], dockings=[docked(ago=timedelta(hours=8))], moved_at=NOW)
    assert found(facts) == []
    later = NOW + timedelta(hours=15)
    assert found(replace(facts, moved_at=later), later) == [("never_arrived", 2, 2)]


def test_one_that_the_dock_cannot_send_is_reported_at_once_for_what_is_the_matter_with_it() -> None:
    offers = [offered(1, unavailable="gone"), offered(2, unavailable="altered"), offered(3), offered(4)]
    told = discrepancies.findings(Facts(offers=offers, dockings=[docked()], moved_at=NOW), NOW)
    assert [(finding.kind, finding.span) for finding in told] == [("never_arrived", (1, 1)), ("never_arrived", (2, 2))]
    assert [finding.detail for finding in told] == [
        f"Offered, and it cannot be sent. {discrepancies.UNAVAILABLE[why]}" for why in ("gone", "altered")
    ]
    came = offered(1, unavailable="gone", moved_at=NOW, whole=True)
    assert found(Facts(offers=[came], dockings=[docked()], moved_at=NOW)) == []


def test_after_six_hours_without_a_byte_it_is_reported() -> None:
    facts = Facts(offers=[offered(1, ago=6 * HOUR), offered(2, ago=6 * HOUR)], dockings=[docked(ago=6 * HOUR)])
    assert found(facts, NOW - timedelta(seconds=1)) == []
    assert found(facts) == [("never_arrived", 1, 2)]


def test_when_the_camera_is_docked_again_without_it_it_is_reported_at_once() -> None:
    offers = [offered(1, ago=timedelta(hours=2), moved_at=NOW - timedelta(minutes=90)), *arrived(2, session=EVENING)]
    facts = Facts(here=(2,), offers=offers, dockings=[docked(EVENING), docked(ago=timedelta(hours=2))])
    (finding,) = discrepancies.findings(facts, NOW)
    assert (finding.kind, finding.span, finding.session) == ("never_arrived", (1, 1), MORNING)
    assert "docked again without it" in finding.detail


def test_one_whose_bytes_are_all_here_and_wait_for_the_store_is_not_called_lost() -> None:
    complete = offered(1, ago=timedelta(hours=2), moved_at=NOW - HOUR, whole=True)
    facts = Facts(offers=[complete], dockings=[docked(EVENING), docked(ago=timedelta(hours=2))])
    assert found(facts) == []


def test_one_that_is_offered_again_elsewhere_is_on_its_way() -> None:
    again = offered(1, ago=timedelta(hours=7), last_session=EVENING, last_at=NOW)
    assert found(Facts(offers=[again], dockings=[docked(EVENING, ago=timedelta())])) == []


def test_a_camera_that_offers_it_day_after_day_is_reported_within_a_day_of_the_first_docking() -> None:
    again = offered(1, ago=timedelta(hours=23), last_session=EVENING, last_at=NOW)
    facts = Facts(offers=[again], dockings=[docked(EVENING, ago=timedelta())])
    assert found(facts) == [("never_arrived", 1, 1)]


def test_refused_and_rejected_are_told_at_once_and_once_only() -> None:
    offers = [
        *arrived(1),
        offered(2, refused=True, why="It is too long."),
        offered(3, refused=True, why="It is too long."),
        offered(4, rejected="The SHA-256 differs."),
    ]
    assert found(Facts(here=(1,), offers=offers, dockings=[docked()])) == [
        ("refused", 2, 3),
        ("rejected", 4, 4),
    ]


def test_other_bytes_under_a_number_that_is_here_are_a_refusal_and_a_broken_chain() -> None:
    other = offered(2, entry_hash="another", refused=True, why="Another is here.", ago=timedelta(minutes=1))
    facts = Facts(here=(1, 2), offers=[*arrived(1, 2), other], dockings=[docked()])
    assert found(facts) == [("refused", 2, 2), ("chain", 2, 2)]


def test_a_chain_is_followed_past_footage_that_is_here_or_has_gone() -> None:
    wrong = offered(3, arrived=True, previous="something else")
    assert found(Facts(here=(1, 2, 3), offers=[*arrived(1, 2), wrong], dockings=[docked()])) == [("chain", 3, 3)]
    anew = offered(3, arrived=True, previous=FIRST_PREVIOUS)
    (finding,) = discrepancies.findings(Facts(here=(1, 2, 3), offers=[*arrived(1, 2), anew]), NOW)
    assert finding.detail == "Recording 3 claims to be the camera's first."
    assert found(Facts(here=(1,), offers=[offered(1, arrived=True, previous="x")])) == [("chain", 1, 1)]


def test_a_clock_that_is_not_set_or_far_off_is_found_since_it_was_last_right() -> None:
    good, bad, worse = (
        docked(uuid.uuid4(), ago=ago * HOUR, offset_ms=ms) for ago, ms in ((3, 0), (2, 9000), (1, 9500))
    )
    (finding,) = discrepancies.findings(Facts(dockings=[worse, bad, good]), NOW)
    assert (finding.kind, finding.since) == ("clock_drifting", bad.at)
    assert finding.detail == "The camera's clock was 9.5 seconds behind the server's when it was docked."
    (finding,) = discrepancies.findings(Facts(dockings=[docked(offset_ms=-32 * 86_400_000)]), NOW)
    assert finding.detail == "The camera's clock was 32 days ahead of the server's when it was docked."
    assert found(Facts(dockings=[docked(clock_set=False)])) == [("clock_unset", None, None)]
    assert found(Facts(dockings=[docked(offset_ms=-4999)])) == []


def standing(finding: Finding, *, is_open: bool = True) -> Standing:
    return Standing(
        uuid.uuid4(), finding.kind, finding.first, finding.last, is_open, finding.since, detail=finding.detail
    )


def test_what_stands_is_not_found_again_whether_open_or_closed_by_a_person() -> None:
    facts = Facts(here=(1, 8), offers=arrived(1, 8), dockings=[docked(offset_ms=60_000)])
    seen = discrepancies.findings(facts, NOW)
    for is_open in (True, False):
        new, changes = discrepancies.compare(seen, [standing(one, is_open=is_open) for one in seen], facts)
        assert new == []
        assert [change.resolved for change in changes] == (["", ""] if is_open else [])


def test_a_gap_that_arrives_in_parts_counts_down_and_resolves_itself() -> None:
    facts = Facts(here=(1, 5), offers=arrived(1, 5), dockings=[docked()])
    (gap,) = discrepancies.findings(facts, NOW)
    stood = standing(gap)
    partly = Facts(here=(1, 3, 5), offers=[*arrived(1, 3, 5)], dockings=[docked()])
    new, (change,) = discrepancies.compare(discrepancies.findings(partly, NOW), [stood], partly)
    assert (new, change.missing, change.resolved) == ([], 2, "")
    wholly = Facts(here=(1, 2, 3, 4, 5), offers=arrived(1, 2, 3, 4, 5), dockings=[docked()])
    new, (change,) = discrepancies.compare(discrepancies.findings(wholly, NOW), [stood], wholly)
    assert (new, change.missing, change.resolved) == ([], 0, "It has arrived.")


def test_a_gap_that_is_offered_and_on_its_way_stays_until_it_is_here() -> None:
    gap = Standing(uuid.uuid4(), "gap", 2, 2, True, NOW)
    facts = Facts(here=(1, 3), offers=[*arrived(1, 3), offered(2)], dockings=[docked()])
    new, (change,) = discrepancies.compare(discrepancies.findings(facts, NOW), [gap], facts)
    assert (new, change.missing, change.resolved) == ([], 1, "")


def test_a_gap_that_is_offered_and_refused_is_reported_as_refused_instead() -> None:
    gap = Standing(uuid.uuid4(), "gap", 2, 2, True, NOW)
    facts = Facts(here=(1, 3), offers=[*arrived(1, 3), offered(2, refused=True, why="Too long.")], dockings=[docked()])
    (new,), (change,) = discrepancies.compare(discrepancies.findings(facts, NOW), [gap], facts)
    assert new.kind == "refused"
    assert change.resolved == "More is known now; it is reported anew."


def test_a_closed_clock_is_found_again_only_after_it_was_right_once() -> None:
    bad = Facts(dockings=[docked(ago=2 * HOUR, clock_set=False)])
    (finding,) = discrepancies.findings(bad, NOW)
    closed = standing(finding, is_open=False)
    again = Facts(dockings=[docked(EVENING, clock_set=False), *bad.dockings])
    assert discrepancies.compare(discrepancies.findings(again, NOW), [closed], again)[0] == []
    right = docked(uuid.uuid4(), ago=timedelta(minutes=90))
    anew = Facts(dockings=[docked(EVENING, clock_set=False), right, *bad.dockings])
    assert len(discrepancies.compare(discrepancies.findings(anew, NOW), [closed], anew)[0]) == 1


def test_a_clock_that_is_right_again_resolves_itself() -> None:
    open_one = Standing(uuid.uuid4(), "clock_unset", None, None, True, NOW)
    facts = Facts(dockings=[docked()])
    _, (change,) = discrepancies.compare([], [open_one], facts)
    assert change.resolved == "When the camera was docked again, its clock was right."


@given(st.sets(st.integers(1, 60)), st.sets(st.integers(1, 60)))
def test_spans_are_sets_of_numbers(whole: set[int], taken: set[int]) -> None:
    left = spans.minus(spans.of(whole), spans.of(taken))
    assert {number for first, last in left for number in range(first, last + 1)} == whole - taken
    assert spans.count(left) == len(whole - taken)


@given(st.sets(st.integers(1, 40), min_size=1), st.sets(st.integers(1, 40)))
def test_every_number_below_the_highest_is_here_or_in_exactly_one_finding(here: set[int], refused: set[int]) -> None:
    offers = [
        *arrived(*here),
        *(offered(number, refused=True, why=f"{number}.", signed=False) for number in refused - here),
    ]
    facts = Facts(here=tuple(here), offers=offers, dockings=[docked()])
    missing: list[int] = []
    for finding in discrepancies.findings(facts, NOW):
        if finding.kind in discrepancies.MISSING and finding.span:
            missing += range(finding.span[0], finding.span[1] + 1)
    assert sorted(missing) == sorted(set(range(1, max(here) + 1)) - here | refused - here)
