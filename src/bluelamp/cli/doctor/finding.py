"""What a check found, in words for the operator."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class State(StrEnum):
    OK = "ok"
    NOTE = "note"
    """Worth knowing; nothing to do now."""
    WARNING = "warn"
    BAD = "bad"


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's report: what was looked at, how it is, and what to do about it."""

    name: str
    state: State
    says: str
    advice: str = ""


def ok(name: str, says: str) -> Finding:
    return Finding(name, State.OK, says)


def note(name: str, says: str, advice: str = "") -> Finding:
    return Finding(name, State.NOTE, says, advice)


def warn(name: str, says: str, advice: str) -> Finding:
    return Finding(name, State.WARNING, says, advice)


def bad(name: str, says: str, advice: str) -> Finding:
    return Finding(name, State.BAD, says, advice)


def open_to_others(path: Path) -> str | None:
    """The mode of `path`, like "0644", if anybody but its owner may use it; else None."""
    mode = stat.S_IMODE(path.stat().st_mode)
    return f"{mode:04o}" if mode & 0o077 else None
