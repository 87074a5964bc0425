"""A place for a viewing copy that is pushed in pieces, while sealing wants to pull them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from queue import Empty, Full, Queue
from types import TracebackType

from bluelamp.vault import objects

_PIECES_WAITING = 8
_LOOK_SECONDS = 0.5


class ViewingCopySink:
    """Seals what is written into the object `name`, in a thread, in constant memory.

    Used as a context: leaving it without an exception completes the object and sets `size` (plaintext bytes);
    leaving it with one stores nothing. Without a single write there is no object and `size` is 0.
    """

    def __init__(self, name: str, key_id: str) -> None:
        self.size = 0
        self._name, self._key_id = name, key_id
        self._pieces: Queue[bytes | None] = Queue(_PIECES_WAITING)
        self._thread: threading.Thread | None = None
        self._abandoned = threading.Event()
        self._error: BaseException | None = None

    def __enter__(self) -> ViewingCopySink:
        return self

    def write(self, piece: bytes) -> None:
        """Take one piece; waits while sealing is behind. Raises whatever sealing raised."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._seal, name="viewing-copy", daemon=True)
            self._thread.start()
        self._put(piece)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread is None:
            return
        if kind is not None:
            self._abandoned.set()
        else:
            self._put(None)
        self._thread.join()
        if kind is None and self._error is not None:
            raise self._error

    def _put(self, piece: bytes | None) -> None:
        while self._error is None:
            try:
                self._pieces.put(piece, timeout=_LOOK_SECONDS)
                return
            except Full:
                continue
        raise self._error

    def _seal(self) -> None:
        try:
            self.size = objects.seal_stream(self._name, self._key_id, self._written())
        except BaseException as error:  # handed to the writer, who is in another thread
            self._error = error

    def _written(self) -> Iterator[bytes]:
        while True:
            try:
                piece = self._pieces.get(timeout=_LOOK_SECONDS)
            except Empty:
                if self._abandoned.is_set():
                    raise _Abandoned from None
                continue
            if self._abandoned.is_set():
                raise _Abandoned
            if piece is None:
                return
            yield piece


class _Abandoned(Exception):
    """The copy will not be finished: nothing of it may be stored."""
