"""Review groups of the management of police information (MoPI): how long what is known of a person's offending is
kept.

Source: College of Policing, authorised professional practice on the management of police information, "Review,
retention and disposal", under the Police information and records management code of practice (Police Act 1996 s.39A).
The groups' periods are the force's configuration (`MopiPeriods`); the defaults are the practice's usual ones:

1. Public protection (murder, MAPPA and the like): until the subject would be 100; looked at every 10 years. To the end
   of that year, since the day is told to readers who may not know the person's birthday.
2. Other sexual, violent or serious offences: reviewed after each clear period of 10 years; a review lets go, time does
   not.
3. Everything else: 6 years clear, then disposed of by time; or, where the force chooses so, reviewed, and again every
   5.
4. Undetected crime, missing persons and so on: 6 years upwards, as stated with the record, or until it is resolved.

A clear period begins when the subject last came to notice (`clear_from`), and begins anew when that happens again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import IntEnum

from bluelamp.retention.rules import calendar
from bluelamp.retention.rules.proceedings import Clock
from bluelamp.retention.rules.reviews import Review

_END = "A review may let it go."
_BASIS = "Management of police information (College of Policing, authorised professional practice), review group"


class MopiGroup(IntEnum):
    """The four review groups."""

    PUBLIC_PROTECTION = 1
    SERIOUS = 2
    OTHER = 3
    UNRESOLVED = 4

    @property
    def words(self) -> str:
        """The group as it is told to people."""
        return _WORDS[self]


_WORDS = {
    MopiGroup.PUBLIC_PROTECTION: "Group 1: public protection, murder, MAPPA",
    MopiGroup.SERIOUS: "Group 2: other sexual, violent or serious offences",
    MopiGroup.OTHER: "Group 3: all other offences",
    MopiGroup.UNRESOLVED: "Group 4: undetected crime, missing persons and so on",
}


@dataclass(frozen=True)
class MopiPeriods:
    """The force's periods for the groups, in years. `time_based`: whether group 3 goes by time, without a review."""

    age: int = 100
    serious: int = 10
    other: int = 6
    review: int = 10
    review_again: int = 5
    time_based: bool = True


@dataclass(frozen=True)
class MopiReview:
    """What somebody decided on the day `on`: to keep, and to look again on `next` (None: after the usual years)."""

    on: date
    keep: bool
    next: date | None = None


@dataclass(frozen=True)
class Mopi:
    """One person's review group. Dates are London's; `code` is unique among the groups of one recording.

    `born` matters in group 1 only, `years` in group 4 only (None: until it is resolved). Reviews of before `clear_from`
    no longer count: the subject has come to notice since.
    """

    code: str
    group: MopiGroup
    clear_from: date
    born: date | None = None
    years: int | None = None
    reviews: tuple[MopiReview, ...] = ()

    @property
    def last_review(self) -> MopiReview | None:
        """The latest review of this clear period; of two on one day the one that keeps."""
        counted = [review for review in self.reviews if review.on >= self.clear_from]
        return max(counted, key=lambda review: (review.on, review.keep, review.next or date.min), default=None)


def clock(mopi: Mopi, periods: MopiPeriods) -> Clock:
    """How long the group keeps what belongs to the person."""
    basis = f"{_BASIS} {mopi.group.value}"
    last = mopi.last_review
    if last is not None and not last.keep:
        why = f"a review on {calendar.on(last.on)} found that it is no longer needed for the person in its case"
        return Clock(_title(mopi), calendar.end_of(last.on), basis, why)
    ends = _ends(mopi, periods)
    if ends is None:
        return Clock(_title(mopi), None, basis, _why_without_end(mopi, periods), _END)
    if last is not None and (mopi.group is not MopiGroup.PUBLIC_PROTECTION or last.on.year >= ends.year):
        # Somebody has found that time alone must not dispose of it.
        why = f"a review on {calendar.on(last.on)} found that it is still needed"
        return Clock(_title(mopi), None, basis, why, _END)
    return Clock(_title(mopi), calendar.end_of(ends), basis, _why(mopi, periods))


def review_due(mopi: Mopi, periods: MopiPeriods) -> Review | None:
    """The next review of a person's group; None where a review let it go, or time disposes of it before."""
    basis = f"{_BASIS} {mopi.group.value}"
    last = mopi.last_review
    if last is not None:
        if not last.keep:
            return None
        again = periods.review_again if mopi.group is MopiGroup.OTHER else periods.review
        due = last.next or calendar.add_years(last.on, again)
        why = f"the review on {calendar.on(last.on)} kept it until the next"
    else:
        years = _first_review_after(mopi, periods)
        due = calendar.add_years(mopi.clear_from, years)
        why = f"{calendar.count(years, 'year')} have passed since {calendar.on(mopi.clear_from)} ({_title(mopi)})"
    until = clock(mopi, periods).until
    if due is None or (until is not None and (calendar.end_of(due) or until) >= until):
        return None  # time disposes of it by then
    return Review(due, why, basis)


def _first_review_after(mopi: Mopi, periods: MopiPeriods) -> int:
    if mopi.group is MopiGroup.PUBLIC_PROTECTION:
        return periods.review
    if mopi.group is MopiGroup.SERIOUS:
        return periods.serious
    if mopi.group is MopiGroup.UNRESOLVED and mopi.years is not None:
        return periods.review
    return periods.other


def _ends(mopi: Mopi, periods: MopiPeriods) -> date | None:
    """The last day of the group's period; None: only a review ends it."""
    if mopi.group is MopiGroup.PUBLIC_PROTECTION:
        birthday = None if mopi.born is None else calendar.add_years(mopi.born, periods.age)
        return None if birthday is None else birthday.replace(month=12, day=31)
    if mopi.group is MopiGroup.OTHER and periods.time_based:
        return calendar.add_years(mopi.clear_from, periods.other)
    if mopi.group is MopiGroup.UNRESOLVED and mopi.years is not None:
        return calendar.add_years(mopi.clear_from, max(mopi.years, periods.other))
    return None


def _why(mopi: Mopi, periods: MopiPeriods) -> str:
    if mopi.group is MopiGroup.PUBLIC_PROTECTION:
        return f"it concerns public protection, and the person in its case will be {periods.age} in that year"
    years = periods.other if mopi.group is MopiGroup.OTHER else max(mopi.years or 0, periods.other)
    what = "a clear period of" if mopi.group is MopiGroup.OTHER else "a time of"
    since = calendar.on(mopi.clear_from)
    return f"{what} {calendar.count(years, 'year')} since {since} must pass ({_title(mopi)})"


def _why_without_end(mopi: Mopi, periods: MopiPeriods) -> str:
    if mopi.group is MopiGroup.PUBLIC_PROTECTION:
        return "it concerns public protection, and the date of birth of the person in its case is not known"
    if mopi.group is MopiGroup.UNRESOLVED:
        return f"the matter is not resolved ({_title(mopi)})"
    years = periods.serious if mopi.group is MopiGroup.SERIOUS else periods.other
    return f"a review after {calendar.count(years, 'year')} clear must decide ({_title(mopi)})"


def _title(mopi: Mopi) -> str:
    return f"MoPI group {mopi.group.value}"
