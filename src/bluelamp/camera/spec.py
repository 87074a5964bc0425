"""What is to be recorded, and what the camera does at which second of it."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from bluelamp.camera.errors import CameraError

SIZES = {"720p": (1280, 720), "1080p": (1920, 1080)}
MOUNTS = ("chest", "cap", "ballistic helmet")
FPS = 25

PRE_EVENT_SECONDS = 30  # domain: 0 to 120 s, default 30 s, without sound
LONGEST_PRE_EVENT = 120
SPLIT_SECONDS = 4 * 3600
TRACK_EVERY = 5  # seconds between two positions
WALKING_SPEED = 1.3  # metres a second
METRES_A_DEGREE = 111_320.0

Span = tuple[float, float]


@dataclass(frozen=True)
class RecordingSpec:
    """One recording. Seconds count from its first picture, which belongs to the pre-event buffer.

    started_at is the first picture's time on the camera's own clock (aware). seconds is the whole length. A
    camera that was switched on a moment ago has less to buffer: a pre-event buffer that would fill the whole
    recording becomes half of it. mutes and stealths are (from, to). lat and lon are degrees (WGS 84). told: whether
    people were told that they are recorded; None: not stated. Raises CameraError for what no camera could do.
    """

    started_at: datetime
    seconds: float = 60.0
    pre_event_seconds: int = PRE_EVENT_SECONDS
    size: str = "720p"
    seed: int = 0
    markers: tuple[float, ...] = ()
    mutes: tuple[Span, ...] = ()
    stealths: tuple[Span, ...] = ()
    split_seconds: float = SPLIT_SECONDS
    lat: float | None = None
    lon: float | None = None
    told: bool | None = None
    clock_set: bool = True

    def __post_init__(self) -> None:
        if self.started_at.utcoffset() is None:
            raise CameraError("The recording's start needs a time zone.")
        if not 1 <= self.seconds <= 24 * 3600:
            raise CameraError("A recording lasts from one second to 24 hours.")
        if not 0 <= self.pre_event_seconds <= LONGEST_PRE_EVENT:
            raise CameraError(f"The pre-event buffer holds 0 to {LONGEST_PRE_EVENT} seconds.")
        if self.size not in SIZES:
            raise CameraError(f"The picture's size must be {' or '.join(SIZES)}.")
        if self.split_seconds < 1:
            raise CameraError("A recording can be split into parts of one second or more.")
        if (self.lat is None) != (self.lon is None):
            raise CameraError("A position needs both latitude and longitude.")
        if self.lat is not None and self.lon is not None and not (abs(self.lat) <= 85 and abs(self.lon) <= 180):
            raise CameraError("The latitude must lie within 85 degrees and the longitude within 180.")
        self._check_times()
        if self.pre_event_seconds >= self.seconds:
            object.__setattr__(self, "pre_event_seconds", int(self.seconds // 2))

    def _check_times(self) -> None:
        for moment in self.markers:
            if not 0 <= moment <= self.seconds:
                raise CameraError(f"The marker at {moment:g} s lies outside the recording.")
        for name, spans in (("muting", self.mutes), ("stealth", self.stealths)):
            for start, end in spans:
                if not 0 <= start < end <= self.seconds:
                    raise CameraError(f"The {name} from {start:g} to {end:g} s does not fit the recording.")

    def at(self, seconds: float) -> datetime:
        """The device's time `seconds` after the first picture, UTC, to the millisecond."""
        return self.started_at.astimezone(UTC) + timedelta(milliseconds=round(seconds * 1000))

    def has_sound(self, seconds: float) -> bool:
        return seconds >= self.pre_event_seconds and not _within(seconds, self.mutes)

    def is_hidden(self, seconds: float) -> bool:
        """In stealth neither ring nor beep show that the camera records."""
        return _within(seconds, self.stealths)

    def events(self) -> list[tuple[float, str, str]]:
        """What the wearer did: (seconds, kind, note) in order, without start of parts and stop."""
        events = [(float(self.pre_event_seconds), "start", "double press")]
        events += [(moment, "marker", "") for moment in self.markers]
        for spans, first, last in ((self.mutes, "mute", "unmute"), (self.stealths, "stealth_on", "stealth_off")):
            for start, end in spans:
                events += [(start, first, ""), (end, last, "")]
        return sorted(events)

    def parts(self) -> list[Span]:
        """From and to of each file. Boundaries fall on pictures, so that parts join without a gap."""
        frames = max(1, round(self.seconds * FPS))
        each = max(1, round(self.split_seconds * FPS))
        count = math.ceil(frames / each)
        return [(number * each / FPS, min(frames, (number + 1) * each) / FPS) for number in range(count)]

    def track(self) -> list[tuple[float, str, str]]:
        """A walk around the given place: (seconds, latitude, longitude), the degrees as decimal text."""
        if self.lat is None or self.lon is None:
            return []
        rng = np.random.default_rng([self.seed, 2])
        lat, lon, heading = self.lat, self.lon, float(rng.uniform(0, 2 * math.pi))
        positions = []
        for step in range(int(self.seconds // TRACK_EVERY) + 1):
            positions.append((float(step * TRACK_EVERY), f"{lat:.6f}", f"{lon:.6f}"))
            heading += float(rng.normal(0, 0.35))
            metres = WALKING_SPEED * TRACK_EVERY * float(rng.uniform(0.3, 1.1))
            lat += metres * math.cos(heading) / METRES_A_DEGREE
            lon += metres * math.sin(heading) / (METRES_A_DEGREE * math.cos(math.radians(lat)))
        return positions


def _within(seconds: float, spans: tuple[Span, ...]) -> bool:
    return any(start <= seconds < end for start, end in spans)
