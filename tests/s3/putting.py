"""Puts an object as a process of its own: to be killed in the middle, or to be measured.

`python -m tests.s3.putting wait URL NAME` sends 20 MiB, says so and waits; `... measure URL NAME MIB` puts that much
and prints the most memory it ever held, in KiB.
"""

from __future__ import annotations

import resource
import signal
import sys
from collections.abc import Iterator

from bluelamp.vault.stores import ObjectStore

MIB = 1024 * 1024


def pieces(mebibytes: int) -> Iterator[bytes]:
    for number in range(mebibytes):
        yield bytes([number % 256]) * MIB


def _pieces_then_wait() -> Iterator[bytes]:
    yield from pieces(20)
    sys.stdout.write("sent\n")
    sys.stdout.flush()
    signal.pause()


if __name__ == "__main__":
    store = ObjectStore.from_url(sys.argv[2])
    if sys.argv[1] == "wait":
        store.put_stream(sys.argv[3], _pieces_then_wait())
    else:
        store.put_stream(sys.argv[3], pieces(int(sys.argv[4])))
        sys.stdout.write(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}\n")
