"""Running SHA-256 states of uploads that this process serves.

A state belongs to one generation of the acknowledged state: when another process, or a crash, moved the upload on,
the generation differs and the state is of no use. Then the hash is computed once, at the end, from what was sealed.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from hashlib import _Hash

_KEPT = 1024
_lock = threading.Lock()
_states: OrderedDict[UUID, tuple[bytes, _Hash]] = OrderedDict()


def new() -> _Hash:
    """The hash of nothing yet."""
    return hashlib.sha256()


def keep(upload_id: UUID, generation: bytes, state: _Hash) -> None:
    """Remember the hash of all that is acknowledged with this generation."""
    with _lock:
        _states[upload_id] = (generation, state.copy())
        _states.move_to_end(upload_id)
        while len(_states) > _KEPT:
            _states.popitem(last=False)


def take(upload_id: UUID, generation: bytes) -> _Hash | None:
    """Hand over the hash kept for this generation, if there is one."""
    with _lock:
        kept = _states.pop(upload_id, None)
    return kept[1] if kept and kept[0] == generation else None


def forget(upload_id: UUID) -> None:
    """The upload has ended."""
    with _lock:
        _states.pop(upload_id, None)
