"""What the camera writes down when a recording starts, so that a power cut loses nothing but the last moment.

One JSON file beside each open recording, gone once its manifest entry is written.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import av.error

from bluelamp.camera.errors import CameraError
from bluelamp.camera.recorder import sync_folder

SUFFIX = ".open.json"


@dataclass(frozen=True)
class Journal:
    """The manifest entry as far as it is known at the start: `entry` lacks end, size, hash and previous, and
    its events and track are the whole recording's plan."""

    path: Path
    entry: dict[str, Any]

    @property
    def recording(self) -> Path:
        return self.path.parent / str(self.entry["filename"])

    def write(self) -> None:
        write_durably(self.path, json.dumps(self.entry).encode())

    def close(self) -> None:
        self.path.unlink(missing_ok=True)
        sync_folder(self.path.parent)

    @classmethod
    def beside(cls, recording: Path, entry: dict[str, Any]) -> "Journal":
        return cls(recording.with_name(recording.name + SUFFIX), entry)

    @classmethod
    def all_in(cls, folder: Path) -> list["Journal"]:
        """The open recordings in a device's folder, oldest first. Raises CameraError for an unreadable one."""
        journals = []
        for path in sorted(folder.glob("*" + SUFFIX)):
            try:
                entry = json.loads(path.read_bytes())
            except ValueError as error:
                raise CameraError(
                    f"The note of an open recording, {path.name}, cannot be read.",
                    "The recording beside it is untouched.",
                    "Copy the whole folder before anything else is tried.",
                ) from error
            journals.append(cls(path, entry))
        return sorted(journals, key=lambda journal: int(journal.entry["sequence"]))


def write_durably(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Replace a small file so that after a power cut it holds either the old or the new content."""
    beside = path.with_name(path.name + ".new")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        os.write(handle, data)
        os.fsync(handle)
    finally:
        os.close(handle)
    beside.replace(path)
    sync_folder(path.parent)


def trim_torn_end(path: Path) -> None:
    """Cut a fragmented MP4 back to its last whole fragment: what was being written at the cut goes.

    ISO/IEC 14496-12, 4.2 (boxes) and 8.8 (movie fragments).
    """
    size = path.stat().st_size
    whole = 0
    with path.open("r+b") as file:
        for kind, end in _boxes(file, size):
            # A fragment is a moof and the mdat after it: the one without the other plays nothing.
            if kind != b"moof":
                whole = end
        if whole < size:
            file.truncate(whole)
            os.fsync(file.fileno())


def _boxes(file: Any, size: int) -> Any:
    """Kind and end of each box at the file's top level that lies wholly inside it."""
    place = 0
    while place + 8 <= size:
        file.seek(place)
        header = file.read(16)
        length, kind = int.from_bytes(header[:4], "big"), header[4:8]
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        if length < 8 or place + length > size:
            return
        place += length
        yield kind, place


def playable_seconds(path: Path) -> float:
    """How long the pictures in a recovered file play; 0.0 where none do."""
    try:
        with av.open(str(path)) as container:
            video = container.streams.video[0]
            base = video.time_base
            shown = [
                (packet.pts, packet.pts + (packet.duration or 0))
                for packet in container.demux(video)
                if packet.pts is not None and packet.size
            ]
    except (av.error.FFmpegError, IndexError):
        return 0.0
    if not shown or not base:
        return 0.0
    return float((max(end for _, end in shown) - min(start for start, _ in shown)) * base)
