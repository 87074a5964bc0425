"""What the papers say, gathered once: plain values, so that label, report and page say the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bluelamp.custody import words
from bluelamp.custody.proving import Proven
from bluelamp.custody.queries import HistoryItem
from bluelamp.footage.clocks import clock_words
from bluelamp.footage.models import Recording
from bluelamp.formats import iso8601
from bluelamp.formats.disclosure import DisclosedEvent
from bluelamp.web import filters

WITHHELD = "Name withheld"
ELSEWHERE = "Footage from elsewhere"
_UNTOLD = "An event whose details are withheld."

# They say only that facts were shown, and there are very many of them: the printed report counts them.
_CONSULTED = frozenset({"footage.listed", "recording.consulted"})


@dataclass(frozen=True)
class Exhibit:
    """A recording as the papers name it. Times are aware UTC, `size` is in bytes."""

    reference: str
    file: str
    recording: str
    officer: str
    camera: str
    started_at: datetime
    ended_at: datetime
    clock: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Line:
    """One event in words. `index` is its number in the log, `about` the exhibits that it is about by reference.

    `withheld` and `erased` name fields that are not told.
    """

    index: int
    at: datetime
    tag: str
    who: str
    what: str
    reason: str
    withheld: tuple[str, ...]
    erased: tuple[str, ...]
    about: tuple[str, ...] = ()


@dataclass(frozen=True)
class Papers:
    """All of it. `size` is the number of events in the log under the checkpoint, `sized_at` when that was."""

    package: str
    made_at: datetime
    made_by: str
    force: str
    case: str
    purpose: str
    recipient: str
    exhibits: tuple[Exhibit, ...]
    lines: tuple[Line, ...]
    size: int
    sized_at: datetime
    keys: tuple[str, ...]
    witnesses: tuple[str, ...]
    log_address: str

    @property
    def withheld(self) -> int:
        """How many fields are withheld."""
        return sum(len(line.withheld) for line in self.lines)

    @property
    def erased(self) -> int:
        """How many fields had been erased by law before."""
        return sum(len(line.erased) for line in self.lines)

    @property
    def told(self) -> list[Line]:
        """The events that the printed report tells one by one."""
        return [line for line in self.lines if line.tag not in _CONSULTED]

    @property
    def consulted(self) -> list[tuple[str, int, datetime, datetime]]:
        """Who was shown facts of these recordings without their pictures: name, how often, first and last time."""
        lines = [line for line in self.lines if line.tag in _CONSULTED]
        times = Counter(line.who for line in lines)
        return [
            (who, count, *_span(line.at for line in lines if line.who == who)) for who, count in sorted(times.items())
        ]


def exhibit(recording: Recording, reference: str, file: str) -> Exhibit:
    """A recording's facts for the papers."""
    camera = recording.camera
    return Exhibit(
        reference=reference,
        file=file,
        recording=str(recording.pk),
        officer=str(recording.wearer) if recording.wearer else "",
        camera=f"{camera.serial} ({camera.model})" if camera else ELSEWHERE,
        started_at=recording.started_at,
        ended_at=recording.ended_at,
        clock=clock_words(recording),
        sha256=recording.sha256,
        size=recording.size,
    )


def tell(
    events: Sequence[tuple[Proven, DisclosedEvent, tuple[str, ...]]], references: Mapping[str, str]
) -> tuple[Line, ...]:
    """Events in words, from what is disclosed of them and nothing else; in the order given.

    `references`: the exhibit reference by the recording's custody id.
    """
    items = [_item(proven, told) for proven, told, _ in events]
    lines = []
    for (proven, told, withheld), said in zip(events, words.tell(items), strict=True):
        item = said.item
        lines.append(
            Line(
                index=proven.index,
                at=item.at,
                tag=item.tag,
                who=said.who if item.actor else WITHHELD,
                what=said.what if item.tag else _UNTOLD,
                reason=item.reason,
                withheld=withheld,
                erased=tuple(sorted(told.erased.keys() - set(withheld))),
                about=_about(proven.event, references),
            )
        )
    return tuple(lines)


def field_words(name: str) -> str:
    """A field's name as a person reads it."""
    return (
        name.removeprefix("detail.").replace("also", "further subjects").replace("_", " ").replace("sha256", "SHA-256")
    )


def london(instant: datetime) -> str:
    """A time in London, to the second, with its zone: "22 Nov 2026, 07:19:04 GMT"."""
    local = instant.astimezone(filters.LONDON)
    return f"{local.day} {local:%b %Y, %H:%M:%S %Z}"


def utc(instant: datetime) -> str:
    """A time as the camera burns it in."""
    return filters.utc(instant)


def _about(event: DisclosedEvent, references: Mapping[str, str]) -> tuple[str, ...]:
    """Of this package's own exhibits, those that an event names, whatever else it names beside them."""
    also = event.fields.get("also")
    ids = [event.fields.get("subject"), *(also if isinstance(also, list) else ())]
    return tuple(references[part] for part in ids if isinstance(part, str) and references.get(part))


def _item(proven: Proven, told: DisclosedEvent) -> HistoryItem:
    fields = told.fields
    return HistoryItem(
        id=proven.id,
        at=iso8601.parse(str(fields["at"])),
        tag=str(fields.get("tag", "")),
        operation=str(fields.get("operation", "")),
        actor=str(fields.get("actor", "")),
        subject=str(fields.get("subject", "")),
        also=tuple(str(part) for part in fields.get("also") or ()),
        reason=str(fields.get("reason", "")),
        details={name[7:]: value for name, value in fields.items() if name.startswith("detail.")},
        leaf=proven.index,
    )


def _span(moments: Iterable[datetime]) -> tuple[datetime, datetime]:
    listed = list(moments)
    return min(listed), max(listed)
