"""What cameras recorded is compared with what arrived; a person answers for what does not agree."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from uuid import UUID

import structlog
from django.db import connection
from django.db.models import Exists, OuterRef

from bluelamp import custody
from bluelamp.fleet.models import Camera
from bluelamp.footage.models import Recording
from bluelamp.formats.manifest import ManifestError, SignedEntry, verify_entry
from bluelamp.ingest import discrepancies, history, inventory, queries
from bluelamp.ingest.discrepancies import Change, Facts, Finding, Standing
from bluelamp.ingest.errors import NotAwaited
from bluelamp.ingest.events import DiscrepancyClosed, DiscrepancyFound, DiscrepancyResolved, RecordingUnavailable
from bluelamp.ingest.models import Discrepancy, DockingSession, Offer, Reconciliation
from bluelamp.kernel import clock, transaction
from bluelamp.kernel.errors import Conflict, Invalid
from bluelamp.kernel.ids import new_id
from bluelamp.people.models import Person

if TYPE_CHECKING:
    from bluelamp.ingest.services.docking import Verdict

log = structlog.get_logger()

ACTOR = "system:reconciliation"

_LOCK_SPACE = 0x0FFE  # of the advisory locks; the other half is the camera's key


@custody.unrecorded("part of a docking, which records docking.opened")
def note_offers(session: DockingSession, offered: Iterable[inventory.Offered], verdicts: Iterable[Verdict]) -> None:
    """Keep what the camera showed, and have it compared.

    Called in the docking's transaction: what a camera said of its recordings stands if the session does.
    """
    answers = {(verdict.sequence, verdict.sha256): verdict for verdict in verdicts}
    offers: dict[tuple[int, str], Offer] = {}
    for item in offered:
        if item.sequence is not None:
            offer = _offer(session, item, answers)
            offers[offer.sequence, offer.entry_hash] = offer
    _remember_signed(session.camera, [offer for offer in offers.values() if not offer.signed])
    Offer.objects.bulk_create(
        offers.values(),
        update_conflicts=True,
        unique_fields=["camera", "sequence", "entry_hash"],
        update_fields=["signed", "state", "why", "unavailable", "last_session", "last_at"],
    )
    _make_due(session.camera)


@custody.service
def note_unavailable(session: DockingSession, sequence: int, why: str) -> None:
    """The dock cannot send a recording of this session, for a reason of discrepancies.UNAVAILABLE: have it compared.

    Raises SessionUnknown for a recording that the session does not list, NotAwaited for one that is here, was refused
    or was offered in another session since.
    """
    item = queries.offered(session, sequence)
    here = Recording.objects.filter(camera=session.camera, sequence=sequence, sha256=item["sha256"])
    offer = (
        Offer.objects.select_for_update()
        .filter(camera=session.camera, sequence=sequence, sha256=item["sha256"], last_session=session)
        .filter(state=Offer.State.NEEDED)
        .first()
    )
    if offer is None or here.exists():
        raise NotAwaited(sequence)
    if offer.unavailable == why:
        custody.nothing_changed()
        return
    offer.unavailable = why
    offer.save(update_fields=["unavailable"])
    _make_due(session.camera)
    custody.record(
        RecordingUnavailable(
            actor=session.dock.custody_id,
            subject=session.camera.custody_id,
            also=(session.dock.custody_id,),
            session=session.pk,
            sequence=sequence,
            sha256=offer.sha256,
            why=why,
        )
    )


@custody.unrecorded("the fleet records camera.key_refused")
def note_turned_away(camera: Camera) -> None:
    """A dock brought a camera that was not taken because of its key: have it compared."""
    _make_due(camera)


@custody.unrecorded("each finding and each resolution records its event")
def reconcile_docked() -> int:
    """Compare every camera that was docked since it was last compared. Returns how many."""
    return _reconcile_all(Reconciliation.objects.filter(due=True).values_list("camera_id", flat=True))


@custody.unrecorded("each finding and each resolution records its event")
def reconcile_waiting() -> int:
    """Compare every camera of which something is awaited: what was offered, and what was missing and has come."""
    _settle()
    here = Recording.objects.filter(
        camera=OuterRef("camera"), sequence__gte=OuterRef("first"), sequence__lte=OuterRef("last")
    )
    missing = Discrepancy.objects.filter(state=Discrepancy.State.OPEN, missing__gt=0)
    arrived = Offer.objects.filter(
        camera=OuterRef("camera"),
        sequence__gte=OuterRef("first"),
        sequence__lte=OuterRef("last"),
        state=Offer.State.ARRIVED,
    )
    cameras = {
        *Offer.objects.filter(state=Offer.State.NEEDED).values_list("camera_id", flat=True),
        *missing.filter(Exists(arrived)).values_list("camera_id", flat=True),
        *missing.filter(Exists(here), kind=Discrepancy.Kind.GAP).values_list("camera_id", flat=True),
    }
    return _reconcile_all(cameras)


@custody.unrecorded("each finding and each resolution records its event")
def reconcile(camera_id: int) -> None:
    """Compare what one camera recorded with what arrived; idempotent."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK_SPACE, camera_id])
        _settle(camera_id)
        camera = Camera.objects.get(pk=camera_id)
        docking = Reconciliation.objects.filter(camera=camera).values_list("docking", flat=True).first()
        facts = history.facts_of(camera)
        found = discrepancies.findings(facts, clock.now())
        standing = {
            one.pk: one for one in Discrepancy.objects.filter(camera=camera).exclude(state=Discrepancy.State.RESOLVED)
        }
        new, changes = discrepancies.compare(found, [_standing(one) for one in standing.values()], facts)
        # First what is over, so that what is found anew may take its place.
        for change in changes:
            _carry_out(standing[change.id], change, facts)
        for finding in new:
            _find(camera, finding)
        Reconciliation.objects.filter(camera=camera, docking=docking).update(due=False)


@custody.service
def close(discrepancy_id: UUID, *, by: Person, reason: str) -> Discrepancy:
    """A person answers for a discrepancy. Raises Invalid without a reason, Conflict where it is over already."""
    if not reason.strip():
        raise Invalid("Say why.", "Nothing was changed.", "Say what you found out; the ledger keeps it.")
    found: Discrepancy = (
        Discrepancy.objects.select_for_update(of=("self",)).select_related("camera").get(pk=discrepancy_id)
    )
    if not found.is_open:
        raise Conflict(
            f"This has ended already: {found.get_state_display().lower()}.",
            "Nothing was changed.",
            "Go back to the list.",
        )
    found.state, found.closed_by = Discrepancy.State.CLOSED, by
    found.ended_at, found.ended_because = clock.now(), reason.strip()
    found.save(update_fields=["state", "closed_by", "ended_at", "ended_because"])
    custody.record(
        DiscrepancyClosed(
            actor=by.custody_id,
            subject=found.camera.custody_id,
            reason=reason.strip(),
            also=(found.custody_id,),
            kind=found.kind,
            first=found.first,
            last=found.last,
            missing=found.missing,
        )
    )
    return found


@custody.unrecorded("each that it closes records discrepancy.closed")
def close_all(ids: Iterable[UUID], *, by: Person, reason: str) -> int:
    """A person answers for several with one reason, for all of them or none. Returns how many.

    Raises as `close` does; one that is over meanwhile is left as it is.
    """
    closed = 0
    with transaction.atomic():
        still = Discrepancy.objects.filter(pk__in=list(ids), state=Discrepancy.State.OPEN)
        for found in still.select_for_update(of=("self",)).order_by("pk"):
            close(found.pk, by=by, reason=reason)
            closed += 1
    return closed


def _make_due(camera: Camera) -> None:
    Reconciliation.objects.update_or_create(camera=camera, defaults={"docking": new_id(), "due": True})


def _reconcile_all(cameras: Iterable[int]) -> int:
    done = 0
    for camera_id in list(cameras):
        try:
            reconcile(camera_id)
            done += 1
        except Exception:  # whatever it is, it must not stop the others; the next run tries again
            log.exception("reconciliation.failed", camera=camera_id)
    return done


def _offer(session: DockingSession, item: inventory.Offered, answers: dict[tuple[int | None, str], Verdict]) -> Offer:
    signed = item.signed
    sha256 = signed.entry.sha256 if signed else ""
    verdict = answers.get((item.sequence, sha256))
    refused = verdict is None or verdict.state == "refused"
    arrived = verdict is not None and verdict.state == "have"
    return Offer(
        camera=session.camera,
        sequence=item.sequence,
        entry_hash=signed.entry.hash() if signed else "",
        previous=signed.entry.previous if signed else "",
        sha256=sha256,
        # What was taken has been verified; what was refused may have been for other reasons than its signature.
        signed=signed is not None and (not refused or _is_signed(signed, session.camera)),
        state=Offer.State.REFUSED if refused else Offer.State.ARRIVED if arrived else Offer.State.NEEDED,
        why=verdict.why if verdict else "",
        first_session=session,
        first_at=session.opened_at,
        last_session=session,
        last_at=session.opened_at,
    )


def _remember_signed(camera: Camera, offers: list[Offer]) -> None:
    """An entry that once came with a good signature stays signed, whatever comes with it later."""
    if not offers:
        return
    before = Offer.objects.filter(camera=camera, signed=True, entry_hash__in=[offer.entry_hash for offer in offers])
    known = set(before.values_list("entry_hash", flat=True))
    for offer in offers:
        offer.signed = offer.entry_hash in known


def _is_signed(signed: SignedEntry, camera: Camera) -> bool:
    try:
        return bool(verify_entry(signed, camera.public_key).serial == camera.serial)
    except ManifestError:
        return False


def _settle(camera_id: int | None = None) -> None:
    """Mark what was offered and is here now."""
    here = Recording.objects.filter(camera=OuterRef("camera"), sequence=OuterRef("sequence"), sha256=OuterRef("sha256"))
    waiting = Offer.objects.filter(Exists(here), signed=True).exclude(state=Offer.State.ARRIVED)
    if camera_id is not None:
        waiting = waiting.filter(camera=camera_id)
    waiting.update(state=Offer.State.ARRIVED, why="", unavailable="")


def _standing(one: Discrepancy) -> Standing:
    return Standing(one.pk, one.kind, one.first, one.last, one.is_open, one.last_seen_at, one.detail)


def _carry_out(one: Discrepancy, change: Change, facts: Facts) -> None:
    if change.resolved:
        _resolve(one, change.resolved)
        return
    seen = max(one.last_seen_at, facts.dockings[0].at) if facts.dockings else one.last_seen_at
    if (one.missing, one.last_seen_at) != (change.missing, seen):
        Discrepancy.objects.filter(pk=one.pk).update(missing=change.missing, last_seen_at=seen)


@custody.service
def _find(camera: Camera, finding: Finding) -> None:
    now = clock.now()
    made = Discrepancy.objects.create(
        camera=camera,
        kind=finding.kind,
        first=finding.first,
        last=finding.last,
        missing=finding.missing,
        session_id=finding.session,
        first_seen_at=finding.since,
        last_seen_at=max(finding.since, camera.last_docked_at or finding.since),
        found_at=now,
        detail=finding.detail,
    )
    custody.record(
        DiscrepancyFound(
            actor=ACTOR,
            subject=camera.custody_id,
            also=(made.custody_id,),
            kind=made.kind,
            first=made.first,
            last=made.last,
            missing=made.missing,
            detail=made.detail,
            session=made.session_id,
        )
    )


@custody.service
def _resolve(one: Discrepancy, because: str) -> None:
    one.state, one.ended_at, one.ended_because = Discrepancy.State.RESOLVED, clock.now(), because
    one.missing = 0
    one.save(update_fields=["state", "ended_at", "ended_because", "missing"])
    custody.record(
        DiscrepancyResolved(
            actor=ACTOR,
            subject=one.camera.custody_id,
            also=(one.custody_id,),
            kind=one.kind,
            first=one.first,
            last=one.last,
            because=because,
        )
    )
