"""What the rules are told: the force's policy, and all that bears on one recording."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bluelamp.retention.rules.mopi import Mopi, MopiPeriods
from bluelamp.retention.rules.proceedings import Proceedings


@dataclass(frozen=True)
class Policy:
    """The force's periods.

    `margin` is how long before the limit deletion begins, so that it ends inside the limit; `longest_extension` how far
    ahead one person may extend; `cooling` how long nothing goes that an approved edit made due. `version` is the number
    of the policy that these periods are.
    """

    default: timedelta = timedelta(days=31)
    quarantine: timedelta = timedelta(days=3)
    review_grace: timedelta = timedelta(days=7)
    margin: timedelta = timedelta(minutes=15)
    longest_extension: timedelta = timedelta(days=2557)
    version: int = 1
    cooling: timedelta = timedelta(days=7)
    mopi: MopiPeriods = field(default_factory=MopiPeriods)


@dataclass(frozen=True)
class SpecialPeriod:
    """A limit of its own for a class of recordings, in place of the default: "28 days for training"."""

    title: str
    length: timedelta
    basis: str = "Force policy: special period"


@dataclass(frozen=True)
class Flag:
    """A standing flag as evidence. `keep` is its category's period; None: undecided, which never expires."""

    category: str
    keep: timedelta | None
    basis: str


@dataclass(frozen=True)
class Hold:
    """A standing hold, by what it is called to people, and the law or policy behind it."""

    title: str
    basis: str


@dataclass(frozen=True)
class RetentionReason:
    """A reason that another room gives for keeping a recording; `until` None: for as long as the reason stands.

    `code` is unique among the reasons of one recording (`case:<uuid>`); `why` continues "Kept because ..." and must
    name nothing that the reader of the recording's facts may not know.
    """

    code: str
    title: str
    why: str
    basis: str
    until: datetime | None = None


@dataclass(frozen=True)
class Facts:
    """All that bears on one recording's retention. Instants are aware; `started_at` is corrected time.

    `extensions` are the instants to which people extended it; `review_until` is the end of a review grace given when
    its last reason ended after it was due. `proceedings` and `mopi` are the clocks of the persons in its cases;
    `special` replaces the default period as the limit.
    """

    started_at: datetime
    received_at: datetime
    flag: Flag | None = None
    holds: tuple[Hold, ...] = ()
    extensions: tuple[datetime, ...] = ()
    reasons: tuple[RetentionReason, ...] = ()
    review_until: datetime | None = None
    locked: bool = False
    proceedings: tuple[Proceedings, ...] = ()
    mopi: tuple[Mopi, ...] = ()
    special: SpecialPeriod | None = None
