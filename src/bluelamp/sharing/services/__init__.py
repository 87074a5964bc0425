"""The verbs of sharing. Each module below holds those of one matter."""

from bluelamp.sharing.services.codes import ask_for_code, check_code, forget_old_codes, send_code
from bluelamp.sharing.services.granting import (
    acknowledge,
    ended_words,
    forget_content,
    open_shared,
    record_refusal,
    revoke,
    send_again,
    share,
)
from bluelamp.sharing.services.messages import send_invitation, warn_sharer

__all__ = [
    "acknowledge",
    "ask_for_code",
    "check_code",
    "ended_words",
    "forget_content",
    "forget_old_codes",
    "open_shared",
    "record_refusal",
    "revoke",
    "send_again",
    "send_code",
    "send_invitation",
    "share",
    "warn_sharer",
]
