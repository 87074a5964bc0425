"""The seven promises, each as a figure with the query that computes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bluelamp.oversight.queries import sql
from bluelamp.oversight.queries.sql import Asked, Shown
from bluelamp.web.filters import count, number

# The sequencer works twice a second. A wait as long as this means that it does not.
_LONGEST_WAIT = timedelta(minutes=5)


Answer = tuple[Shown, Mapping[str, Any]]


@dataclass(frozen=True)
class Promise:
    """One promise as a figure. `kept` None: the figure alone cannot tell. `shown` None: it needs no query."""

    number: int
    title: str
    value: str
    label: str
    note: str
    kept: bool | None
    shown: Shown | None = None


def promises(now: datetime, recordings: Answer, unreserved: Answer) -> tuple[Promise, ...]:
    """All seven at `now`. The queries RECORDINGS and UNRESERVED were run already, for the page's own figures."""
    return (
        _nothing_lost(*recordings),
        _nothing_stays(*unreserved),
        _nothing_goes(),
        _nobody_unseen(),
        _anybody_checks(now),
        _derivatives(),
        Promise(
            7,
            "It says where it stands",
            "7 of 7",
            "promises with a figure and its query",
            "Each figure on this page was computed for it just now, by the query that is printed under it.",
            True,
        ),
    )


def _nothing_lost(shown: Shown, row: Mapping[str, Any]) -> Promise:
    missing = abs(row["acknowledged"] - row["recorded"])
    return Promise(
        1,
        "Nothing acknowledged is lost",
        number(missing),
        "recordings that ledger and register disagree about",
        f"Good: {count(row['acknowledged'], 'recording')} acknowledged to docks, and as many in the register."
        if missing == 0
        else f"Bad: the ledger says {number(row['acknowledged'])}, the register has {number(row['recorded'])}.",
        missing == 0,
        shown,
    )


def _nothing_stays(shown: Shown, row: Mapping[str, Any]) -> Promise:
    past, days = row["past_limit"], row["limit_days"]
    return Promise(
        2,
        "Nothing stays that should not",
        number(past),
        "recordings that nothing keeps past their limit",
        f"Good: no footage without a reason to keep it is older than {days} days."
        if past == 0
        else f"Bad: they are older than {days} days and should have been deleted.",
        past == 0,
        shown,
    )


def _nothing_goes() -> Promise:
    row, shown = _ask(sql.WRONGLY_GONE)
    wrongly = row["too_early"] + row["under_hold"] + row["in_case"]
    return Promise(
        3,
        "Nothing goes that should stay",
        number(wrongly),
        "deletions under a hold, in an open case, or too early",
        f"Good: none of {count(row['deletions'], 'deletion')}."
        if wrongly == 0
        else f"Bad: of {count(row['deletions'], 'deletion')}, {number(row['too_early'])} were too early, "
        f"{number(row['under_hold'])} under a hold, {number(row['in_case'])} in an open case.",
        wrongly == 0,
        shown,
    )


def _nobody_unseen() -> Promise:
    row, shown = _ask(sql.SEEN)
    unseen = row["opened"] - row["logged"]
    return Promise(
        4,
        "Nobody looks unseen",
        number(unseen),
        "openings of footage that the ledger does not know",
        f"Good: footage was opened {count(row['opened'], 'time')}, and the ledger has each."
        if unseen == 0
        else f"Bad: footage was opened {count(row['opened'], 'time')}, the ledger has {number(row['logged'])}.",
        unseen == 0,
        shown,
    )


def _anybody_checks(now: datetime) -> Promise:
    row, shown = _ask(sql.CHECKPOINT)
    waiting = now - row["since"] if row["since"] else timedelta()
    behind = waiting > _LONGEST_WAIT
    pending = f"{count(row['pending'], 'event')} not in it yet"
    return Promise(
        5,
        "Anybody can check",
        number(row["size"] or 0),
        "events under the latest signed checkpoint",
        f"Bad: {pending}, the oldest for {int(waiting.total_seconds()) // 60} minutes. The worker may be down."
        if behind
        else f"Good: {pending}. Whether they are unchanged, “verify now” on the checkpoint's page tells.",
        not behind,
        shown,
    )


def _derivatives() -> Promise:
    row, shown = _ask(sql.DERIVATIVES)
    left = row["left_behind"]
    made = count(row["derivatives"], "poster, storyboard or viewing copy", "posters, storyboards and viewing copies")
    return Promise(
        6,
        "Derivatives confess",
        number(left),
        "deleted recordings that left a derivative behind",
        ("Good" if left == 0 else "Bad") + f": of {made}. Clips and redacted copies are not made by this release.",
        left == 0,
        shown,
    )


def _ask(query: sql.Query) -> tuple[dict[str, Any], Shown]:
    asked = Asked()
    return asked.one(query), asked.shown[0]
