"""The log's side of its witnesses (C2SP tlog-witness): each is shown the latest checkpoint, its cosignature is kept.

A thread for each witness, beside the sequencer: one that is dead or slow delays neither the sequencer nor the others.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from django.conf import settings
from django.db import close_old_connections, connection

from bluelamp.custody import outside, proving
from bluelamp.custody.models import CustodyCheckpoint, CustodyCosignature
from bluelamp.formats.add_checkpoint import Submission, WitnessAddress, parse_size
from bluelamp.formats.cosignature import WitnessKey, cosignatures
from bluelamp.formats.errors import FormatError
from bluelamp.formats.signed_note import split_note
from bluelamp.kernel import clock
from bluelamp.kernel.transaction import claim
from bluelamp.verify.fetching import Unreachable, fetch

log = structlog.get_logger()

_EVERY_SECONDS = 5.0
_LONGEST_WAIT = 600.0
_SAY_AGAIN_SECONDS = 3600.0
_ANSWER_SECONDS = 20.0
_MOST_ANSWER_BYTES = 64 * 1024
_TURNS = 3


class Refused(Exception):
    """The witness does not cosign, or what it answers is no cosignature; the message says why."""


@dataclass(frozen=True)
class Standing:
    """A configured witness, and the latest checkpoint that it cosigned (None while there is none)."""

    witness: WitnessAddress
    size: int | None
    at: datetime | None


def start(stop: threading.Event) -> list[threading.Thread]:
    """Begin to show checkpoints to every configured witness, until `stop` is set. Returns the threads, at work."""
    threads = [
        threading.Thread(target=_attend, args=(witness, stop), name=f"witness-{witness.key.name}", daemon=True)
        for witness in settings.BLUELAMP.witnesses
    ]
    for thread in threads:
        thread.start()
    return threads


def standing() -> list[Standing]:
    """How far each configured witness has come."""
    found = []
    for witness in settings.BLUELAMP.witnesses:
        latest = CustodyCosignature.objects.filter(witness=str(witness.key)).order_by("-size").first()
        found.append(Standing(witness, latest.size if latest else None, latest.at if latest else None))
    return found


def submit(witness: WitnessAddress, until: datetime) -> int | None:
    """Show the witness the latest checkpoint made `until` then, unless it cosigned as much already.

    Returns the size that it cosigned now, None where there was nothing to do. Raises Refused and `Unreachable`.
    """
    vkey = str(witness.key)
    made = CustodyCheckpoint.objects.filter(created_at__lte=until)
    latest = made.order_by("-size").values_list("size", "note").first()
    last = CustodyCosignature.objects.filter(witness=vkey).order_by("-size").values_list("size", flat=True).first()
    if latest is None or latest[0] <= (last or 0):
        return None
    size, note = latest
    line = ask(witness, note, size, last or 0, proving.consistency)
    # Another worker may have been answered for the same checkpoint; either line is good.
    CustodyCosignature.objects.bulk_create(
        [CustodyCosignature(size=size, witness=vkey, line=line, at=clock.now())], ignore_conflicts=True
    )
    return int(size)


def ask(witness: WitnessAddress, note: str, size: int, old: int, prove: Callable[[int, int], Sequence[bytes]]) -> str:
    """The witness's verified signature line on the checkpoint `note` of `size` leaves.

    `old`: the size that it cosigned last, as far as is known; where the witness knows better, that is taken.
    `prove(old, size)`: the consistency proof. Raises Refused and `Unreachable`.
    """
    for _ in range(_TURNS):
        body = Submission(old, tuple(prove(old, size)), note).body()
        answer = fetch(f"{witness.url}/add-checkpoint", most=_MOST_ANSWER_BYTES, seconds=_ANSWER_SECONDS, body=body)
        if answer.status == 200:
            return _line(answer.body, note, witness.key)
        if answer.status != 409:
            said = answer.body[:200].decode("utf-8", "replace").strip()
            kind = Refused if 400 <= answer.status < 500 and answer.status not in (408, 429) else Unreachable
            raise kind(f"It answers {answer.status}: {said}")
        try:
            old = parse_size(answer.body)
        except FormatError as error:
            raise Refused(str(error)) from error
        if old > size:
            raise Refused(
                f"It has cosigned {old} events of this log, which has {size}: an older copy of the database is in use, "
                "or something else signs with the log's key."
            )
    raise Refused("It names another size each time that it is asked.")


def _line(body: bytes, note: str, key: WitnessKey) -> str:
    text, _ = split_note(note)
    for line in body.decode("utf-8", "replace").split("\n"):
        # Of several keys' lines only the one by the known key counts.
        if line.startswith(f"— {key.name} "):
            try:
                found = cosignatures(f"{text}\n{line}\n", [key])
            except FormatError as error:
                raise Refused(f"Its cosignature is not good: {error}") from error
            if found and found[0].time > 0:
                return f"{line}\n"
    raise Refused("It answered without a cosignature by its known key.")


def _attend(witness: WitnessAddress, stop: threading.Event) -> None:
    """Show the witness what is new, every few seconds; after failures less and less often."""
    complaint = _Complaint(witness.key.name)
    failures = 0
    while not stop.wait(min(_LONGEST_WAIT, _EVERY_SECONDS * 2.0 ** min(failures, 16))):
        try:
            close_old_connections()
            _submit_alone(witness)
        except (Refused, Unreachable) as error:
            failures += 1
            complaint.say(str(error), refused=isinstance(error, Refused))
        except Exception as error:  # the database may be away, too; the sequencer reports that
            failures += 1
            complaint.say(f"{type(error).__name__}: {error}")
            connection.close()
        else:
            failures = 0
            complaint.settle()
    connection.close()


def _submit_alone(witness: WitnessAddress) -> None:
    """`submit`, unless another worker is at it.

    All witnesses are shown the checkpoints of the same instants, so that these collect the cosignatures of all.
    """
    with claim(f"witness {witness.key}") as alone:
        if alone:
            now = clock.now().timestamp()
            try:
                size = submit(witness, datetime.fromtimestamp(now - now % _EVERY_SECONDS, UTC))
            except (Refused, Unreachable) as error:
                outside.failed(str(witness.key), refused=isinstance(error, Refused), reason=str(error))
                raise
            if size is not None:
                outside.answered(str(witness.key))


class _Complaint:
    """What goes wrong is logged once, again when it changes, and once an hour while it lasts."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._said = ""
        self._said_at = 0.0

    def say(self, reason: str, *, refused: bool = False) -> None:
        if reason == self._said and time.monotonic() - self._said_at < _SAY_AGAIN_SECONDS:
            return
        self._said, self._said_at = reason, time.monotonic()
        if refused:
            # A refusal can mean that the log's history was changed; a person must look.
            log.error("witness.refused", witness=self._name, reason=reason)
        else:
            log.warning("witness.failed", witness=self._name, reason=reason)

    def settle(self) -> None:
        if self._said:
            log.info("witness.cosigns_again", witness=self._name)
        self._said = ""
