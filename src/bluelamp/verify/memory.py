"""What a monitor remembers between two looks, as a JSON file that is replaced whole."""

import json
import os
from pathlib import Path
from typing import Any

from bluelamp.verify.edge import Edge
from bluelamp.verify.follow import Covered, Memory

_FORMAT = "bluelamp-follow-1"


class UnreadableMemory(Exception):
    """The file cannot be read as a monitor's memory; the message says why."""


def load(path: Path) -> tuple[Memory | None, list[str]]:
    """What was remembered, None at first; and the alarms that stood last. Raises UnreadableMemory.

    A file that is damaged is not passed over: a monitor that forgets what it saw is what a forger would wish for.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None, []
    except OSError as error:
        raise UnreadableMemory(f"{path} cannot be read: {error.strerror}.") from error
    try:
        found = json.loads(content)
        if found["format"] != _FORMAT:
            raise UnreadableMemory(f"{path} is not the memory of a monitor.")
        alarms = [str(words) for words in found["alarms"]]
        return (_memory(found["memory"]) if found["memory"] else None), alarms
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadableMemory(f"{path} is not the memory of a monitor, or is damaged.") from error


def save(path: Path, memory: Memory | None, alarms: list[str]) -> None:
    """Replace the file; it is on disk when this returns. Raises OSError."""
    content = {"format": _FORMAT, "alarms": alarms, "memory": _document(memory) if memory else None}
    aside = path.with_name(f"{path.name}.new")
    with aside.open("w", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _document(memory: Memory) -> dict[str, Any]:
    return {
        "note": memory.note,
        "grown_at": memory.grown_at,
        "edge": [row.hex() for row in memory.edge.rows()] if memory.edge else None,
        "witnesses": {
            vkey: [covered.size, covered.waiting_size, covered.waiting_since]
            for vkey, covered in memory.witnesses.items()
        },
    }


def _memory(found: dict[str, Any]) -> Memory:
    rows = found["edge"]
    return Memory(
        note=str(found["note"]),
        grown_at=int(found["grown_at"]),
        edge=Edge.from_rows([bytes.fromhex(row) for row in rows]) if rows is not None else None,
        witnesses={str(vkey): Covered(*covered) for vkey, covered in found["witnesses"].items()},
    )
