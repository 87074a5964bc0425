"""Logs of the supervised processes: one JSON object a line in <data>/logs/<process>.log, with rotation."""

from __future__ import annotations

import json
import logging
import re
import time
from asyncio import StreamReader
from logging.handlers import RotatingFileHandler
from pathlib import Path

_MAX_BYTES = 10 * 1024 * 1024
_KEPT_FILES = 5
_CHUNK_BYTES = 64 * 1024
_LONGEST_LINE_BYTES = 1024 * 1024
_POSTGRES_LEVEL = re.compile(r" (DEBUG\d|LOG|INFO|NOTICE|WARNING|ERROR|FATAL|PANIC):  ")
_LEVELS = {"LOG": "info", "NOTICE": "info", "FATAL": "critical", "PANIC": "critical"}


class ProcessLog:
    """The log file of one process (mode 0600, ten megabytes, five older ones kept)."""

    def __init__(self, folder: Path, process: str) -> None:
        path = folder / f"{process}.log"
        path.touch(mode=0o600)
        self._process = process
        self._file = RotatingFileHandler(path, maxBytes=_MAX_BYTES, backupCount=_KEPT_FILES, encoding="utf-8")
        self._last_line = ""
        self._error = ""
        self._in_traceback = False

    def write(self, line: str) -> None:
        """Append a line: as it is where it is a JSON object already, else as one with time, process and level."""
        self._note_last_words(line)
        self._file.handle(logging.makeLogRecord({"msg": _structured(self._process, line)}))

    @property
    def last_words(self) -> str:
        """What the process followed last had to say: the error that ended its latest traceback, else its last line."""
        return self._error or self._last_line

    async def follow(self, stream: StreamReader) -> None:
        """Append what a process says until it says no more."""
        self._error = ""
        rest = b""
        while chunk := await stream.read(_CHUNK_BYTES):
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > _LONGEST_LINE_BYTES:
                lines, rest = [*lines, rest], b""
            for line in lines:
                if line.strip():
                    self.write(line.decode(errors="replace"))
        if rest.strip():
            self.write(rest.decode(errors="replace"))

    def _note_last_words(self, line: str) -> None:
        if line.startswith("Traceback "):
            self._in_traceback = True
        elif self._in_traceback and not line.startswith(" "):
            self._in_traceback = False
            self._error = line
        self._last_line = line

    def close(self) -> None:
        self._file.close()


def _structured(process: str, line: str) -> str:
    if line.startswith("{"):
        try:
            json.loads(line)
        except ValueError:
            pass
        else:
            return line
    found = _POSTGRES_LEVEL.search(line) if process == "postgres" else None
    level = _LEVELS.get(found[1], found[1].lower()) if found else "info"
    # Real time, not the demonstration's clock: the log tells when a process spoke, and must work without a database.
    now = time.time()
    spoken = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(now))}.{int(now % 1 * 1000):03d}Z"
    return json.dumps({"timestamp": spoken, "process": process, "level": level, "event": line})
