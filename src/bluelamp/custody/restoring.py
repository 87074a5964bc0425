"""The log after its database was restored from a backup: it goes on under a name of its own.

A restored log is shorter than what was shown of it. Signing other events at the same places under the same name would
be what witnesses exist to find, a fork. So nothing more is ever signed under the former name: the tree goes on from the
backup's last leaf under a new one, and the first event there cites the last checkpoint that is known of the former log.
docs/decisions/014-a-restored-log-has-a-name-of-its-own.md says why.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from bluelamp.custody import keys
from bluelamp.custody.event import Event, Operation, event_type
from bluelamp.custody.models import CustodyOrigin
from bluelamp.custody.queries import latest_checkpoint
from bluelamp.custody.recording import record
from bluelamp.custody.service import service
from bluelamp.formats.checkpoint import Checkpoint
from bluelamp.formats.errors import FormatError
from bluelamp.formats.log_proof import verify_checkpoint
from bluelamp.formats.signed_note import VerifierKey
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Invalid


@event_type
@dataclass(frozen=True, kw_only=True)
class LogRestored(Event):
    """The ledger was restored from a backup and goes on under a new name; events since the backup are not in it.

    `kept` counts the events that the backup had under a checkpoint, `shown` those under the last checkpoint known of
    the log `former`, which `note` is ("" where none is known): the difference is what the backup lacked. Where the
    backup is older than the name `former`, it was restored before, and the two part at `kept` or before.
    """

    tag = "ledger.restored"
    operation = Operation.ALTERATION
    taken_at: datetime
    former: str
    origin: str
    kept: int
    shown: int
    note: str


@service
def begin_anew(*, taken_at: datetime, reason: str, actor: str, note: str = "") -> str:
    """Give the log a new name, in the database just restored from a backup taken at `taken_at`; returns the name.

    `note`: the last checkpoint that somebody kept of the former log (a witness, a monitor, the former database), which
    may have taken on a name that this backup does not know, if one was restored before. Raises Invalid where none of
    this log's keys signed it, or it is older than the backup's own.
    """
    latest, former, now = latest_checkpoint(), keys.present_origin(), clock.now()
    kept = latest.size if latest else 0
    shown, cited = kept, latest.note if latest else ""
    if note:
        said = _verified(note, kept)
        shown, cited = said.size, note
        if said.origin not in _known():
            former = said.origin
    # The time is for people; the random part makes it new even where the same backup is restored twice.
    origin = f"{keys.log_origin()}/restored-{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
    CustodyOrigin.objects.create(origin=origin, since_size=kept, since=now)
    record(
        LogRestored(
            actor=actor,
            subject="system:ledger",
            reason=reason,
            taken_at=taken_at,
            former=former,
            origin=origin,
            kept=kept,
            shown=shown,
            note=cited,
        )
    )
    return origin


def is_later(note: str) -> bool:
    """Whether a note is a checkpoint that this log signed after the database's own latest one, or the same."""
    latest = latest_checkpoint()
    try:
        _verified(note, latest.size if latest else 0)
    except Invalid:
        return False
    return True


def _verified(note: str, kept: int) -> Checkpoint:
    known = _known()
    listed = [VerifierKey.parse(vkey) for vkey in keys.log_vkeys()]
    named = note.partition("\n")[0]
    if named.startswith(f"{keys.log_origin()}/restored-"):
        # It took on that name after this backup was made: what tells that it is ours is the key.
        listed += [VerifierKey(named, vkey.key) for vkey in listed if named not in known]
    try:
        found = verify_checkpoint(note, listed)
    except FormatError as error:
        raise Invalid(
            f"The checkpoint that was kept cannot be trusted: {error}", "Nothing was restored.", "Leave it out."
        ) from error
    # Under a name that came after this backup any size is later.
    if found.origin in known and found.size < kept:
        raise Invalid(
            f"The checkpoint that was kept counts {found.size} events; the backup has {kept}.",
            "Nothing was restored.",
            "Give a later one, or leave it out.",
        )
    return found


def _known() -> set[str]:
    """The log's names as far as this database knows."""
    return {VerifierKey.parse(vkey).name for vkey in keys.log_vkeys()}
