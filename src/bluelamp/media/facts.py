"""What is known about a video after looking at it."""

from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True)
class MediaFacts:
    """Facts about one video file.

    width and height are pixels as shown, after rotation. fps is a fraction as text, "25/1"; "0/1" where the
    file does not say. rotation is the clockwise turn in degrees that a player applies. size is bytes.
    """

    duration_ms: int
    width: int
    height: int
    fps: str
    video_codec: str
    audio_codec: str | None
    container: str
    size: int
    pixel_format: str
    audio_rate: int | None
    audio_channels: int | None
    rotation: int

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "MediaFacts":
        """Raises ValueError when a field is missing, unknown or of another type: the values come from a child
        process that has handled untrusted input."""
        names = {field.name for field in fields(cls)}
        if set(values) != names:
            raise ValueError("facts have other fields than expected")
        for name, value in values.items():
            optional = name in ("audio_codec", "audio_rate", "audio_channels")
            wanted = str if name in ("fps", "video_codec", "audio_codec", "container", "pixel_format") else int
            if value is None and optional:
                continue
            if type(value) is not wanted or (wanted is int and not 0 <= value < 2**63):
                raise ValueError(f"{name} is not what it should be")
            if wanted is str and not (len(value) <= 40 and value.isprintable()):
                raise ValueError(f"{name} is not a short plain text")
        return cls(**values)


@dataclass(frozen=True)
class Storyboard:
    """A JPEG sheet of columns x rows tiles, tile_w x tile_h pixels each, left to right, top to bottom.

    Tile n shows the video at n * interval_ms. The last row may have empty (black) tiles; `tiles` counts the
    real ones.
    """

    jpeg: bytes
    columns: int
    rows: int
    tile_w: int
    tile_h: int
    interval_ms: int
    tiles: int
