"""What a container or an object is, from its name and metadata. Pure.

Names contradict each other between the editions of the protocol, so nothing is read out of them that metadata can
say; a name decides only where nothing else does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

SYSTEM, USERS, DEVICES = "System", "Users", "Devices"
_REJECTED = "RejectedContent_"
_SPECIAL = {SYSTEM: "system", USERS: "users", DEVICES: "devices"}
_VIDEO = (".mkv", ".mp4")
# <user>_<serial>_<trigger time>: the serial has no underscore, and the time begins with a digit.
_RECORDING = re.compile(r"(?P<user>.+)_(?P<serial>[^_]+)_(?P<time>[0-9]{8}(?:T|_)?[0-9]{0,6}Z?)")

# Swift's limits, in bytes of UTF-8.
LONGEST_NAME = 256
LONGEST_OBJECT = 1024


def container_kind(name: str) -> str:
    """One of system, users, devices, rejected, recording."""
    return _SPECIAL.get(name) or ("rejected" if name.startswith(_REJECTED) else "recording")


def object_kind(name: str, metadata: Mapping[str, str]) -> str:
    """One of clip, key, bookmark, track, other."""
    last = name.rpartition("/")[2].lower()
    file_type = metadata.get("filetype", "").lower()
    if file_type == "key" or last.endswith(".key"):
        return "key"
    if last.startswith("bookmark_"):
        return "bookmark"
    if last.endswith(_VIDEO) or metadata.get("containertype", "").lower() in ("mkv", "mp4"):
        return "clip"
    if file_type == "json" or last.endswith(".json"):
        return "track"
    if metadata.get("starttime") and metadata.get("stoptime"):
        return "clip"
    return "other"


def who_and_what(name: str, metadata: Mapping[str, str]) -> tuple[str, str]:
    """The user and the camera's serial that a recording names; empty where it names none."""
    found = _RECORDING.fullmatch(name)
    user = metadata.get("userid", "") or (found["user"] if found else "")
    serial = metadata.get("bwcserialnumber", "") or (found["serial"] if found else "")
    return user, serial


def keyed(key_name: str) -> tuple[str, ...]:
    """Names of the objects that the key object `key_name` may belong to: `<clip>.key` with or without its suffix."""
    stem = key_name[: -len(".key")] if key_name.lower().endswith(".key") else key_name
    return (stem, f"{stem}.mkv", f"{stem}.mp4", f"{stem}.json")


def is_good(name: str, longest: int) -> bool:
    """Whether it can name anything: not empty, at most `longest` bytes of UTF-8, without control characters."""
    length = len(name.encode(errors="replace"))
    return 0 < length <= longest and all(ord(letter) >= 32 and ord(letter) != 127 for letter in name)
