"""The path of the camera as a small drawing, without a map behind it, so that no map server learns of it. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

WIDTH, HEIGHT = 320, 200
_EDGE = 24
_METRES_A_DEGREE = 111_320  # of latitude, on a sphere of the Earth's mean circumference
_LEAST_METRES = 20  # a camera that stood still is not drawn as a storm of measuring errors
_SCALES = (5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000)
_MOST_POINTS = 500


@dataclass(frozen=True)
class Point:
    at_ms: int
    x: float
    y: float
    lat: str
    lon: str


@dataclass(frozen=True)
class Drawing:
    """Points in drawing units, the path through them, and a scale bar of `scale_metres` that is `scale_width` long."""

    points: list[Point]
    path: str
    scale_metres: int
    scale_width: float
    metres: int
    """Length of the way."""


def drawing(track: Iterable[Mapping[str, Any]], started_at: datetime) -> Drawing | None:
    """None where there are no positions. `started_at` is on the clock of the track, which is the device's."""
    places = [place for place in (_place(entry, started_at) for entry in track) if place is not None]
    if not places:
        return None
    places = places[:: math.ceil(len(places) / _MOST_POINTS)]
    middle = math.radians((min(p[1] for p in places) + max(p[1] for p in places)) / 2)
    flat = [(lon * math.cos(middle) * _METRES_A_DEGREE, -lat * _METRES_A_DEGREE) for _, lat, lon, _, _ in places]
    xs, ys = [x for x, _ in flat], [y for _, y in flat]
    wide, high = max(max(xs) - min(xs), _LEAST_METRES), max(max(ys) - min(ys), _LEAST_METRES)
    scale = min((WIDTH - 2 * _EDGE) / wide, (HEIGHT - 2 * _EDGE) / high)
    centre_x, centre_y = (max(xs) + min(xs)) / 2, (max(ys) + min(ys)) / 2
    points = [
        Point(
            place[0],
            round(WIDTH / 2 + (x - centre_x) * scale, 1),
            round(HEIGHT / 2 + (y - centre_y) * scale, 1),
            place[3],
            place[4],
        )
        for place, (x, y) in zip(places, flat, strict=True)
    ]
    metres = next((step for step in reversed(_SCALES) if step * scale <= WIDTH / 3), _SCALES[0])
    way = sum(math.dist(one, other) for one, other in pairwise(flat))
    return Drawing(
        points=points,
        path="M" + "L".join(f"{point.x} {point.y}" for point in points),
        scale_metres=metres,
        scale_width=round(metres * scale, 1),
        metres=round(way),
    )


def _place(entry: Mapping[str, Any], started_at: datetime) -> tuple[int, float, float, str, str] | None:
    try:
        at = datetime.fromisoformat(str(entry["at"]).replace("Z", "+00:00"))
        lat, lon = float(entry["lat"]), float(entry["lon"])
    except (KeyError, TypeError, ValueError):
        return None
    if at.tzinfo is None or not (-90 <= lat <= 90 and -180 <= lon <= 180):
        return None
    since = (at - started_at) // timedelta(milliseconds=1)
    return max(since, 0), lat, lon, str(entry["lat"]), str(entry["lon"])
