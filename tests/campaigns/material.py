"""What campaigns' cameras record: bytes of any kind and size, and now and then a real video. No two are alike."""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass, field

from tests.media import samples

SIZES = (0, 900, 900, 900, 60_000, 60_000, 60_000, 60_000, 1_200_000, 1_200_000, 1_200_000, 6_000_000)
VIDEOS = 0.12
"""The share of real videos: they are prepared for viewing, which puts more objects into the store."""

_OWN_BYTES = 64


@dataclass(frozen=True)
class Material:
    """Two short videos, to which each recording adds bytes of its own that no player looks at."""

    as_mp4: bytes = field(default_factory=lambda: samples.video(1, size=(160, 90)))
    as_mkv: bytes = field(default_factory=lambda: samples.video(1, size=(160, 90), container="matroska"))

    def mp4(self, chance: random.Random) -> bytes:
        """An MP4 with a free-space box (ISO/IEC 14496-12), or anything at all."""
        if chance.random() >= VIDEOS:
            return anything(chance)
        return self.as_mp4 + struct.pack(">I4s", 8 + _OWN_BYTES, b"free") + chance.randbytes(_OWN_BYTES)

    def mkv(self, chance: random.Random) -> bytes:
        """A Matroska file with a Void element (RFC 8794), or anything at all, but something."""
        if chance.random() >= VIDEOS:
            return anything(chance) or b"."
        return self.as_mkv + b"\xec" + (_OWN_BYTES | 1 << 56).to_bytes(8, "big") + chance.randbytes(_OWN_BYTES)


def anything(chance: random.Random) -> bytes:
    """Random bytes, as many as chance says; often none, seldom some MB."""
    return chance.randbytes(chance.choice(SIZES))
