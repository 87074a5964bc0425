"""Checkpoints under the timestamp of an outside authority (RFC 3161), about every hour in which the ledger grew.

The authority vouches that the tree was so at its time: whoever later rewrites history, with the log's key and all, does
not get a timestamp of that day for it. What it does not answer delays nothing: the log goes on, and the oversight page
says so.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import structlog
from django.conf import settings

from bluelamp.custody import outside, proving
from bluelamp.custody.models import CustodyCheckpoint, CustodyTimestamp
from bluelamp.custody.queries import latest_checkpoint
from bluelamp.formats import timestamp
from bluelamp.formats.anchor import Anchor
from bluelamp.formats.checkpoint import Checkpoint
from bluelamp.formats.signed_note import split_note
from bluelamp.formats.timestamp import LibraryMissing, Stamp, TimestampError, UnknownAuthority
from bluelamp.kernel import clock
from bluelamp.kernel.transaction import claim
from bluelamp.verify.fetching import Unreachable, fetch

log = structlog.get_logger(__name__)

PARTY = "timestamps"
"""The authority among the outside parties."""

_EVERY = timedelta(minutes=55)  # it is looked every ten minutes, so that a failure is made up for soon
_ANSWER_SECONDS = 20.0
# Each takes two thirds of a millisecond: a year of all of them would take longer than a million events.
_DAILY = """
SELECT DISTINCT ON (date_trunc('day', at, 'UTC')) size, response, at
FROM custody_timestamp ORDER BY date_trunc('day', at, 'UTC'), size
"""
_CLOCKS_APART = timedelta(minutes=10)


def stamp() -> CustodyTimestamp | None:
    """Have the latest checkpoint stamped where that is due; None where it is not, or where no good answer came."""
    if not settings.BLUELAMP.timestamp_url:
        return None
    with claim("custody.timestamp") as alone:
        found = _due() if alone else None
        if found is None:
            return None
        try:
            response, said = _ask(text_of(found))
        except (TimestampError, Unreachable) as error:
            # The address may hold a password.
            why = str(error).replace(settings.BLUELAMP.timestamp_url, host())
            refused = isinstance(error, TimestampError)
        else:
            kept = CustodyTimestamp.objects.create(size=found.size, response=response, at=said.at)
            outside.answered(PARTY)
            return kept
        # Not while the exception is handled: what else goes wrong now would be told together with it.
        outside.failed(PARTY, refused=refused, reason=why)
        log.warning("timestamp.failed", authority=host(), why=why, refused=refused)
        return None


def latest(size: int | None = None) -> CustodyTimestamp | None:
    """The timestamp of the largest checkpoint, of those of at most `size` events."""
    found = CustodyTimestamp.objects.order_by("-size")
    return (found if size is None else found.filter(size__lte=size)).first()


def anchor(checkpoint: CustodyCheckpoint) -> Anchor | None:
    """The latest timestamp that a checkpoint continues, as it is handed out with it."""
    kept = latest(checkpoint.size)
    stamped = None if kept is None else CustodyCheckpoint.objects.filter(size=kept.size).first()
    if kept is None or stamped is None or _parsed(stamped).origin != _parsed(checkpoint).origin:
        return None  # of the name that the log had before it was restored: another log to whoever checks
    path = proving.consistency(kept.size, checkpoint.size) if kept.size < checkpoint.size else []
    return Anchor(text_of(stamped), tuple(path), bytes(kept.response))


def text_of(checkpoint: CustodyCheckpoint) -> str:
    """What of a checkpoint is stamped: its text, without the signatures."""
    return split_note(checkpoint.note)[0]


def check(kept: CustodyTimestamp) -> Stamp:
    """What a kept timestamp proves of the checkpoint of its size as it stands now. Raises TimestampError."""
    checkpoint = CustodyCheckpoint.objects.filter(size=kept.size).first()
    if checkpoint is None:
        raise TimestampError("The checkpoint that it is of is not here.")
    return timestamp.check(bytes(kept.response), text_of(checkpoint), trusted())


def problems() -> list[str]:
    """What is wrong with kept timestamps, in words: one of each day is checked, and the latest.

    Nothing of those by an authority whose certificate is not configured, or not any more: nobody can tell then.
    """
    try:
        trusted()
    except TimestampError:
        return []
    found = {kept.size: kept for kept in CustodyTimestamp.objects.raw(_DAILY)}
    last = latest()
    if last is not None:
        found[last.size] = last
    wrong = []
    for size, kept in sorted(found.items()):
        try:
            check(kept)
        except (UnknownAuthority, LibraryMissing):
            continue
        except TimestampError as error:
            wrong.append(f"The timestamp of the checkpoint of {size} events is not good: {error}")
    return wrong


def trusted() -> tuple[timestamp.x509.Certificate, ...]:
    """The certificates by which the authority is known. Raises TimestampError."""
    named = settings.BLUELAMP.timestamp_certificate
    if not named:
        raise TimestampError("BLUELAMP_TIMESTAMP_CERTIFICATE is not set: by what should its signature be known?")
    try:
        return timestamp.certificates(Path(named).read_bytes())
    except OSError as error:
        raise TimestampError(f"{named} cannot be read: {error.strerror or error}") from error


def host() -> str:
    """The authority's name on the network; nothing else of its address, which may hold a password."""
    return urlsplit(settings.BLUELAMP.timestamp_url).hostname or "nowhere"


def _due() -> CustodyCheckpoint | None:
    found, last = latest_checkpoint(), latest()
    if found is None or (last is not None and found.size <= last.size):
        return None
    # The authority states real time, whatever clock a demonstration shows.
    return None if last is not None and clock.real_now() - last.at < _EVERY else found


def _ask(text: str) -> tuple[bytes, Stamp]:
    known = trusted()
    query, nonce = timestamp.request(text)
    answer = fetch(
        settings.BLUELAMP.timestamp_url,
        most=timestamp.MOST_BYTES,
        seconds=_ANSWER_SECONDS,
        body=query,
        kind=timestamp.QUERY_TYPE,
    )
    if answer.status != 200:
        raise Unreachable(f"It answers {answer.status}.")
    said = timestamp.check(answer.body, text, known, nonce=nonce)
    if abs(said.at - clock.real_now()) > _CLOCKS_APART:
        raise TimestampError(f"It states {said.at:%Y-%m-%d %H:%M:%S} UTC: one of the two clocks is wrong.")
    return answer.body, said


def _parsed(checkpoint: CustodyCheckpoint) -> Checkpoint:
    return Checkpoint.parse(text_of(checkpoint))
