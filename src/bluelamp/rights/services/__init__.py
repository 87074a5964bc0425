"""The verbs of requests. Each module below holds those of one matter."""

from bluelamp.rights.services.desk import (
    ask_clarification,
    clarified,
    close,
    extend,
    prove_identity,
    stop_holding,
)
from bluelamp.rights.services.matching import match_again, match_arrivals
from bluelamp.rights.services.messages import send
from bluelamp.rights.services.receiving import Particulars, confirm_email, lapse_unconfirmed, receive_request

__all__ = [
    "Particulars",
    "ask_clarification",
    "clarified",
    "close",
    "confirm_email",
    "extend",
    "lapse_unconfirmed",
    "match_again",
    "match_arrivals",
    "prove_identity",
    "receive_request",
    "send",
    "stop_holding",
]
