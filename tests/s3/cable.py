"""A line to the S3 service that can change a byte on its way, or break in the middle of a part."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

MARK = b"the line looks for these very bytes"


class Cable:
    """Forwards connections to `port`. `flip`: one bit of each MARK that passes is changed. `cuts`: that many
    connections are broken when a MARK would pass."""

    def __init__(self, port: int, *, flip: bool = False, cuts: int = 0) -> None:
        self._target = port
        self._flip = flip
        self._cuts = cuts
        self.hits = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._target))
            for source, target, watched in ((near, far, True), (far, near, False)):
                threading.Thread(target=self._carry, args=(source, target, watched), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, watched: bool) -> None:
        try:
            while data := source.recv(1 << 20):
                if watched and MARK in data:
                    self.hits += 1
                    if self._cuts:
                        self._cuts -= 1
                        break
                    if self._flip:
                        data = data.replace(MARK, bytes([MARK[0] ^ 1]) + MARK[1:])
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


@contextmanager
def laid(port: int, *, flip: bool = False, cuts: int = 0) -> Iterator[Cable]:
    cable = Cable(port, flip=flip, cuts=cuts)
    try:
        yield cable
    finally:
        cable.close()
