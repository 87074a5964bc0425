"""Everything that the page of one recording shows, gathered for one reader."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bluelamp.custody.queries import search
from bluelamp.footage import clocks, history, media, queries, timeline, track
from bluelamp.footage.models import Derivative, EvidenceFlag, Note, Recording, Reference, Viewing
from bluelamp.footage.services.marks import may_be_released
from bluelamp.kernel import clock
from bluelamp.people.policy import Action, Actor, Decision, Thing, may, watches

_MOST_VIEWERS = 6
_MOST_MARKS = 200
_CODECS = {"h264": "H.264", "hevc": "H.265", "vp8": "VP8", "vp9": "VP9", "av1": "AV1", "opus": "Opus"}
_ACTIONS = (
    Action.FLAG,
    Action.NOTE,
    Action.EXTEND,
    Action.RELEASE,
    Action.LOCK,
    Action.UNLOCK,
    Action.SHARE,
    Action.VIEW_HISTORY,
    Action.VIEW_AUDIT,
    Action.SEARCH,
)


@dataclass(frozen=True)
class Viewer:
    """One row of the timeline: who watched which stretches (milliseconds)."""

    name: str
    last_at: datetime
    seconds: int
    stretches: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Page:
    """What the template shows. `may` holds the names of the actions that the reader is offered.

    `role_watches`: the reader's work includes watching footage, be it this or that.
    `flag_is_own`: the reader set the flag, so that releasing it is for somebody else.
    """

    recording: Recording
    watch: Decision
    role_watches: bool
    may: frozenset[str]
    viewing: Viewing | None
    flag: EvidenceFlag | None
    flag_is_own: bool
    references: list[Reference]
    notes: list[Note]
    parts: list[Recording]
    duration_ms: int
    marks: list[timeline.Mark]
    more_marks: int
    bands: list[timeline.Band]
    track: track.Drawing | None
    viewers: list[Viewer]
    more_viewers: int
    history: list[history.Line] | None
    shows_poster: bool
    now: datetime
    deleted_at: datetime | None

    @property
    def waveform_path(self) -> str:
        return timeline.waveform_path(self.recording.waveform)

    @property
    def clock_words(self) -> str:
        return clocks.clock_words(self.recording)

    @property
    def frames_a_second(self) -> str:
        """Such as "25", or "29.97"."""
        return f"{1 / _frame_seconds(self.recording):.2f}".rstrip("0").rstrip(".")

    @property
    def codecs(self) -> str:
        """Such as "H.264 and AAC"."""
        found = [str(self.recording.media.get(name) or "") for name in ("video_codec", "audio_codec")]
        return " and ".join(_CODECS.get(codec, codec.upper()) for codec in found if codec)

    @property
    def player(self) -> dict[str, Any]:
        """What the player's script must know."""
        item = self.recording
        return {
            "duration": self.duration_ms / 1000,
            "startedAt": item.started_at.isoformat(),
            "frame": _frame_seconds(item),
            "storyboard": item.storyboard,
            "track": [[p.at_ms, p.x, p.y] for p in self.track.points] if self.track else [],
        }

    @property
    def play_url(self) -> str:
        return media.play_url(self.viewing) if self.viewing else ""

    @property
    def poster_url(self) -> str:
        return media.url(self.viewing, "poster") if self.viewing else media.poster_url(self.recording)

    @property
    def storyboard_url(self) -> str:
        return media.url(self.viewing, "storyboard") if self.viewing and self.recording.storyboard else ""


def gather(recording: Recording, reader: Actor, thing: Thing, session_key: str | None) -> Page:
    """The page of `recording` for `reader`, who may see its facts."""
    watch = may(reader, Action.WATCH, thing)
    allowed = frozenset(action.value for action in _ACTIONS if may(reader, action, thing).allowed)
    clock_of_device = recording.device_started_at or recording.started_at
    duration = length(recording)
    camera = timeline.marks(recording.events, clock_of_device, duration)
    notes = list(recording.notes.select_related("written_by"))
    viewers = _viewers(recording, reader, thing) if Action.VIEW_HISTORY.value in allowed else []
    live = recording.state == Recording.State.LIVE
    viewing = queries.open_viewing(recording, reader.custody_id, session_key) if live and watch.allowed else None
    flag = queries.standing_flag(recording)
    return Page(
        recording=recording,
        watch=watch,
        role_watches=watches(reader),
        may=allowed,
        viewing=viewing,
        flag=flag,
        flag_is_own=flag is not None and not may_be_released(flag, reader.id),
        references=list(recording.references.order_by("pk")),
        notes=notes,
        parts=queries.parts(recording, reader),
        duration_ms=duration,
        marks=camera[:_MOST_MARKS],
        more_marks=max(0, len(camera) - _MOST_MARKS),
        bands=timeline.bands(camera, duration, recording.pre_event_seconds),
        track=track.drawing(recording.track, clock_of_device),
        viewers=viewers[:_MOST_VIEWERS],
        more_viewers=max(0, len(viewers) - _MOST_VIEWERS),
        history=history.lines(recording, reader, thing) if Action.VIEW_HISTORY.value in allowed else None,
        shows_poster=live
        and watch.allowed
        and (viewing is not None or not watch.needs_reason)
        and recording.derivatives.filter(kind=Derivative.Kind.POSTER).exists(),
        now=clock.now(),
        deleted_at=_deleted_at(recording),
    )


def length(recording: Recording) -> int:
    """Milliseconds: as measured, or as the camera said while nobody has measured."""
    if recording.duration_ms is not None:
        return recording.duration_ms
    return int((recording.ended_at - recording.started_at).total_seconds() * 1000)


def _deleted_at(recording: Recording) -> datetime | None:
    if recording.state != Recording.State.DELETED:
        return None
    found = search(tag="recording.deleted", subject=recording.custody_id, limit=1)
    return found[0].at if found else None


def _viewers(recording: Recording, reader: Actor, thing: Thing) -> list[Viewer]:
    found = queries.watched(recording)
    if history.is_discreet(reader, thing):
        hidden = history.hidden_viewers(item.viewer for item in found) - {reader.custody_id}
        found = [item for item in found if item.viewer not in hidden]
    return [Viewer(item.name or item.viewer, item.last_at, item.seconds, item.stretches) for item in found]


def _frame_seconds(recording: Recording) -> float:
    """How long one picture stands; a 25th of a second where the file does not say."""
    count, _, over = str(recording.media.get("fps", "")).partition("/")
    try:
        rate = int(count) / int(over)
    except (ValueError, ZeroDivisionError):
        rate = 0
    return 1 / rate if 1 <= rate <= 240 else 0.04
