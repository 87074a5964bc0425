"""A log made of files, as tlog-tiles says, with nothing of Bluelamp but the public formats; and a web server for it.

Hashes are kept level by level in plain lists, so that what the monitor computes in its own way is held against this.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bluelamp.formats import merkle, proofs
from bluelamp.formats.checkpoint import Checkpoint
from bluelamp.formats.proofs import Node
from bluelamp.formats.signed_note import VerifierKey, sign_note
from bluelamp.formats.tiles import WIDTH, Tile, write_bundle

ORIGIN = "force.example/log"


def entry(number: int, history: str = "") -> bytes:
    """The 32 bytes of an entry; another `history` gives others."""
    return merkle.leaf_hash(f"{history}{number}".encode())


class StaticLog:
    """Grows by `append`, and is shown by `publish` in a folder. Several may share a key: that is how a force lies."""

    def __init__(self, folder: Path, seed: bytes = b"l", origin: str = ORIGIN) -> None:
        self.folder = folder
        self.key = Ed25519PrivateKey.from_private_bytes(seed * 32)
        self.origin = origin
        self.entries: list[bytes] = []
        self._rows: list[list[bytes]] = []

    @property
    def vkey(self) -> str:
        return str(VerifierKey(self.origin, self.key.public_key()))

    @property
    def size(self) -> int:
        return len(self.entries)

    def append(self, entries: Iterable[bytes]) -> StaticLog:
        for each in entries:
            self.entries.append(each)
            value, level = merkle.leaf_hash(each), 0
            while True:
                if level == len(self._rows):
                    self._rows.append([])
                row = self._rows[level]
                row.append(value)
                if len(row) % 2:
                    break
                value, level = merkle.node_hash(row[-2], row[-1]), level + 1
        return self

    def nodes(self, wanted: Sequence[Node]) -> list[bytes]:
        return [self._rows[level][index] for level, index in wanted]

    def root(self, size: int | None = None) -> bytes:
        return proofs.tree_root(self.size if size is None else size, self.nodes)

    def note(self, size: int | None = None) -> str:
        size = self.size if size is None else size
        return sign_note(Checkpoint(self.origin, size, self.root(size)).text(), self.origin, self.key)

    def consistency(self, old: int, new: int) -> list[bytes]:
        return proofs.prove_consistency(old, new, self.nodes)

    def publish(self, size: int | None = None, lines: str = "") -> StaticLog:
        """Write the checkpoint of `size`, with further signature `lines`, and all of its tiles and bundles."""
        size = self.size if size is None else size
        for level in range(8):
            at_level = size >> (8 * level)
            for first in range(0, at_level, WIDTH):
                width = min(WIDTH, at_level - first)
                self._write(Tile(level, first // WIDTH, width), b"".join(self._rows[8 * level][first : first + width]))
        for first in range(0, size, WIDTH):
            tile = Tile(-1, first // WIDTH, min(WIDTH, size - first))
            self._write(tile, write_bundle(self.entries[first : first + tile.width]))
        self.write("checkpoint", (self.note(size) + lines).encode())
        return self

    def write(self, name: str, content: bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def _write(self, tile: Tile, content: bytes) -> None:
        path = self.folder / tile.path
        if not path.exists() or path.read_bytes() != content:
            self.write(tile.path, content)


class Quiet(SimpleHTTPRequestHandler):
    """Files, without a line about each request."""

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serve(folder: Path, handler: Callable[..., SimpleHTTPRequestHandler] | None = None) -> Iterator[str]:
    """The folder at an address on the loopback."""
    folder.mkdir(parents=True, exist_ok=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler or partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=partial(server.serve_forever, poll_interval=0.02), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
