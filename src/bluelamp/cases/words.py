"""What is recorded of a person in a case, in words for whoever may read it."""

from __future__ import annotations

from bluelamp.retention import rules
from bluelamp.retention.rules import calendar


def of_proceedings(known: rules.Proceedings) -> str:
    """Where proceedings stand: "Convicted on 3 May 2027, custody or hospital order, release not known yet"."""
    said = known.stage.words if known.on is None else f"{known.stage.words} on {calendar.on(known.on)}"
    if known.custodial:
        released = "not known yet" if known.released_on is None else calendar.on(known.released_on)
        said = f"{said}, custody or hospital order, release {released}"
    if undecided := sum(appeal.closed_on is None for appeal in known.appeals):
        said = f"{said}; {calendar.count(undecided, 'appeal')} open"
    return said


def of_group(known: rules.Mopi | None) -> str:
    """The review group and what it counts from. Of a date of birth no more than whether it is known."""
    if known is None:
        return "No review group"
    said = f"{known.group.words}; clear from {calendar.on(known.clear_from)}"
    if known.group is rules.MopiGroup.PUBLIC_PROTECTION:
        said = f"{said}; date of birth {'not known' if known.born is None else 'known'}"
    if known.years is not None:
        said = f"{said}; for {calendar.count(known.years, 'year')}"
    return said
