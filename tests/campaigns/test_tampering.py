"""Thousands of single changes to a ledger by somebody who owns the database: who notices which?

Two verifiers look after each change: the auditor, with access to the database and the published key (`bluelamp verify
--database`), and the outsider, who remembers a cosigned checkpoint and sees only what the log publishes (`bluelamp
verify --follow`). What each must catch of each class is written in the table below, which the guide
docs/guides/who-notices-what.md repeats. An untouched ledger raises no alarm. CAMPAIGN_SEED replays a campaign.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import connection, connections, transaction
from django.test import Client
from psycopg.conninfo import make_conninfo

from bluelamp import custody
from bluelamp.custody import keys, proving, sequencer
from bluelamp.custody.models import CustodyCosignature
from bluelamp.custody.verification import verify_ledger
from bluelamp.formats import merkle, signed_note
from bluelamp.formats.checkpoint import Checkpoint
from bluelamp.formats.cosignature import WitnessKey, cosign
from bluelamp.formats.signed_note import VerifierKey
from bluelamp.kernel import clock
from bluelamp.people.events import SignedIn
from bluelamp.verify import follow
from bluelamp.verify.fetching import Answer

AUDITOR, OUTSIDER = "auditor", "outsider"
EVENTS_BEFORE, EVENTS_AFTER = 520, 90  # a witness cosigned between them
_WITNESS = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
NOW = 1_800_000_000


@dataclass(frozen=True)
class Change:
    """A class of changes. `caught_by` must notice every one of it."""

    name: str
    caught_by: frozenset[str]
    make: Callable[[random.Random, Any], str]


def _index(chance: random.Random) -> int:
    """A leaf, half of the time one that the witness has cosigned."""
    return chance.randrange(EVENTS_BEFORE if chance.random() < 0.5 else EVENTS_BEFORE + EVENTS_AFTER)


def _one(cursor: Any, sql: str, *values: Any) -> Any:
    cursor.execute(sql, values)
    return cursor.fetchone()[0]


def _event(chance: random.Random, cursor: Any) -> int:
    return int(_one(cursor, "SELECT event_id FROM custody_leaf WHERE index = %s", _index(chance)))


def _flip(cursor: Any, chance: random.Random, table: str, column: str, key: str, value: Any) -> str:
    """Change one bit of one byte in a column of bytes."""
    size = _one(cursor, f"SELECT length({column}) FROM {table} WHERE {key}", *value)
    at, bit = chance.randrange(size), 1 << chance.randrange(8)
    cursor.execute(
        f"UPDATE {table} SET {column} = set_byte({column}, {at}, get_byte({column}, {at}) # {bit}) WHERE {key}",
        value,
    )
    return f"{table}.{column}, bit {bit} of byte {at}, where {key} {value}"


def entry(chance: random.Random, cursor: Any) -> str:
    return _flip(cursor, chance, "custody_event", "entry", "id = %s", [_event(chance, cursor)])


def stored(chance: random.Random, cursor: Any) -> str:
    return _flip(cursor, chance, "custody_detail", "stored", "event_id = %s", [_event(chance, cursor)])


def listing(chance: random.Random, cursor: Any) -> str:
    event = _event(chance, cursor)
    what = chance.choice(
        [
            "custody_event SET tag = tag || 'x' WHERE id",
            "custody_event SET at = at + interval '1 microsecond' WHERE id",
            "custody_detail SET actor = actor || '0' WHERE event_id",
            "custody_detail SET actor = '' WHERE event_id",
            "custody_detail SET subject = subject || '0' WHERE event_id",
            "custody_detail SET also = also || '{x:1}' WHERE event_id",
        ]
    )
    cursor.execute(f"UPDATE {what} = {event}")
    return f"{what} = {event}"


def swap_details(chance: random.Random, cursor: Any) -> str:
    first, second = _event(chance, cursor), _event(chance, cursor)
    while second == first:
        second = _event(chance, cursor)
    cursor.execute(
        "UPDATE custody_detail d SET (stored, actor, subject, also) = (o.stored, o.actor, o.subject, o.also) "
        "FROM custody_detail o WHERE (d.event_id, o.event_id) IN ((%s, %s), (%s, %s))",
        [first, second, second, first],
    )
    return f"what events {first} and {second} say"


def delete_row(chance: random.Random, cursor: Any) -> str:
    event = _event(chance, cursor)
    what = chance.choice(["custody_event WHERE id", "custody_detail WHERE event_id", "custody_leaf WHERE event_id"])
    cursor.execute(f"DELETE FROM {what} = {event}")
    return f"{what} = {event}"


def delete_event(chance: random.Random, cursor: Any) -> str:
    """With all its rows, and the leaves after it moved up."""
    index = _index(chance)
    event = _one(cursor, "SELECT event_id FROM custody_leaf WHERE index = %s", index)
    cursor.execute("DELETE FROM custody_event WHERE id = %s", [event])
    cursor.execute("DELETE FROM custody_detail WHERE event_id = %s", [event])
    cursor.execute("DELETE FROM custody_leaf WHERE index = %s", [index])
    cursor.execute("UPDATE custody_leaf SET index = -index WHERE index > %s", [index])
    cursor.execute("UPDATE custody_leaf SET index = -index - 1 WHERE index < 0")
    return f"event {event}, leaf {index}"


def reorder(chance: random.Random, cursor: Any) -> str:
    first, second = sorted(chance.sample(range(EVENTS_BEFORE + EVENTS_AFTER), 2))
    cursor.execute("UPDATE custody_leaf SET index = -1 WHERE index = %s", [first])
    cursor.execute("UPDATE custody_leaf SET index = %s WHERE index = %s", [first, second])
    cursor.execute("UPDATE custody_leaf SET index = %s WHERE index = -1", [second])
    return f"leaves {first} and {second}"


def _forged(chance: random.Random) -> int:
    with transaction.atomic():
        made = custody.record(SignedIn(actor="person:66", subject="x", address="::1", second_factor=False))
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM custody_pending WHERE event_id = %s", [made.id])
    return made.id


def insert(chance: random.Random, cursor: Any) -> str:
    """A forged event in the middle, the leaves after it moved down."""
    event, index = _forged(chance), _index(chance)
    cursor.execute("UPDATE custody_leaf SET index = -index - 1 WHERE index >= %s", [index])
    cursor.execute("UPDATE custody_leaf SET index = -index WHERE index < 0")
    cursor.execute("INSERT INTO custody_leaf (index, event_id) VALUES (%s, %s)", [index, event])
    return f"event {event} as leaf {index}"


def append(chance: random.Random, cursor: Any) -> str:
    """A forged event behind the last leaf, without a checkpoint."""
    event = _forged(chance)
    cursor.execute("INSERT INTO custody_leaf SELECT max(index) + 1, %s FROM custody_leaf", [event])
    return f"event {event}"


def dequeue(chance: random.Random, cursor: Any) -> str:
    return f"event {_forged(chance)} out of the queue"


def cut(chance: random.Random, cursor: Any) -> str:
    """The last leaves, whose checkpoints stay."""
    index = EVENTS_BEFORE + EVENTS_AFTER - chance.randint(1, 40)
    cursor.execute("DELETE FROM custody_leaf WHERE index >= %s", [index])
    return f"leaves from {index} on"


def older_backup(chance: random.Random, cursor: Any) -> str:
    """Every table as it was at an earlier checkpoint, which the outsider has seen grow since."""
    size = chance.choice(
        [row for (row,) in _all(cursor, "SELECT size FROM custody_checkpoint WHERE size < %s", EVENTS_BEFORE)]
    )
    cursor.execute(
        "DELETE FROM custody_event WHERE id IN (SELECT event_id FROM custody_leaf WHERE index >= %s)", [size]
    )
    cursor.execute(
        "DELETE FROM custody_detail WHERE event_id IN (SELECT event_id FROM custody_leaf WHERE index >= %s)", [size]
    )
    for table, column in (
        ("custody_leaf", "index >="),
        ("custody_checkpoint", "size >"),
        ("custody_cosignature", "size >"),
    ):
        cursor.execute(f"DELETE FROM {table} WHERE {column} %s", [size])
    cursor.execute("DELETE FROM custody_tile WHERE (index + 1) << (8 * (level + 1)) > %s", [size])
    return f"as of {size}"


def checkpoint(chance: random.Random, cursor: Any) -> str:
    sizes = [row for (row,) in _all(cursor, "SELECT size FROM custody_checkpoint")]
    size = chance.choice(sizes)
    match chance.randrange(6):
        case 0:
            return _flip(cursor, chance, "custody_checkpoint", "root", "size = %s", [size])
        case 1:
            return _flip(cursor, chance, "custody_checkpoint", "frontier", "size = %s", [size])
        case 2:
            note = _one(cursor, "SELECT note FROM custody_checkpoint WHERE size = %s", size)
            at = chance.randrange(len(note))
            changed = note[:at] + ("A" if note[at] != "A" else "B") + note[at + 1 :]
            cursor.execute("UPDATE custody_checkpoint SET note = %s WHERE size = %s", [changed, size])
            return f"character {at} of the note of {size}"
        case 3:
            free = chance.choice([n for n in range(1, EVENTS_BEFORE + EVENTS_AFTER + 50) if n not in sizes])
            cursor.execute("UPDATE custody_checkpoint SET size = %s WHERE size = %s", [free, size])
            return f"size {free} for {size}"
        case 4:
            cursor.execute("UPDATE custody_checkpoint SET previous = previous + 1 WHERE size = %s", [size])
            return f"what came before {size}"
    cursor.execute("DELETE FROM custody_checkpoint WHERE size = %s", [size])
    return f"{size} deleted"


def tile(chance: random.Random, cursor: Any) -> str:
    level, index = chance.choice(_all(cursor, "SELECT level, index FROM custody_tile"))
    if chance.random() < 0.1:
        cursor.execute("DELETE FROM custody_tile WHERE level = %s AND index = %s", [level, index])
        return f"tile {level}/{index} deleted"
    column = chance.choice(["hashes", "hashes", "root"])
    return _flip(cursor, chance, "custody_tile", column, "level = %s AND index = %s", [level, index])


def cosignature(chance: random.Random, cursor: Any) -> str:
    line = _one(cursor, "SELECT line FROM custody_cosignature")
    at = chance.randrange(line.index("AAA") if "AAA" in line else 2, len(line) - 4)
    changed = line[:at] + ("A" if line[at] != "A" else "B") + line[at + 1 :]
    cursor.execute("UPDATE custody_cosignature SET line = %s", [changed])
    return f"character {at} of a cosignature"


def key_list(chance: random.Random, cursor: Any) -> str:
    what = chance.choice(
        [
            "UPDATE custody_log_key SET since_size = since_size + 1",
            "DELETE FROM custody_log_key",
            "INSERT INTO custody_log_key (vkey, since_size, since) VALUES ('"
            + signed_note.verifier_key(keys.log_origin(), Ed25519PrivateKey.generate())
            + "', 1, now())",
        ]
    )
    cursor.execute(what)
    return what


def rewrite(chance: random.Random, cursor: Any) -> str:
    """Everything anew with one event changed, by somebody who has the signing key as well."""
    index = chance.randrange(EVENTS_BEFORE)
    event = _one(cursor, "SELECT event_id FROM custody_leaf WHERE index = %s", index)
    other = _forged(chance)
    cursor.execute("UPDATE custody_leaf SET event_id = %s WHERE index = %s", [other, index])
    cursor.execute("DELETE FROM custody_event WHERE id = %s", [event])
    cursor.execute("DELETE FROM custody_detail WHERE event_id = %s", [event])
    entries = _all(
        cursor, "SELECT e.entry FROM custody_leaf l JOIN custody_event e ON e.id = l.event_id ORDER BY l.index"
    )
    hashes = [merkle.leaf_hash(bytes(value)) for (value,) in entries]
    for (size,) in _all(cursor, "SELECT size FROM custody_checkpoint"):
        tree = merkle.CompactRange()
        for value in hashes[:size]:
            tree.append(value)
        note = keys.sign_checkpoint(Checkpoint(keys.log_origin(), size, tree.root()))
        cursor.execute(
            "UPDATE custody_checkpoint SET root = %s, frontier = %s, note = %s WHERE size = %s",
            [tree.root(), tree.to_bytes(), note, size],
        )
    cursor.execute("DELETE FROM custody_cosignature")
    for number in range(len(hashes) // 256):
        row = hashes[number * 256 : number * 256 + 256]
        cursor.execute(
            "UPDATE custody_tile SET hashes = %s, root = %s WHERE level = 0 AND index = %s",
            [b"".join(row), merkle.root(row), number],
        )
    return f"leaf {index} rewritten with everything after it"


BOTH = frozenset({AUDITOR, OUTSIDER})
CHANGES = (
    Change("an entry is edited", BOTH, entry),
    Change("what an event says is edited", frozenset({AUDITOR}), stored),
    Change("an event is listed under something else", frozenset({AUDITOR}), listing),
    Change("two events change what they say", frozenset({AUDITOR}), swap_details),
    Change("a row is deleted", frozenset({AUDITOR}), delete_row),
    Change("an event is deleted, the others closed up", BOTH, delete_event),
    Change("two leaves change places", BOTH, reorder),
    Change("a forged event is inserted", BOTH, insert),
    Change("a forged event is appended", frozenset({AUDITOR}), append),
    Change("an event is kept out of the tree", frozenset({AUDITOR}), dequeue),
    Change("the last leaves are cut off", BOTH, cut),
    Change("an older backup is put back", frozenset({OUTSIDER}), older_backup),
    Change("a checkpoint is edited or deleted", frozenset({AUDITOR}), checkpoint),
    Change("a stored tile is edited or deleted", BOTH, tile),
    Change("a cosignature is edited", frozenset({AUDITOR}), cosignature),
    Change("the list of keys is edited", frozenset({AUDITOR}), key_list),
    Change("history is rewritten with the signing key", frozenset({OUTSIDER}), rewrite),
)


class Installation:
    """A ledger that a witness has cosigned and that grew since, seen by both verifiers."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        witness = WitnessKey("witness.example", _WITNESS.public_key())
        monkeypatch.setattr("bluelamp.custody.verification._witness_keys", lambda: [witness])
        self._grow(EVENTS_BEFORE, batches=4)
        latest = proving.latest()
        text, _ = signed_note.split_note(latest.note)
        line = cosign(text, witness.name, _WITNESS, NOW)
        CustodyCosignature.objects.create(size=latest.size, witness=str(witness), line=line, at=clock.now())
        self._key = VerifierKey.parse(keys.own_vkey())
        monkeypatch.setattr(follow, "_fetch", self._fetch)
        # One after the other in this thread, whose transaction alone sees what was changed.
        monkeypatch.setattr(follow, "_ahead", map)
        self._follower = follow.Follower(
            "http://log", (self._key,), pause=lambda seconds: None, stall_seconds=10**9, cosign_seconds=10**9
        )
        look = self._follower.look(None, NOW)
        assert look.memory is not None, look
        # A remembered checkpoint, and nothing of what was read: every entry is read anew.
        self._memory = replace(look.memory, edge=None)
        self._grow(EVENTS_AFTER, batches=3)

    def auditor(self) -> tuple[str, ...]:
        return verify_ledger(trusted=[str(self._key)])[0].problems

    def outsider(self) -> tuple[str, ...]:
        look = self._follower.look(self._memory, NOW + 60)
        # A log that cannot be read any more is noticed as well, though it proves nothing.
        return (*(finding.words for finding in look.findings), *([look.unknown] if look.unknown else []))

    def _fetch(self, url: str, most: int) -> Answer:
        response = Client(raise_request_exception=False).get(url.removeprefix("http:/"))
        return Answer(response.status_code, response["Content-Type"], response.content)

    def _grow(self, events: int, batches: int) -> None:
        for number in range(batches):
            share = events // batches + (events % batches if number == 0 else 0)
            with transaction.atomic():
                custody.record_all(
                    [
                        SignedIn(
                            actor=f"person:{n}", subject=f"person:{n}", also=("x:2",), address="::1", second_factor=True
                        )
                        for n in range(share)
                    ]
                )
            sequencer.drain()


@pytest.fixture
def installation(committed_db: str, postgres: Any, monkeypatch: pytest.MonkeyPatch) -> Installation:
    made = Installation(monkeypatch)
    from bluelamp.project.settings import database

    connections["default"].close()
    name = connections["default"].settings_dict["NAME"]
    connections["default"].settings_dict.update(database(make_conninfo(postgres.url("admin"), dbname=name)))
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
    return made


def _all(cursor: Any, sql: str, *values: Any) -> list[Any]:
    cursor.execute(sql, values)
    return list(cursor.fetchall())


def _campaign(installation: Installation, changes: int, seed: int, tell: Callable[[str], None]) -> None:
    seed = int(os.environ.get("CAMPAIGN_SEED") or seed)
    chance = random.Random(seed)
    tell(f"CAMPAIGN_SEED={seed}")
    tried: Counter[str] = Counter()
    caught: Counter[tuple[str, str]] = Counter()
    assert (installation.auditor(), installation.outsider()) == ((), ())
    for number in range(changes):
        change = CHANGES[number % len(CHANGES)]
        with transaction.atomic(), connection.cursor() as cursor:
            done = change.make(chance, cursor)
            found = {AUDITOR: installation.auditor(), OUTSIDER: installation.outsider()}
            transaction.set_rollback(True)
        tried[change.name] += 1
        for who, problems in found.items():
            caught[change.name, who] += bool(problems)
            missed = who in change.caught_by and not problems
            assert not missed, f"change {number}: the {who} did not notice that {change.name}: {done}"
        assert any(found.values()), f"change {number}: nobody noticed that {change.name}: {done}"
        if number % 50 == 49:
            assert (installation.auditor(), installation.outsider()) == ((), ()), "a false alarm"
    assert (installation.auditor(), installation.outsider()) == ((), ()), "a false alarm"
    tell(f"{'of ' + str(changes):>60} {AUDITOR:>10} {OUTSIDER:>10}")
    for name, count in tried.items():
        tell(f"{name:>52} {count:>7} {caught[name, AUDITOR]:>10} {caught[name, OUTSIDER]:>10}")


def test_each_class_of_change_is_noticed(installation: Installation, tell: Callable[[str], None]) -> None:
    _campaign(installation, 8 * len(CHANGES), 417, lambda line: None)


@pytest.mark.soak
def test_ten_thousand_changes_are_noticed(installation: Installation, tell: Callable[[str], None]) -> None:
    _campaign(installation, 10_000, random.SystemRandom().randrange(10**9), tell)
