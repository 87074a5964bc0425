"""What the virtual camera sees: a street that sways by, people walking, somebody who talks to the wearer."""

import math

import numpy as np

from bluelamp.camera import figures, street
from bluelamp.camera.sprites import Planes, Sprite, to_planes

WALKING_PACE = 0.07  # picture heights a second: a wearer who strolls past
STEPS_A_SECOND = 1.8


class Scene:
    """A scene that depends on nothing but its seed and size; any moment of it can be drawn.

    width and height are even numbers of pixels. Seeds differ in light, houses, people and traffic.
    """

    def __init__(self, seed: int, width: int, height: int) -> None:
        rng = np.random.default_rng(seed)
        self.width, self.height = width, height
        self.light = street.LIGHTS[int(rng.integers(len(street.LIGHTS)))]
        self._sway = max(2, round(height * 0.008)) * 2
        self._length = 2 * width
        picture = street.paint(rng, self._length, height + 2 * self._sway, self.light)
        # The beginning again at the end, so that every view is one piece of the picture.
        self._street = to_planes(np.concatenate([picture, picture[:, :width]], axis=1))
        self.people = int(rng.integers(2, 8))
        walkers = [figures.walker(rng, height, self.light.gain, self._length) for _ in range(self.people)]
        self._walkers = sorted(walkers, key=lambda one: one.feet)
        self._facing, head = figures.person_facing(rng, height, self.light.gain)
        self._facing_x = float(rng.uniform(0.28, 0.72)) * width
        self._facing_y = round(height * float(rng.uniform(0.13, 0.2)))
        self._drift = head * 0.35
        self._vehicles = tuple(figures.vehicles(height, self.light.gain))
        self._traffic = float(rng.uniform(9, 17)), float(rng.uniform(0, 9))
        self._start = float(rng.uniform(0, self._length))

    def draw(self, planes: Planes, seconds: float) -> None:
        """Draw the moment `seconds` after the start over the whole of `planes`."""
        view_x, bob_x, bob_y = self._view(seconds)
        self._background(planes, int(view_x + bob_x), self._sway + bob_y)
        self._vehicle(planes, seconds, bob_y)
        for walker in self._walkers:
            sprite = walker.phase(seconds)
            around = self._length + 2 * sprite.width
            x = (walker.x0 + walker.speed * seconds - view_x - bob_x) % around - sprite.width
            sprite.onto(planes, int(x), walker.feet - sprite.height - bob_y)
        x = self._facing_x + self._drift * math.sin(seconds * 0.5) - self._facing.width / 2 - bob_x
        y = self._facing_y + round(self.height * 0.006 * math.sin(seconds * 1.3)) - bob_y
        self._facing.onto(planes, int(x), y)

    def _view(self, seconds: float) -> tuple[float, int, int]:
        """Where along the street the wearer is (pixels), and the sway of the steps sideways and up."""
        turn = 2 * math.pi * seconds / 11
        pace = self.height * WALKING_PACE
        along = self._start + pace * (seconds + math.sin(turn) * 11 / (2 * math.pi))
        effort = (1 + math.cos(turn)) / 2  # the speed at this moment: standing still does not sway
        step = 2 * math.pi * STEPS_A_SECOND * seconds
        bob_x = round(self._sway * 0.8 * effort * math.sin(step / 2))
        bob_y = round(self._sway * 0.5 * effort * math.cos(step))
        return along, bob_x, bob_y

    def _background(self, planes: Planes, x: int, y: int) -> None:
        x %= self._length
        x, y = x & ~1, y & ~1
        for number, plane in enumerate(planes):
            step = 1 if number == 0 else 2
            height, width = plane.shape
            plane[:] = self._street[number][y // step : y // step + height, x // step : x // step + width]

    def _vehicle(self, planes: Planes, seconds: float, bob_y: int) -> None:
        every, first = self._traffic
        number, since = divmod(seconds + first, every)
        sprite: Sprite = self._vehicles[int(number) % len(self._vehicles)]
        x = -sprite.width + since * self.height * 0.75
        sprite.onto(planes, int(x), round(self.height * 0.985) - sprite.height - bob_y)
