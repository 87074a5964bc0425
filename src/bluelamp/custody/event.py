"""What a custody event is.

An event type is a frozen dataclass with a tag `<subject>.<verb>` and one of the six operations that the Data
Protection Act 2018, s.62(1) requires to be logged.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, TypeVar
from uuid import UUID


class Operation(StrEnum):
    """The operations of DPA 2018, s.62(1)(a) to (f)."""

    COLLECTION = "collection"
    ALTERATION = "alteration"
    CONSULTATION = "consultation"
    DISCLOSURE = "disclosure"
    COMBINATION = "combination"
    ERASURE = "erasure"


@dataclass(frozen=True, kw_only=True)
class Event:
    """What every event says: who (`actor`) did it to what (`subject`), and the reason given, if any.

    Actor and subjects are opaque typed ids such as `person:7` or `recording:<uuid>`; `also` names further subjects
    in whose history the event belongs. Subclasses add fields of str, int, bool, None, datetime, UUID, or lists and
    dicts of these. An erasure event must not carry what was erased (s.62).
    """

    tag: ClassVar[str]
    operation: ClassVar[Operation]

    actor: str
    subject: str
    reason: str = ""
    also: tuple[str, ...] = ()

    def details(self) -> dict[str, Any]:
        """The subclass's own fields, as plain values that the canonical encoding and JSON both carry."""
        common = {field.name for field in fields(Event)}
        return {f.name: _plain(getattr(self, f.name)) for f in fields(self) if f.name not in common}


_types: dict[str, type[Event]] = {}
_TAG = re.compile(r"[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*")
E_ = TypeVar("E_", bound=type[Event])


def event_type(cls: E_) -> E_:
    """Make `cls` a known event type; a wrong or repeated tag is a programming error."""
    if not _TAG.fullmatch(cls.tag):
        raise ValueError(f"{cls.__name__}: {cls.tag!r} is not <subject>.<verb>")
    if _types.get(cls.tag, cls).__qualname__ != cls.__qualname__:
        raise ValueError(f"{cls.tag!r} is already the tag of {_types[cls.tag].__name__}")
    _types[cls.tag] = cls
    return cls


def registered_types() -> dict[str, type[Event]]:
    """All known event types by tag."""
    return dict(_types)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in (sorted(value) if isinstance(value, set | frozenset) else value)]
    raise TypeError(f"A custody event cannot carry a {type(value).__name__}")
