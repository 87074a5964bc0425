"""An independent witness (C2SP tlog-witness): it cosigns a log's checkpoints as long as each continues the one before.

Rules and storage, without HTTP (see `bluelamp.cli.witness`). What a witness promises is kept in one SQLite file: the
latest tree that it cosigned of each log. It is on disk before a cosignature leaves, so that after a power cut the
witness still refuses what contradicts it. A refused checkpoint with a log's genuine signature is kept, beside what it
contradicts: it may be the proof that the log showed different histories to different people.
"""

import base64
import hashlib
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bluelamp.formats.add_checkpoint import SIZE_TYPE, Submission
from bluelamp.formats.checkpoint import Checkpoint
from bluelamp.formats.cosignature import WitnessKey, cosign
from bluelamp.formats.ed25519 import signature_is_good
from bluelamp.formats.errors import FormatError
from bluelamp.formats.merkle import EMPTY_ROOT
from bluelamp.formats.proofs import HistoryRewritten, ProofError, verify_consistency
from bluelamp.formats.signed_note import VerifierKey, split_note

MOST_BODY_BYTES = 128 * 1024
"""Room for 63 hashes and a checkpoint with 16 signatures of the largest kind (C2SP signed-note)."""

FORK = "fork"
"""The refused checkpoint and the one beside it contradict each other: the log signed two histories."""
UNPROVEN = "unproven"
"""It was not shown to continue what was cosigned. Anybody can send a genuine checkpoint with a wrong proof."""

_KEEP_COSIGNED = 100_000
_KEEP_REFUSED = 200
_TIDY_EVERY = 1000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS identity (vkey TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS cosigned (
    origin TEXT NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL, note TEXT NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (origin, size)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS refused (
    id INTEGER PRIMARY KEY, origin TEXT NOT NULL, digest BLOB NOT NULL, kind TEXT NOT NULL, why TEXT NOT NULL,
    size INTEGER NOT NULL, root BLOB NOT NULL, note TEXT NOT NULL, proof TEXT NOT NULL, known TEXT NOT NULL,
    first_at INTEGER NOT NULL, last_at INTEGER NOT NULL, times INTEGER NOT NULL, UNIQUE (origin, digest, kind)
);
"""


class WitnessError(Exception):
    """The witness cannot work with its folder; the message says why."""


@dataclass(frozen=True)
class Answer:
    """What is answered to whoever sent a checkpoint: HTTP status and text. `fork`: it contradicts what was cosigned."""

    status: int
    text: str
    content_type: str = "text/plain; charset=utf-8"
    fork: bool = False


@dataclass(frozen=True)
class Cosigned:
    """A tree that the witness cosigned. `at`: seconds since 1970. `note` has the log's signature and the witness's."""

    size: int
    root: bytes
    note: str
    at: int


@dataclass(frozen=True)
class Refused:
    """A checkpoint with a log's genuine signature that was not cosigned, and the cosigned one beside it ("" if none).

    `proof`: the consistency proof as it came, its first line `old <size>`. Times in seconds since 1970.
    """

    origin: str
    kind: str
    why: str
    size: int
    note: str
    proof: str
    known: str
    first_at: int
    last_at: int
    times: int


@dataclass(frozen=True)
class Standing:
    """A witnessed log: its keys as vkeys, the latest cosigned tree, and how many checkpoints are kept as refused."""

    origin: str
    keys: tuple[str, ...]
    latest: Cosigned | None
    forks: int
    unproven: int


@dataclass(frozen=True)
class _Refusal:
    answer: Answer
    why: str
    against: Cosigned | None

    @property
    def kind(self) -> str:
        return FORK if self.answer.fork else UNPROVEN


class Witness:
    """One witness with its state in the SQLite file `database`. May be called from several threads and processes.

    `logs`: the trusted keys; a log's keys carry its origin as their name, several keys of one name are one log's.
    Raises WitnessError where the file belongs to a witness of another name or key.
    """

    def __init__(self, database: Path, name: str, key: Ed25519PrivateKey, logs: Sequence[VerifierKey] = ()) -> None:
        self.vkey = str(WitnessKey(name, key.public_key()))
        self._name = name
        self._key = key
        self._logs: dict[str, list[VerifierKey]] = {}
        for log in logs:
            self._logs.setdefault(log.name, []).append(log)
        self._lock = threading.Lock()
        self._until_tidy = 0
        self._connection = sqlite3.connect(database, timeout=10, isolation_level=None, check_same_thread=False)
        # With a write-ahead log, FULL has every commit on disk before it returns.
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.executescript(_SCHEMA)
        with self._transaction() as rows:
            known = rows.execute("SELECT vkey FROM identity").fetchone()
            if known is None:
                rows.execute("INSERT INTO identity VALUES (?)", [self.vkey])
        if known is not None and known[0] != self.vkey:
            self._connection.close()
            raise WitnessError(f"{database} belongs to the witness {known[0]}, not to {self.vkey}.")

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def add_checkpoint(self, body: bytes, now: int) -> Answer:
        """Answer a request to cosign, at `now` (seconds since 1970). The numbers are the steps of tlog-witness."""
        # 1. The request has the right form.
        try:
            submission = Submission.parse(body)
            text, lines = split_note(submission.note)
            checkpoint = Checkpoint.parse(text)
        except FormatError as error:
            return Answer(400, f"{error}\n")
        # 2. The log is known, and the signature is its own.
        keys = self._logs.get(checkpoint.origin)
        if keys is None:
            return Answer(404, "This witness does not know that log.\n")
        genuine = _genuine(text, lines, keys)
        if not genuine:
            return Answer(403, "The checkpoint carries no good signature by a trusted key of the log.\n")
        note = f"{text}\n{''.join(genuine)}"
        with self._transaction() as rows:
            # 3. It continues the tree that was cosigned last; looked up and recorded in one transaction.
            latest = _latest(rows, checkpoint.origin)
            same_size = _cosigned(rows, checkpoint.origin, checkpoint.size)
            refusal = _judge(submission, checkpoint, latest, same_size)
            if refusal is not None:
                _keep(rows, refusal, submission, checkpoint, note, now)
                return refusal.answer
            # 4. It is recorded, and only then cosigned.
            line = cosign(text, self._name, self._key, now)
            rows.execute(
                "INSERT OR REPLACE INTO cosigned VALUES (?, ?, ?, ?, ?)",
                [checkpoint.origin, checkpoint.size, checkpoint.root, note + line, now],
            )
            rows.execute(
                "DELETE FROM refused WHERE origin = ? AND kind = ? AND size = ? AND root = ?",
                [checkpoint.origin, UNPROVEN, checkpoint.size, checkpoint.root],
            )
            self._tidy(rows, checkpoint.origin)
        return Answer(200, line)

    def latest(self, origin_hash: str) -> Cosigned | None:
        """The latest cosigned tree of the log whose origin has this SHA-256 (hex); None where there is none."""
        for origin in self._logs:
            if hashlib.sha256(origin.encode()).hexdigest() == origin_hash:
                with self._transaction() as rows:
                    return _latest(rows, origin)
        return None

    def standing(self) -> list[Standing]:
        """What is witnessed: each configured log, and each that was cosigned in former times (then without keys)."""
        with self._transaction() as rows:
            origins = [origin for (origin,) in rows.execute("SELECT DISTINCT origin FROM cosigned ORDER BY origin")]
            found = []
            for origin in [*self._logs, *(origin for origin in origins if origin not in self._logs)]:
                kinds = dict(
                    rows.execute("SELECT kind, count(*) FROM refused WHERE origin = ? GROUP BY kind", [origin])
                )
                keys = tuple(map(str, self._logs.get(origin, [])))
                latest = _latest(rows, origin)
                found.append(Standing(origin, keys, latest, kinds.get(FORK, 0), kinds.get(UNPROVEN, 0)))
        return found

    def refused(self) -> list[Refused]:
        """The evidence: forks first, then what was not proven; newest first."""
        with self._transaction() as rows:
            kept = rows.execute(
                "SELECT origin, kind, why, size, note, proof, known, first_at, last_at, times FROM refused "
                "ORDER BY kind, last_at DESC, id DESC"
            )
            return [Refused(*row) for row in kept]

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            # IMMEDIATE: nobody else writes between what is read here and what is written.
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def _tidy(self, rows: sqlite3.Connection, origin: str) -> None:
        self._until_tidy -= 1
        if self._until_tidy > 0:
            return
        self._until_tidy = _TIDY_EVERY
        rows.execute(
            "DELETE FROM cosigned WHERE origin = ? AND size <= "
            "(SELECT size FROM cosigned WHERE origin = ? ORDER BY size DESC LIMIT 1 OFFSET ?)",
            [origin, origin, _KEEP_COSIGNED],
        )


def identity(database: Path) -> str | None:
    """The vkey of the witness whose state is in `database`; None where there is none yet."""
    if not database.exists():
        return None
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)
    try:
        found = connection.execute("SELECT vkey FROM identity").fetchone()
    except sqlite3.DatabaseError as error:
        raise WitnessError(f"{database} cannot be read: {error}") from error
    finally:
        connection.close()
    return found[0] if found else None


def _genuine(text: str, lines: list[tuple[str, bytes]], keys: Sequence[VerifierKey]) -> list[str]:
    """The signature lines by the log's keys, rewritten; none where one of them is false (C2SP signed-note)."""
    found = []
    for name, blob in lines:
        for key in keys:
            if name == key.name and blob[:4] == key.key_hash:
                if not signature_is_good(key.key, blob[4:], text.encode()):
                    return []
                found.append(f"— {name} {base64.b64encode(blob).decode('ascii')}\n")
    return found


def _judge(
    submission: Submission, checkpoint: Checkpoint, latest: Cosigned | None, same_size: Cosigned | None
) -> _Refusal | None:
    """Why a genuinely signed checkpoint is not cosigned; None where it is. `same_size`: cosigned before, as large."""
    size, root = (latest.size, latest.root) if latest else (0, EMPTY_ROOT)
    # Two roots of one size are a fork, whatever else is wrong with the request.
    contradicts = ""
    if same_size is not None and same_size.root != checkpoint.root:
        contradicts, latest = f"Two different trees of {checkpoint.size} leaves were signed.", same_size
    elif checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
        contradicts = "A tree without leaves was signed with the root of another."

    def refuse(answer: Answer, why: str, *, fork: bool = False) -> _Refusal:
        return _Refusal(replace(answer, fork=fork or bool(contradicts)), contradicts or why, latest)

    if submission.old > checkpoint.size:
        why = "It came with an old size larger than its own."
        return refuse(Answer(400, f"{why}\n"), why)
    if submission.old != size:
        why = f"It came as if {submission.old} leaves had been cosigned last, not {size}."
        return refuse(Answer(409, f"{size}\n", SIZE_TYPE), why)
    if contradicts:
        return refuse(Answer(422, f"{contradicts}\n"), contradicts)
    try:
        verify_consistency(size, checkpoint.size, submission.proof, root, checkpoint.root)
    except ProofError as error:
        return refuse(Answer(422, f"{error}\n"), str(error), fork=isinstance(error, HistoryRewritten))
    return None


def _keep(
    rows: sqlite3.Connection, refusal: _Refusal, submission: Submission, checkpoint: Checkpoint, note: str, now: int
) -> None:
    """Record the refused checkpoint, unless it is one that was cosigned. Of what proves nothing the newest are kept."""
    if _is_cosigned(rows, checkpoint):
        return
    digest = hashlib.sha256(note.encode()).digest()
    proof = submission.body()[: -len(submission.note.encode())].decode()
    again = rows.execute(
        "UPDATE refused SET times = times + 1, last_at = ?, why = ? WHERE origin = ? AND digest = ? AND kind = ?",
        [now, refusal.why, checkpoint.origin, digest, refusal.kind],
    )
    if again.rowcount:
        return
    (count,) = rows.execute(
        "SELECT count(*) FROM refused WHERE origin = ? AND kind = ?", [checkpoint.origin, refusal.kind]
    ).fetchone()
    if count >= _KEEP_REFUSED:
        if refusal.kind == FORK:
            return
        rows.execute(
            "DELETE FROM refused WHERE id = (SELECT min(id) FROM refused WHERE origin = ? AND kind = ?)",
            [checkpoint.origin, refusal.kind],
        )
    rows.execute(
        "INSERT INTO refused (origin, digest, kind, why, size, root, note, proof, known, first_at, last_at, times) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)",
        [
            *(checkpoint.origin, digest, refusal.kind, refusal.why, checkpoint.size, checkpoint.root, note, proof),
            *(refusal.against.note if refusal.against else "", now, now),
        ],
    )


def _is_cosigned(rows: sqlite3.Connection, checkpoint: Checkpoint) -> bool:
    known = _cosigned(rows, checkpoint.origin, checkpoint.size)
    return known is not None and known.root == checkpoint.root


def _latest(rows: sqlite3.Connection, origin: str) -> Cosigned | None:
    return _one(
        rows.execute(
            "SELECT size, root, note, at FROM cosigned WHERE origin = ? ORDER BY size DESC LIMIT 1", [origin]
        ).fetchone()
    )


def _cosigned(rows: sqlite3.Connection, origin: str, size: int) -> Cosigned | None:
    return _one(
        rows.execute(
            "SELECT size, root, note, at FROM cosigned WHERE origin = ? AND size = ?", [origin, size]
        ).fetchone()
    )


def _one(row: Any) -> Cosigned | None:
    return Cosigned(*row) if row else None
