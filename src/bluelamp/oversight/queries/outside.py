"""Where the outside parties that vouch for the ledger stand: the configured witnesses and time-stamping authority."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from bluelamp.custody import outside, timestamping, witnessing
from bluelamp.custody.models import CustodyCheckpoint, CustodyOutside
from bluelamp.custody.queries import latest_checkpoint
from bluelamp.kernel import clock
from bluelamp.oversight import rules
from bluelamp.web.filters import count, duration, london, number

_BEHIND, _REFUSES = 1, 2


@dataclass(frozen=True)
class Standing:
    """One party. `size`: how many events the last checkpoint has that it vouched for, `at` when that was.

    `good` None: nothing is known yet. `note` names nobody but the party; `reason` is what it answered, in its words.
    """

    what: str
    title: str
    size: int | None
    at: datetime | None
    good: bool | None
    note: str
    reason: str
    mark: int


def witnesses(now: datetime) -> list[Standing]:
    """Each configured witness, in the order of the setting."""
    latest = latest_checkpoint()
    return [_witness(item, latest, now) for item in witnessing.standing()]


def authorities(now: datetime) -> list[Standing]:
    """The configured time-stamping authority; none where none is configured."""
    if not settings.BLUELAMP.timestamp_url:
        return []
    latest, last = latest_checkpoint(), timestamping.latest()
    answers = outside.of(timestamping.PARTY)
    size, at = (last.size, last.at) if last else (None, None)
    good, mark, note = True, 0, ""
    waiting = latest is not None and latest.size > (size or 0)
    # The authority states real time, whatever clock a demonstration shows.
    late = at is not None and waiting and clock.real_now() - at > rules.TIMESTAMP_LATE
    if answers.refused:
        good, mark = False, _REFUSES
        note = f"Bad: since {_when(answers.failing_since)} it has given no timestamp that is good. The log goes on."
    elif late or _failing_for(answers, now) > rules.TIMESTAMP_LATE:
        good, mark = False, _BEHIND
        note = "Bad: it has not answered for hours, or was not asked: the worker may be down. The log goes on."
    elif size is None:
        return [_standing("timestamps", _authority(), None, None, None, "It has not been asked yet.", answers)]
    else:
        note = f"Good: {number(size)} of {number(latest.size if latest else size)} events are under a timestamp."
    return [_standing("timestamps", _authority(), size, at, good, note, answers, mark)]


def _witness(item: witnessing.Standing, latest: CustodyCheckpoint | None, now: datetime) -> Standing:
    answers = outside.of(str(item.witness.key))
    what, title = f"witness {item.witness.key}", f"Witness {item.witness.key.name}"
    since = _waits_since(item.size or 0)
    if answers.refused:
        note = (
            f"Bad: it has refused since {_when(answers.failing_since)}. That can mean that the log's history was "
            "changed: somebody must look."
        )
        return _standing(what, title, item.size, item.at, False, note, answers, _REFUSES)
    if since is not None and now - since > rules.WITNESS_LATE:
        missing = (latest.size if latest else 0) - (item.size or 0)
        note = (
            f"Bad: it has been behind for {duration(now - since)}; {count(missing, 'event')} without its signature. "
            "It may be down."
        )
        return _standing(what, title, item.size, item.at, False, note, answers, _BEHIND)
    if item.size is None:
        return _standing(what, title, None, None, None, "It has not been asked yet.", answers)
    note = f"Good: it has cosigned {number(item.size)} of {number(latest.size if latest else 0)} events."
    if answers.failing_since is not None:
        note += f" It has not answered since {_when(answers.failing_since)}."
    return _standing(what, title, item.size, item.at, True, note, answers)


def _standing(
    what: str, title: str, size: int | None, at: datetime | None, good: bool | None, note: str,
    answers: CustodyOutside, mark: int = 0,
) -> Standing:  # fmt: skip
    return Standing(what, title, size, at, good, note, answers.reason, mark)


def _waits_since(size: int) -> datetime | None:
    """Since when there has been a checkpoint beyond `size`."""
    beyond = CustodyCheckpoint.objects.filter(size__gt=size).order_by("size")
    return beyond.values_list("created_at", flat=True).first()


def _failing_for(answers: CustodyOutside, now: datetime) -> timedelta:
    return now - answers.failing_since if answers.failing_since else timedelta()


def _authority() -> str:
    return f"Timestamps by {timestamping.host()}"


def _when(moment: datetime | None) -> str:
    return str(london(moment).striptags())
