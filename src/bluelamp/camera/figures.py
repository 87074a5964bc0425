"""The people in a scene: walkers as jointed silhouettes, and one real face."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from bluelamp.camera.sprites import Sprite

Colour = tuple[int, int, int]
Point = tuple[float, float]

PHASES = 8  # pictures in one cycle of two steps
_FINER = 2  # drawn larger and scaled down, for smooth edges

_SKIN: tuple[Colour, ...] = ((240, 204, 176), (222, 176, 140), (180, 126, 90), (126, 82, 56), (84, 54, 40))
_HAIR: tuple[Colour, ...] = ((34, 26, 22), (82, 54, 34), (148, 108, 62), (120, 118, 116), (20, 20, 22))
_TOPS: tuple[Colour, ...] = (
    (38, 44, 58), (150, 40, 44), (54, 92, 62), (196, 160, 60), (90, 92, 98), (214, 212, 204), (62, 82, 140),
    (120, 60, 100), (226, 118, 40),
)  # fmt: skip
_TROUSERS: tuple[Colour, ...] = ((36, 40, 56), (60, 62, 66), (92, 82, 66), (28, 28, 30), (58, 74, 104))


@dataclass(frozen=True)
class Walker:
    """Somebody who walks past: one sprite for each phase of the gait, where they are and how they move.

    x0 is in pixels of the street at the start, speed in pixels a second (negative: to the left).
    """

    phases: tuple[Sprite, ...]
    x0: float
    feet: int
    speed: float
    stride: float  # pixels walked in one cycle

    def phase(self, seconds: float) -> Sprite:
        cycle = abs(self.speed) * seconds / self.stride + self.x0
        return self.phases[int(cycle * PHASES) % PHASES]


def walker(rng: np.random.Generator, picture_height: int, gain: tuple[float, float, float], width: int) -> Walker:
    """Somebody on the pavement of a picture `picture_height` pixels high; `width` bounds where they start."""
    # Nearer people are taller and stand lower in the picture.
    nearness = float(rng.uniform(0, 1))
    tall = int(picture_height * (0.30 + 0.24 * nearness))
    feet = int(picture_height * (0.70 + 0.17 * nearness))
    to_the_left = bool(rng.integers(2))
    speed = tall * float(rng.uniform(0.55, 0.8)) * (-1 if to_the_left else 1)
    clothes = _Clothes(rng, gain)
    sprites = []
    for number in range(PHASES):
        image = _walking(clothes, tall, number / PHASES)
        sprites.append(Sprite.of(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if to_the_left else image))
    return Walker(tuple(sprites), float(rng.uniform(0, width)), feet, speed, stride=tall * 0.75)


class _Clothes:
    def __init__(self, rng: np.random.Generator, gain: tuple[float, float, float]) -> None:
        def one(colours: tuple[Colour, ...]) -> Colour:
            return lit(colours[int(rng.integers(len(colours)))], gain)

        self.skin, self.hair = one(_SKIN), one(_HAIR)
        self.top, self.trousers = one(_TOPS), one(_TROUSERS)
        self.shoes = lit((24, 22, 22), gain)
        self.bag = one(_TOPS) if rng.random() < 0.3 else None
        self.hood = bool(rng.random() < 0.25)


def lit(colour: Colour, gain: tuple[float, float, float]) -> Colour:
    """The colour in that light."""
    red, green, blue = (min(255, round(part * factor)) for part, factor in zip(colour, gain, strict=True))
    return red, green, blue


def _darker(colour: Colour, share: float = 0.72) -> Colour:
    return lit(colour, (share, share, share))


def _walking(clothes: _Clothes, tall: int, cycle: float) -> Image.Image:
    """A person walking to the right, `tall` pixels, at a point of the cycle (0..1). Proportions in heights."""
    scale = tall * _FINER
    image = Image.new("RGBA", (int(scale * 0.62), int(scale * 1.04)))
    pen = ImageDraw.Draw(image)
    swing = 2 * math.pi * cycle
    bounce = 0.012 * math.cos(2 * swing)
    middle = 0.31

    def limb(points: list[Point], thick: float, colour: Colour) -> None:
        scaled = [(x * scale, y * scale) for x, y in points]
        pen.line(scaled, fill=(*colour, 255), width=max(2, int(thick * scale)), joint="curve")
        for x, y in scaled:
            radius = thick * scale / 2
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(*colour, 255))

    def disc(x: float, y: float, wide: float, high: float, colour: Colour, opacity: int = 255) -> None:
        box = ((x - wide) * scale, (y - high) * scale, (x + wide) * scale, (y + high) * scale)
        pen.ellipse(box, fill=(*colour, opacity))

    def leg(turn: float, colour: Colour) -> None:
        hip = (middle, 0.50 + bounce)
        thigh = 0.46 * math.sin(turn)
        bend = 0.75 * max(0.0, math.cos(turn)) ** 1.5
        knee = (hip[0] + 0.235 * math.sin(thigh), hip[1] + 0.235 * math.cos(thigh))
        shin = thigh - bend
        ankle = (knee[0] + 0.225 * math.sin(shin), knee[1] + 0.225 * math.cos(shin))
        limb([hip, knee, ankle], 0.078, colour)
        limb([ankle, (ankle[0] + 0.052, ankle[1] + 0.012)], 0.036, clothes.shoes)

    def arm(turn: float, colour: Colour) -> None:
        shoulder = (middle, 0.235 + bounce)
        upper = 0.5 * math.sin(turn)
        elbow = (shoulder[0] + 0.16 * math.sin(upper), shoulder[1] + 0.16 * math.cos(upper))
        fore = upper + 0.35
        hand = (elbow[0] + 0.15 * math.sin(fore), elbow[1] + 0.15 * math.cos(fore))
        limb([shoulder, elbow, hand], 0.056, colour)
        disc(hand[0], hand[1], 0.026, 0.026, clothes.skin)

    disc(middle, 1.0, 0.20, 0.025, (0, 0, 0), 90)  # the shadow at the feet
    arm(swing, _darker(clothes.top))
    leg(swing + math.pi, _darker(clothes.trousers))
    leg(swing, clothes.trousers)
    limb([(middle, 0.25 + bounce), (middle, 0.49 + bounce)], 0.155, clothes.top)
    if clothes.bag:
        limb([(middle - 0.085, 0.27 + bounce), (middle - 0.085, 0.40 + bounce)], 0.10, clothes.bag)
    limb([(middle + 0.005, 0.15 + bounce), (middle, 0.20 + bounce)], 0.05, _darker(clothes.skin, 0.85))
    disc(middle + 0.012, 0.092 + bounce, 0.053, 0.072, clothes.skin)
    crown = clothes.top if clothes.hood else clothes.hair
    disc(middle - 0.004, 0.066 + bounce, 0.060, 0.056, crown)
    disc(middle - 0.026, 0.092 + bounce, 0.040, 0.066, crown)
    disc(middle + 0.030, 0.104 + bounce, 0.036, 0.050, clothes.skin)
    arm(swing + math.pi, clothes.top)
    return image.resize((image.width // _FINER, image.height // _FINER), Image.Resampling.BOX)


# The outline of head and neck in assets/face.jpg, clockwise from the crown.
_OUTLINE: tuple[Point, ...] = (
    (128, 18), (150, 21), (166, 28), (180, 39), (192, 52), (199, 68), (203, 84), (201, 100), (194, 114), (184, 126),
    (174, 131), (170, 136), (166, 150), (160, 168), (157, 182), (161, 236), (94, 236), (96, 182), (91, 166), (87, 148),
    (85, 132), (79, 123), (70, 113), (61, 97), (60, 80), (66, 63), (78, 43), (94, 34), (98, 28), (112, 21),
)  # fmt: skip
_HEAD_TOP, _CHIN, _NECK_X = 18, 184, 127
_HEAD_HIGH = _CHIN - _HEAD_TOP


@cache
def _head() -> Image.Image:
    """The face with everything around it transparent."""
    data = resources.files("bluelamp.camera") / "assets" / "face.jpg"
    with data.open("rb") as source:
        face = Image.open(source).convert("RGB")
    finer = 4
    mask = Image.new("L", (face.width * finer, face.height * finer))
    ImageDraw.Draw(mask).polygon([(x * finer, y * finer) for x, y in _OUTLINE], fill=255)
    mask = mask.resize(face.size, Image.Resampling.BOX).filter(ImageFilter.GaussianBlur(1.3))
    face.putalpha(mask)
    return face


def person_facing(
    rng: np.random.Generator, picture_height: int, gain: tuple[float, float, float]
) -> tuple[Sprite, int]:
    """Somebody who stands before the camera and looks into it: the sprite, and the head's height in pixels.

    The face is frontal and upright, as detectors expect.
    """
    head_high = picture_height * float(rng.uniform(0.27, 0.33))
    scale = head_high / _HEAD_HIGH
    width, height = int(360 * scale), int(picture_height * 0.94)
    jacket = lit(_TOPS[int(rng.integers(len(_TOPS)))], gain)
    image = Image.new("RGBA", (width, height))
    pen = ImageDraw.Draw(image)
    middle = width / 2
    shoulder = (_CHIN + 20 - _HEAD_TOP) * scale
    half = 150 * scale

    def at(x: float, y: float) -> Point:
        return middle + x * half, shoulder + y * scale

    for side in (-1.0, 1.0):
        outline = [at(0.55 * side, 26), at(0.93 * side, 44), at(1.12 * side, 120), at(1.16 * side, 460)]
        pen.polygon([*outline, at(0.62 * side, 460)], fill=(*_darker(jacket, 0.84), 255))
    body = [at(-0.22, -6), at(0.22, -6), at(0.55, 12), at(0.86, 34), at(0.8, 150), at(0.84, 420)]
    pen.polygon([*body, at(-0.84, 460), at(-0.8, 150), at(-0.86, 34), at(-0.55, 12)], fill=(*jacket, 255))
    pen.line([at(0, 20), at(0, 420)], fill=(*_darker(jacket, 0.6), 255), width=max(2, round(3 * scale)))
    for side in (-1.0, 1.0):
        collar = [at(0.1 * side, -16), at(0.36 * side, -2), at(0.3 * side, 30), at(0.02 * side, 22)]
        pen.polygon(collar, fill=(*_darker(jacket, 0.74), 255))
    body_only = image.filter(ImageFilter.GaussianBlur(scale * 0.7))
    face = _head().resize((round(256 * scale), round(256 * scale)), Image.Resampling.LANCZOS)
    # Faces near the camera catch more light than the street at night.
    face_gain = np.array([max(0.55, factor) for factor in gain] + [1.0], dtype=np.float32)
    toned = Image.fromarray((np.asarray(face) * face_gain).astype(np.uint8))
    body_only.alpha_composite(toned, (round(middle - _NECK_X * scale), 0), (0, round(_HEAD_TOP * scale) - 4))
    return Sprite.of(body_only), round(head_high)


def vehicles(picture_height: int, gain: tuple[float, float, float]) -> Iterator[Sprite]:
    """A red double-decker bus and a van, facing right."""
    yield Sprite.of(_bus(picture_height, gain))
    yield Sprite.of(_van(picture_height, gain))


def _bus(h: int, gain: tuple[float, float, float]) -> Image.Image:
    image = Image.new("RGBA", (int(h * 1.15), int(h * 0.56)))
    pen = ImageDraw.Draw(image)
    wide, floor = image.width, image.height - h // 14
    glass = (*lit((62, 76, 92), gain), 255) if gain[0] > 0.5 else (206, 190, 140, 255)
    pen.rounded_rectangle((0, 0, wide - 1, floor), radius=h // 40, fill=(*lit((196, 22, 30), gain), 255))
    for top, bottom in ((0.06, 0.19), (0.27, 0.40)):
        for number in range(7):
            left = int(wide * (0.03 + number * 0.137))
            pen.rectangle((left, int(top * h), left + int(wide * 0.118), int(bottom * h)), fill=glass)
    pen.rectangle((int(wide * 0.3), int(0.21 * h), int(wide * 0.7), int(0.25 * h)), fill=(230, 226, 214, 255))
    _wheels(pen, h, floor, (0.2 * wide, 0.8 * wide), 0.062)
    return image


def _van(h: int, gain: tuple[float, float, float]) -> Image.Image:
    image = Image.new("RGBA", (int(h * 0.66), int(h * 0.33)))
    pen = ImageDraw.Draw(image)
    wide, floor = image.width, image.height - h // 20
    paint = (*lit((236, 236, 236), gain), 255)
    nose = [(wide * 0.72, h * 0.02), (wide * 0.86, h * 0.13), (wide - 1, h * 0.16), (wide - 1, floor)]
    pen.polygon([(0, h * 0.02), *nose, (0, floor)], fill=paint)
    pen.polygon(
        [(wide * 0.69, h * 0.04), (wide * 0.74, h * 0.04), (wide * 0.83, h * 0.13), (wide * 0.69, h * 0.13)],
        fill=(*lit((60, 74, 90), gain), 255),
    )
    pen.rectangle((0, h * 0.19, wide * 0.97, h * 0.205), fill=(*lit((40, 90, 160), gain), 255))
    _wheels(pen, h, floor, (0.2 * wide, 0.78 * wide), 0.046)
    return image


def _wheels(pen: ImageDraw.ImageDraw, h: int, floor: int, places: tuple[float, ...], radius: float) -> None:
    for x in places:
        for size, colour in ((radius * h, (22, 22, 24, 255)), (radius * h * 0.5, (120, 122, 126, 255))):
            pen.ellipse((x - size, floor - size, x + size, floor + size), fill=colour)
