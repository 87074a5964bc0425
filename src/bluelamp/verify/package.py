"""Is a package what the force made? The six steps of docs/protocols/package.md, offline.

The page `verify.html` does the same in a browser (frontend/verify); the tests run every case through both.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import BinaryIO

from cryptography.x509 import Certificate

from bluelamp.formats import package as bag
from bluelamp.formats.checkpoint import Checkpoint
from bluelamp.formats.cosignature import WitnessKey
from bluelamp.formats.errors import FormatError
from bluelamp.formats.log_proof import LogProof
from bluelamp.formats.merkle import leaf_hash
from bluelamp.formats.package import Custody, PackageInfo, ProvenEvent, Seal, SealNote
from bluelamp.formats.proofs import verify_inclusion
from bluelamp.formats.signed_note import VerifierKey
from bluelamp.formats.timestamp import LibraryMissing
from bluelamp.verify.notes import Keys, SignatureProblem, Signers, note_lines, parse_keys, signers
from bluelamp.verify.report import CANNOT_TELL, GOOD, TAMPERING, Problem, Report
from bluelamp.verify.zipreader import Entry, ZipProblem, read_entries

PIECE = 2**20

SEAL_NOTE = "seal.json: note"
SEAL_CHECKPOINT = "seal.json: checkpoint"
CUSTODY_CHECKPOINT = "custody.json: checkpoint"
CUSTODY_TIMESTAMP = "custody.json: timestamp"

Progress = Callable[[int, int], None]
"""Called with the bytes hashed so far and all that will be."""


def verify_package(
    file: BinaryIO,
    keys: Iterable[str] = (),
    witnesses: Iterable[str] = (),
    progress: Progress | None = None,
    authorities: Sequence[Certificate] = (),
) -> Report:
    """Verify the ZIP file. `keys` are the log's (vkey strings) that the reader trusts, `witnesses` those of witnesses.

    `authorities`: certificates of time-stamping authorities that the reader trusts; without any, none is checked.
    Raises OSError where the disk fails; whatever is wrong with the package stands in the report.
    """
    report = Report()
    try:
        known = parse_keys(keys, witnesses)
    except FormatError as error:
        report.problems.append(Problem(0, "key-malformed", detail=str(error)))
        return report
    verification = _Verification(file, known, report, progress or (lambda done, total: None))
    report.exit_code = verification.run()
    if report.exit_code != TAMPERING:
        report.exit_code = verification.check_timestamp(authorities)
    return report


class _Verification:
    """One run. Each step adds what it finds to the report; the next relies on the steps before it being good."""

    def __init__(self, file: BinaryIO, keys: Keys, report: Report, progress: Progress) -> None:
        self._file = file
        self._known = keys
        self._report = report
        self._progress = progress
        self._entries: dict[str, Entry] = {}
        self._hashes: dict[str, str] = {}
        self._seal: Seal
        self._seal_note: SealNote
        self._seal_checkpoint: Checkpoint
        self._custody: Custody
        self._custody_checkpoint: Checkpoint

    def run(self) -> int:
        steps = (self._read_zip, self._check_hashes, self._check_seal, self._check_statements, self._check_events)
        for number, step in enumerate(steps, 1):
            if not self._finish(number, step()):
                return TAMPERING
        return self._check_trust()

    def _finish(self, step: int, problems: Iterator[tuple[str, str, str]]) -> bool:
        found = {(code, where): Problem(step, code, where, detail) for code, where, detail in problems}
        self._report.problems += [found[key] for key in sorted(found)]
        self._report.steps[step - 1] = "bad" if found else "good"
        return not found

    # Step 1: the ZIP file

    def _read_zip(self) -> Iterator[tuple[str, str, str]]:
        try:
            entries = read_entries(self._file)
        except ZipProblem as problem:
            yield problem.code, problem.where, problem.detail
            return
        self._entries = {entry.path: entry for entry in entries}
        self._report.files = len(entries)
        self._report.size = sum(entry.size for entry in entries)

    # Step 2: manifests and hashes

    def _check_hashes(self) -> Iterator[tuple[str, str, str]]:
        self._hash_all()
        listed = {bag.TAG_MANIFEST, bag.SEAL}
        required = {*bag.TAG_FILES, *bag.PAPERS, *listed}
        missing = required - self._entries.keys()
        payload = {path for path in self._entries if path.startswith(bag.DATA)}
        tags = self._entries.keys() - payload - listed
        for manifest, present in ((bag.MANIFEST, payload), (bag.TAG_MANIFEST, tags)):
            if manifest in missing:
                continue
            try:
                hashes = bag.read_manifest(self._content(manifest, bag.MOST_MANIFEST_BYTES))
            except FormatError as error:
                yield "manifest", manifest, str(error)
                continue
            missing |= hashes.keys() - self._entries.keys()
            for path in present | (hashes.keys() & self._entries.keys()):
                # A file in the wrong manifest is not listed where it belongs, and there are no other tag files.
                known = path.startswith(bag.DATA) or path in bag.TAG_FILES
                if (path in present) != (path in hashes) or not known:
                    yield "file-unlisted", path, f"{manifest} does not name it, or names it without right."
                elif self._hashes[path] != hashes[path]:
                    yield "file-changed", path, f"SHA-256 is {self._hashes[path]}, not {hashes[path]}."
        for path in missing:
            yield "file-missing", path, ""

    def _hash_all(self) -> None:
        done, total = 0, self._report.size
        for entry in self._entries.values():
            digest = hashlib.sha256()
            self._file.seek(entry.offset)
            left = entry.size
            while left:
                piece = self._file.read(min(PIECE, left))
                if not piece:
                    raise OSError("The file became shorter while it was read.")
                digest.update(piece)
                left -= len(piece)
                done += len(piece)
                self._progress(done, total)
            self._hashes[entry.path] = digest.hexdigest()

    # Step 3: the seal

    def _check_seal(self) -> Iterator[tuple[str, str, str]]:
        try:
            self._seal = seal = Seal.parse(self._content(bag.SEAL, bag.MOST_SEAL_BYTES))
            self._seal_note = note = SealNote.parse(note_lines(seal.note)[0])
            self._seal_checkpoint = checkpoint = Checkpoint.parse(note_lines(seal.proof.note)[0])
        except FormatError as error:
            yield "seal", bag.SEAL, str(error)
            return
        if note.tag_manifest_sha256 != self._hashes[bag.TAG_MANIFEST]:
            yield "seal-note", bag.SEAL, ""
        said = (bag.SEALED_TAG, f"package:{note.package}", note.tag_manifest_sha256)
        if tuple(map(seal.event.fields.get, ("tag", "subject", "detail.tag_manifest_sha256"))) != said:
            yield "seal-event", bag.SEAL, ""
        if not _stands(seal.proof, seal.event.entry(), checkpoint):
            yield "seal-proof", bag.SEAL, ""

    # Step 4: package.json, custody.json, bag-info.txt

    def _check_statements(self) -> Iterator[tuple[str, str, str]]:
        if self._content(bag.BAGIT, len(bag.BAGIT_TEXT)) != bag.BAGIT_TEXT.encode():
            yield "statement", bag.BAGIT, ""
        info = custody = None
        try:
            info = PackageInfo.parse(self._content(bag.PACKAGE, bag.MOST_INFO_BYTES))
        except FormatError as error:
            yield "statement", bag.PACKAGE, str(error)
        try:
            custody = Custody.parse(self._content(bag.CUSTODY, bag.MOST_CUSTODY_BYTES))
        except FormatError as error:
            yield "statement", bag.CUSTODY, str(error)
        if info is None or custody is None:
            return
        self._custody = custody
        self._report.claims = {name: getattr(info, name) for name in CLAIMS}
        self._report.events = len(custody.events)
        self._report.keys = list(custody.keys)
        if custody.timestamp:
            self._report.timestamp = {"status": "not-checked", "size": custody.timestamp.size}
        if info.id != self._seal_note.package:
            yield "package-id", bag.PACKAGE, ""
        yield from self._check_media(info, custody)

    def _check_media(self, info: PackageInfo, custody: Custody) -> Iterator[tuple[str, str, str]]:
        payload = {path: entry.size for path, entry in self._entries.items() if path.startswith(bag.DATA)}
        text = info.bag_info(payload).encode()
        if self._content(bag.BAG_INFO, len(text)) != text:
            yield "statement", bag.BAG_INFO, ""
        collected = {_collection(event) for event in custody.events}
        for medium in info.media:
            if payload.get(medium.file) != medium.size or self._hashes[medium.file] != medium.sha256:
                yield "medium", medium.file, ""
            elif medium.kind == "original" and (f"recording:{medium.recording}", medium.sha256) not in collected:
                yield "collection", medium.file, ""
        for path in payload.keys() - {medium.file for medium in info.media} - {*bag.PAPERS}:
            yield "medium", path, "package.json does not name it."

    # Step 5: the events in the tree

    def _check_events(self) -> Iterator[tuple[str, str, str]]:
        try:
            checkpoint = Checkpoint.parse(note_lines(self._custody.checkpoint)[0])
        except FormatError as error:
            yield "checkpoint", CUSTODY_CHECKPOINT, str(error)
            return
        self._custody_checkpoint = checkpoint
        sealed = self._seal_checkpoint
        if checkpoint.size == sealed.size and checkpoint.root != sealed.root:
            yield "fork", CUSTODY_CHECKPOINT, ""
        for event in self._custody.events:
            proof = LogProof(event.index, event.path, "")
            if not _stands(proof, event.event.entry(), checkpoint):
                yield "event", str(event.index), str(event.event.fields.get("tag", ""))

    # Step 6: signatures

    def _check_trust(self) -> int:
        notes = (
            (SEAL_NOTE, self._seal.note, None),
            (SEAL_CHECKPOINT, self._seal.proof.note, self._seal_checkpoint),
            (CUSTODY_CHECKPOINT, self._custody.checkpoint, self._custody_checkpoint),
        )
        keys = Keys(
            self._known.trusted,
            self._known.witnesses,
            tuple(VerifierKey.parse(key) for key in self._custody.keys),
            tuple(WitnessKey.parse(key) for key in self._custody.witnesses),
        )
        found: dict[str, Signers] = {}
        problems = []
        for where, note, checkpoint in notes:
            try:
                found[where] = by = signers(note, keys, witnessed=checkpoint is not None)
            except SignatureProblem as problem:
                problems.append(Problem(6, problem.code, where, problem.name))
                continue
            # A checkpoint is the log's own only under the log's name (C2SP tlog-checkpoint).
            origin = (checkpoint or self._seal_checkpoint).origin
            if not by.logs or any(key.name != origin for key in by.logs):
                problems.append(Problem(6, "unsigned", where))
        if problems:
            return self._conclude("bad", TAMPERING, problems)
        self._note_cosignatures(found)
        trusted = {str(key) for key in keys.trusted}
        signed = {str(key) for by in found.values() for key in by.logs}
        self._report.trusted = [key for key in dict.fromkeys(map(str, keys.trusted)) if key in signed]
        others = [where for where, by in found.items() if not trusted & {str(key) for key in by.logs}]
        if not others:
            return self._conclude("good", GOOD, [])
        if not trusted:
            return self._conclude("cannot-tell", CANNOT_TELL, [Problem(6, "no-key")])
        if len(others) == len(notes):
            return self._conclude("cannot-tell", CANNOT_TELL, [Problem(6, "key-unknown")])
        return self._conclude("cannot-tell", CANNOT_TELL, [Problem(6, "key-other", where) for where in others])

    def check_timestamp(self, authorities: Sequence[Certificate]) -> int:
        """Check what an outside authority says, if the reader knows one; returns the exit code.

        Without it everything else stands, so that it can take away only what the reader asked for: certainty.
        """
        anchor, report = self._custody.timestamp, self._report
        if not authorities:
            return report.exit_code
        if anchor is None:
            report.timestamp = {"status": "none", "size": 0}
            return report.exit_code
        try:
            stamp = anchor.verify(self._custody_checkpoint, authorities)
        except LibraryMissing:
            return self._doubt(Problem(6, "timestamp-library", CUSTODY_TIMESTAMP))
        except FormatError as error:
            report.timestamp = {"status": "bad", "size": anchor.size}
            return self._doubt(Problem(6, "timestamp", CUSTODY_TIMESTAMP, str(error)))
        at = stamp.at.isoformat().replace("+00:00", "Z")
        report.timestamp = {"status": "good", "size": anchor.size, "at": at, "authority": stamp.authority}
        return report.exit_code

    def _doubt(self, problem: Problem) -> int:
        self._report.problems.append(problem)
        self._report.steps[5] = "cannot-tell"
        return CANNOT_TELL

    def _conclude(self, status: str, exit_code: int, problems: list[Problem]) -> int:
        self._report.steps[5] = status
        self._report.problems += problems
        return exit_code

    def _note_cosignatures(self, found: dict[str, Signers]) -> None:
        trusted = {str(witness) for witness in self._known.witnesses}
        self._report.cosignatures = [
            {"where": where, "witness": witness.name, "time": time, "trusted": str(witness) in trusted}
            for where, by in found.items()
            for witness, time in by.witnesses
        ]

    def _content(self, path: str, most: int) -> bytes:
        """At most one byte more than `most`: enough for a reader to refuse what is too long."""
        entry = self._entries[path]
        self._file.seek(entry.offset)
        return self._file.read(min(entry.size, most + 1))


CLAIMS = ("id", "made_at", "force", "exhibit", "case", "purpose", "recipient")
"""What a report repeats of package.json."""


def _stands(proof: LogProof, entry: bytes, checkpoint: Checkpoint) -> bool:
    try:
        verify_inclusion(leaf_hash(entry), proof.index, checkpoint.size, proof.path, checkpoint.root)
    except FormatError:
        return False
    return True


def _collection(event: ProvenEvent) -> tuple[object, object] | None:
    fields = event.event.fields
    if fields.get("tag") != bag.COLLECTED_TAG:
        return None
    subject, sha256 = fields.get("subject"), fields.get("detail.sha256")
    return (subject, sha256) if isinstance(subject, str) and isinstance(sha256, str) else None
