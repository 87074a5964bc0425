"""A monitor of a transparency log, from outside: does it grow, does it keep its history, is it what its tiles say?

Whoever runs it needs the log's public key and nothing else of the force: no account, no database. Between two looks it
remembers the last checkpoint that it verified, and the edge of the tree that it rebuilt from the entries.
"""

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice

from bluelamp.formats.add_checkpoint import WitnessAddress
from bluelamp.formats.checkpoint import Checkpoint
from bluelamp.formats.cosignature import CosignatureError, WitnessKey, cosignatures
from bluelamp.formats.errors import FormatError
from bluelamp.formats.log_proof import verify_checkpoint
from bluelamp.formats.merkle import HASH_SIZE, leaf_hash
from bluelamp.formats.proofs import ProofError, prove_consistency, tree_root, verify_consistency
from bluelamp.formats.signed_note import NoteError, VerifierKey, split_note
from bluelamp.formats.tiles import WIDTH, Tile, TileError, TileNodes, read_bundle
from bluelamp.verify.edge import Edge
from bluelamp.verify.fetching import Answer, TooLarge, Unreachable, fetch

MOST_CHECKPOINT_BYTES = 256 * 1024
_MOST_BUNDLE_BYTES = WIDTH * (2 + 65535)
_SECONDS = 30.0
_AT_ONCE = 4
_AHEAD = 64
_TRIES = 3
_MOST_FINDINGS = 10
# What a log answers when it is overloaded or away, which says nothing about the tile.
_TRY_LATER = {408, 425, 429}


@dataclass(frozen=True)
class Finding:
    """Something to shout about. `kind` is one word; `evidence` names texts, such as both checkpoints of a fork."""

    kind: str
    words: str
    evidence: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Covered:
    """How far a witness's cosignatures were seen to reach, and the first tree since when (seconds) they do not."""

    size: int = 0
    waiting_size: int | None = None
    waiting_since: int = 0


@dataclass(frozen=True)
class Memory:
    """What is kept between looks. `grown_at`: when a larger tree was first seen, seconds since 1970.

    `edge` is None where the entries are not read. `witnesses` has a `Covered` for each vkey.
    """

    note: str
    grown_at: int
    edge: Edge | None
    witnesses: dict[str, Covered]


@dataclass(frozen=True)
class Look:
    """What one look found. `unknown`: why nothing, or not all, could be told; `remarks`: worth saying, no alarm."""

    memory: Memory | None
    checkpoint: Checkpoint | None
    findings: tuple[Finding, ...] = ()
    unknown: str = ""
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Follower:
    """How a log is followed: its address (the prefix of `/checkpoint` and `/tile/`), keys of one origin, and limits.

    `witnesses`: keys whose cosignatures are expected, and with an address those that are asked themselves.
    `entries`: every entry is read and the tree rebuilt; else only what a proof of consistency needs. `recheck`: seconds
    until an older checkpoint than one already seen is looked at again, since a cache may hold it for a moment.
    """

    url: str
    keys: tuple[VerifierKey, ...]
    witnesses: tuple[WitnessKey | WitnessAddress, ...] = ()
    stall_seconds: int = 24 * 3600
    cosign_seconds: int = 15 * 60
    entries: bool = True
    recheck: float = 5.0
    pause: Callable[[float], None] = time.sleep

    def look(self, memory: Memory | None, now: int) -> Look:
        """Look once, at `now` (seconds since 1970), with what former looks remembered."""
        known = verify_checkpoint(memory.note, self.keys) if memory else None
        try:
            found = _Visit(self, memory, known).go(now)
        except _Alarm as alarm:
            found = Look(memory, None, (alarm.finding,))
        except Unreachable as error:
            found = Look(memory, None, unknown=str(error))
        stalled = self._stalled(found.memory, now)
        return replace(found, findings=(*found.findings, stalled)) if stalled and not found.unknown else found

    def _stalled(self, memory: Memory | None, now: int) -> Finding | None:
        if memory is None or now - memory.grown_at <= self.stall_seconds:
            return None
        minutes = (now - memory.grown_at) // 60
        return Finding("stall", f"The log has not grown for {minutes:,} minutes.", {"remembered": memory.note})


class _Alarm(Exception):
    def __init__(self, kind: str, words: str, **evidence: str) -> None:
        super().__init__(words)
        self.finding = Finding(kind, words, evidence)


class _Visit:
    """One look. The numbers are the steps of docs/guides/monitoring.md."""

    def __init__(self, follower: Follower, memory: Memory | None, known: Checkpoint | None) -> None:
        self._by = follower
        self._memory = memory
        self._known = known
        self._remarks: list[str] = []

    def go(self, now: int) -> Look:
        # 1. The witnesses come first, so that the log has had the time to show what they cosigned.
        others = list(self._from_witnesses())
        # 2. The log's checkpoint carries its signature, and is not older than what was seen before.
        least = max([self._known.size if self._known else 0, *(other.size for _, other in others)])
        note, checkpoint = self._checkpoint()
        if checkpoint.size < least:
            self._by.pause(self._by.recheck)
            note, checkpoint = self._checkpoint()
        self._refuse_older(note, checkpoint, others)
        others += self._cosigned_by_log()
        # 3. Everything that the log signed is of one history.
        nodes = TileNodes(checkpoint.size, self._tile)
        findings = []
        if self._memory and self._known:
            findings += self._one_history((self._memory.note, self._known), (note, checkpoint), nodes)
        for other in others:
            if other[1].size <= checkpoint.size:
                findings += self._one_history(other, (note, checkpoint), nodes)
        # 4. The entries give the root, and the tiles are what the entries give.
        edge = self._memory.edge if self._memory else None
        if self._by.entries and not any(finding.kind == "fork" for finding in findings):
            edge = edge.copy() if edge else Edge()
            rebuilt = self._rebuild(edge, checkpoint)
            # The rebuilding names the tile by which a proof of consistency failed.
            findings = rebuilt or findings
        elif not self._by.entries:
            edge = None
        if findings:
            return Look(self._memory, checkpoint, tuple(findings[:_MOST_FINDINGS]), remarks=tuple(self._remarks))
        # 5. The witnesses keep up.
        covered, late = self._coverage([(note, checkpoint), *others], checkpoint.size, now)
        grown = self._memory is None or self._known is None or checkpoint.size > self._known.size
        grown_at = now if grown or self._memory is None else self._memory.grown_at
        memory = Memory(note, grown_at, edge, covered)
        return Look(memory, checkpoint, tuple(late), remarks=tuple(self._remarks))

    def _from_witnesses(self) -> Iterator[tuple[str, Checkpoint]]:
        digest = hashlib.sha256(self._by.keys[0].name.encode()).hexdigest()
        for witness in self._by.witnesses:
            if not isinstance(witness, WitnessAddress):
                continue
            try:
                answer = _fetch(f"{witness.url}/{digest}/checkpoint", MOST_CHECKPOINT_BYTES)
                if answer.status == 404:
                    self._remarks.append(f"The witness {witness.key.name} has not cosigned a checkpoint of this log.")
                    continue
                note = answer.body.decode()
                checkpoint = verify_checkpoint(note, self._by.keys)
                if not cosignatures(note, [witness.key]):
                    raise CosignatureError("its checkpoint is not cosigned by itself")
            except (Unreachable, FormatError, UnicodeDecodeError) as error:
                self._remarks.append(f"The witness {witness.key.name} could not be asked: {error}")
            else:
                yield note, checkpoint

    def _checkpoint(self) -> tuple[str, Checkpoint]:
        answer = self._get("checkpoint", MOST_CHECKPOINT_BYTES)
        if answer.status != 200:
            raise Unreachable(f"{self._by.url}/checkpoint answers {answer.status}.")
        return self._trusted(answer, "checkpoint")

    def _cosigned_by_log(self) -> list[tuple[str, Checkpoint]]:
        """The latest checkpoint with all cosignatures, where the log serves one apart; not part of tlog-tiles."""
        if not self._by.witnesses:
            return []
        answer = self._get("checkpoint/cosigned", MOST_CHECKPOINT_BYTES)
        return [self._trusted(answer, "checkpoint/cosigned")] if answer.status == 200 else []

    def _trusted(self, answer: Answer, name: str) -> tuple[str, Checkpoint]:
        try:
            note = answer.body.decode()
            split_note(note)
        except (UnicodeDecodeError, NoteError):
            # A portal's page, say.
            raise Unreachable(f"What {self._by.url}/{name} serves is no checkpoint.") from None
        try:
            checkpoint = verify_checkpoint(note, self._by.keys)
        except FormatError as error:
            raise _Alarm(
                "signature", f"The checkpoint that is served cannot be trusted: {error}", served=note
            ) from error
        return note, checkpoint

    def _refuse_older(self, note: str, checkpoint: Checkpoint, others: Sequence[tuple[str, Checkpoint]]) -> None:
        if self._memory and self._known and checkpoint.size < self._known.size:
            raise _Alarm(
                "rollback",
                f"The log was rolled back: it serves {checkpoint.size:,} events, and had shown {self._known.size:,}.",
                **{"seen before": self._memory.note, "served now": note},
            )
        for other, shown in others:
            if checkpoint.size < shown.size:
                raise _Alarm(
                    "behind",
                    f"The log serves {checkpoint.size:,} events here, and has shown {shown.size:,} to a witness.",
                    **{"shown to the witness": other, "served here": note},
                )

    def _one_history(
        self, earlier: tuple[str, Checkpoint], later: tuple[str, Checkpoint], nodes: TileNodes
    ) -> list[Finding]:
        """Whether the later tree continues the earlier one. Tiles are believed only as far as they give its root."""
        (old_note, old), (new_note, new) = earlier, later
        if old.size == 0:
            return []
        try:
            proof = prove_consistency(old.size, new.size, nodes)
            first = tree_root(old.size, nodes) if old.size < new.size else new.root
            verify_consistency(old.size, new.size, proof, first, new.root)
        except (ProofError, TileError) as error:
            words = f"The tiles that are served do not lead to the checkpoint of {new.size:,} events: {error}"
            return [Finding("tile", words, {"checkpoint": new_note})]
        if first == old.root:
            return []
        evidence = {"one history": old_note, "another history": new_note}
        if proof:
            evidence["proof"] = "\n".join(value.hex() for value in (first, *proof))
        words = f"FORK: the log signed two histories. Its first {old.size:,} events are not those that it had signed."
        return [Finding("fork", words, evidence)]

    def _rebuild(self, edge: Edge, checkpoint: Checkpoint) -> list[Finding]:
        """Continue `edge` by what is served, to the checkpoint's tree, and compare every tile on the way."""
        findings: list[Finding] = []
        if edge.size == checkpoint.size and edge.root() == checkpoint.root:
            return findings
        numbers = range(edge.size // WIDTH, -(-checkpoint.size // WIDTH))
        read = partial(self._bundle_and_tile, checkpoint.size)
        for tile, entries, served in _ahead(read, numbers):
            leaves = [leaf_hash(entry) for entry in entries]
            known = edge.leaves if tile.index == numbers.start else []
            if leaves[: len(known)] != known:
                findings.append(Finding("entries", f"{_entries(tile)} has changed since it was read before."))
            if b"".join(leaves) != served:
                findings.append(Finding("tile", f"{_entries(tile)} and {tile.path} do not fit each other."))
            for above, content in edge.extend(leaves[len(known) :]):
                findings += self._compare(above, content)
        for above, content in edge.partial():
            findings += self._compare(above, content)
        if edge.root() != checkpoint.root:
            words = f"The {checkpoint.size:,} entries that are served do not give the root that the log signed."
            findings.insert(0, Finding("entries", words))
        return findings

    def _compare(self, tile: Tile, content: bytes) -> list[Finding]:
        if tile.level == 0 or self._tile(tile) == content:
            return []
        return [Finding("tile", f"{tile.path} is not what the entries below it give.")]

    def _bundle_and_tile(self, size: int, index: int) -> tuple[Tile, list[bytes], bytes]:
        tile = Tile(0, index, min(WIDTH, size - index * WIDTH))
        bundle = replace(tile, level=-1)
        content, width = self._resource(bundle, _MOST_BUNDLE_BYTES)
        try:
            entries = read_bundle(content, width)[: tile.width]
        except TileError as error:
            raise _Alarm("entries", f"{bundle.path}: {error}") from error
        return tile, entries, self._tile(tile)

    def _tile(self, tile: Tile) -> bytes:
        content, width = self._resource(tile, WIDTH * HASH_SIZE)
        # One of the wrong length is left as it is, and found to be wrong.
        return content[: tile.width * HASH_SIZE] if len(content) == width * HASH_SIZE else content

    def _resource(self, tile: Tile, most: int) -> tuple[bytes, int]:
        """What is served as the tile, and its width: the full one may have taken a partial one's place meanwhile."""
        width = tile.width
        try:
            answer = self._get(tile.path, most)
            if answer.status != 200 and width < WIDTH:
                answer, width = self._get(tile.full.path, most), WIDTH
        except TooLarge as error:
            raise _Alarm("tile", f"{tile.path}: {error}") from error
        if answer.status == 200:
            return answer.body, width
        raise _Alarm("missing", f"{tile.path}, which belongs to the checkpoint, is not served ({answer.status}).")

    def _get(self, name: str, most: int) -> Answer:
        url = f"{self._by.url}/{name}"
        failure = Unreachable(f"{url} was not asked for.")
        for again in range(_TRIES):
            try:
                answer = _fetch(url, most)
                if answer.status < 500 and answer.status not in _TRY_LATER:
                    return answer
                failure = Unreachable(f"{url} answers {answer.status}.")
            except TooLarge:
                raise
            except Unreachable as error:
                failure = error
            if again + 1 < _TRIES:
                self._by.pause(2.0**again)
        raise failure

    def _coverage(
        self, notes: Sequence[tuple[str, Checkpoint]], size: int, now: int
    ) -> tuple[dict[str, Covered], list[Finding]]:
        """How far each witness's cosignatures reach, and which of them is late."""
        covered, findings = {}, []
        for witness in self._by.witnesses:
            key = witness.key if isinstance(witness, WitnessAddress) else witness
            before = self._memory.witnesses.get(str(key), Covered()) if self._memory else Covered()
            reach = before.size
            for note, checkpoint in notes:
                try:
                    if cosignatures(note, [key]):
                        reach = max(reach, checkpoint.size)
                except FormatError as error:
                    findings.append(Finding("cosignature", str(error), {"served": note}))
            covered[str(key)] = after = _reached(before, reach, size, now)
            if after.waiting_size is not None and now - after.waiting_since > self._by.cosign_seconds:
                minutes = (now - after.waiting_since) // 60
                words = (
                    f"The witness {key.name} has not cosigned the {after.waiting_size:,} events that the log showed "
                    f"{minutes:,} minutes ago; its cosignatures reach to {reach:,}."
                )
                findings.append(Finding("cosignature", words))
        return covered, findings


def _reached(before: Covered, reach: int, size: int, now: int) -> Covered:
    waiting, since = before.waiting_size, before.waiting_since
    if waiting is not None and reach >= waiting:
        waiting = None
    if waiting is None and reach < size:
        waiting, since = size, now
    return Covered(reach, waiting, since)


def _ahead(
    read: Callable[[int], tuple[Tile, list[bytes], bytes]], numbers: range
) -> Iterator[tuple[Tile, list[bytes], bytes]]:
    """What `read` returns for each number, in order; a few are read at once, and not too many kept."""
    waiting = iter(numbers)
    with ThreadPoolExecutor(_AT_ONCE, "follow") as pool:
        while batch := list(islice(waiting, _AHEAD)):
            yield from pool.map(read, batch)


def _entries(tile: Tile) -> str:
    return replace(tile, level=-1).path


def _fetch(url: str, most: int) -> Answer:
    return fetch(url, most=most, seconds=_SECONDS)
