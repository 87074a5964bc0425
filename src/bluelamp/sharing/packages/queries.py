"""Reading packages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from uuid import UUID

from django.db.models import QuerySet

from bluelamp.cases import queries as cases
from bluelamp.cases.models import Case
from bluelamp.footage import queries as footage
from bluelamp.footage.models import Recording
from bluelamp.people.models import Organisation
from bluelamp.people.policy import Action, Actor, Thing, may
from bluelamp.sharing import queries as sharing
from bluelamp.sharing import rules as sharing_rules
from bluelamp.sharing.models import Share
from bluelamp.sharing.packages import rules
from bluelamp.sharing.packages.archive import Archive, File, Read, fixed
from bluelamp.sharing.packages.models import Package, PackageItem
from bluelamp.vault.objects import SealedReader

_PURPOSES = {
    Organisation.Kind.CPS: Package.Purpose.PROSECUTION,
    Organisation.Kind.DEFENCE: Package.Purpose.DEFENCE,
    Organisation.Kind.COURT: Package.Purpose.COURT,
    Organisation.Kind.SCRUTINY: Package.Purpose.SCRUTINY,
}


def standing(package: Package) -> rules.Standing:
    """Where a package stands now."""
    recordings = [item.recording for item in package.items.select_related("recording")]
    share = package.share
    return rules.standing(
        rules.Facts(
            ready=package.state == Package.State.READY,
            failed=package.state == Package.State.FAILED,
            withdrawn=package.withdrawn_at is not None,
            share_stands=share is None
            or (sharing.standing(share) is sharing_rules.Standing.ACTIVE and share.may_download),
            live=all(found.state == Recording.State.LIVE and found.locked_at is None for found in recordings),
            deleted=any(found.state == Recording.State.DELETED for found in recordings),
        )
    )


def why_not(actor: Actor, package: Package) -> str:
    """Why `actor` may not hand out every recording of a package; empty where they may."""
    for item in package.items.select_related("recording"):
        decision = may(actor, Action.SHARE, footage.thing(item.recording))
        if not decision.allowed:
            return decision.why
    return ""


def thing(package: Package) -> Thing:
    """What the policy needs to know for withdrawing a package: who made it, and who has a role in its case."""
    members = cases.people_of(package.case) if package.case else frozenset()
    maker = package.made_by_id or (package.share.created_by_id if package.share else None)
    return Thing(subject=package.custody_id, members=members, maker=maker)


def visible_to(actor: Actor) -> QuerySet[Package]:
    """Packages that a person made, or whose case they have a role in; managers and auditors see all."""
    packages = Package.objects.select_related("case", "share__recipient__organisation", "share__recording", "made_by")
    if may(actor, Action.VIEW_AUDIT).allowed or may(actor, Action.MANAGE_FLEET).allowed:
        return packages
    made = packages.filter(made_by_id=actor.id) | packages.filter(share__created_by_id=actor.id)
    in_case = packages.filter(case__members__person_id=actor.id, case__members__left_at=None)
    return (made | in_case).distinct()


def shareable(case: Case, actor: Actor) -> list[Recording]:
    """Recordings of a case that `actor` may hand out now: flagged as evidence, in use, not locked; oldest first."""
    recordings = Recording.objects.filter(
        case_links__case=case, state=Recording.State.LIVE, locked_at=None, flags__released_at=None, flags__isnull=False
    )
    return [
        recording
        for recording in recordings.select_related("camera", "wearer").distinct().order_by("started_at")
        if may(actor, Action.SHARE, footage.thing(recording)).allowed
    ]


def latest_of_share(share: Share) -> Package | None:
    """The newest package made under a share."""
    return share.packages.select_related("case", "share__recipient__organisation", "share__recording").first()


def of_share(share: Share, package_id: UUID) -> Package | None:
    """One package made under a share."""
    return share.packages.select_related("case", "share__recording").filter(pk=package_id).first()


def purpose_for(organisation: Organisation) -> str:
    """What a package for somebody of an organisation is for."""
    return _PURPOSES.get(Organisation.Kind(organisation.kind), Package.Purpose.POLICE).value


def exhibit_of(recording: Recording, case: Case | None) -> str:
    """The exhibit reference that a recording was given last in a case; empty where it has none."""
    given = PackageItem.objects.filter(recording=recording, package__case=case).exclude(exhibit="")
    return given.order_by("-package__made_at").values_list("exhibit", flat=True).first() or ""


def exhibits_for(case: Case, recordings: Iterable[Recording], name: str) -> dict[UUID, str]:
    """References to offer for recordings of a case: those they have, else the next ones of the officer `name`."""
    listed = list(recordings)
    found = {recording.pk: exhibit_of(recording, case) for recording in listed}
    taken = set(PackageItem.objects.filter(package__case=case).values_list("exhibit", flat=True))
    for recording in listed:
        if not found[recording.pk]:
            found[recording.pk] = rules.suggested_exhibit(name, taken)
            taken.add(found[recording.pk])
    return found


def archive(package: Package) -> Archive:
    """The ZIP file of a sealed package. Nothing is opened before it is read; reading raises the vault's errors."""
    items = {str(item.recording_id): item for item in package.items.select_related("recording")}
    first = next(iter(items.values()), None)
    papers = _lazily(package.papers, first.recording.key_id) if first else fixed(b"")
    top = rules.top_folder([item.exhibit for item in items.values()], str(package.pk))
    files = [
        File(f"{top}/{row['path']}", row["size"], row["crc32"], _reader(package, row, items, papers))
        for row in package.layout
    ]
    return Archive(files, rules.zip_moment(package.made_at))


def file_name(package: Package) -> str:
    """What the ZIP file is called when it is saved."""
    exhibits = list(package.items.values_list("exhibit", flat=True))
    return f"{rules.top_folder(exhibits, str(package.pk))}.zip"


def names(ids: set[str]) -> Mapping[str, str]:
    """What packages are called in the ledger's pages."""
    keys = {}
    for custody_id in ids:
        bare = custody_id.partition(":")[2]
        if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", bare):
            keys[UUID(bare)] = custody_id
    found = Package.objects.filter(pk__in=list(keys)).values_list("pk", "recipient")
    return {keys[pk]: f"Package for {recipient}" for pk, recipient in found}


def _reader(package: Package, row: dict[str, int], items: dict[str, PackageItem], papers: Read) -> Read:
    if "seal" in row:
        return fixed(package.seal.encode())
    if "recording" in row:
        recording = items[str(row["recording"])].recording
        return _lazily(recording.original, recording.key_id)
    return _from(papers, row["at"])


def _from(read: Read, offset: int) -> Read:
    def moved(start: int, length: int) -> Iterator[memoryview]:
        return read(offset + start, length)

    return moved


def _lazily(name: str, key_id: str) -> Read:
    """Reads a sealed object that is opened when its first byte is wanted, and once."""
    opened: list[SealedReader] = []

    def read(start: int, length: int) -> Iterator[memoryview]:
        if not opened:
            opened.append(SealedReader(name, key_id))
        return opened[0].iter(start, length)

    return read
