"""A sheet of small pictures, shown while the pointer moves over the timeline."""

import math
from typing import BinaryIO

from PIL import Image

from bluelamp.media.errors import MediaRejected
from bluelamp.media.facts import Storyboard
from bluelamp.media.opening import open_media, video_stream
from bluelamp.media.pictures import evenly, picture_at, to_image, to_jpeg
from bluelamp.media.probe import duration_seconds, rotation_of

MAX_TILES = 100
SHORTEST_INTERVAL = 2.0  # seconds; cameras set a key frame every second or two


def storyboard(f: BinaryIO, columns: int = 10, tile_width: int = 160) -> Storyboard:
    """At most 100 tiles, spread evenly over the video. Raises MediaRejected when no picture decodes."""
    with open_media(f) as container:
        video = video_stream(container)
        duration = duration_seconds(container, video)
        rotation = rotation_of(container, video)
        count = max(1, min(MAX_TILES, math.ceil(duration / SHORTEST_INTERVAL)))
        tiles: list[Image.Image] = []
        last_place = None
        for seconds in evenly(duration, count):
            found = picture_at(container, video, seconds)
            if found is not None and (found[0] != last_place or not tiles):
                last_place = found[0]
                tiles.append(to_image(found[1], video, rotation, tile_width))
            elif tiles:
                # Damaged here, or no key frame since: the picture before stands for this moment too.
                tiles.append(tiles[-1])
    if not tiles:
        raise MediaRejected("The video is damaged: no picture in it can be decoded.")
    columns = min(columns, len(tiles))
    rows = math.ceil(len(tiles) / columns)
    width, height = tiles[0].size
    sheet = Image.new("RGB", (columns * width, rows * height))
    for index, tile in enumerate(tiles):
        sheet.paste(tile, (index % columns * width, index // columns * height))
    return Storyboard(
        jpeg=to_jpeg(sheet, quality=70),
        columns=columns,
        rows=rows,
        tile_w=width,
        tile_h=height,
        interval_ms=round(duration / count * 1000),
        tiles=len(tiles),
    )
