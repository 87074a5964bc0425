"""Custody events about people and access."""

from __future__ import annotations

from dataclasses import dataclass

from bluelamp import custody
from bluelamp.custody import Event, Operation


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class AccessRefused(Event):
    """Somebody asked for something that the policy refuses."""

    tag = "access.refused"
    operation = Operation.CONSULTATION
    action: str
    path: str
    why: str
