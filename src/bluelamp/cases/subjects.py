"""How a person whom a case is about is told to people: where things stand, and what that means for footage."""

from __future__ import annotations

from dataclasses import dataclass

from bluelamp.cases import words
from bluelamp.cases.models import Subject
from bluelamp.retention import queries as retention
from bluelamp.retention import rules
from bluelamp.retention.rules import mopi, proceedings


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
        stands=words.of_proceedings(known.proceedings),
        group=known.mopi.group.words if known.mopi is not None else "",
        keeping=tuple(Keeping(clock.sentence, clock.basis) for clock in clocks),
        review=review,
    )
