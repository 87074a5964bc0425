"""The clock of criminal proceedings against one person, and how long it keeps the material of the case.

Source: the code of practice under section 23(1) of the Criminal Procedure and Investigations Act 1996, "Length of time
for which material is to be retained", paragraphs 5.7 to 5.10 as numbered in the edition of 2015. Each is a minimum ("at
least until"), so that every branch below is a floor.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from bluelamp.retention.rules import calendar

_CODE = "Criminal Procedure and Investigations Act 1996 s.23 code of practice, paragraph"
_MONTHS_AFTER_CONVICTION = 6  # the code's own period (5.9), not the force's


class Stage(StrEnum):
    """Where proceedings against a person stand."""

    UNDECIDED = "undecided"
    CHARGED = "charged"
    NO_FURTHER_ACTION = "no_further_action"
    OUT_OF_COURT = "out_of_court"
    DISCONTINUED = "discontinued"
    ACQUITTED = "acquitted"
    CONVICTED = "convicted"

    @property
    def words(self) -> str:
        """The stage as it is told to people."""
        return _WORDS[self]

    @property
    def is_final(self) -> bool:
        """Whether it is an outcome, which has a date."""
        return self not in (Stage.UNDECIDED, Stage.CHARGED)


_WORDS = {
    Stage.UNDECIDED: "Nobody has decided yet whether to charge",
    Stage.CHARGED: "Charged",
    Stage.NO_FURTHER_ACTION: "No further action",
    Stage.OUT_OF_COURT: "Dealt with out of court",
    Stage.DISCONTINUED: "Discontinued by the prosecutor",
    Stage.ACQUITTED: "Acquitted",
    Stage.CONVICTED: "Convicted",
}
_ENDED = {
    Stage.NO_FURTHER_ACTION: "it was decided to take no further action",
    Stage.OUT_OF_COURT: "it was dealt with out of court",
    Stage.DISCONTINUED: "the prosecutor discontinued the proceedings",
    Stage.ACQUITTED: "the person was acquitted",
}


@dataclass(frozen=True)
class Appeal:
    """An appeal against conviction, or an application to the Criminal Cases Review Commission (`ccrc`)."""

    opened_on: date
    closed_on: date | None = None
    ccrc: bool = False


@dataclass(frozen=True)
class Proceedings:
    """Proceedings against one person. Dates are London's; `code` is unique among the proceedings of one recording.

    `on` is the date of the charge, or of the outcome, and None while undecided. `custodial`: convicted and sentenced to
    custody or to a hospital order. `released_on` is the release from custody or the discharge from hospital, known or
    expected; None: not known.
    """

    code: str
    stage: Stage = Stage.UNDECIDED
    on: date | None = None
    custodial: bool = False
    released_on: date | None = None
    appeals: tuple[Appeal, ...] = ()


@dataclass(frozen=True)
class Clock:
    """How long one rule of law keeps material: `until` None is without end. `why` continues "... because".

    It tells of a person, so its words are for whoever has a role in the case. `would_end` is a sentence, or "".
    """

    title: str
    until: datetime | None
    basis: str
    why: str
    would_end: str = ""

    @property
    def sentence(self) -> str:
        """Until when it keeps and why, as the person's page in the case says it."""
        until = "without an end date" if self.until is None else f"until {calendar.until(self.until)}"
        return f"Kept {until} because {self.why}. {self.would_end}".rstrip()


def clock(proceedings: Proceedings) -> Clock:
    """How long the code of practice keeps the material of these proceedings at least."""
    if any(appeal.closed_on is None for appeal in proceedings.appeals):
        return _appeal(proceedings)
    if proceedings.stage is Stage.CONVICTED and proceedings.on is not None:
        return _convicted(proceedings, proceedings.on)
    if proceedings.stage is Stage.CHARGED:
        # 5.8: proceedings have been instituted: until acquittal, conviction, or a decision not to go on.
        return Clock(
            "Charged",
            None,
            f"{_CODE} 5.8",
            "somebody is charged in its case and the proceedings are not over",
            "The outcome gives it an end.",
        )
    if proceedings.stage.is_final and proceedings.on is not None:
        # 5.7 and 5.8: until the decision. A floor in the past keeps nothing; it is listed so that the page says why.
        paragraph = "5.8" if proceedings.stage in (Stage.ACQUITTED, Stage.DISCONTINUED) else "5.7"
        why = f"in its case {_ENDED[proceedings.stage]} on {calendar.on(proceedings.on)}"
        return _dated(proceedings, "Proceedings over", proceedings.on, paragraph, why)
    # 5.7: until it is decided whether to institute proceedings; what is undecided never expires. An outcome without its
    # date cannot start a clock, and is undecided too.
    return Clock(
        "Undecided",
        None,
        f"{_CODE} 5.7",
        "nobody has decided yet whether to charge somebody in its case",
        "A decision gives it an end.",
    )


def _appeal(proceedings: Proceedings) -> Clock:
    # 5.10: until the appeal is determined, or the Commission decides not to refer the case to the court.
    ccrc = all(appeal.ccrc for appeal in proceedings.appeals if appeal.closed_on is None)
    what = "an application to the Criminal Cases Review Commission" if ccrc else "an appeal"
    end = "Once that is decided, the date of release or of the conviction gives it an end."
    return Clock("Appeal", None, f"{_CODE} 5.10", f"{what} is open in its case", end)


def _convicted(proceedings: Proceedings, convicted_on: date) -> Clock:
    # 5.9: until release from custody or discharge from hospital, otherwise six months from the conviction; and never
    # less than those six months, also where the release comes earlier.
    if proceedings.custodial and proceedings.released_on is None:
        why = "somebody convicted in its case is in custody or hospital, and the date of release is not known"
        return Clock("Convicted", None, f"{_CODE} 5.9", why, "The date of release gives it an end.")
    last = calendar.add_months(convicted_on, _MONTHS_AFTER_CONVICTION) or date.max
    why = f"somebody was convicted in its case on {calendar.on(convicted_on)}, six months before"
    if proceedings.custodial and proceedings.released_on is not None and proceedings.released_on > last:
        last = proceedings.released_on
        why = "somebody convicted in its case is in custody or hospital until then"
    return _dated(proceedings, "Convicted", last, "5.9", why)


def _dated(proceedings: Proceedings, title: str, last: date, paragraph: str, why: str) -> Clock:
    """A clock that runs until the end of `last`, or of the day on which the last appeal was decided (5.10)."""
    decided = [appeal.closed_on for appeal in proceedings.appeals if appeal.closed_on is not None]
    if decided and max(decided) > last:
        last, paragraph, why = max(decided), "5.10", "an appeal in its case was decided then"
    return Clock(title, calendar.end_of(last), f"{_CODE} {paragraph}", why)
