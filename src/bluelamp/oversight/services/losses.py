"""What was lost, from the check that found it to its end: recovered, accepted by two, or deleted under its rule."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import structlog

from bluelamp import custody
from bluelamp.footage.models import Recording
from bluelamp.kernel import clock
from bluelamp.kernel.among import among
from bluelamp.kernel.errors import Conflict, Invalid, NotAllowed
from bluelamp.oversight import loss_list
from bluelamp.oversight.events import (
    LossAcceptanceProposed,
    LossAccepted,
    LossDeleted,
    LossFound,
    LossListTaken,
    LossRecovered,
)
from bluelamp.oversight.models import Check, CheckRun, Finding, Fixity, Loss

log = structlog.get_logger(__name__)

SYSTEM = "system:checks"
STORE = "system:store"
LONGEST_REASON = 500

# What is wrong with a key that should be gone, or a date that has passed, is no loss; papers are made anew.
NO_LOSS = (Finding.Problem.KEY_LEFT, Finding.Problem.OVERDUE, Finding.Problem.PAPERS)
_PRESENT = (Finding.Problem.MISSING, Finding.Problem.SIZE)


@custody.unrecorded("reads when it was last known to be well")
def good_until(recording_id: UUID, now: datetime, problems: Iterable[str]) -> datetime:
    """Until when a recording is known to have been without these problems.

    That a file is missing or cut, each night's look at names and sizes would have shown; anything else, only a reading.
    """
    recording = Recording.objects.filter(pk=recording_id).values_list("received_at", flat=True).first()
    read = Fixity.objects.filter(recording=recording_id).values_list("checked_at", flat=True).first()
    times = [recording, read]
    if set(problems) <= set(_PRESENT):
        runs = CheckRun.objects.filter(kind=Check.PRESENCE, finished_at__lt=now)
        runs = runs.exclude(outcome=CheckRun.Outcome.INTERRUPTED).order_by("-started_at")
        times.append(runs.values_list("started_at", flat=True).first())
    return max([moment for moment in times if moment is not None and moment < now], default=now)


@custody.unrecorded("part of settling what a check found, which records it in that transaction")
def follow(
    recording_id: UUID, *, well: datetime, depends: Sequence[str], now: datetime, new: bool, mended: str = ""
) -> None:
    """Open a loss for what stands against a recording, or end it where nothing does any more.

    `new`: something was found that was not known. What two people accepted, or one proposed, was what they knew of: it
    is lost anew then. `mended` says how it came back.
    """
    standing = Finding.objects.filter(recording=recording_id, ended_at=None).exclude(problem__in=NO_LOSS)
    files = standing.count()
    loss = Loss.objects.select_for_update().filter(recording=recording_id, ended_at=None).first()
    if files and loss is None:
        Loss.objects.create(recording_id=recording_id, good_until=well, found_at=now, files=files)
        _record_found(recording_id, well, depends, files)
    elif files and loss is not None and new:
        written_off = bool(loss.proposed_by)
        loss.files = max(files, loss.files)
        loss.state, loss.proposed_by, loss.proposed_at, loss.proposal_reason = Loss.State.LOST, "", None, ""
        loss.accepted_by, loss.accepted_at = "", None
        loss.save()
        if written_off:
            _record_found(recording_id, well, depends, files)
    elif not files and loss is not None:
        loss.state, loss.ended_at = Loss.State.RECOVERED, now
        loss.save(update_fields=["state", "ended_at"])
        custody.record(
            LossRecovered(
                actor=SYSTEM,
                subject=f"recording:{recording_id}",
                source=loss.recovered_from or mended or "found in the store again",
            )
        )


def _record_found(recording_id: UUID, well: datetime, depends: Sequence[str], files: int) -> None:
    custody.record(
        LossFound(actor=SYSTEM, subject=f"recording:{recording_id}", also=tuple(depends), good_until=well, files=files)
    )


@custody.unrecorded("part of a deletion, which records it; that files were lost is recorded beside it")
def deleted(recording_ids: Iterable[UUID]) -> None:
    """Recordings are deleted under policy: what of them was lost is not looked for any more. In that transaction."""
    of_these = Loss.objects.filter(recording__in=among(recording_ids))
    open_ones = list(of_these.select_for_update().filter(ended_at=None))
    Loss.objects.filter(pk__in=[loss.pk for loss in open_ones]).update(state=Loss.State.DELETED, ended_at=clock.now())
    # Words of people, and where a copy lay: of losses that ended long before as well.
    of_these.exclude(proposal_reason="", recovered_from="").update(proposal_reason="", recovered_from="")
    custody.record_all(
        [LossDeleted(actor=SYSTEM, subject=f"recording:{loss.recording_id}", files=loss.files) for loss in open_ones]
    )


@custody.unrecorded("reads what had been lost of what was deleted")
def files_missing(recording_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many files of each had been lost when it was deleted, for its certificate."""
    gone = Loss.objects.filter(recording__in=among(recording_ids), state=Loss.State.DELETED)
    return dict(gone.values_list("recording", "files"))


@custody.service
def propose_acceptance(losses: Sequence[int], *, reason: str, actor: str) -> int:
    """Say of lost recordings (the losses' ids) that they will not come back. Returns of how many.

    Raises Invalid without a reason, Conflict where none of them is lost any more.
    """
    reason = _reason(reason)
    found = _locked(losses, [Loss.State.LOST])
    now = clock.now()
    Loss.objects.filter(pk__in=[loss.pk for loss in found]).update(
        proposed_by=actor, proposed_at=now, proposal_reason=reason
    )
    custody.record_all(
        [LossAcceptanceProposed(actor=actor, subject=loss.recording.custody_id, reason=reason) for loss in found]
    )
    return len(found)


@custody.service
def accept(losses: Sequence[int], *, reason: str, actor: str) -> int:
    """Agree that they are lost, as a second person. Returns how many. A copy may still be put back later.

    Raises Invalid without a reason, NotAllowed for who proposed any of them, Conflict where none waits for it.
    """
    reason = _reason(reason)
    found = [loss for loss in _locked(losses, [Loss.State.LOST]) if loss.proposed_by]
    if not found:
        raise Conflict("None of these waits for a second person.", "Nothing was changed.", "Reload the list.")
    if any(loss.proposed_by == actor for loss in found):
        raise NotAllowed(
            "You proposed this yourself, so somebody else has to agree.",
            "Nothing was changed: one person alone never writes footage off.",
            "Ask another body-worn video manager, or professional standards.",
        )
    Loss.objects.filter(pk__in=[loss.pk for loss in found]).update(
        state=Loss.State.ACCEPTED, accepted_by=actor, accepted_at=clock.now()
    )
    custody.record_all(
        [
            LossAccepted(actor=actor, subject=loss.recording.custody_id, reason=reason, proposed_by=loss.proposed_by)
            for loss in found
        ]
    )
    return len(found)


@custody.service
def take_list(*, actor: str, form: str, with_names: bool) -> bytes:
    """The whole list of losses as a file: "csv", or "json", which is signed. Records who took it."""
    content, count = loss_list.make(form, with_names=with_names)
    digest = hashlib.sha256(content).hexdigest()
    custody.record(LossListTaken(actor=actor, subject=STORE, recordings=count, sha256=digest, format=form))
    return content


def _locked(losses: Sequence[int], states: Sequence[str]) -> list[Loss]:
    found = list(
        Loss.objects.select_for_update(of=("self",))
        .select_related("recording")
        .filter(pk__in=losses, state__in=states, ended_at=None)
        .order_by("pk")
    )
    if not found:
        raise Conflict("None of these is lost any more.", "Nothing was changed.", "Reload the list.")
    return found


def _reason(reason: str) -> str:
    reason = reason.strip()
    if not reason or len(reason) > LONGEST_REASON:
        raise Invalid(f"Give a reason of at most {LONGEST_REASON} characters.", "Nothing was changed.", "Say why.")
    return reason
