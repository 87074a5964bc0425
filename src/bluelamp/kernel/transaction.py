"""One way to open a transaction, so that the change and its custody event stand or fall together; and claims."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.db.transaction import atomic, on_commit

__all__ = ["atomic", "claim", "on_commit"]


@contextmanager
def claim(work: str) -> Iterator[bool]:
    """Whether this is the only process at `work`; the database forgets the claim of a dead one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [work])
        (alone,) = cursor.fetchone()
        try:
            yield alone
        finally:
            if alone:
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [work])
