"""The policy as data: one version's periods, what differs between two, and whether a change shortens. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

from bluelamp.retention import rules


@dataclass(frozen=True)
class Period:
    """One of the policy's periods. `unit` is what it is counted in; `longer_keeps` None: it keeps nothing by itself."""

    name: str
    label: str
    unit: str
    longer_keeps: bool | None
    help: str


PERIODS = (
    Period("default_days", "Default", "day", True, "What nobody needs is gone this long after it was recorded."),
    Period(
        "quarantine_days",
        "Quarantine",
        "day",
        True,
        "Out of use before deletion; any reason brings it back.",
    ),
    Period(
        "review_grace_days",
        "Time for review",
        "day",
        True,
        "For what arrives late, and for what is overdue when its last reason ends.",
    ),
    Period("margin_minutes", "Deletion begins earlier by", "minute", False, "So that it ends inside the limit."),
    Period(
        "longest_extension_days", "Longest extension", "day", None, "How far ahead one person may extend a recording."
    ),
    Period(
        "cooling_days", "Cooling period", "day", True, "Nothing that a change made due goes before this has passed."
    ),
    Period(
        "hold_review_days",
        "Review of holds after",
        "day",
        None,
        "Somebody is asked then whether it is still needed.",
    ),
    Period("mopi_age", "MoPI group 1 until the age of", "year", True, "Public protection: the subject's age."),
    Period("mopi_serious_years", "MoPI group 2, clear", "year", True, "Then a review decides."),
    Period("mopi_other_years", "MoPI groups 3 and 4", "year", True, "Clear, or from the matter."),
    Period("mopi_review_years", "Reviews of MoPI groups every", "year", None, "Of what a review kept."),
    Period("mopi_review_again_years", "Reviews of MoPI group 3 every", "year", None, "Of what a review kept."),
)

PERIOD_NAMES = tuple(period.name for period in PERIODS)


@dataclass(frozen=True)
class Terms:
    """All periods of one version. `keep` is by category's code, days from recording; None: until somebody decides.

    `special` holds, by category's code, the days that take the default's place for recordings of that category.
    """

    default_days: int = 31
    quarantine_days: int = 3
    review_grace_days: int = 7
    margin_minutes: int = 15
    longest_extension_days: int = 2557
    cooling_days: int = 7
    hold_review_days: int = 90
    mopi_age: int = 100
    mopi_serious_years: int = 10
    mopi_other_years: int = 6
    mopi_review_years: int = 10
    mopi_review_again_years: int = 5
    keep: Mapping[str, int | None] = field(default_factory=dict)
    special: Mapping[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As it is stored with a version."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Terms:
        """The inverse of `to_json`."""
        return cls(**stored)

    def default_of(self, code: str) -> int:
        """The days after which unreserved footage of this category must be gone."""
        return self.special.get(code, self.default_days)

    def problems(self) -> list[str]:
        """What must be put right before these can be a policy; none where they can."""
        found = []
        shortest = min([self.default_days, *self.special.values()])
        if not 1 <= self.quarantine_days < shortest:
            found.append("Quarantine is at least a day, and shorter than the default and every special period.")
        if self.review_grace_days <= self.quarantine_days:
            found.append("The time for review is longer than the quarantine, which is its last part.")
        if self.cooling_days <= self.quarantine_days:
            found.append("The cooling period is longer than the quarantine, which is its last part.")
        if self.cooling_days > shortest:
            found.append("The cooling period is no longer than the default and every special period.")
        if not 2 <= self.margin_minutes <= 1440:
            found.append("Deletion begins between 2 minutes and a day before the limit.")
        if self.longest_extension_days < 1 or self.hold_review_days < 1:
            found.append("The longest extension and the time to a hold's review are at least a day.")
        if (
            min(self.mopi_serious_years, self.mopi_other_years, self.mopi_review_years, self.mopi_review_again_years)
            < 1
        ):
            found.append("The MoPI groups' periods are at least a year.")
        return found


@dataclass(frozen=True)
class Change:
    """One difference between two versions, in words. `shortens`: it makes something go earlier than before."""

    what: str
    before: str
    after: str
    shortens: bool


def changes(before: Terms, after: Terms, names: Mapping[str, str]) -> list[Change]:
    """Every difference, in the order of the policy's page. `names` are the categories' names by code."""
    found = []
    for period in PERIODS:
        old, new = getattr(before, period.name), getattr(after, period.name)
        if old != new:
            shorter = period.longer_keeps is not None and (new < old) == period.longer_keeps
            found.append(Change(period.label, _count(old, period.unit), _count(new, period.unit), shorter))
    for code in names:
        old_keep, new_keep = before.keep.get(code), after.keep.get(code)
        if old_keep != new_keep:
            shorter = new_keep is not None and (old_keep is None or new_keep < old_keep)
            found.append(Change(names[code], kept(old_keep), kept(new_keep), shorter))
        if before.special.get(code) != after.special.get(code):
            shorter = after.default_of(code) < before.default_of(code)
            what = f"{names[code]}, in place of the default"
            found.append(Change(what, _special(before, code), _special(after, code), shorter))
    return found


def kept(days: int | None) -> str:
    """How long a category keeps, in words."""
    if days is None:
        return "Until somebody decides"
    return f"{rules.period(timedelta(days=days))} from recording" if days else "The default"


def _special(terms: Terms, code: str) -> str:
    return _count(terms.special[code], "day") if code in terms.special else "The default"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
