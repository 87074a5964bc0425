"""What is an alert, what may be told to the public, and what the law asks to be logged; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")

SMALLEST_TOLD = 5
"""Public figures below this are not told: a handful of people could recognise themselves or each other."""

SMALLEST_SHARE = 10
"""Below this many cases no percentage is published: it could be turned back into a count of people."""


@dataclass(frozen=True)
class Thresholds:
    """From when on the watching of one recording is reported to professional standards.

    In a published case one clip was opened 248 times by 82 officers over three years, five of whom had a reason. So:
    that many different people ever, or one person other than the wearer that many times.
    """

    viewers: int = 10
    openings_by_one: int = 5


@dataclass(frozen=True)
class Operation:
    """One of the six operations of DPA 2018 s.62(1): its letter there, and what it means in Bluelamp."""

    letter: str
    code: str
    means: str


OPERATIONS = (
    Operation("a", "collection", "Footage arrives: a camera is docked, a recording accepted, a request received."),
    Operation("b", "alteration", "Something about footage, a person or a camera is changed: a flag, a date, a role."),
    Operation(
        "c",
        "consultation",
        "Somebody looks: footage is listed, opened or watched, with the stretch that was sent and the reason given; "
        "the ledger is read; and every refusal to look.",
    ),
    Operation("d", "disclosure", "Footage goes outside the force: what, to whom, by whom, until when."),
    Operation("e", "combination", "Footage is tied to something else: a case, another system's reference, a request."),
    Operation("f", "erasure", "Footage goes for good. The event says under which rule, and nothing of what it showed."),
)


def told(count: int) -> str:
    """A count as the public reads it: none below SMALLEST_TOLD, else rounded, more coarsely the larger it is.

    Each figure is rounded on its own, so that the difference of two does not give a small number away.
    """
    if count < SMALLEST_TOLD:
        return f"fewer than {SMALLEST_TOLD}"
    step = 5 if count < 1_000 else 100 if count < 100_000 else 1_000
    return f"{(count + step // 2) // step * step:,}"


def told_share(part: int, whole: int) -> str:
    """`part` of `whole` as a percentage to the nearest 5 for the public; a dash where too few would stand behind it."""
    if whole < SMALLEST_SHARE:
        return "–"
    return f"{round(100 * part / whole / 5) * 5} %"


def month_start(day: date) -> datetime:
    """The instant at which the month of a London day began."""
    return datetime.combine(day.replace(day=1), time(), LONDON)


def months_to(day: date, count: int) -> list[date]:
    """The first days of `count` months, that of `day` last."""
    last = day.year * 12 + day.month - 1
    return [date(number // 12, number % 12 + 1, 1) for number in range(last - count + 1, last + 1)]


@dataclass(frozen=True)
class Pace:
    """How fast stored footage is read again, so that all of it is within the period and nobody waits for it.

    A run reads `bytes_a_run`, no faster than `bytes_a_second`; nothing that was read less than `not_before` ago, and
    without that limit whatever was read longer than `late` ago.
    """

    bytes_a_run: int
    bytes_a_second: float
    not_before: timedelta
    late: timedelta


WITNESS_LATE = timedelta(minutes=15)
"""How long a checkpoint may wait for a witness's signature: what a monitor outside allows, too."""

TIMESTAMP_LATE = timedelta(hours=3)
"""How long the ledger may grow without a timestamp of the configured authority, which is asked every hour."""

WORKER_SILENT = timedelta(minutes=1)
"""Without a sign of life for so long a worker is not there; it gives one every few seconds."""

WORKER_TOLD = timedelta(minutes=5)
"""How long no worker may be there before people are told: an upgrade starts one again sooner."""

FIXITY_EVERY = timedelta(minutes=10)
"""How often stored footage is read for a while."""

_SLOWEST_READING = 20_000_000.0  # bytes a second: what any disk spares


def pace(stored: int, period: timedelta) -> Pace:
    """The pace for `stored` bytes of footage that are to be read once in every `period`."""
    cycle = period * 0.8  # the rest is for days on which the store was down
    a_second = stored / cycle.total_seconds()
    return Pace(
        bytes_a_run=round(a_second * FIXITY_EVERY.total_seconds()),
        bytes_a_second=max(_SLOWEST_READING, 20 * a_second),  # a run takes at most half a minute of ten
        not_before=period / 2,
        late=period * 0.9,
    )
