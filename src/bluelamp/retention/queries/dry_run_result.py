"""What a dry run found, as it is kept with a proposal, and the part of its sample that a reader may see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from bluelamp.footage import queries as footage
from bluelamp.footage.models import Recording
from bluelamp.people.policy import Action, Actor, may

_SAMPLE = 10


@dataclass(frozen=True)
class Bucket:
    """What goes in one month or on one day (from `first`): as things stand, and under the proposed policy."""

    first: date
    today: int
    proposed: int
    today_bytes: int
    proposed_bytes: int


@dataclass(frozen=True)
class Drawn:
    """One of those that would go earlier, drawn by chance: by when it goes as things stand, and as proposed."""

    recording: UUID
    before: datetime | None
    after: datetime


@dataclass(frozen=True)
class Sampled:
    """The same with its recording."""

    recording: Recording
    before: datetime | None
    after: datetime


@dataclass(frozen=True)
class DryRun:
    """What would change. `earlier` and `bytes` count what would go earlier than it will as things stand.

    `soon` of them would go within `SOON` of the cooling period's end, `flagged` are flagged as evidence, `elsewhere`
    are kept by another room too, `endless` have no date now. `rough`: there are more of
    `elsewhere` than the rules were asked about.
    """

    earlier: int
    bytes: int
    later: int
    later_bytes: int
    soon: int
    flagged: int
    elsewhere: int
    endless: int
    rough: bool
    months: tuple[Bucket, ...]
    days: tuple[Bucket, ...]
    drawn: tuple[Drawn, ...]

    def to_json(self) -> dict[str, Any]:
        """As it is kept with a proposal."""
        stored = asdict(self)
        for name in ("months", "days"):
            stored[name] = [{**bucket, "first": bucket["first"].isoformat()} for bucket in stored[name]]
        stored["drawn"] = [
            [str(one.recording), one.before.isoformat() if one.before else None, one.after.isoformat()]
            for one in self.drawn
        ]
        return stored

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> DryRun:
        """The inverse of `to_json`."""

        def buckets(rows: list[dict[str, Any]]) -> tuple[Bucket, ...]:
            return tuple(Bucket(**{**row, "first": date.fromisoformat(row["first"])}) for row in rows)

        drawn = tuple(
            Drawn(UUID(recording), datetime.fromisoformat(before) if before else None, datetime.fromisoformat(after))
            for recording, before, after in stored["drawn"]
        )
        read = {"months": buckets(stored["months"]), "days": buckets(stored["days"]), "drawn": drawn}
        return cls(**{**stored, **read})


def sampled(dry: DryRun, reader: Actor) -> list[Sampled]:
    """A few of those drawn that `reader` may see the facts of and that have not gone since, the earliest first."""
    drawn = {each.recording: each for each in dry.drawn}
    there = Recording.objects.exclude(state=Recording.State.DELETED).filter(pk__in=list(drawn))
    listed = list(there.select_related("camera", "wearer", "unit", "category"))
    about = footage.things(listed, reader.id) if reader.id is not None else {}
    seen = {item.pk: item for item in listed if may(reader, Action.VIEW_FACTS, about.get(item.pk)).allowed}
    # In the order in which they were drawn, so that what is shown is by chance too.
    found = [Sampled(seen[each.recording], each.before, each.after) for each in dry.drawn if each.recording in seen]
    return sorted(found[:_SAMPLE], key=lambda each: each.after)
