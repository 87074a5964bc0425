"""One picture that stands for a video in lists."""

from typing import BinaryIO

from PIL import Image, ImageStat

from bluelamp.media.errors import MediaRejected
from bluelamp.media.opening import open_media, video_stream
from bluelamp.media.pictures import picture_at, to_image, to_jpeg
from bluelamp.media.probe import duration_seconds, rotation_of

# A camera is often started in a pocket or at night: of a few places, the picture with most to see is taken.
PLACES = (0.1, 0.4, 0.7)
ENOUGH_CONTRAST = 24.0


def poster(f: BinaryIO, width: int = 640) -> bytes:
    """A JPEG `width` pixels wide. Raises MediaRejected when f is no video or no picture in it decodes."""
    with open_media(f) as container:
        video = video_stream(container)
        duration = duration_seconds(container, video)
        rotation = rotation_of(container, video)
        best: tuple[float, Image.Image] | None = None
        for place in PLACES:
            found = picture_at(container, video, duration * place)
            if found is None:
                continue
            image = to_image(found[1], video, rotation, width)
            contrast = ImageStat.Stat(image.convert("L")).stddev[0]
            if best is None or contrast > best[0]:
                best = (contrast, image)
            if contrast >= ENOUGH_CONTRAST:
                break
    if best is None:
        raise MediaRejected("The video is damaged: no picture in it can be decoded.")
    return to_jpeg(best[1])
