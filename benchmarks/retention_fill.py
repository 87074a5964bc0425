"""What `benchmarks.retention` sweeps: many recordings as cameras make them, with keys, derivatives and fixity."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg

STREETS = ("Oxford Street", "Brixton Road", "Mare Street", "High Street", "Station Road", "Church Lane")
_BATCH = 2000
_PEOPLE = 100

# Each is like one that the models themselves made, but for what tells recordings apart: composing a million rows in
# Python would take longer than to sweep them.
_INSTEAD = {
    "id": "m.id",
    "filename": "m.id || '.mp4'",
    "original": "'recordings/' || m.id || '/original'",
    "sha256": "encode(sha256(m.id::text::bytea), 'hex')",
    "wearer_id": "m.wearer",
    "place": "m.place",
    "started_at": "m.started_at",
    "device_started_at": "m.started_at",
    "ended_at": "m.started_at + interval '12 minutes'",
    "device_ended_at": "m.started_at + interval '12 minutes'",
    "received_at": "m.started_at + interval '5 hours'",
    "due_at": "m.due_at",
    "search": "array_to_tsvector(string_to_array(m.words, ' '))",
    "recording_id": "m.id",
    "object_name": "'recordings/' || m.id || '/' || t.kind || '-1'",
    "checked_at": "m.started_at + interval '5 hours'",
}
_MADE = "unnest(%s::uuid[], %s::bigint[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::text[])"
_AS = "m (id, wearer, place, started_at, due_at, words)"


@dataclass(frozen=True)
class _Made:
    """What tells one recording apart from another."""

    id: UUID
    wearer: int
    place: str
    started_at: datetime
    due_at: datetime
    words: str


def fill(due: int, with_objects: int) -> dict[str, Any]:
    """So many that are due, more that have objects in the store, and as many as a quarter that are not due."""
    from bluelamp.kernel import clock
    from bluelamp.project.migrate import migrate
    from bluelamp.vault import objects
    from bluelamp.vault.keyring import get_keyring

    migrate()
    begun, now, rng = time.perf_counter(), clock.now(), random.Random(7)
    people = _people()
    pattern = _pattern(people[0], now - timedelta(days=1))
    get_keyring().create(str(pattern))
    # Due within the last day: two days ago they belonged into quarantine, now they belong away. Those with objects
    # are due two hours from now; then those that are not due.
    ages = [timedelta(days=31, seconds=rng.randrange(86_000)) for _ in range(due)]
    ages += [timedelta(days=31, hours=-2)] * with_objects
    ages += [timedelta(days=1, seconds=rng.randrange(86_000)) for _ in range(due // 4)]
    with psycopg.connect(os.environ["BLUELAMP_DATABASE_URL"]) as database:
        copies = [_copy(database, table) for table in ("footage_recording", "footage_derivative", "oversight_fixity")]
        for first in range(0, len(ages), _BATCH):
            made = [_made(people, now - age, rng) for age in ages[first : first + _BATCH]]
            keys = [str(each.id) for each in made]
            get_keyring().create_all(keys)
            columns = [[getattr(each, name) for each in made] for name in _Made.__dataclass_fields__]
            for copy in copies:
                database.execute(copy, [*columns, pattern])
            database.commit()
            for key in keys[max(due - first, 0) : max(due + with_objects - first, 0)]:
                for name in ("original", "poster-1", "viewing-1"):
                    objects.seal_bytes(f"recordings/{key}/{name}", key, b"footage" * 1000)
    with psycopg.connect(os.environ["BLUELAMP_DATABASE_OWNER_URL"], autocommit=True) as owner:
        owner.execute("VACUUM ANALYZE")
    return {"seconds": round(time.perf_counter() - begun)}


def _people() -> list[Any]:
    from bluelamp.people.models import Person, Unit

    unit = Unit.objects.create(code="BENCH", name="Bench", kind=Unit.Kind.UNIT)
    return [
        Person.objects.create(
            username=f"bench-{number}", name=f"Officer {number}", email=f"{number}@bench.example", unit=unit
        )
        for number in range(_PEOPLE)
    ]


def _pattern(wearer: Any, started: datetime) -> UUID:
    """One as a camera makes it: marks, a track, a waveform, a manifest."""
    from bluelamp.footage.models import Derivative, Recording
    from bluelamp.kernel.ids import new_id
    from bluelamp.oversight.models import Fixity

    made, at = new_id(), started.isoformat()
    recording = Recording.objects.create(
        id=made,
        filename=f"{made}.mp4",
        wearer=wearer,
        unit_id=wearer.unit_id,
        started_at=started,
        ended_at=started + timedelta(minutes=12),
        device_started_at=started,
        device_ended_at=started + timedelta(minutes=12),
        received_at=started + timedelta(hours=5),
        sha256="0" * 64,
        size=600_000_000,
        original=f"recordings/{made}/original",
        place=STREETS[0],
        processing=Recording.Processing.READY,
        duration_ms=720_000,
        manifest={"serial": "BL000001", "sequence": 7, "previous": "0" * 64, "filename": f"{made}.mp4", "at": at},
        events=[{"at": at, "kind": kind, "note": ""} for kind in ("start", "mute", "unmute", "stop")],
        track=[{"at": at, "lat": f"51.5{n:03}", "lon": f"-0.1{n:03}"} for n in range(24)],
        waveform=[n * 37 % 100 for n in range(200)],
        due_at=started + timedelta(days=31),
        due_rule="default",
    )
    for kind in (Derivative.Kind.POSTER, Derivative.Kind.VIEWING):
        name = f"recordings/{made}/{kind.value}-1"
        Derivative.objects.create(
            recording=recording, kind=kind, object_name=name, content_type="image/jpeg", size=7000
        )
    Fixity.objects.create(recording=recording, checked_at=recording.received_at)
    return recording.pk


def _made(people: Sequence[Any], started: datetime, rng: random.Random) -> _Made:
    from bluelamp.footage import search
    from bluelamp.kernel.ids import new_id

    made, wearer, street = new_id(), rng.choice(people), rng.choice(STREETS)
    words = search.lexemes(f"{made}.mp4 {street} {wearer.name} bench")
    return _Made(made, wearer.pk, street, started, started + timedelta(days=31), " ".join(words))


def _copy(database: psycopg.Connection[Any], table: str) -> str:
    """A statement that adds rows like the pattern's to a table."""
    named = database.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped", [table]
    )
    recording = "id" if table == "footage_recording" else "recording_id"
    # Rows made of a recording are numbered by the table itself.
    columns = [name for (name,) in named if name != "id" or recording == "id"]
    values = [_INSTEAD.get(name, f"t.{name}") for name in columns]
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} "
        f"FROM {_MADE} AS {_AS} JOIN {table} t ON t.{recording} = %s"
    )
