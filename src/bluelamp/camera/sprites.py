"""Pictures with transparency that are laid over video frames, kept in the frames' own colour planes.

Frames are 4:2:0 video (one full luma plane, two half-size colour planes), BT.709, limited range: everything is
converted once, when a scene is made, and never for each frame.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

Bytes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint16]
Planes = tuple[Bytes, Bytes, Bytes]  # luma (H, W), blue and red difference (H/2, W/2)

# Rec. ITU-R BT.709-6, items 3.2 to 3.4, scaled to 8-bit limited range.
_TO_YUV = np.array(
    [
        [0.2126 * 219 / 255, 0.7152 * 219 / 255, 0.0722 * 219 / 255],
        [-0.1146 * 224 / 255, -0.3854 * 224 / 255, 0.5 * 224 / 255],
        [0.5 * 224 / 255, -0.4542 * 224 / 255, -0.0458 * 224 / 255],
    ],
    dtype=np.float32,
)
_OFFSETS = np.array([16, 128, 128], dtype=np.float32)


def to_planes(rgb: Bytes) -> Planes:
    """An RGB picture (H, W, 3) of even width and height as planes."""
    yuv = rgb.astype(np.float32) @ _TO_YUV.T + _OFFSETS
    luma = np.clip(yuv[..., 0] + 0.5, 16, 235).astype(np.uint8)
    colour = np.clip(_halved(yuv[..., 1:]) + 0.5, 16, 240).astype(np.uint8)
    return luma, np.ascontiguousarray(colour[..., 0]), np.ascontiguousarray(colour[..., 1])


def _halved(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    smaller = values[0::2, 0::2] + values[1::2, 0::2] + values[0::2, 1::2] + values[1::2, 1::2]
    return (smaller * np.float32(0.25)).astype(np.float32)


@dataclass(frozen=True)
class Sprite:
    """For each plane the picture times its opacity (0..256), and 256 minus the opacity."""

    coloured: tuple[Words, Words, Words]
    see_through: tuple[Words, Words]  # full size, half size

    @property
    def width(self) -> int:
        return int(self.see_through[0].shape[1])

    @property
    def height(self) -> int:
        return int(self.see_through[0].shape[0])

    @classmethod
    def of(cls, image: Image.Image) -> "Sprite":
        """From an RGBA picture; it is padded to even width and height."""
        size = (image.width + image.width % 2, image.height + image.height % 2)
        if size != image.size:
            padded = Image.new("RGBA", size)
            padded.paste(image, (0, 0))
            image = padded
        rgba = np.asarray(image)
        luma, blue, red = to_planes(np.ascontiguousarray(rgba[..., :3]))
        alpha = rgba[..., 3].astype(np.float32) * np.float32(256 / 255)
        full = (alpha + 0.5).astype(np.uint16)
        half = (_halved(alpha) + 0.5).astype(np.uint16)
        return cls(
            coloured=(luma * full, blue * half, red * half),
            see_through=((256 - full).astype(np.uint16), (256 - half).astype(np.uint16)),
        )

    def onto(self, planes: Planes, x: int, y: int) -> None:
        """Lay the picture over the frame with its corner at (x, y), cut at the frame's edges. Odd places are
        taken as the even ones before, since colour has half the resolution."""
        x, y = x & ~1, y & ~1
        height, width = planes[0].shape
        left, top = max(0, -x), max(0, -y)
        right, bottom = min(self.width, width - x), min(self.height, height - y)
        if left >= right or top >= bottom:
            return
        for number, plane in enumerate(planes):
            step = 1 if number == 0 else 2
            inside = np.s_[top // step : bottom // step, left // step : right // step]
            there = np.s_[(y + top) // step : (y + bottom) // step, (x + left) // step : (x + right) // step]
            blended = plane[there] * self.see_through[min(number, 1)][inside]
            blended += self.coloured[number][inside]
            blended >>= 8
            plane[there] = blended
