"""Packages made: asked for, their media read, sealed, and given the proof that the log holds the seal.

The order is what proves them. The footage is read once and checked against its SHA-256. The events are gathered under
one checkpoint; with every other file they go into the tag manifest, whose hash goes into the ledger. Only when a
checkpoint covers that event is the last file written, which holds its proof.
"""

from __future__ import annotations

import hashlib
import time
import zlib
from collections.abc import Iterable, Mapping
from uuid import UUID

import structlog
from django.conf import settings
from procrastinate.contrib.django import app

from bluelamp import custody
from bluelamp.cases.models import Case
from bluelamp.custody import keys, proving
from bluelamp.footage import delivery
from bluelamp.footage.models import Recording
from bluelamp.footage.services import locked
from bluelamp.formats.package import SEAL, Seal, SealNote
from bluelamp.formats.signed_note import sign_note
from bluelamp.kernel import clock
from bluelamp.kernel.errors import BluelampError, Busy, Conflict, Invalid
from bluelamp.kernel.ids import new_id
from bluelamp.kernel.transaction import atomic
from bluelamp.people.models import Person
from bluelamp.sharing import queries as sharing_queries
from bluelamp.sharing import rules as sharing_rules
from bluelamp.sharing.models import Share
from bluelamp.sharing.packages import events, queries, rules
from bluelamp.sharing.packages.disclosing import disclose
from bluelamp.sharing.packages.models import Package, PackageItem
from bluelamp.sharing.packages.services.gathering import Gathered, NotYet, covering, gather, own_lines, scope
from bluelamp.sharing.services import granting
from bluelamp.vault import objects
from bluelamp.vault.objects import SealedReader

log = structlog.get_logger(__name__)

_AGAIN_AFTER_SECONDS = 3600
_NOTE_EVERY = 64 * 2**20  # bytes of footage between two notes of how far the reading has come
_LOG_SECONDS = 15.0
_WITNESS_SECONDS = 12.0
_LOOK_SECONDS = 0.2
_NOTHING = "Nothing was handed out."
_SEALED = (
    "papers",
    "layout",
    "sealed_event",
    "tag_manifest_sha256",
    "events",
    "withheld",
    "keys",
    "witnesses",
    "state",
)


class Damaged(BluelampError):
    """Footage is not what the ledger says it is."""

    title = "The footage is damaged"
    status = 409


@custody.service
def make(case: Case, exhibits: Mapping[UUID, str], *, recipient: str, purpose: str, by: Person) -> Package:
    """Have a package made of recordings of a case: `exhibits` has the exhibit reference by recording's id.

    Whether `by` may share each recording is the caller's to ask. Raises Invalid for a missing recipient, a reference
    that is none or stands twice, a recording outside the case; Conflict for one that may not be shared.
    """
    recipient = rules.line(recipient)
    if not recipient:
        raise Invalid("Say whom the package is for.", "Nothing was made.")
    if purpose not in Package.Purpose.values:
        raise Invalid("Choose what the package is for.", "Nothing was made.")
    if not 1 <= len(exhibits) <= rules.MOST_RECORDINGS:
        raise Invalid(f"Choose from 1 to {rules.MOST_RECORDINGS} recordings.", "Nothing was made.")
    references = {pk: rules.line(text).upper() for pk, text in exhibits.items()}
    for reference in references.values():
        if not rules.exhibit_fits(reference):
            raise Invalid(
                f"“{reference}” is not an exhibit reference.",
                "Nothing was made.",
                "Give initials, a stroke and a number, such as ABC/1.",
            )
    if len(set(references.values())) != len(references):
        raise Invalid("Two recordings have the same exhibit reference.", "Nothing was made.")
    recordings = _shareable(references)
    linked = set(case.links.filter(recording__in=recordings).values_list("recording_id", flat=True))
    if linked != set(references):
        raise Invalid("A recording does not belong to this case.", "Nothing was made.", "Add it to the case first.")
    package = Package(
        case=case, purpose=purpose, recipient=recipient, made_by=by, maker=by.custody_id, maker_name=rules.line(str(by))
    )
    return _begin(package, [(recording, references[recording.pk]) for recording in recordings])


@custody.service
def make_of_share(share: Share) -> Package:
    """Have a package made of what was shared, for its recipient. One that is on its way, or fresh, is answered again.

    Raises Conflict where the share does not stand, or is for watching only.
    """
    Share.objects.select_for_update(no_key=True, of=("self",)).get(pk=share.pk)
    if sharing_queries.standing(share) is not sharing_rules.Standing.ACTIVE or not share.may_download:
        raise Conflict("This share does not include downloading.", "Nothing was made.")
    latest = queries.latest_of_share(share)
    if latest is not None and not _is_old(latest):
        custody.nothing_changed()
        return latest
    (recording,) = _shareable([share.recording_id])
    who = share.recipient
    name = rules.line(f"{who.name}, {who.organisation.name}")
    package = Package(
        case=share.case,
        share=share,
        purpose=queries.purpose_for(who.organisation),
        recipient=name,
        maker=who.custody_id,
        maker_name=name,
    )
    return _begin(package, [(recording, queries.exhibit_of(recording, share.case))])


@custody.unrecorded("its steps record what they change; this one takes them in order, as often as it must")
def finish(package_id: UUID) -> None:
    """Take a package from where it stands to its end. Raises Busy where it should be tried again later."""
    package = Package.objects.select_related("case", "share__recipient").get(pk=package_id)
    try:
        if package.sealed_event is None and package.state != Package.State.FAILED:
            read_media(package)
            _wait(package.made_event or 0)
            seal(package, gather(package))
        if package.state == Package.State.PROVING and package.sealed_event is not None:
            _wait(package.sealed_event)
            attach(package)
    except Busy:
        raise
    except BluelampError as error:
        fail(package, str(error))
    except Exception:
        log.exception("package.failed", package=str(package.pk))
        fail(package, f"Bluelamp made a mistake, which is in its log. {_NOTHING}")


@custody.unrecorded("reads footage; that a package is made of it is recorded")
def read_media(package: Package) -> None:
    """Read every original once: its CRC-32 for the ZIP file, its SHA-256 against the ledger's. Raises Damaged."""
    _move(package, Package.State.READING)
    done = noted = 0
    for item in package.items.select_related("recording"):
        digest, crc = hashlib.sha256(), 0
        reader = SealedReader(item.recording.original, item.recording.key_id)
        for piece in reader.iter(0, reader.size):
            digest.update(piece)
            crc = zlib.crc32(piece, crc)
            done += len(piece)
            if done - noted >= _NOTE_EVERY:
                Package.objects.filter(pk=package.pk).update(done=done)
                noted = done
        if digest.hexdigest() != item.recording.sha256 or reader.size != item.recording.size:
            raise Damaged(
                f"What is stored as {item.file} is not what was received: its SHA-256 differs.",
                _NOTHING,
                "Tell the operator at once: the store holds other bytes than the ledger says.",
            )
        PackageItem.objects.filter(pk=item.pk).update(crc32=crc)
    Package.objects.filter(pk=package.pk).update(done=done)
    _move(package, Package.State.WRITING)


@custody.service
def seal(package: Package, gathered: Gathered) -> None:
    """Settle the package: its papers are stored, the hash of its tag manifest goes into the ledger.

    Raises Conflict where a recording has left use meanwhile, or the package was withdrawn.
    """
    current = Package.objects.select_for_update(of=("self",)).get(pk=package.pk)
    if current.sealed_event is not None:
        custody.nothing_changed()
        package.refresh_from_db()
        return
    if current.withdrawn_at is not None:
        raise Conflict("The package was withdrawn while it was being made.", _NOTHING)
    items = list(package.items.select_related("recording"))
    _shareable([item.recording_id for item in items])
    first = items[0].recording
    name = f"recordings/{first.pk}/package-{package.pk}"
    objects.seal_stream(name, first.key_id, gathered.files.values())
    layout = gathered.layout(items)
    recorded = custody.record(
        events.PackageSealed(
            actor="system:packages",
            subject=package.custody_id,
            also=subjects(package),
            tag_manifest_sha256=gathered.tag_manifest_sha256,
            purpose=package.get_purpose_display(),
            recipient=package.recipient,
            files=len(layout) + 1,
            bytes=sum(row["size"] for row in layout),
            events=gathered.events,
            withheld=gathered.withheld,
        )
    )
    package.papers, package.layout, package.sealed_event = name, layout, recorded.id
    package.tag_manifest_sha256 = gathered.tag_manifest_sha256
    package.events, package.withheld = gathered.events, gathered.withheld
    package.keys, package.witnesses = list(gathered.keys), list(gathered.witnesses)
    package.state = Package.State.PROVING
    package.save(update_fields=_SEALED)


@custody.unrecorded("adds the proof of what is recorded; it says nothing that the log does not")
def attach(package: Package) -> None:
    """Write the last file: the signed seal, its event, and the proof of that. Raises NotYet, Conflict.

    Once for all, whatever the job is repeated for: downloads rely on the bytes that it settles.
    """
    with atomic():
        package.refresh_from_db(from_queryset=Package.objects.select_for_update(of=("self",)))
        if package.state == Package.State.PROVING:
            _attach(package)


@custody.service
def fail(package: Package, why: str) -> None:
    """Give a package up, in words for whoever asked for it."""
    Package.objects.filter(pk=package.pk).update(state=Package.State.FAILED, failure=why)
    package.refresh_from_db()
    custody.record(
        events.PackageFailed(actor="system:packages", subject=package.custody_id, also=subjects(package), why=why[:500])
    )


@custody.unrecorded("names what an event is also about")
def subjects(package: Package) -> tuple[str, ...]:
    """What else an event about a package is about: its recordings, its case, its share."""
    also = [f"recording:{pk}" for pk in package.items.values_list("recording_id", flat=True)]
    if package.case_id:
        also.append(f"case:{package.case_id}")
    if package.share_id:
        also.append(f"share:{package.share_id}")
    return tuple(also)


def _attach(package: Package) -> None:
    if not package.papers:
        raise Conflict("Footage of the package was deleted while it was being made.", _NOTHING)
    if keys.own_vkey() not in package.keys:
        raise Conflict("The log's key was changed while the package was being made.", _NOTHING, "Make it again.")
    checkpoint = covering(package.sealed_event or 0, patient=False)
    (found,) = proving.proven(checkpoint, events=[package.sealed_event or 0])
    told, _ = disclose(found.event, scope(package))
    proof = proving.log_proof(found.id, checkpoint)
    note = SealNote(str(package.pk), package.tag_manifest_sha256)
    text = Seal(
        note=sign_note(note.text(), keys.present_origin(), keys.log_key()),
        event=told,
        proof=type(proof)(proof.index, proof.path, own_lines(proof.note, package.keys, package.witnesses)),
    ).text()
    content = text.encode()
    row = {"path": SEAL, "size": len(content), "crc32": zlib.crc32(content), "seal": True}
    package.seal, package.layout = text, [*package.layout, row]
    package.size = queries.archive(package).size
    package.state = Package.State.READY
    package.save(update_fields=["seal", "layout", "size", "state"])


def _begin(package: Package, recordings: list[tuple[Recording, str]]) -> Package:
    package.id, package.made_at = new_id(), clock.now()
    package.save(force_insert=True)
    for position, (recording, reference) in enumerate(recordings):
        file = rules.media_file(reference, delivery.download_name(recording))
        PackageItem.objects.create(
            package=package, recording=recording, position=position, exhibit=reference, file=file
        )
    recorded = custody.record(
        events.PackageMade(
            actor=package.maker,
            subject=package.custody_id,
            also=subjects(package),
            purpose=package.get_purpose_display(),
            recipient=package.recipient,
            files=len(recordings),
            bytes=sum(recording.size for recording, _ in recordings),
        )
    )
    package.made_event = recorded.id
    package.save(update_fields=["made_event"])
    app.configure_task("packages.finish").defer(package_id=str(package.pk))
    return package


def _shareable(ids: Iterable[UUID]) -> list[Recording]:
    """The recordings, their rows locked, each of them fit to be handed out. Raises Conflict, Invalid."""
    wanted = list(ids)
    recordings = {recording.pk: recording for recording in locked.many(wanted)}
    if len(recordings) != len(wanted):
        raise Invalid("There is no such recording.", "Nothing was made.")
    for recording in recordings.values():
        granting.must_be_shareable(recording)
    return [recordings[pk] for pk in wanted]


def _is_old(package: Package) -> bool:
    """Whether a share's package may be replaced: it failed or was withdrawn, or is ready for an hour."""
    if queries.standing(package) in (rules.Standing.FAILED, rules.Standing.WITHDRAWN):
        return True
    age = (clock.now() - package.made_at).total_seconds()
    return age > _AGAIN_AFTER_SECONDS


def _move(package: Package, state: str) -> None:
    Package.objects.filter(pk=package.pk).update(state=state)
    package.state = state


def _wait(event_id: int) -> None:
    """Until a checkpoint covers an event: where there are witnesses, a while for one of theirs. Raises NotYet."""
    begun = time.monotonic()
    while True:
        waited = time.monotonic() - begun
        try:
            covering(event_id, patient=bool(settings.BLUELAMP.witnesses) and waited < _WITNESS_SECONDS)
        except NotYet:
            if waited > _LOG_SECONDS:
                raise
            time.sleep(_LOOK_SECONDS)
        else:
            return
