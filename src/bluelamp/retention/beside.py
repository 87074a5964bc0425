"""What a deletion certificate says beside rule and dates: who approved, as a second person, and what had been lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from bluelamp.kernel.among import among
from bluelamp.kernel.hooks import Hook
from bluelamp.retention.models import Shortening

missing_files = Hook("retention.missing_files")
"""Asked with recordings' ids: a mapping from the id to how many of its files had been lost when it was deleted."""


@dataclass(frozen=True)
class Beside:
    """`approved_by` is a custody id, "" where nobody's approval was needed; `missing` counts files."""

    approved_by: str = ""
    missing: int = 0


def told(recording_ids: Sequence[UUID]) -> dict[UUID, Beside]:
    """Both, for those recordings for which there is anything to tell."""
    approved = dict(
        Shortening.objects.filter(recording__in=among(recording_ids), state=Shortening.State.APPROVED)
        .order_by("decided_at", "pk")
        .values_list("recording", "decided_by")
    )
    missing: dict[UUID, int] = {}
    for answer in missing_files.call(recording_ids):
        missing.update(answer)
    return {one: Beside(approved.get(one, ""), missing.get(one, 0)) for one in approved.keys() | missing.keys()}
