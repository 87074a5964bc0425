"""Small packages for the verifiers' tests, made from the public formats alone: no database, no room of the program."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bluelamp.formats import package as bag
from bluelamp.formats.anchor import Anchor
from bluelamp.formats.canonical import commit_field
from bluelamp.formats.checkpoint import Checkpoint
from bluelamp.formats.cosignature import WitnessKey, cosign
from bluelamp.formats.disclosure import DisclosedEvent
from bluelamp.formats.log_proof import LogProof
from bluelamp.formats.merkle import leaf_hash, root
from bluelamp.formats.package import Custody, Medium, PackageInfo, ProvenEvent, Seal, SealNote
from bluelamp.formats.proofs import prove_consistency, prove_inclusion
from bluelamp.formats.signed_note import sign_note, verifier_key

ORIGIN = "log.force.example"
WITNESS = "witness.university.example"
PACKAGE_ID = "0190a6c0-0000-7000-8000-0000000000aa"
RECORDING_ID = "0190a6c0-0000-7000-8000-000000000001"
WITNESSED_AT = 1_795_000_000

LOG_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
WITNESS_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(2, 34)))
OTHER_WITNESS_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(3, 35)))

VKEY = verifier_key(ORIGIN, LOG_KEY)
OTHER_VKEY = verifier_key(ORIGIN, OTHER_KEY)
WITNESS_VKEY = str(WitnessKey(WITNESS, WITNESS_KEY.public_key()))

MOMENT = (2026, 11, 22, 7, 19, 4)


@dataclass(frozen=True)
class Repeated:
    """A large file without the need of a disk: a block, so many times."""

    block: bytes
    times: int


Content = bytes | Repeated
Edit = Callable[[bytes], bytes]


def event(fields: Mapping[str, Any]) -> DisclosedEvent:
    """An event with salts that depend on its fields only, so that a package is the same each time."""
    salts = {name: hashlib.sha256(f"{sorted(fields.items())!r} {name}".encode()).digest()[:16] for name in fields}
    return DisclosedEvent(dict(fields), salts)


@dataclass
class Log:
    """A tree of entries, signed at whatever size it has."""

    entries: list[bytes] = field(default_factory=list)

    def add(self, entry: bytes) -> int:
        self.entries.append(entry)
        return len(self.entries) - 1

    def checkpoint(self, keys: Iterable[Ed25519PrivateKey] = (LOG_KEY,), size: int = 0, origin: str = ORIGIN) -> str:
        """A checkpoint, signed by each key and cosigned by the witness."""
        leaves = [leaf_hash(entry) for entry in self.entries[: size or None]]
        text = Checkpoint(origin, len(leaves), root(leaves)).text()
        lines = "".join(sign_note(text, origin, key).rpartition("\n\n")[2] for key in keys)
        return f"{text}\n{lines}{cosign(text, WITNESS, WITNESS_KEY, WITNESSED_AT)}"

    def proof(self, index: int, size: int = 0) -> list[bytes]:
        leaves = [leaf_hash(entry) for entry in self.entries]
        return prove_inclusion(index, size or len(leaves), lambda nodes: _nodes(leaves, nodes))

    def anchor(self, stamp: Callable[[str], bytes], origin: str, size: int) -> Anchor:
        """A timestamp of the first five entries, and the proof that the tree of `size` continues them."""
        leaves = [leaf_hash(entry) for entry in self.entries]
        text = Checkpoint(origin, 5, root(leaves[:5])).text()
        path = prove_consistency(5, size, lambda nodes: _nodes(leaves, nodes))
        return Anchor(text, tuple(path), stamp(text))


@dataclass
class Recipe:
    """What goes into a package, with the places where a test puts its thumb.

    `sealed` edits files before they are sealed, as a force that lies would; `tampered` edits them afterwards, as
    anybody else would. An edit gets the file's bytes (nothing where there is none) and returns others. `stamp` is what
    a time-stamping authority answers to the text of a checkpoint.
    """

    media: Mapping[str, Content] = field(default_factory=lambda: {"data/AB-1 front door.mp4": b"moving pictures" * 40})
    kind: str = "original"
    events: list[DisclosedEvent] = field(default_factory=list)
    sealed: Mapping[str, Edit] = field(default_factory=dict)
    tampered: Mapping[str, Edit] = field(default_factory=dict)
    keys: tuple[str, ...] = (VKEY,)
    witnesses: tuple[str, ...] = (WITNESS_VKEY,)
    custody_keys: tuple[Ed25519PrivateKey, ...] = (LOG_KEY,)
    seal_keys: tuple[Ed25519PrivateKey, ...] = (LOG_KEY,)
    note_key: Ed25519PrivateKey = LOG_KEY
    note_origin: str = ORIGIN
    origin: str = ORIGIN
    sealed_event: Callable[[dict[str, Any]], dict[str, Any]] = lambda fields: fields
    edit_log: Callable[[Log], None] = lambda log: None
    verifier: bytes = b"<!doctype html><title>Verify</title>\n"
    stamp: Callable[[str], bytes] | None = None

    def files(self) -> dict[str, Content]:
        """The bag's files by path."""
        log = Log([hashlib.sha256(bytes([number])).digest() for number in range(5)])
        media = [_medium(path, content, self.kind) for path, content in self.media.items()]
        events = [_collected(medium) for medium in media] + [_viewed(), *self.events]
        indexes = [log.add(each.entry()) for each in events]
        log.add(hashlib.sha256(b"somebody else's").digest())
        size = len(log.entries)
        info = PackageInfo(
            id=PACKAGE_ID,
            made_at="2026-11-22T07:19:05Z",
            force="Metropolitan Example Constabulary",
            exhibit="AB/1",
            case="R v Example",
            purpose="Disclosure to the defence",
            recipient="Example & Söhne LLP",
            media=tuple(media),
        )
        custody = Custody(
            log.checkpoint(self.custody_keys, origin=self.origin),
            self.keys,
            self.witnesses,
            tuple(ProvenEvent(at, tuple(log.proof(at, size)), each) for at, each in zip(indexes, events, strict=True)),
            log.anchor(self.stamp, self.origin, size) if self.stamp else None,
        )
        papers: dict[str, Content] = {path: f"paper {path}\n".encode() for path in bag.PAPERS}
        files: dict[str, Content] = {**self.media, **papers, bag.READ_ME: b"<!doctype html><title>Read</title>\n"}
        sizes = {path: _size(content) for path, content in files.items() if path.startswith(bag.DATA)}
        files |= {
            bag.BAGIT: bag.BAGIT_TEXT.encode(),
            bag.BAG_INFO: info.bag_info(sizes).encode(),
            bag.PACKAGE: info.text().encode(),
            bag.CUSTODY: custody.text().encode(),
            bag.VERIFIER: self.verifier,
        }
        _edit(files, {path: edit for path, edit in self.sealed.items() if path != bag.MANIFEST})
        for manifest, wanted in ((bag.MANIFEST, True), (bag.TAG_MANIFEST, False)):
            hashes = {path: _hash(content) for path, content in files.items() if path.startswith(bag.DATA) == wanted}
            files[manifest] = bag.write_manifest(hashes).encode()
            _edit(files, {path: edit for path, edit in self.sealed.items() if path == manifest})
        files[bag.SEAL] = self._seal(log, _hash(files[bag.TAG_MANIFEST]))
        _edit(files, self.tampered)
        return files

    def _seal(self, log: Log, tag_hash: str) -> bytes:
        note = SealNote(PACKAGE_ID, tag_hash)
        fields = {
            "tag": bag.SEALED_TAG,
            "operation": "disclosure",
            "at": "2026-11-22T07:20:00Z",
            "actor": "person:7",
            "subject": f"package:{PACKAGE_ID}",
            "also": [],
            "reason": "",
            "detail.tag_manifest_sha256": tag_hash,
        }
        sealed = event(self.sealed_event(fields))
        index = log.add(sealed.entry())
        log.add(hashlib.sha256(b"later").digest())
        self.edit_log(log)
        proof = LogProof(index, tuple(log.proof(index)), log.checkpoint(self.seal_keys, origin=self.origin))
        return Seal(sign_note(note.text(), self.note_origin, self.note_key), sealed, proof).text().encode()

    def zip(self) -> bytes:
        """The package."""
        target = io.BytesIO()
        write_zip(target, self.files())
        return target.getvalue()


def write_zip(target: BinaryIO, files: Mapping[str, Content], top: str = "AB-1 package") -> None:
    """The bag as a ZIP file, in the files' order."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for path, content in files.items():
            info = zipfile.ZipInfo(f"{top}/{path}", MOMENT)
            info.file_size = _size(content)
            with archive.open(info, "w", force_zip64=isinstance(content, Repeated)) as entry:
                for piece in _pieces(content):
                    entry.write(piece)


class Unseekable(io.RawIOBase):
    """Makes `zipfile` write data descriptors, as whoever streams a package does."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.parts.append(bytes(data))
        return len(data)


def streamed_zip(files: Mapping[str, Content], **more: Any) -> bytes:
    """The bag as a ZIP file with data descriptors."""
    target = Unseekable()
    write_zip(target, files, **more)
    return b"".join(target.parts)


def _nodes(leaves: list[bytes], nodes: Iterable[tuple[int, int]]) -> list[bytes]:
    return [root(leaves[at << level : (at + 1) << level]) for level, at in nodes]


def _medium(path: str, content: Content, kind: str) -> Medium:
    return Medium(path, RECORDING_ID, _hash(content), _size(content), kind)


def _collected(medium: Medium) -> DisclosedEvent:
    return event(
        {
            "tag": bag.COLLECTED_TAG,
            "operation": "collection",
            "at": "2026-11-20T22:10:00Z",
            "actor": "dock:3",
            "subject": f"recording:{medium.recording}",
            "also": ["camera:BL-0001"],
            "reason": "",
            "detail.sha256": medium.sha256,
            "detail.size": medium.size,
            "detail.wearer": None,
        }
    )


def _viewed() -> DisclosedEvent:
    """An event one of whose fields was erased, with a text that is not ASCII and a nested value."""
    whole = event(
        {
            "tag": "recording.viewed",
            "operation": "consultation",
            "at": "2026-11-21T09:00:00.25Z",
            "actor": "person:7",
            "subject": f"recording:{RECORDING_ID}",
            "also": [],
            "reason": "Beschwerde – 苦情 – 😀",
            "detail.ranges": [{"from": 0, "to": 90}, {"from": -1, "to": 9007199254740991}],
            "detail.note": "to be erased",
        }
    )
    erased = {"detail.note": commitment(whole, "detail.note")}
    keep = [name for name in whole.fields if name not in erased]
    return DisclosedEvent(
        {name: whole.fields[name] for name in keep}, {name: whole.salts[name] for name in keep}, erased
    )


def commitment(whole: DisclosedEvent, name: str) -> bytes:
    return commit_field(name, whole.fields[name], whole.salts[name])


def _edit(files: dict[str, Content], edits: Mapping[str, Edit]) -> None:
    for path, edit in edits.items():
        content = files.get(path, b"")
        assert isinstance(content, bytes)
        files[path] = edit(content)


def _pieces(content: Content) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    for _ in range(content.times):
        yield content.block


def _size(content: Content) -> int:
    return len(content) if isinstance(content, bytes) else len(content.block) * content.times


def _hash(content: Content) -> str:
    digest = hashlib.sha256()
    for piece in _pieces(content):
        digest.update(piece)
    return digest.hexdigest()
