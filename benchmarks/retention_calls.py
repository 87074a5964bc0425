"""One process of `benchmarks.retention`: `python -m benchmarks.retention_calls WHAT ...`; BLUELAMP_* say where.

fill DUE OBJECTS; sweep HOURS (as it was then, or will be); search, hold (write "ready", go on until there is
no more input, then write what they found); left (what of the due has not gone).
"""

from __future__ import annotations

import json
import os
import random
import resource
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from benchmarks import machine, retention_fill


def _sweep(hours: int) -> dict[str, Any]:
    from dataclasses import asdict

    from django.db import connection

    from bluelamp.kernel import clock
    from bluelamp.kernel.hooks import Hook
    from bluelamp.retention import services

    if hours > 0:
        clock.on_advance = Hook("nobody else sweeps")
        clock.advance(timedelta(hours=hours))
    connection.ensure_connection()
    backend = connection.connection.info.backend_pid
    at = clock.now() + timedelta(hours=min(hours, 0))
    begun, cpu, database = time.perf_counter(), time.process_time(), machine.cpu_seconds(backend)
    result = services.sweep(at)
    return {
        **asdict(result),
        "seconds": round(time.perf_counter() - begun, 2),
        "own_cpu_s": round(time.process_time() - cpu, 2),
        "database_cpu_s": round(machine.cpu_seconds(backend) - database, 2),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def _go_on(one: Callable[[], object], pause: float) -> list[float]:
    """Milliseconds that each call took, until there is no more input."""
    ended = threading.Event()

    def wait() -> None:
        sys.stdin.read()
        ended.set()

    for _ in range(3):
        one()
    threading.Thread(target=wait, daemon=True).start()
    print("ready", flush=True)
    taken = []
    while not ended.wait(pause):
        begun = time.perf_counter()
        one()
        taken.append((time.perf_counter() - begun) * 1000)
    return sorted(taken)


def _said(taken: list[float]) -> dict[str, Any]:
    return {
        "count": len(taken),
        "p50_ms": round(taken[len(taken) // 2], 1),
        "p95_ms": round(taken[int(len(taken) * 0.95)], 1),
        "longest_ms": round(taken[-1], 1),
    }


def _search() -> dict[str, Any]:
    """What a manager looks for: a street, an officer's footage of a day, the latest."""
    from bluelamp.footage import queries
    from bluelamp.footage.filters import Filters
    from bluelamp.kernel import clock
    from bluelamp.people.policy import Actor, Role

    rng, actor = random.Random(3), Actor(id=1, roles=frozenset({Role.BWV_MANAGER}))

    def one() -> None:
        day = clock.now() - timedelta(hours=rng.randrange(1, 48))
        match rng.randrange(3):
            case 0:
                filters = Filters(text=rng.choice(retention_fill.STREETS))
            case 1:
                filters = Filters(officer=f"Officer {rng.randrange(100)}", since=day - timedelta(days=1), until=day)
            case _:
                filters = Filters()
        queries.page(actor, filters)

    return _said(_go_on(one, 0.02))


def _hold() -> dict[str, Any]:
    """Holds on what is being swept, a few a second, and how long each took to be placed or refused."""
    from bluelamp.footage.models import Recording
    from bluelamp.kernel import clock
    from bluelamp.kernel.errors import Conflict
    from bluelamp.retention import services
    from bluelamp.retention.models import Hold

    rng = random.Random(5)
    due = list(Recording.objects.filter(due_at__lt=clock.now()).values_list("pk", flat=True))
    rng.shuffle(due)
    held: list[UUID] = []

    def one() -> None:
        recording = Recording.objects.get(pk=due.pop())
        try:
            services.place_hold(recording, Hold.Kind.SUBJECT_ACCESS, "Asked for", f"request:{len(due)}", "public")
            held.append(recording.pk)
        except Conflict:
            pass

    taken = _go_on(one, 0.2)
    return {**_said(taken), "held": len(held), "too_late": len(taken) + 3 - len(held)}


def _left() -> dict[str, Any]:
    from django.db.models import Exists, OuterRef

    from bluelamp.custody import queries as ledger
    from bluelamp.footage.models import Recording
    from bluelamp.kernel import clock
    from bluelamp.retention.models import Certificate
    from bluelamp.vault.keyring import get_keyring
    from bluelamp.vault.stores import get_store

    here = Recording.objects.exclude(state=Recording.State.DELETED)
    gone = Recording.objects.filter(state=Recording.State.DELETED)
    return {
        "due": here.filter(due_at__lt=clock.now()).count(),
        "keys": get_keyring().count() - here.count(),
        "objects": sum(1 for _ in get_store().list()),
        # Not "NOT IN": of a million ids PostgreSQL would go through all for each.
        "uncertified": gone.filter(~Exists(Certificate.objects.filter(recording=OuterRef("pk")))).count(),
        "untold": gone.count() - ledger.count("recording.erased"),
    }


def main(what: str, *given: str) -> None:
    """Do one of the things above."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bluelamp.project.settings")
    import django

    django.setup()
    calls: dict[str, Callable[..., dict[str, Any]]] = {
        "fill": retention_fill.fill,
        "sweep": _sweep,
        "search": _search,
        "hold": _hold,
        "left": _left,
    }
    print(json.dumps(calls[what](*map(int, given))))


if __name__ == "__main__":
    main(*sys.argv[1:])
