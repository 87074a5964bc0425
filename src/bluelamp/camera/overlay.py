"""What the camera burns into its picture: time, model and serial; the flashing red ring."""

from datetime import UTC, datetime

from PIL import Image, ImageDraw, ImageFont

from bluelamp.camera.sprites import Planes, Sprite

CLOCK_NOT_SET = "CLOCK NOT SET"
RING_ON_SECONDS = 0.6  # of every second


class Watermark:
    """ISO 8601 UTC with Z, model and serial, and a notice where the clock is not set. Redrawn once a second."""

    def __init__(self, model: str, serial: str, clock_set: bool, height: int) -> None:
        self._text = f"{model}  {serial}" + ("" if clock_set else f"  {CLOCK_NOT_SET}")
        self._clock_set = clock_set
        self._size = max(12, round(height / 34))
        self._margin = max(4, round(height / 60)) & ~1
        self._font = ImageFont.load_default(self._size)
        self._second = -1
        self._sprite: Sprite | None = None

    def draw(self, planes: Planes, moment: datetime) -> None:
        """Top left corner of the frame; moment is the device's own time."""
        second = int(moment.timestamp())
        if self._sprite is None or second != self._second:
            self._second = second
            self._sprite = Sprite.of(self.picture(moment))
        self._sprite.onto(planes, self._margin, self._margin)

    def picture(self, moment: datetime) -> Image.Image:
        stamp = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        text = f"{stamp}  {self._text}"
        box = self._font.getbbox(text)
        pad = self._size // 3
        image = Image.new("RGBA", (int(box[2]) + 2 * pad, round(self._size * 1.5)), (0, 0, 0, 120))
        colour = (255, 255, 255, 255) if self._clock_set else (255, 196, 60, 255)
        ImageDraw.Draw(image).text((pad, round(self._size * 0.12)), text, font=self._font, fill=colour)
        return image


class Ring:
    """The red ring of the recording light, in the top right corner, flashing once a second."""

    def __init__(self, width: int, height: int) -> None:
        size = round(height / 14) & ~1
        finer = 4
        image = Image.new("RGBA", (size * finer, size * finer), (210, 0, 0, 0))
        thick = size * finer // 6
        edge = (thick, thick, size * finer - thick, size * finer - thick)
        ImageDraw.Draw(image).ellipse(edge, outline=(232, 12, 20, 255), width=thick)
        self._sprite = Sprite.of(image.resize((size, size), Image.Resampling.BOX))
        self._x, self._y = width - size - size // 3, size // 3

    def draw(self, planes: Planes, seconds: float) -> None:
        if seconds % 1 < RING_ON_SECONDS:
            self._sprite.onto(planes, self._x, self._y)
