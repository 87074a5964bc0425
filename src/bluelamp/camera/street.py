"""A British street as a long picture without ends: sky, terraced houses, shops, pavement, road."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from bluelamp.camera.sprites import Bytes

Colour = tuple[int, int, int]

KERB = 0.80  # of the picture's height, from the top: where the road begins
PAVEMENT = 0.63  # where the houses end


@dataclass(frozen=True)
class Light:
    """A time of day: the sky's colours (top, bottom), what light does to colours, how bright lamps look."""

    name: str
    sky: tuple[Colour, Colour]
    gain: tuple[float, float, float]
    lamps: float


LIGHTS = (
    Light("bright day", ((96, 152, 214), (206, 224, 238)), (1.0, 1.0, 0.97), 0.0),
    Light("overcast", ((150, 158, 166), (204, 207, 208)), (0.82, 0.84, 0.87), 0.1),
    Light("dusk", ((52, 60, 104), (232, 152, 104)), (0.66, 0.54, 0.52), 0.7),
    Light("night", ((7, 10, 24), (30, 34, 52)), (0.24, 0.26, 0.36), 1.0),
)

_BRICKS: tuple[Colour, ...] = (
    (142, 74, 56), (168, 96, 70), (196, 164, 120), (120, 66, 58), (214, 206, 190), (172, 132, 96), (98, 92, 96),
)  # fmt: skip
_SHOPS: tuple[Colour, ...] = (
    (24, 84, 62), (140, 28, 36), (28, 52, 110), (206, 158, 46), (66, 30, 84), (30, 30, 34), (16, 112, 128),
)  # fmt: skip
_DOORS: tuple[Colour, ...] = ((20, 60, 110), (130, 24, 28), (22, 70, 44), (30, 30, 30), (196, 170, 60))
_CARS: tuple[Colour, ...] = (
    (180, 30, 34), (40, 60, 120), (200, 202, 206), (40, 42, 46), (236, 236, 232), (60, 104, 84),
)  # fmt: skip


def paint(rng: np.random.Generator, width: int, height: int, light: Light) -> Bytes:
    """RGB (height, width, 3); the right edge continues at the left edge."""
    painter = _Painter(rng, width, height, light)
    return painter.picture()


class _Painter:
    def __init__(self, rng: np.random.Generator, width: int, height: int, light: Light) -> None:
        self.rng, self.width, self.height, self.light = rng, width, height, light
        self.image = Image.new("RGB", (width, height))
        self.draw = ImageDraw.Draw(self.image)
        self.lights = Image.new("RGB", (width, height))
        self.glow = ImageDraw.Draw(self.lights)
        self.base = int(height * PAVEMENT)

    def picture(self) -> Bytes:
        self._ground()
        self._houses()
        self._street_furniture()
        lit = np.asarray(self.image.filter(ImageFilter.GaussianBlur(self.height / 1000))).astype(np.float32)
        grain = self.rng.normal(0, 3.0, lit.shape[:2]).astype(np.float32)
        lit = (lit + grain[..., None]) * np.array(self.light.gain, dtype=np.float32)
        picture = Image.fromarray(np.clip(lit, 0, 255).astype(np.uint8))
        picture.paste(self._sky(), (0, 0), self._open_air())
        if self.light.lamps:
            # A small picture blurred and enlarged is the halo; blurring at full size took a second.
            small = self.lights.resize((self.width // 8, self.height // 8))
            halo = small.filter(ImageFilter.GaussianBlur(self.height / 150)).resize(picture.size)
            picture = ImageChops.add(ImageChops.add(picture, halo), self.lights)
        return np.asarray(picture)

    def _pick(self, colours: tuple[Colour, ...]) -> Colour:
        return colours[int(self.rng.integers(len(colours)))]

    def _between(self, least: float, most: float) -> int:
        """A whole number of pixels between two shares of the height."""
        return int(self.rng.uniform(least, most) * self.height)

    def _sky(self) -> Image.Image:
        top, bottom = (np.array(colour, dtype=np.float32) for colour in self.light.sky)
        share = np.linspace(0, 1, self.base, dtype=np.float32)[:, None]
        column = (top * (1 - share) + bottom * share).astype(np.uint8)
        sky = Image.fromarray(np.repeat(column[:, None, :], self.width, axis=1))
        if self.light.name in ("bright day", "dusk"):
            small = Image.new("L", (self.width // 8, self.base // 8))
            pen = ImageDraw.Draw(small)
            for _ in range(14):
                x, y = self.rng.uniform(0, small.width), self.rng.uniform(0, small.height * 0.6)
                w, h = self.rng.uniform(12, 40), self.rng.uniform(3, 7)
                for around in (-small.width, 0, small.width):
                    pen.ellipse((x + around - w, y - h, x + around + w, y + h), fill=110)
            clouds = small.filter(ImageFilter.GaussianBlur(3)).resize(sky.size)
            sky.paste((250, 244, 240), (0, 0), clouds)
        return sky

    def _open_air(self) -> Image.Image:
        """The mask of what no house covers."""
        return self.houses_mask.crop((0, 0, self.width, self.base)).point(lambda value: 255 - value)

    def _ground(self) -> None:
        kerb, h, w = int(self.height * KERB), self.height, self.width
        self.draw.rectangle((0, self.base, w, kerb), fill=(158, 156, 150))
        for share in (0.22, 0.5, 0.84):
            y = self.base + int((kerb - self.base) * share)
            self.draw.line((0, y, w, y), fill=(134, 132, 128), width=max(1, h // 500))
        for x in range(0, w, w // 40):
            self.draw.line((x, self.base, x - h // 14, kerb), fill=(138, 136, 132), width=max(1, h // 600))
        self.draw.rectangle((0, kerb, w, kerb + h // 70), fill=(188, 186, 180))
        self.draw.rectangle((0, kerb + h // 70, w, h), fill=(74, 75, 78))
        for y in (kerb + h // 30, kerb + h // 22):
            self.draw.rectangle((0, y, w, y + h // 160), fill=(204, 176, 50))  # double yellow lines

    def _houses(self) -> None:
        self.houses_mask = Image.new("L", (self.width, self.height))
        self.mask = ImageDraw.Draw(self.houses_mask)
        x = 0
        while x < self.width:
            right = x + self._between(0.24, 0.46)
            if self.width - right < 0.24 * self.height:
                right = self.width
            self._house(x, right)
            x = right

    def _house(self, left: int, right: int) -> None:
        h = self.height
        top = self.base - self._between(0.36, 0.56)
        brick = self._pick(_BRICKS)
        darker: Colour = (brick[0] * 3 // 4, brick[1] * 3 // 4, brick[2] * 3 // 4)
        self.mask.rectangle((left, top, right, h), fill=255)
        self.draw.rectangle((left, top, right, self.base), fill=brick)
        course = max(3, h // 110)
        for y in range(top, self.base, course):
            self.draw.line((left, y, right, y), fill=tuple(c * 15 // 16 for c in brick))
        if self.rng.random() < 0.6:
            roof = h // 14
            points = [(left, top), (left + roof // 2, top - roof), (right - roof // 2, top - roof), (right, top)]
            self.mask.polygon(points, fill=255)
            self.draw.polygon(points, fill=(78, 80, 90))
            chimney = left + (right - left) // 4
            box = (chimney, top - roof - h // 26, chimney + h // 24, top - roof // 2)
            self.mask.rectangle(box, fill=255)
            self.draw.rectangle(box, fill=darker)
        self.draw.line((left, top, left, self.base), fill=darker, width=max(2, h // 240))
        ground_floor = self.base - int(0.17 * h)
        self._windows(left, right, top, ground_floor)
        if self.rng.random() < 0.5:
            self._shop(left, right, ground_floor)
        else:
            self._door(left, right, ground_floor)

    def _windows(self, left: int, right: int, top: int, bottom: int) -> None:
        h = self.height
        across = max(1, (right - left) // int(0.13 * h))
        floors = max(1, (bottom - top) // int(0.16 * h))
        wide, tall = int(0.06 * h), int(0.095 * h)
        for floor in range(floors):
            for column in range(across):
                x = left + (right - left) * (2 * column + 1) // (2 * across) - wide // 2
                y = top + (bottom - top) * (2 * floor + 1) // (2 * floors) - tall // 2
                self._window(x, y, wide, tall)

    def _window(self, x: int, y: int, wide: int, tall: int) -> None:
        frame = max(2, self.height // 260)
        self.draw.rectangle((x - frame, y - frame, x + wide + frame, y + tall + frame), fill=(234, 232, 226))
        self.draw.rectangle((x, y, x + wide, y + tall), fill=(70, 86, 100))
        self.draw.rectangle((x, y, x + wide // 3, y + tall), fill=(92, 108, 122))
        self.draw.line((x, y + tall // 2, x + wide, y + tall // 2), fill=(234, 232, 226), width=frame)
        sill = (x - 2 * frame, y + tall + frame, x + wide + 2 * frame, y + tall + 3 * frame)
        self.draw.rectangle(sill, fill=(206, 200, 190))
        if self.rng.random() < 0.45 * self.light.lamps:
            warmth = self.rng.uniform(0.5, 1.0)
            self._lamp_light((x, y, x + wide, y + tall // 2 - frame), (190, 142, 74), warmth)
            self._lamp_light((x, y + tall // 2 + frame, x + wide, y + tall), (190, 142, 74), warmth)

    def _lamp_light(self, box: tuple[int, int, int, int], colour: Colour, strength: float) -> None:
        bright = strength * self.light.lamps
        self.glow.rectangle(box, fill=tuple(int(c * bright) for c in colour))

    def _shop(self, left: int, right: int, top: int) -> None:
        h = self.height
        colour = self._pick(_SHOPS)
        self.draw.rectangle((left + h // 90, top, right - h // 90, self.base), fill=colour)
        glass = (left + h // 40, top + h // 20, right - h // 9, self.base - h // 40)
        self.draw.rectangle(glass, fill=(116, 132, 140))
        for _ in range(5):
            x = int(self.rng.uniform(glass[0], max(glass[0] + 1, glass[2] - h // 30)))
            y = int(self.rng.uniform(glass[1] + h // 30, glass[3] - h // 60))
            box = (x, y, min(glass[2], x + self._between(0.015, 0.05)), glass[3])
            self.draw.rectangle(box, fill=self._pick(_CARS))
        self.draw.rectangle((right - h // 10, top + h // 20, right - h // 30, self.base), fill=(58, 66, 72))
        sign = (left + h // 40, top + h // 90, right - h // 40, top + h // 26)
        self.draw.rectangle(sign, fill=tuple(min(255, c + 30) for c in colour))
        # Stripes stand for lettering: a real name would be somebody's.
        x = sign[0] + h // 50
        while x < sign[2] - h // 16:
            wide = self._between(0.008, 0.022)
            self.draw.rectangle((x, sign[1] + h // 130, x + wide, sign[3] - h // 130), fill=(240, 234, 214))
            x += wide + h // 110
        if self.rng.random() < 0.75:
            self._lamp_light(glass, (150, 140, 112), 0.9)

    def _door(self, left: int, right: int, top: int) -> None:
        h = self.height
        x = left + (right - left) // 5
        self.draw.rectangle((x - h // 120, top + h // 60, x + h // 13, self.base), fill=(226, 222, 214))
        self.draw.rectangle((x, top + h // 34, x + h // 15, self.base), fill=self._pick(_DOORS))
        self.draw.ellipse((x + h // 19, self.base - h // 13, x + h // 17, self.base - h // 15), fill=(210, 180, 80))
        self._window(left + (right - left) * 3 // 5, top + h // 26, int(0.075 * h), int(0.095 * h))

    def _street_furniture(self) -> None:
        h, w = self.height, self.width
        for number in range(4):
            x = int(w * (number + 0.5 + self.rng.uniform(-0.15, 0.15)) / 4)
            post = (x, int(0.16 * h), x + h // 90, int(0.74 * h))
            self.mask.rectangle(post, fill=255)
            self.draw.rectangle(post, fill=(52, 58, 56))
            arm = (x - h // 16, int(0.155 * h), x + h // 90, int(0.155 * h) + h // 130)
            self.mask.rectangle(arm, fill=255)
            self.draw.rectangle(arm, fill=(52, 58, 56))
            head = (x - h // 14, int(0.162 * h), x - h // 34, int(0.175 * h))
            self.mask.ellipse(head, fill=255)
            self._lamp_light(head, (255, 214, 150), 1.0)
        x = int(self.rng.uniform(0.1, 0.85) * w)
        box = (x, int(0.56 * h), x + h // 17, int(0.70 * h))
        self.draw.rounded_rectangle(box, radius=h // 50, fill=(186, 24, 30))  # a letter box
        self.draw.rectangle((x + h // 90, int(0.59 * h), x + h // 21, int(0.598 * h)), fill=(20, 20, 20))
        for number in range(int(self.rng.integers(2, 5))):
            x = int(w * (number + self.rng.uniform(0.15, 0.5)) / 5)
            self._parked_car(x, self._pick(_CARS))

    def _parked_car(self, x: int, paint: Colour) -> None:
        h = self.height
        long, floor = int(0.5 * h), int(0.93 * h)
        body = [
            (0, 0.10),
            (0.03, 0.055),
            (0.22, 0.045),
            (0.34, 0.0),
            (0.66, 0.0),
            (0.8, 0.05),
            (0.98, 0.065),
            (1, 0.115),
        ]
        outline = [(x + part * long, floor - 0.145 * h + y * h) for part, y in body]
        self.draw.ellipse((x, floor - h // 60, x + long, floor + h // 50), fill=(46, 46, 48))
        self.draw.polygon(outline, fill=paint)
        glass = [(0.26, 0.047), (0.355, 0.008), (0.645, 0.008), (0.755, 0.05)]
        self.draw.polygon([(x + part * long, floor - 0.145 * h + y * h) for part, y in glass], fill=(58, 70, 80))
        pillar = x + 0.5 * long
        self.draw.line((pillar, floor - 0.14 * h, pillar, floor - 0.095 * h), fill=paint, width=h // 130)
        for part in (0.2, 0.8):
            wheel, radius = x + part * long, 0.034 * h
            middle = floor - radius
            self.draw.ellipse((wheel - radius, middle - radius, wheel + radius, middle + radius), fill=(24, 24, 26))
            radius *= 0.55
            self.draw.ellipse((wheel - radius, middle - radius, wheel + radius, middle + radius), fill=(150, 152, 156))
