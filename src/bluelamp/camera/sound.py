"""What the virtual camera hears: two people talking (no words), a street behind them, and its own beeps."""

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
Precise = npt.NDArray[np.float64]

RATE = 48_000
BEEP_EVERY = 120.0  # seconds: the camera reminds everybody that it records
BEEP_TONES = (1318.5, 1760.0)  # hertz, one after the other
BEEP_TONE_SECONDS = 0.16
BEEP_GAP_SECONDS = 0.06

# First three formants in hertz of English vowels, from Peterson and Barney (1952), men's averages.
_VOWELS = (
    (730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480), (570, 840, 2410), (490, 1350, 1690),
    (660, 1720, 2410), (440, 1020, 2240), (640, 1190, 2390), (390, 1990, 2550),
)  # fmt: skip
_VOICES = ((112.0, 1.0), (198.0, 1.16), (132.0, 1.02), (224.0, 1.2))  # pitch in hertz, formants shifted by
_SYLLABLES = 24  # kept for each voice
_SYLLABLE_RATE = 16_000  # speech has little above 8 kHz; a third of the work


@cache
def beep() -> Samples:
    """The two tones."""
    tones = []
    for frequency in BEEP_TONES:
        t = np.arange(int(BEEP_TONE_SECONDS * RATE)) / RATE
        edge = np.minimum(1, np.minimum(t, t[::-1]) / 0.008)
        tones.append(0.35 * edge * np.sin(2 * np.pi * frequency * t))
        tones.append(np.zeros(int(BEEP_GAP_SECONDS * RATE)))
    return np.concatenate(tones).astype(np.float32)


def add_beeps(samples: Samples, here: int, start: float, is_hidden: Callable[[float], bool]) -> None:
    """Mix in the two tones that sound at `start` (seconds) and every two minutes after, unless hidden then.

    `samples` begin at sample `here` of the recording; a beep may have begun before them and go on after them.
    """
    tones = beep()
    every = int(BEEP_EVERY * RATE)
    first = int(start * RATE)
    number = max(0, (here - first - len(tones)) // every)
    while (at := first + number * every) < here + len(samples):
        number += 1
        offset = at - here
        if offset + len(tones) <= 0 or is_hidden(at / RATE):
            continue
        piece = tones[max(0, -offset) : len(samples) - offset]
        samples[max(0, offset) : max(0, offset) + len(piece)] += piece


class Soundtrack:
    """Speech and street of one seed, to be taken in order; full scale is 1.0."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng([seed, 1])
        first = int(self._rng.integers(len(_VOICES)))
        other = (first + 1 + int(self._rng.integers(len(_VOICES) - 1))) % len(_VOICES)
        self._voices = (first, other)
        self._street = _street(self._rng)
        self._speech = self._talk()
        self._left: Samples = np.zeros(0, dtype=np.float32)
        self._taken = 0

    def take(self, count: int) -> Samples:
        """The next `count` samples."""
        parts = [self._left]
        have = len(self._left)
        while have < count:
            parts.append(next(self._speech))
            have += len(parts[-1])
        speech = np.concatenate(parts)
        self._left = speech[count:]
        places = (np.arange(count) + self._taken) % len(self._street)
        self._taken += count
        return (speech[:count] + self._street[places]).astype(np.float32)

    def _talk(self) -> Iterator[Samples]:
        """Phrases of a few syllables in turns, with the pauses that people make."""
        rng = self._rng
        yield np.zeros(int(rng.uniform(0.2, 0.6) * RATE), dtype=np.float32)
        while True:
            voice = self._voices[int(rng.random() < 0.4)]
            level = rng.uniform(0.16, 0.3)
            for _ in range(int(rng.integers(1, 4))):
                for _ in range(int(rng.integers(3, 9))):
                    syllable = _bank(voice)[int(rng.integers(_SYLLABLES))]
                    # Speech slows and falls towards the end of a phrase; here only its loudness varies.
                    yield (syllable * np.float32(level * rng.uniform(0.55, 1.0))).astype(np.float32)
                yield np.zeros(int(rng.uniform(0.12, 0.35) * RATE), dtype=np.float32)
            yield np.zeros(int(rng.uniform(0.4, 1.6) * RATE), dtype=np.float32)


@cache
def _bank(voice: int) -> tuple[Samples, ...]:
    """A voice's syllables. The same for every seed, so that a process makes them once."""
    rng = np.random.default_rng(voice)
    return tuple(_syllable(rng, *_VOICES[voice]) for _ in range(_SYLLABLES))


def _syllable(rng: np.random.Generator, pitch: float, shift: float) -> Samples:
    """A consonant's noise, then a vowel gliding into another: harmonics of the voice shaped by formants."""
    seconds = float(rng.uniform(0.13, 0.26))
    t = np.arange(int(seconds * _SYLLABLE_RATE)) / _SYLLABLE_RATE
    glide = np.linspace(0, 1, len(t))
    melody = pitch * (1 + rng.uniform(-0.12, 0.18) * (1 - glide) + 0.012 * np.sin(2 * np.pi * 5.5 * t))
    turn = 2 * np.pi * np.cumsum(melody) / _SYLLABLE_RATE
    numbers: Precise = np.arange(1.0, int(5500 / pitch), dtype=np.float64)
    start, end = (_formant_gains(pitch * numbers, _VOWELS[int(rng.integers(len(_VOWELS)))], shift) for _ in "ab")
    harmonics = np.sin(np.outer(numbers, turn))
    voiced = (start @ harmonics) * (1 - glide) + (end @ harmonics) * glide
    rise, fall = rng.uniform(0.015, 0.05), rng.uniform(0.04, 0.09)
    voiced *= np.minimum(1, t / rise) * np.minimum(1, (seconds - t) / fall)
    voiced /= np.abs(voiced).max()
    onset = _consonant(rng)
    whole = np.concatenate([onset, voiced])
    finer = np.arange(len(whole) * RATE // _SYLLABLE_RATE) * (_SYLLABLE_RATE / RATE)
    sampled: Samples = np.interp(finer, np.arange(len(whole)), whole).astype(np.float32)
    return sampled


def _formant_gains(frequencies: Precise, formants: tuple[int, ...], shift: float) -> Precise:
    gains = np.zeros_like(frequencies)
    for formant, width, strength in zip(formants, (90, 110, 170), (1.0, 0.5, 0.22), strict=True):
        gains += strength / (1 + ((frequencies - formant * shift) / width) ** 2)
    return gains + 0.01 * 200 / frequencies


def _consonant(rng: np.random.Generator) -> Precise:
    """A short hiss or burst around a random frequency; sometimes none."""
    if rng.random() < 0.3:
        return np.zeros(int(0.015 * _SYLLABLE_RATE))
    length = int(rng.uniform(0.02, 0.08) * _SYLLABLE_RATE)
    spectrum = np.fft.rfft(rng.standard_normal(length))
    frequencies = np.fft.rfftfreq(length, 1 / _SYLLABLE_RATE)
    spectrum *= np.exp(-(((frequencies - rng.uniform(2200, 6000)) / 1400) ** 2))
    hiss: Precise = np.fft.irfft(spectrum, length)
    hiss *= rng.uniform(0.1, 0.3) / (np.abs(hiss).max() + 1e-9)
    return hiss * np.hanning(length)


def _street(rng: np.random.Generator) -> Samples:
    """Seven seconds of distant traffic that can be repeated without a seam (made in the frequency domain)."""
    length = 7 * RATE
    frequencies = np.fft.rfftfreq(length, 1 / RATE)
    loudness = 1 / np.maximum(frequencies, 40) ** 1.1
    loudness[frequencies > 6000] = 0
    turns = rng.uniform(0, 2 * np.pi, len(frequencies))
    noise: Precise = np.fft.irfft(loudness * np.exp(1j * turns), length)
    noise *= 0.035 / np.abs(noise).max()
    return noise.astype(np.float32)
