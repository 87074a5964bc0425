"""What the rules answer: one decision, and how it is said to people."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bluelamp.retention.rules import codes
from bluelamp.retention.rules.calendar import count, until, when


@dataclass(frozen=True)
class Rule:
    """One rule applied to one recording. `until` None: no end while it stands. `why` continues "... because".

    `gone_by`: when the recording would be gone if this rule alone governed. `would_end` begins "If ..." with what would
    end it and let the next rule govern; or it is a sentence of its own; or "", where nobody can end it.
    """

    code: str
    title: str
    until: datetime | None
    gone_by: datetime | None
    basis: str
    why: str
    would_end: str = ""


class Step(StrEnum):
    """Where a recording stands on its way out at one instant."""

    KEEP = "keep"
    QUARANTINE = "quarantine"
    DELETE = "delete"


@dataclass(frozen=True)
class Decision:
    """When a recording goes, and why not earlier.

    It is gone by `due_at`; None: not while a reason stands. Deletion begins at `delete_at`, quarantine at
    `quarantine_at`; both are None with `due_at`. `considered` holds every rule that applied, the longest first; the
    first one governs. `version` is that of the policy which it was made under.
    """

    due_at: datetime | None
    delete_at: datetime | None
    quarantine_at: datetime | None
    considered: tuple[Rule, ...] = field(repr=False)
    version: int = 1

    @property
    def governing(self) -> Rule:
        return self.considered[0]

    def step(self, now: datetime) -> Step:
        """What is to be done with the recording at `now`."""
        if self.delete_at is None or self.quarantine_at is None or now < self.quarantine_at:
            return Step.KEEP
        return Step.DELETE if now >= self.delete_at else Step.QUARANTINE

    def earlier_than(self, due_at: datetime | None) -> bool:
        """Whether the recording goes earlier under this decision than at `due_at` (None: never)."""
        return self.due_at is not None and (due_at is None or self.due_at < due_at)

    def is_dated_past(self, instant: datetime) -> bool:
        """Whether it stays in use until a date that is `instant` or later; not so where there is no end yet."""
        return self.quarantine_at is not None and self.quarantine_at >= instant

    @property
    def sentence(self) -> str:
        """The decision in plain English: until when, why, and what would change it. Dates are London's."""
        return " ".join(part for part in (self._until_when(), self._what_would_change()) if part)

    def _until_when(self) -> str:
        rule = self.governing
        if self.due_at is None or self.delete_at is None or self.quarantine_at is None or rule.until is None:
            others = sum(other.until is None for other in self.considered) - 1
            more = f", and for {count(others, 'more reason')}" if others else ""
            return f"Kept without an end date because {rule.why}{more}. It cannot be deleted while this stands."
        days = count((self.delete_at - self.quarantine_at).days, "day")
        if rule.until < self.due_at:
            return (
                f"Kept until {until(rule.until)} because {rule.why}. Then it spends {days} in quarantine, from which "
                f"it can be brought back, and is gone by {when(self.due_at)}."
            )
        ends = (
            f"it will be gone by {when(self.due_at)}, the last {days} in quarantine, from which it can be brought back."
        )
        if rule.code == codes.DEFAULT:
            return f"Nothing keeps this recording beyond {rule.why}: {ends}"
        return f"{rule.why[:1].upper()}{rule.why[1:]}: {ends}"

    def _what_would_change(self) -> str:
        rule = self.governing
        if not rule.would_end:
            return "A flag as evidence, a hold or an extension would keep it longer."
        if rule.would_end.endswith("."):
            return rule.would_end
        after = self.considered[1]
        if after.gone_by is None:
            return f"{rule.would_end}, the next reason would keep it ({_lower(after.title)})."
        return (
            f"{rule.would_end}, the next rule would govern ({_lower(after.title)}, gone by {when(after.gone_by)}); "
            "a recording already due by then is first given time for review."
        )


def _lower(title: str) -> str:
    """A title in the middle of a sentence; "MoPI" stays what it is."""
    return title if title.startswith("MoPI") else title[:1].lower() + title[1:]
