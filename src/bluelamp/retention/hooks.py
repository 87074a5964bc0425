"""What rooms above retention may register. Both are asked about many recordings at once, so that a sweep of a thousand
takes the questions of one; they answer with a mapping from a recording's id to its reasons, in which those that they
have no reason to keep may be missing. A reason is a `RetentionReason`, or `Proceedings` or `Mopi`, whose date the rules
reckon.

`reasons(recordings)`: in the transaction of every decision about recordings, also of those that are just being accepted
and have no row yet. A room whose reason ends calls `services.recompute`.
`attached_reasons(recordings)`: the same, for a room whose reason is a row that refers to the recording. It is not asked
about those that are just being accepted, to which nothing can refer; what refers to one in the same transaction later
calls `services.recompute`.
`attached_to()`: of a room that answers `attached_reasons`, which recordings it may have one for: SQL that selects them
as `recording_id`, rather too many than too few. A change of the policy is tried out on a million recordings, of which
only those are decided one by one.
`reviews(today)`: what a room has that must be reviewed by London's date `today`: an iterable of `ReviewDue`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from bluelamp.footage.models import Recording
from bluelamp.kernel.hooks import Hook
from bluelamp.retention.rules import Mopi, Proceedings, RetentionReason, Review

__all__ = [
    "Reason",
    "RetentionReason",
    "ReviewDue",
    "attached_reasons",
    "attached_to",
    "reasons",
    "reasons_for",
    "reasons_on_arrival",
    "reviews",
    "reviews_due",
]

Reason = RetentionReason | Proceedings | Mopi


reasons = Hook("retention.reasons")
attached_reasons = Hook("retention.attached_reasons")
attached_to = Hook("retention.attached_to")
reviews = Hook("retention.reviews")


@dataclass(frozen=True)
class ReviewDue:
    """A review for the work list: of `what`, made at `address` by somebody of `members`; it bears on `recordings`.

    `members` are the ids of people who may make it there; `what` names nobody whom the list's readers may not know.
    """

    review: Review
    what: str
    address: str
    recordings: int
    members: frozenset[int]


def reviews_due(today: date) -> list[ReviewDue]:
    """What every room has to review by `today`, the longest overdue first."""
    found = [each for answer in reviews.call(today) for each in answer]
    return sorted(found, key=lambda each: (each.review.due, each.address))


def reasons_for(recordings: Sequence[Recording]) -> Mapping[UUID, Sequence[Reason]]:
    """Every registered reason to keep each of `recordings`, those without any included."""
    return _together((reasons, attached_reasons), recordings)


def reasons_on_arrival(recordings: Sequence[Recording]) -> Mapping[UUID, Sequence[Reason]]:
    """The same of recordings that are not stored yet."""
    return _together((reasons,), recordings)


def _together(hooks: Iterable[Hook], recordings: Sequence[Recording]) -> dict[UUID, list[Reason]]:
    found: dict[UUID, list[Reason]] = defaultdict(list)
    for hook in hooks:
        for answer in hook.call(recordings):
            for recording_id, given in answer.items():
                found[recording_id].extend(given)
    return found
