"""Edits that would shorten retention: held back, and approved or refused by a second person."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import TypeVar

from bluelamp import custody
from bluelamp.footage.models import Recording
from bluelamp.footage.services import locked
from bluelamp.footage.services.marks import LONGEST_REASON, required
from bluelamp.kernel import clock
from bluelamp.kernel.errors import BluelampError, Conflict, Invalid, NotAllowed, NotFound
from bluelamp.people.models import Person
from bluelamp.retention import queries, rules
from bluelamp.retention.events import LookedInto, ShorteningApproved, ShorteningRefused
from bluelamp.retention.models import Look, Shortening
from bluelamp.retention.services.deciding import settle

T = TypeVar("T")

MOST_AT_ONCE = 500
_A_DAY = timedelta(days=1)
_UNDECIDED = (Shortening.State.WAITING, Shortening.State.REFUSED)


@custody.service
def approve_shortening(shortening_id: int, *, reason: str, actor: Person, looked_at: int = 1) -> Shortening:
    """Let an edit take effect. Nothing goes by it before the cooling period is over, nor later than its former date.

    One that was refused may be approved after all. Raises NotFound, Invalid without a reason, Conflict where it is
    decided already or the recording has been deleted, NotAllowed for whoever made the edit or wore the camera.
    """
    reason = required(reason, "a reason for approving it", LONGEST_REASON)
    found, recording = _open(shortening_id, actor)
    now = clock.now()
    found.not_before = rules.after_approval(found.former_due_at, now, now, queries.policy())
    _decided(found, Shortening.State.APPROVED, reason, actor, now)
    custody.record(
        ShorteningApproved(
            actor=actor.custody_id,
            subject=recording.custody_id,
            also=(found.edited_by,) if found.edited_by.startswith("person:") else (),
            reason=reason,
            shortening=found.pk,
            edited_by=found.edited_by,
            not_before=found.not_before,
            looked_at=looked_at,
        )
    )
    settle(recording, now)
    return found


@custody.service
def refuse_shortening(shortening_id: int, *, reason: str, actor: Person) -> Shortening:
    """Keep the former date. Raises as `approve_shortening` does."""
    reason = required(reason, "a reason for refusing it", LONGEST_REASON)
    found, recording = _open(shortening_id, actor)
    if found.state == Shortening.State.REFUSED:
        raise Conflict("It has been refused already.", "Nothing was changed.")
    _decided(found, Shortening.State.REFUSED, reason, actor, clock.now())
    custody.record(
        ShorteningRefused(
            actor=actor.custody_id,
            subject=recording.custody_id,
            reason=reason,
            shortening=found.pk,
            edited_by=found.edited_by,
            kept_until=found.former_due_at,
        )
    )
    settle(recording, clock.now())
    return found


@custody.service
def decide_shortenings(ids: Iterable[int], *, approve: bool, reason: str, actor: Person) -> tuple[int, list[str]]:
    """Decide on many edits with one reason. Returns how many, and why each of the others was left as it is.

    Raises Invalid where more than MOST_AT_ONCE are named, and where the sample of them that must be looked at
    (`queries.sample`) has not been.
    """
    wanted = sorted(set(ids))
    if not wanted or len(wanted) > MOST_AT_ONCE:
        raise Invalid(f"Choose between 1 and {MOST_AT_ONCE} edits.", "Nothing was decided.")
    subjects = [f"shortening:{number}" for number in wanted]
    looked_at = require_sample(subjects, actor.custody_id)
    standing = dict(Shortening.objects.filter(pk__in=wanted).values_list("pk", "recording"))
    locked.many(standing.values())

    def decide(number: int) -> None:
        if approve:
            approve_shortening(number, reason=reason, actor=actor, looked_at=looked_at)
        else:
            refuse_shortening(number, reason=reason, actor=actor)

    decided = decide_each(wanted, decide)
    custody.nothing_changed()  # each decision records its own event
    return decided


@custody.unrecorded("each decision records its own event")
def decide_each(items: Iterable[T], decide: Callable[[T], None]) -> tuple[int, list[str]]:
    """How many were decided on, and why each of the others was left. Raises Invalid, which concerns all of them."""
    done, left = 0, []
    for item in items:
        try:
            decide(item)
        except Invalid:
            raise
        except BluelampError as refusal:
            left.append(str(refusal))
        else:
            done += 1
    return done, left


@custody.unrecorded("checks what was looked at, changes nothing")
def require_sample(subjects: list[str], actor: str) -> int:
    """How many of the sample of `subjects` that `actor` must have looked at; raises Invalid where some are missing."""
    sample = queries.sample(subjects, actor)
    missing = len(sample) - len(queries.looked_at(sample, actor))
    if missing:
        raise Invalid(
            f"Look at {missing} more of the sample first.",
            "Nothing was decided: what is decided together is looked at in part.",
            "Open each of the sample, and come back.",
        )
    return len(sample)


@custody.service
def look_into(subject: str, recording: Recording, actor: str) -> None:
    """Note that `actor` opened one (`shortening:7`, `hold:7`) of those that must be looked at; once a day."""
    now = clock.now()
    look, new = Look.objects.get_or_create(subject=subject, by=actor, defaults={"at": now})
    if not new and now - look.at < _A_DAY:
        custody.nothing_changed()
        return
    look.at = now
    look.save(update_fields=["at"])
    custody.record(LookedInto(actor=actor, subject=recording.custody_id, what=subject.partition(":")[0]))


def _open(shortening_id: int, actor: Person) -> tuple[Shortening, Recording]:
    """An edit that is still to be decided, with its recording, the incident's rows locked."""
    found = Shortening.objects.filter(pk=shortening_id).first()
    if found is None:
        raise NotFound("There is no such edit.", "Nothing was changed.", "Look at the list of edits held back.")
    recording: Recording = found.recording
    locked.incident(recording)
    found.refresh_from_db()
    found.recording = recording
    if found.state not in _UNDECIDED:
        raise Conflict(
            "Somebody has decided on this edit already.", "Nothing was changed.", "Look at the recording's history."
        )
    if queries.made_a_step_of(found, actor.custody_id):
        raise NotAllowed(
            "You made this edit yourself, or a step of it.",
            "The former date stands: nobody shortens retention without a second person.",
            "Ask a colleague who may approve it.",
        )
    if recording.wearer_id == actor.pk:
        raise NotAllowed(
            "You recorded this yourself.",
            "The former date stands: nobody decides that own footage goes earlier.",
            "Ask a colleague who may approve it.",
        )
    return found, recording


def _decided(found: Shortening, state: str, reason: str, actor: Person, now: datetime) -> None:
    found.state, found.decided_by, found.decided_at, found.decision_reason = state, actor.custody_id, now, reason
    found.save()
