"""One process of `benchmarks.ledger`: `python -m benchmarks.ledger_calls WHAT ...`; BLUELAMP_* say which database.

migrate; with CALL / without CALL (writes "ready", reads how many seconds, makes calls, writes how many); sequence;
bulk EVENTS; prove LEAVES.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

_BATCH = 1000


def _without_ledger() -> None:
    """A ledger that does nothing: neither hashes nor writes, but lets services believe that it did."""
    from bluelamp import custody
    from bluelamp.custody import recording
    from bluelamp.custody.service import note_event
    from bluelamp.kernel import clock

    def record(event: custody.Event) -> custody.CustodyRecord:
        note_event()
        return custody.CustodyRecord(0, b"", clock.now())

    def record_all(events: list[custody.Event]) -> list[custody.CustodyRecord]:
        return [record(event) for event in events]

    for module in (custody, recording):
        module.record, module.record_all = record, record_all


def _person() -> Any:
    from bluelamp.people.models import Person, Unit

    unit, _ = Unit.objects.get_or_create(code="BENCH", defaults={"name": "Bench", "kind": Unit.Kind.UNIT})
    person, _ = Person.objects.get_or_create(
        username=f"bench-{os.getpid()}",
        defaults={"name": "Bench", "email": f"{os.getpid()}@bench.example", "unit": unit},
    )
    return person


def _new(person: Any) -> Any:
    from bluelamp.footage.services import NewRecording
    from bluelamp.kernel import clock
    from bluelamp.kernel.ids import new_id

    made = new_id()
    begun = clock.now() - timedelta(minutes=5)
    return NewRecording(
        id=made,
        filename=f"{made}.mp4",
        sha256=os.urandom(32).hex(),
        size=1000,
        original=f"recordings/{made}/original",
        started_at=begun,
        ended_at=begun + timedelta(minutes=1),
        wearer=person,
        unit=person.unit,
    )


def _calls(call: str) -> Callable[[], object]:
    """The call to be made again and again, prepared."""
    from django.db import connection, transaction

    from bluelamp import custody
    from bluelamp.footage import services as footage
    from bluelamp.footage.models import Category
    from bluelamp.people.events import SignedIn

    person = _person()
    match call:
        case "accept":
            return lambda: footage.accept(_new(person))
        case "flag":
            category = Category.objects.filter(evidential=True).first()
            waiting = footage.accept_all([_new(person) for _ in range(1500)])
            return lambda: footage.flag(waiting.pop(), category=category, reason="Bench", by=person)
        case "view":
            (watched,) = footage.accept_all([_new(person)])
            return lambda: footage.open_viewing(
                watched,
                viewer=person.custody_id,
                viewer_name=person.name,
                grant="person",
                reason="Bench",
                session_key="bench",
            )
    event = SignedIn(actor=person.custody_id, subject=person.custody_id, address="::1", second_factor=True)

    def tiny() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("INSERT INTO bench_tiny (word) VALUES ('word')")
            custody.record(event)

    return tiny


def _write(call: str) -> None:
    one = _calls(call)
    for _ in range(5):
        one()
    print("ready", flush=True)
    until = time.perf_counter() + float(sys.stdin.readline())
    done = 0
    while time.perf_counter() < until:
        one()
        done += 1
    print(done, flush=True)


def _sequence() -> None:
    """As the worker does it."""
    from django.conf import settings

    from bluelamp.custody import sequencer

    while True:
        time.sleep(settings.BLUELAMP.checkpoint_seconds)
        sequencer.keep_up()


def _bulk(events: int) -> dict[str, Any]:
    from django.db import connection, transaction

    from bluelamp import custody
    from bluelamp.custody import sequencer
    from bluelamp.custody.verification import processors, verify_ledger
    from bluelamp.footage.events import RecordingFlagged

    def batch(number: int) -> list[custody.Event]:
        return [
            RecordingFlagged(
                actor=f"person:{n % 977}",
                subject=f"recording:0190a6c0-0000-7000-8000-{number * _BATCH + n:012x}",
                reason="Kept as evidence of an assault",
                flag=n,
                category="assault",
            )
            for n in range(_BATCH)
        ]

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM custody_event")
        (had,) = cursor.fetchone()
    batches = [batch(number) for number in range(-(-(events - had) // _BATCH))]
    begun = time.perf_counter()
    for made in batches:
        with transaction.atomic():
            custody.record_all(made)
    bulk = time.perf_counter() - begun
    begun = time.perf_counter()
    sequencer.drain()
    sequencing = time.perf_counter() - begun
    begun = time.perf_counter()
    report, _ = verify_ledger(processes=processors())
    verifying = time.perf_counter() - begun
    if not report.good:
        raise RuntimeError(report.problems[0])
    count = len(batches) * _BATCH
    return {
        "bulk_events_per_s": round(count / bulk),
        "sequenced_per_s": round(count / sequencing),
        "verified_events": report.size,
        "verified_in_s": round(verifying, 2),
    }


def _prove(leaves: int) -> dict[str, Any]:
    from bluelamp.custody import proving

    rng = random.Random(7)
    taken = []
    for number in range(220):
        index = rng.randrange(leaves)
        begun = time.perf_counter()
        path = proving.inclusion(index, leaves)
        if number >= 20:
            taken.append((time.perf_counter() - begun) * 1000)
    taken.sort()
    return {
        "leaves": leaves,
        "hashes": len(path),
        "median_ms": round(taken[len(taken) // 2], 2),
        "p99_ms": round(taken[int(len(taken) * 0.99)], 2),
    }


def _migrate() -> None:
    from bluelamp.project.migrate import migrate

    migrate()
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_tiny (id bigserial, word text)")
        cursor.execute("GRANT ALL ON bench_tiny, bench_tiny_id_seq TO PUBLIC")


def main(what: str, *given: str) -> None:
    """Do one of the things above."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bluelamp.project.settings")
    import django

    django.setup()
    match what:
        case "migrate":
            _migrate()
        case "sequence":
            _sequence()
        case "bulk":
            print(json.dumps(_bulk(int(given[0]))))
        case "prove":
            print(json.dumps(_prove(int(given[0]))))
        case _:
            if what == "without":
                _without_ledger()
            _write(given[0])


if __name__ == "__main__":
    main(*sys.argv[1:])
