"""All that is watched by itself, in one list: the checks, and the outside parties that vouch for the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bluelamp.oversight.models import Failure
from bluelamp.oversight.queries import checks, outside


@dataclass(frozen=True)
class Watched:
    """One of them. `what` identifies it; `title` and `note` name nobody, so that they can be sent by e-mail.

    `good` None: nothing is known yet. `mark` grows when more of it goes wrong.
    """

    what: str
    title: str
    note: str
    good: bool | None
    mark: int


def watched(now: datetime) -> list[Watched]:
    """How each stands at `now`."""
    standing, _ = checks.standing(now)
    found = [Watched(item.kind.value, item.title, item.note, item.good, item.mark) for item in standing]
    parties = [*outside.witnesses(now), *outside.authorities(now)]
    return found + [Watched(item.what, item.title, item.note, item.good, item.mark) for item in parties]


def failing() -> dict[str, Failure]:
    """The failures that stand, by what fails."""
    return {item.what: item for item in Failure.objects.filter(ended_at=None)}
