"""What a person searches for: read from the address of the page, and written back into it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")

# Days that can be searched for: no footage lies outside, and at the ends of the calendar nothing can be reckoned.
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2199, 12, 31)


@dataclass(frozen=True)
class Position:
    """A place in the list, by which a page is continued: exact, whatever arrives in the meantime."""

    started_at: datetime
    id: UUID

    def __str__(self) -> str:
        return f"{self.started_at.isoformat()}~{self.id}"

    @classmethod
    def parse(cls, text: str) -> Position | None:
        """None for anything that is not a position: a damaged address shows the first page."""
        at, _, identifier = text.partition("~")
        try:
            started_at, recording_id = datetime.fromisoformat(at.replace(" ", "+")), UUID(identifier)
        except ValueError:
            return None
        if started_at.tzinfo is None or not FIRST_DAY <= started_at.date() <= LAST_DAY:
            return None
        return cls(started_at, recording_id)


@dataclass(frozen=True)
class Filters:
    """All empty: everything that one may see. Instants are aware; `until` is excluded."""

    text: str = ""
    reference: str = ""
    officer: str = ""
    unit: int | None = None
    category: int | None = None
    flagged: bool | None = None
    locked: bool = False
    event: str = ""
    state: str = ""
    since: datetime | None = None
    until: datetime | None = None
    older_than: Position | None = None
    newer_than: Position | None = None

    def logged(self) -> dict[str, object]:
        """What goes into the ledger with a listing: what was asked for, not which page of it."""
        asked = replace(self, older_than=None, newer_than=None)
        return {name: value for name, value in vars(asked).items() if value not in ("", None, False)}


def instant(day: date, at: time | None, *, end: bool) -> datetime:
    """The London wall clock on `day` as an instant in UTC; without a time the day's beginning, or `end`, its end.

    A time given as an end includes its minute. In the hour that autumn repeats, a beginning is the first of the two
    and an end the second, so that nothing is missed. `day` lies between FIRST_DAY and LAST_DAY.
    """
    if at is None:
        return datetime.combine(day + timedelta(days=1) if end else day, time(), LONDON).astimezone(UTC)
    if end:
        # Added in UTC, for wall-clock arithmetic would forget which of the two hours it is.
        return datetime.combine(day, at, LONDON).replace(fold=1).astimezone(UTC) + timedelta(minutes=1)
    return datetime.combine(day, at, LONDON).astimezone(UTC)


def address(given: dict[str, str], **changes: object) -> str:
    """The query string of `given` with `changes`; a change to None leaves the name out."""
    values = {name: value for name, value in given.items() if value and name not in changes}
    values.update({name: str(value) for name, value in changes.items() if value is not None})
    return f"?{urlencode(values)}" if values else "?"
