"""A new key for the log. What was signed with the old one stays valid, and the handover is signed by both."""

from __future__ import annotations

from dataclasses import dataclass

from bluelamp.custody import keys
from bluelamp.custody.event import Event, Operation, event_type
from bluelamp.custody.recording import record
from bluelamp.custody.service import service
from bluelamp.kernel.errors import Invalid


@event_type
@dataclass(frozen=True, kw_only=True)
class LogKeyRotated(Event):
    """The key that signs the ledger's checkpoints was replaced."""

    tag = "ledger.key_rotated"
    operation = Operation.ALTERATION
    old: str
    new: str


@service
def rotate(*, reason: str, actor: str) -> tuple[str, str]:
    """Replace the log's key; the next checkpoint carries signatures of both. Returns the old and the new vkey.

    Raises Invalid without a reason. The key's file changes first: were the event lost then, the list of keys and the
    two signatures would still show the change.
    """
    if not reason.strip():
        raise Invalid("Say why the key is replaced.", "The key was not replaced.", "Give --reason.")
    old, new = keys.rotate_log_key()
    record(LogKeyRotated(actor=actor, subject="system:ledger", reason=reason.strip(), old=old, new=new))
    return old, new
