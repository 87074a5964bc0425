"""What goes into a package: the events under one checkpoint, the papers, the manifests. Reads only."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from bluelamp import custody
from bluelamp.custody import keys, proving, timestamping
from bluelamp.custody.models import CustodyCheckpoint, CustodyLeaf
from bluelamp.formats import package as bag
from bluelamp.formats.cosignature import WitnessKey
from bluelamp.formats.package import Custody, Medium, PackageInfo, ProvenEvent
from bluelamp.formats.signed_note import VerifierKey, split_note
from bluelamp.kernel.errors import Busy, NotFound
from bluelamp.sharing.packages import rules
from bluelamp.sharing.packages.disclosing import Scope, disclose
from bluelamp.sharing.packages.models import Package, PackageItem
from bluelamp.sharing.packages.papers import facts, label, read_me, report
from bluelamp.verify import page as verifier
from bluelamp.web import filters

_MOST_CLAIMED = bag.MOST_KEYS


class NotYet(Busy):
    """The log does not cover this event yet; a moment later it does."""


@dataclass(frozen=True)
class Gathered:
    """All files of a package but the media and the seal, in their order, and the hash that seals them.

    `keys` and `witnesses` are the vkeys that custody.json names.
    """

    files: dict[str, bytes]
    tag_manifest_sha256: str
    events: int
    withheld: int
    keys: tuple[str, ...]
    witnesses: tuple[str, ...]

    def layout(self, items: Iterable[PackageItem]) -> list[dict[str, Any]]:
        """Where each file comes from: a place in the papers' object (`at`), or a recording's original."""
        rows: list[dict[str, Any]] = []
        at = 0
        for path, content in self.files.items():
            rows.append({"path": path, "size": len(content), "crc32": zlib.crc32(content), "at": at})
            at += len(content)
        for item in items:
            size = item.recording.size
            rows.append({"path": item.file, "size": size, "crc32": item.crc32, "recording": str(item.recording_id)})
        return rows


@custody.unrecorded("reads only")
def gather(package: Package) -> Gathered:
    """The files of a package whose media have been read. Raises NotYet, FormatError, FileNotFoundError."""
    items = list(package.items.select_related("recording__camera", "recording__wearer"))
    checkpoint = covering(_made_event(package), patient=False)
    disclosed = [
        (found, *disclose(found.event, scope(package)))
        for found in proving.proven(checkpoint, subjects=[item.recording.custody_id for item in items])
    ]
    logs, witnesses = claimed_keys(), claimed_witnesses()
    note = own_lines(proving.published(checkpoint), logs, witnesses)
    references = {item.recording.custody_id: item.exhibit for item in items}
    papers = _papers(package, items, checkpoint, note, facts.tell(disclosed, references))
    text = Custody(
        checkpoint=note,
        keys=logs,
        witnesses=witnesses,
        events=tuple(ProvenEvent(found.index, found.path, told) for found, told, _ in disclosed),
        timestamp=timestamping.anchor(checkpoint),
    ).text()
    payload = {
        bag.LABEL: label.pdf(papers),
        bag.REPORT_PDF: report.pdf(papers),
        bag.REPORT_JSON: report.document(papers).encode(),
    }
    info = _info(package, items)
    sizes = {path: len(content) for path, content in payload.items()}
    sizes |= {item.file: item.recording.size for item in items}
    # The media's hashes are those of the ledger, against which their bytes were read just before.
    hashes = _hashes(payload) | {item.file: item.recording.sha256 for item in items}
    tags = {
        bag.BAGIT: bag.BAGIT_TEXT.encode(),
        bag.BAG_INFO: info.bag_info(sizes).encode(),
        bag.READ_ME: read_me.page(papers).encode(),
        bag.VERIFIER: verifier.html(),
        bag.PACKAGE: info.text().encode(),
        bag.CUSTODY: text.encode(),
        bag.MANIFEST: bag.write_manifest(hashes).encode(),
    }
    tag_manifest = bag.write_manifest(_hashes(tags)).encode()
    return Gathered(
        files={**tags, bag.TAG_MANIFEST: tag_manifest, **payload},
        tag_manifest_sha256=hashlib.sha256(tag_manifest).hexdigest(),
        events=len(disclosed),
        withheld=papers.withheld,
        keys=logs,
        witnesses=witnesses,
    )


@custody.unrecorded("reads only")
def covering(event_id: int, *, patient: bool) -> CustodyCheckpoint:
    """The latest checkpoint that a witness cosigned if it covers this event, else the latest of all.

    `patient`: where witnesses are configured, one of theirs or none. Raises NotYet.
    """
    index = CustodyLeaf.objects.filter(event_id=event_id).values_list("index", flat=True).first()
    if index is not None:
        try:
            cosigned = proving.cosigned()
        except NotFound:
            cosigned = None
        if cosigned is not None and cosigned.size > index:
            return cosigned
        latest = proving.latest()
        if latest.size > index and not (patient and settings.BLUELAMP.witnesses):
            return latest
    raise NotYet("The log does not cover this package yet.", "Nothing was lost.", "It does so within seconds.")


@custody.unrecorded("computes a text")
def own_lines(note: str, keys_: Iterable[str], witnesses: Iterable[str]) -> str:
    """A note with the signature lines of these keys (vkeys), each once; lines of others are left out."""
    known = {(key.name, key.key_hash) for key in map(VerifierKey.parse, keys_)}
    known |= {(key.name, key.key_hash) for key in map(WitnessKey.parse, witnesses)}
    head, _, block = note.rpartition("\n\n")
    kept: dict[tuple[str, bytes], str] = {}
    for line, (name, blob) in zip(block.splitlines(keepends=True), split_note(note)[1], strict=True):
        if (name, blob[:4]) in known:
            kept.setdefault((name, blob[:4]), line)
    return f"{head}\n\n{''.join(kept.values())}"


@custody.unrecorded("reads only")
def claimed_keys() -> tuple[str, ...]:
    """The keys of the log that packages name, the present one last: those of the name that it has now.

    After a restore it goes on as another log; a package is of one.
    """
    name = keys.present_origin()
    return tuple([vkey for vkey in keys.log_vkeys() if VerifierKey.parse(vkey).name == name][-_MOST_CLAIMED:])


@custody.unrecorded("reads only")
def claimed_witnesses() -> tuple[str, ...]:
    """The witnesses that packages name: those that the force has asked."""
    named = (str(witness.key) for witness in settings.BLUELAMP.witnesses)
    return tuple(vkey for vkey in named if vkey.isascii())[:_MOST_CLAIMED]


@custody.unrecorded("computes names")
def scope(package: Package) -> Scope:
    """What the package is about."""
    ids = {package.custody_id, *(f"recording:{pk}" for pk in package.items.values_list("recording_id", flat=True))}
    if package.case is not None:
        ids.add(package.case.custody_id)
    if package.share is not None:
        ids |= {package.share.custody_id, package.share.recipient.custody_id}
    return Scope(frozenset(ids))


def _made_event(package: Package) -> int:
    if package.made_event is None:
        raise ValueError(f"{package.custody_id} was never recorded")
    return package.made_event


def _papers(
    package: Package,
    items: list[PackageItem],
    checkpoint: CustodyCheckpoint,
    note: str,
    lines: tuple[facts.Line, ...],
) -> facts.Papers:
    signed = {(name, blob[:4]) for name, blob in split_note(note)[1]}
    witnesses = map(WitnessKey.parse, claimed_witnesses())
    return facts.Papers(
        package=str(package.pk),
        made_at=package.made_at,
        made_by=package.maker_name,
        force=rules.line(settings.BLUELAMP.force),
        case=_case(package),
        purpose=package.get_purpose_display(),
        recipient=package.recipient,
        exhibits=tuple(facts.exhibit(item.recording, item.exhibit, item.file) for item in items),
        lines=lines,
        size=checkpoint.size,
        sized_at=checkpoint.created_at,
        keys=claimed_keys(),
        witnesses=tuple(key.name for key in witnesses if (key.name, key.key_hash) in signed),
        log_address=f"{settings.BLUELAMP.base_url}/log/keys",
    )


def _info(package: Package, items: list[PackageItem]) -> PackageInfo:
    return PackageInfo(
        id=str(package.pk),
        made_at=filters.utc(package.made_at),
        force=rules.line(settings.BLUELAMP.force),
        exhibit=", ".join(item.exhibit for item in items if item.exhibit),
        case=_case(package),
        purpose=package.get_purpose_display(),
        recipient=package.recipient,
        media=tuple(
            Medium(item.file, str(item.recording_id), item.recording.sha256, item.recording.size, "original")
            for item in items
        ),
    )


def _case(package: Package) -> str:
    case = package.case
    if case is None:
        return ""
    return rules.line(f"{case.name} (URN {case.urn})" if case.urn else case.name)


def _hashes(files: dict[str, bytes]) -> dict[str, str]:
    return {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}
