"""The check of the whole ledger in a process of its own, so that neither pages nor the sequencer wait for it.

Nothing of Django may be imported when this module is: the child reads it before Django is set up there.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager

_NICENESS = 10


def verify_ledger(database_url: str) -> tuple[int, tuple[str, ...]]:
    """Check the ledger of that database at low priority: how many events there are, and each sign of tampering."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, initializer=_begin, initargs=(database_url,)) as pool:
        return pool.submit(verify_here).result()


def verify_here() -> tuple[int, tuple[str, ...]]:
    """The same in this process."""
    from bluelamp.custody.verification import verify_ledger as verify

    with one_snapshot():
        report, _ = verify()
    return report.size, report.problems


@contextmanager
def one_snapshot() -> Iterator[None]:
    """A transaction that sees the ledger as it is now, whatever is sequenced meanwhile; an outer one is left alone."""
    from django.db import connection
    from django.db.transaction import atomic

    outermost = not connection.in_atomic_block
    with atomic(), connection.cursor() as cursor:
        if outermost:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


def _begin(database_url: str) -> None:
    os.nice(_NICENESS)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bluelamp.project.settings")
    os.environ["BLUELAMP_DATABASE_URL"] = database_url
    import django

    django.setup()
