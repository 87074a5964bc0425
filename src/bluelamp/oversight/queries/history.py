"""What a reader may learn of a recording's history, gathered for the story; and who looked at an officer's footage."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Q

from bluelamp.custody import words
from bluelamp.custody.queries import HistoryItem
from bluelamp.custody.queries import history as events_about
from bluelamp.footage import history as footage_history
from bluelamp.footage.clocks import clock_words
from bluelamp.footage.models import Recording
from bluelamp.formats.leaf import values
from bluelamp.ingest.models import Discrepancy
from bluelamp.oversight import story
from bluelamp.people.models import Organisation, Person
from bluelamp.people.policy import Actor, Thing
from bluelamp.sharing.models import Share

MOST_EVENTS = 5000
LOOKED_DAYS = 90
MOST_RECORDINGS = 5000
MOST_LOOKS = 500

_OPENED = """
SELECT e.id, e.at, d.actor, d.subject, d.stored
FROM custody_detail d JOIN custody_event e ON e.id = d.event_id
WHERE d.subject = ANY(%s) AND e.tag = 'recording.viewed' AND e.at >= %s
ORDER BY e.id DESC LIMIT %s
"""


@dataclass(frozen=True)
class Story:
    """A recording's story. `complete`: no older event was left out. `discreet`: what the reader may not learn was."""

    days: list[story.Day]
    events: tuple[int, ...]
    complete: bool
    discreet: bool

    @property
    def steps(self) -> int:
        return sum(len(day.steps) for day in self.days)


@dataclass(frozen=True)
class Look:
    """One opening of an officer's own footage by somebody else. `basis`: on what they opened it, in words."""

    at: datetime
    who: str
    recording: Recording
    to_download: bool
    basis: str


def visible(recording: Recording, reader: Actor, thing: Thing) -> tuple[list[HistoryItem], bool]:
    """The events about a recording that `reader` may learn of, oldest first, others' reasons taken out for a discreet
    reader; and whether they are one (`footage.history.is_discreet`).
    """
    found = events_about(recording.custody_id, MOST_EVENTS)
    if not footage_history.is_discreet(reader, thing):
        return found, False
    hidden = kept_apart(item.actor for item in found) - {reader.custody_id}
    hidden_shares = _shares_kept_apart(recording)
    return [
        item if item.actor == reader.custody_id else replace(item, reason="")
        for item in found
        if item.actor == reader.custody_id
        or (
            item.actor not in hidden
            and not hidden_shares & {item.subject, *item.also}
            # That somebody who audits reads about it may be an inquiry as well.
            and not item.tag.startswith("ledger.")
        )
    ], True


def tell(recording: Recording, reader: Actor, thing: Thing) -> Story:
    """The story of a recording for one reader, who may see its history."""
    found, discreet = visible(recording, reader, thing)
    ids = {item.actor for item in found} | {item.subject for item in found}
    ids |= {str(item.details["recipient"]) for item in found if item.details.get("recipient")}
    names = words.names(ids)
    for item in found:
        if item.details.get("viewer_name") and names.get(item.actor) == item.actor:
            names[item.actor] = str(item.details["viewer_name"])
    facts = story.Facts(
        started_at=recording.started_at,
        ended_at=recording.ended_at,
        received_at=recording.received_at,
        wearer=recording.wearer.name if recording.wearer else "",
        camera=f"camera {recording.camera.serial}" if recording.camera else "",
        added_by=recording.added_by.name if recording.added_by else "",
        docked=any(item.tag == "recording.collected" and item.actor.startswith("dock:") for item in found),
        signed=None if recording.state == Recording.State.DELETED else recording.is_signed,
        clock="" if _is_right(recording) else clock_words(recording),
        size=recording.size,
        sha256=recording.sha256,
        neighbours=() if discreet else _neighbours(recording),
    )
    days = story.tell(found, names, facts, discreet=discreet)
    return Story(days, tuple(item.id for item in found), len(found) < MOST_EVENTS, discreet)


def _is_right(recording: Recording) -> bool:
    return recording.clock_status == Recording.ClockStatus.GOOD and abs(recording.clock_offset_ms) < 1000


def looked_at_mine(person: Person, now: datetime) -> list[Look]:
    """Who else opened footage that `person` recorded, in LOOKED_DAYS, newest first.

    Decision 013: professional standards, whoever ever was, and bodies that look into officers are left out, so is what
    was opened while the recording is locked; reasons are not told.
    """
    worn = Recording.objects.filter(wearer=person).order_by("-started_at")[:MOST_RECORDINGS]
    recordings = {item.custody_id: item for item in worn}
    with connection.cursor() as cursor:
        cursor.execute(_OPENED, [list(recordings), now - timedelta(days=LOOKED_DAYS), MOST_LOOKS])
        rows = cursor.fetchall()
    hidden = kept_apart(actor for _, _, actor, _, _ in rows) | {person.custody_id}
    shares = _shares_kept_apart(*recordings.values())
    kept = []
    for _, at, actor, subject, stored in rows:
        recording, said = recordings[subject], values(bytes(stored))
        if actor in hidden or said.get("detail.grant") in shares:
            continue
        if recording.locked_at is not None and at >= recording.locked_at:
            continue
        kept.append((at, actor, recording, said))
    names = words.names({actor for _, actor, _, _ in kept})
    return [
        Look(
            at=at,
            who=names[actor] if names[actor] != actor else str(said.get("detail.viewer_name") or actor),
            recording=recording,
            to_download=said.get("detail.purpose") == "download",
            basis=_basis(said),
        )
        for at, actor, recording, said in kept
    ]


def kept_apart(viewers: Iterable[str]) -> set[str]:
    """Those of `viewers` (custody ids) who are professional standards or ever were, and recipients in bodies that look
    into officers' conduct."""
    ids = set(viewers)
    found = footage_history.hidden_viewers(ids)
    recipients = [one.partition(":")[2] for one in ids if one.startswith("recipient:")]
    if recipients:
        watching = Share.objects.filter(recipient__in=recipients).filter(_LOOKS_INTO_OFFICERS)
        found |= {f"recipient:{one}" for one in watching.values_list("recipient_id", flat=True)}
    return found


# The Independent Office for Police Conduct and its like are "other": neither a side of a case nor a court.
_LOOKS_INTO_OFFICERS = Q(
    recipient__organisation__kind__in=[Organisation.Kind.OTHER.value, Organisation.Kind.SCRUTINY.value]
)


def _shares_kept_apart(*recordings: Recording) -> set[str]:
    shares = Share.objects.filter(_LOOKS_INTO_OFFICERS, recording__in=[item.pk for item in recordings])
    return {f"share:{one}" for one in shares.values_list("pk", flat=True)}


def _basis(said: dict[str, object]) -> str:
    if not str(said.get("detail.grant", "")).startswith("person"):
        return "It was shared with them"
    return "They gave a reason" if said.get("reason") else "Without a reason: a role in its case"


def _neighbours(recording: Recording) -> tuple[str, ...]:
    """The recordings just before and after it, by the camera's own numbers, where they are missing."""
    if recording.camera_id is None or recording.sequence is None:
        return ()
    number = recording.sequence
    missing = Discrepancy.objects.filter(camera=recording.camera_id, missing__gt=0, state=Discrepancy.State.OPEN)
    told = []
    for where, near in (("before", Q(last=number - 1)), ("after", Q(first=number + 1))):
        if missing.filter(near).exists():
            told.append(f"The recording that the camera numbered just {where} this one has not arrived.")
    return tuple(told)
