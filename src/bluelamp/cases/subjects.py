"""How a person whom a case is about is told to people: where things stand, and what that means for footage."""

from __future__ import annotations

from dataclasses import dataclass

from bluelamp.cases.models import Subject
from bluelamp.retention import queries as retention
from bluelamp.retention import rules
from bluelamp.retention.rules import calendar, mopi, proceedings
from bluelamp.retention.rules.proceedings import Clock


@dataclass(frozen=True)
class Keeping:
    """One clock in words: "Kept until the end of 21 May 2027 because ...", and its source."""

    sentence: str
    basis: str


@dataclass(frozen=True)
class SubjectLine:
    """A person as the case's page lists it: what was recorded last, and what keeps footage on its account."""

    subject: Subject
    stands: str
    group: str
    keeping: tuple[Keeping, ...]
    review: rules.Review | None


def line(subject: Subject) -> SubjectLine:
    """The person in words, from what is recorded now."""
    known = subject.known
    periods = retention.policy().mopi
    clocks = [proceedings.clock(known.proceedings)]
    review = None
    if known.mopi is not None:
        clocks.append(mopi.clock(known.mopi, periods))
        review = rules.review_due(known.mopi, periods)
    return SubjectLine(
        subject=subject,
        stands=_stands(known.proceedings),
        group=known.mopi.group.words if known.mopi is not None else "",
        keeping=tuple(Keeping(_sentence(clock), clock.basis) for clock in clocks),
        review=review,
    )


def _stands(known: rules.Proceedings) -> str:
    said = known.stage.words if known.on is None else f"{known.stage.words} on {calendar.on(known.on)}"
    if known.custodial:
        released = "not known yet" if known.released_on is None else calendar.on(known.released_on)
        said = f"{said}, custody or hospital order, release {released}"
    if undecided := sum(appeal.closed_on is None for appeal in known.appeals):
        said = f"{said}; {calendar.count(undecided, 'appeal')} open"
    return said


def _sentence(clock: Clock) -> str:
    until = "without an end date" if clock.until is None else f"until {calendar.until(clock.until)}"
    return f"Kept {until} because {clock.why}."
