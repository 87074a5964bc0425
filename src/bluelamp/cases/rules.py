"""What is known of a person in a case, and what may be said about it. Pure: no Django, no clock.

The clocks themselves (how long an outcome or a review group keeps footage) are retention's rules; here stands what is
recorded, what cannot be, and what is a correction rather than the next thing that happened.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from bluelamp.retention import rules
from bluelamp.retention.rules import Appeal, Mopi, MopiGroup, MopiReview, Proceedings, Stage

FEWEST_YEARS = 6  # group 4: "6 years upwards"
MOST_YEARS = 100


@dataclass(frozen=True)
class Known:
    """Where proceedings against a person stand, and the review group, if one is set."""

    proceedings: Proceedings
    mopi: Mopi | None = None

    @property
    def open_appeals(self) -> tuple[Appeal, ...]:
        """Appeals and applications that nobody has decided."""
        return tuple(appeal for appeal in self.proceedings.appeals if appeal.closed_on is None)


def with_appeal(known: Known, appeal: Appeal) -> Known:
    """The same with one appeal more."""
    proceedings = known.proceedings
    return replace(known, proceedings=replace(proceedings, appeals=(*proceedings.appeals, appeal)))


def with_appeal_closed(known: Known, number: int, closed_on: date) -> Known:
    """The same with the appeal at place `number` decided."""
    appeals = list(known.proceedings.appeals)
    appeals[number] = replace(appeals[number], closed_on=closed_on)
    return replace(known, proceedings=replace(known.proceedings, appeals=tuple(appeals)))


def with_review(known: Known, review: MopiReview) -> Known:
    """The same with one review more. Raises ValueError where no group is set."""
    if known.mopi is None:
        raise ValueError("There is no review group to review")
    return replace(known, mopi=replace(known.mopi, reviews=(*known.mopi.reviews, review)))


def problems(known: Known, today: date) -> list[str]:
    """Why this cannot be recorded, in words for a page; none where it can. `today` is London's date."""
    return [*_of_proceedings(known.proceedings, today), *(_of_mopi(known.mopi, today) if known.mopi else ())]


def is_correction(before: Known, after: Known) -> bool:
    """Whether something that was recorded before is changed, rather than what happened next being added."""
    return _corrects_proceedings(before.proceedings, after.proceedings) or _corrects_mopi(before.mopi, after.mopi)


@dataclass(frozen=True)
class Promise:
    """What one of a person's clocks promises a recording by itself: before a change of the record, and after it.

    `source` is the clock's code with retention (`proceedings:<person>`, `mopi:<person>`).
    """

    source: str
    before: rules.Decision
    after: rules.Decision

    @property
    def is_shortened(self) -> bool:
        return self.after.earlier_than(self.before.due_at)


def promises(
    before: Known, after: Known, started_at: datetime, received_at: datetime, policy: rules.Policy
) -> list[Promise]:
    """What the proceedings and the review group promise a recording, each by itself, where the change bears on it.

    Each clock alone, and the proceedings without their appeals too: what has no end today would hide what the
    correction takes away, and end tomorrow.
    """

    def decided(proceedings: Proceedings | None, mopi: Mopi | None) -> rules.Decision:
        facts = rules.Facts(
            started_at,
            received_at,
            proceedings=() if proceedings is None else (proceedings,),
            mopi=() if mopi is None else (mopi,),
        )
        return rules.decide(facts, policy)

    found = []
    as_it_is, source = (before.proceedings, after.proceedings), of_proceedings(before.proceedings.code)
    without_appeals = replace(as_it_is[0], appeals=()), replace(as_it_is[1], appeals=())
    made = [Promise(source, decided(was, None), decided(now, None)) for was, now in (as_it_is, without_appeals)]
    if shortened := [each for each in made if each.is_shortened]:
        found.append(shortened[0])
    elif without_appeals[0] != without_appeals[1]:
        found.append(made[1])
    if before.mopi != after.mopi:
        found.append(
            Promise(of_group(before.proceedings.code), decided(None, before.mopi), decided(None, after.mopi)),
        )
    return found


def of_proceedings(code: str) -> str:
    """What a person's proceedings promise, by the name under which retention knows it."""
    return f"{rules.PROCEEDINGS}:{code}"


def of_group(code: str) -> str:
    """What a person's review group promises, by the name under which retention knows it."""
    return f"{rules.MOPI}:{code}"


def _of_proceedings(known: Proceedings, today: date) -> list[str]:
    found = []
    if known.stage is not Stage.UNDECIDED and known.on is None:
        found.append("Enter the date: without it no time can be counted.")
    if known.on is not None and known.on > today:
        found.append("That date lies ahead. Record what has happened, when it has happened.")
    if known.released_on is not None and known.on is not None and known.released_on < known.on:
        found.append("The release cannot be before the conviction.")
    for appeal in known.appeals:
        if appeal.opened_on > today or (appeal.closed_on is not None and appeal.closed_on > today):
            found.append("An appeal cannot be opened or decided on a day that lies ahead.")
        if appeal.closed_on is not None and appeal.closed_on < appeal.opened_on:
            found.append("An appeal cannot be decided before it was opened.")
    return found


def _of_mopi(known: Mopi, today: date) -> list[str]:
    found = []
    if known.clear_from > today:
        found.append("The person cannot have come to notice on a day that lies ahead.")
    if known.born is not None and known.born > today:
        found.append("The date of birth lies ahead.")
    if known.years is not None and not FEWEST_YEARS <= known.years <= MOST_YEARS:
        found.append(f"Group 4 is kept for {FEWEST_YEARS} to {MOST_YEARS} years, or until it is resolved.")
    for review in known.reviews:
        if review.next is not None and review.next <= review.on:
            found.append("The next review must come after this one.")
    return found


def _corrects_proceedings(before: Proceedings, after: Proceedings) -> bool:
    if before.stage.is_final and (before.stage, before.on, before.custodial) != (
        after.stage,
        after.on,
        after.custodial,
    ):
        return True
    if (
        before.stage is Stage.CHARGED
        and not after.stage.is_final
        and (before.stage, before.on) != (after.stage, after.on)
    ):
        return True
    if before.released_on is not None and before.released_on != after.released_on:
        return True
    for old, new in zip(before.appeals, after.appeals, strict=False):
        if old != new and not (old.closed_on is None and replace(old, closed_on=new.closed_on) == new):
            return True
    return len(after.appeals) < len(before.appeals)


def _corrects_mopi(before: Mopi | None, after: Mopi | None) -> bool:
    if before is None:
        return False
    if after is None or before.group != after.group:
        return True
    if before.born is not None and before.born != after.born:
        return True
    if before.group is MopiGroup.UNRESOLVED and before.years != after.years:
        return True
    # Coming to notice again is what happens next; an earlier day is a correction.
    return after.clear_from < before.clear_from
