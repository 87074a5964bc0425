"""The verbs of oversight. Nothing of footage changes here; what is recorded is that somebody read, took or checked."""

from bluelamp.oversight.services.alerting import send_alert, send_waiting, tell_failures, tell_silence
from bluelamp.oversight.services.checking import (
    check_fixity,
    check_keys,
    check_ledger,
    check_presence,
    forget,
    recheck,
)
from bluelamp.oversight.services.heartbeat import send_heartbeat
from bluelamp.oversight.services.reading import (
    LEDGER,
    LONGEST_REASON,
    MOST_EXPORTED,
    Export,
    export,
    note_consultation,
    note_verification,
    take_proof,
    take_report,
    verify,
)

__all__ = [
    "LEDGER",
    "LONGEST_REASON",
    "MOST_EXPORTED",
    "Export",
    "check_fixity",
    "check_keys",
    "check_ledger",
    "check_presence",
    "export",
    "forget",
    "note_consultation",
    "note_verification",
    "recheck",
    "send_alert",
    "send_heartbeat",
    "send_waiting",
    "take_proof",
    "take_report",
    "tell_failures",
    "tell_silence",
    "verify",
]
