"""What stands under the player, reckoned in milliseconds from the recording's start. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

WIDTH = 1000
"""Units across the drawing; it is stretched to the page."""

_WORDS = {
    "start": "Recording started",
    "stop": "Recording stopped",
    "marker": "Marker",
    "mute": "Sound muted",
    "unmute": "Sound on again",
    "stealth_on": "Lights and beeps off",
    "stealth_off": "Lights and beeps on again",
    "power_loss": "Power lost",
    "split": "Continues in another file",
}
_PAIRS = {"mute": ("unmute", "Sound muted"), "stealth_on": ("stealth_off", "Lights and beeps off")}
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True)
class Mark:
    """A moment: a camera's event, or a note."""

    at_ms: int
    kind: str
    text: str


@dataclass(frozen=True)
class Band:
    """A stretch of time in which something held."""

    from_ms: int
    to_ms: int
    kind: str
    text: str


def marks(events: Iterable[Mapping[str, Any]], started_at: datetime, duration_ms: int) -> list[Mark]:
    """The camera's events in order. `started_at` is on the clock of the events, which is the device's."""
    found = []
    for event in events:
        kind, note = str(event.get("kind", "")), str(event.get("note", "")).strip()
        words = _WORDS.get(kind, kind.replace("_", " ").capitalize())
        at = _offset(event.get("at"), started_at)
        if at is not None:
            found.append(Mark(min(max(at, 0), duration_ms), kind, f"{words}: {note}" if note else words))
    return sorted(found, key=lambda mark: mark.at_ms)


def bands(found: Iterable[Mark], duration_ms: int, pre_event_seconds: int = 0) -> list[Band]:
    """Mute and stealth from beginning to end (or to the end of the recording), and the silent time before the start."""
    made = []
    if pre_event_seconds:
        made.append(Band(0, min(pre_event_seconds * 1000, duration_ms), "before", "Before the start, without sound"))
    standing: dict[str, int] = {}
    for mark in found:
        if mark.kind in _PAIRS:
            standing.setdefault(mark.kind, mark.at_ms)
        for begin, (end, words) in _PAIRS.items():
            if mark.kind == end and begin in standing:
                made.append(Band(standing.pop(begin), mark.at_ms, begin, words))
    made += [Band(at, duration_ms, begin, _PAIRS[begin][1]) for begin, at in standing.items()]
    return sorted(made, key=lambda band: band.from_ms)


def x(at_ms: int, duration_ms: int) -> float:
    """Where a moment stands across the drawing."""
    return round(WIDTH * at_ms / duration_ms, 2) if duration_ms else 0.0


def waveform_path(levels: list[int], height: int = 40) -> str:
    """An SVG path of upright strokes about the middle, as tall as each level (0 to 100) is loud."""
    if not levels:
        return ""
    step, middle = WIDTH / len(levels), height / 2
    strokes = []
    for index, level in enumerate(levels):
        half = max(level / 100 * middle, 0.4)
        strokes.append(f"M{(index + 0.5) * step:.1f} {middle - half:.1f}V{middle + half:.1f}")
    return "".join(strokes)


def clock(milliseconds: int) -> str:
    """A moment as players write it: "1:05", "1:02:05"."""
    minutes, seconds = divmod(milliseconds // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def _offset(at: Any, started_at: datetime) -> int | None:
    try:
        moment = datetime.fromisoformat(str(at).replace("Z", "+00:00"))
    except ValueError:
        return None
    return (moment - started_at) // _MILLISECOND if moment.tzinfo is not None else None
