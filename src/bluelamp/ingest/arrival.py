"""What a recording that no docking manifest describes will become: known before its bytes are."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from bluelamp.formats import iso8601

_MOMENTS = {"started_at", "ended_at", "device_started_at", "device_ended_at"}


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """Facts of one file. Times are aware UTC; `started_at` and `ended_at` corrected, the device's own beside them.

    `wearer`, `unit` and `added_by` are primary keys, `incident` groups the files of one recording, in the order of
    `part`. Events and track are as in a camera's manifest. `source` is kept with the recording: where the file came
    from, in words.
    """

    started_at: datetime
    ended_at: datetime
    filename: str = ""
    device_started_at: datetime | None = None
    device_ended_at: datetime | None = None
    clock_offset_ms: int = 0
    clock_status: str = "good"
    wearer: int | None = None
    unit: int | None = None
    added_by: int | None = None
    incident: UUID | None = None
    part: int = 1
    events: list[dict[str, Any]] = field(default_factory=list)
    track: list[dict[str, Any]] = field(default_factory=list)
    mount: str = ""
    told: bool | None = None
    pre_event_seconds: int = 0
    place: str = ""
    source: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As it is kept in an upload's row."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Arrival:
        """From `to_json`'s form."""
        read = {name: iso8601.parse(value) if name in _MOMENTS and value else value for name, value in kept.items()}
        return cls(**{**read, "incident": UUID(read["incident"]) if read["incident"] else None})


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso8601.to_text(value)
    return str(value) if isinstance(value, UUID) else value
