"""When a person must look at footage again and decide whether it is still needed.

A review is never a deletion by itself: it is a date on a work list. A hold's review date is the hold's own; the reviews
of the MoPI groups follow from `mopi.review_due`, and rooms above give theirs through `retention.hooks.reviews`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Review:
    """A review that is to be made on the day `due`. `why` continues "Review because ..."; `basis` is its source."""

    due: date
    why: str
    basis: str

    def is_due(self, today: date) -> bool:
        """Whether it is to be made by `today` (London's date)."""
        return self.due <= today
