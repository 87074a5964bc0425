"""The database: does it answer, is it durable, and is the ledger out of the application's reach?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from bluelamp.cli.doctor.finding import Finding, bad, note, ok, warn

_OLDEST_VERSION = 16
_SLOW_SEQUENCER_EVENTS = 1000
_SILENT_WITNESS = timedelta(days=2)
_OLD_BACKUP = timedelta(days=2)
_OWNED = """
    SELECT count(*) FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
      AND pg_has_role(current_user, relowner, 'USAGE')
"""
_WRITABLE = """
    SELECT name FROM unnest(%s::text[]) AS name
    WHERE has_table_privilege(current_user, name, 'UPDATE')
       OR has_table_privilege(current_user, name, 'DELETE')
       OR has_table_privilege(current_user, name, 'TRUNCATE')
"""
# tgtype (pg_trigger.h): 8 delete, 16 update, 32 truncate.
_UNGUARDED = """
    SELECT name FROM unnest(%s::text[]) AS name
    WHERE (SELECT bit_or(tgtype::int) FROM pg_trigger WHERE tgrelid = name::regclass AND tgenabled IN ('O', 'A')) & 56
          IS DISTINCT FROM 56
"""


def check(embedded_is_down: bool) -> Iterator[Finding]:
    """The findings; nothing more than a note when the embedded database is simply not started."""
    if embedded_is_down:
        yield note(
            "database",
            "The embedded PostgreSQL is not running, so the database was not looked at.",
            "Start Bluelamp (bluelamp up) and call the doctor again.",
        )
        return
    from django.db import OperationalError, connection

    try:
        connection.ensure_connection()
    except OperationalError as error:
        yield bad(
            "database",
            f"It does not answer: {' '.join(str(error).split())} Nothing can be received or watched meanwhile.",
            "Start it, or correct BLUELAMP_DATABASE_URL; run the doctor as the user that runs Bluelamp.",
        )
        return
    yield from _version()
    yield from _durability()
    yield from _migrations()


def _version() -> Iterator[Finding]:
    from django.db import connection

    version = connection.cursor().connection.info.server_version
    said = f"PostgreSQL {version // 10000}.{version % 10000} answers."
    if version // 10000 < _OLDEST_VERSION:
        yield bad("database", said, f"Bluelamp needs PostgreSQL {_OLDEST_VERSION} or newer.")
    else:
        yield ok("database", said)


def _durability() -> Iterator[Finding]:
    settings = ("fsync", "full_page_writes", "synchronous_commit")
    off = [name for name in settings if _one(f"SHOW {name}") == "off"]
    if off:
        yield bad(
            "durability",
            f"{', '.join(off)} off: a power cut can lose what docks were told is safe.",
            "Switch it on in postgresql.conf.",
        )
    else:
        yield ok("durability", "What is committed survives a power cut (fsync, full_page_writes, synchronous_commit).")


def _migrations() -> Iterator[Finding]:
    from bluelamp.project.migrate import pending

    count = pending()
    if count:
        yield bad("migrations", f"{count} are not applied; pages may fail.", "Run: bluelamp migrate (`up` does it)")
        return
    yield ok("migrations", "All are applied.")
    yield from _application_role()
    yield from _ledger()
    yield _worker()
    yield from _witnesses()
    yield _backup()


def _application_role() -> Iterator[Finding]:
    from bluelamp.custody.models import APPEND_ONLY

    role = _one("SELECT current_user")
    two_roles = "Make two roles as the operator's guide says, and set BLUELAMP_DATABASE_OWNER_URL for migrations."
    if _one("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
        yield bad(
            "application role", f"{role} is a superuser: no table is safe from a fault in the application.", two_roles
        )
        return
    if owned := _one(_OWNED):
        yield bad("application role", f"{role} owns {owned} tables, so it could drop the ledger's triggers.", two_roles)
        return
    writable = _all(_WRITABLE, list(APPEND_ONLY))
    if writable:
        yield bad("application role", f"{role} may change {', '.join(writable)}.", "Run: bluelamp migrate")
        return
    yield ok("application role", f"{role} owns no table and may only read the ledger and append to it.")


def _ledger() -> Iterator[Finding]:
    from bluelamp.custody.models import APPEND_ONLY

    if unguarded := _all(_UNGUARDED, list(APPEND_ONLY)):
        yield bad(
            "ledger",
            f"The triggers that refuse changes are missing or off on {', '.join(unguarded)}.",
            "Find out who removed them before anything else; then: bluelamp verify --database",
        )
    else:
        yield ok("ledger", "Triggers refuse every change of its tables, whoever asks.")
    waiting = int(str(_one("SELECT count(*) FROM custody_pending")))
    if waiting > _SLOW_SEQUENCER_EVENTS:
        yield warn(
            "checkpoints",
            f"{waiting} events wait to be put under a signed checkpoint; none is lost.",
            "See that a worker runs (bluelamp up starts one) and read its log.",
        )


def _worker() -> Finding:
    from bluelamp.oversight.queries import working

    standing = working.standing()
    if standing.alive:
        return ok("worker", standing.note)
    return warn(
        "worker",
        standing.note,
        "Start one (bluelamp up, or bluelamp worker) and read its log if it ends again.",
    )


def _witnesses() -> Iterator[Finding]:
    from bluelamp.custody import witnessing
    from bluelamp.kernel import clock

    standing = witnessing.standing()
    if not standing:
        yield note(
            "witnesses",
            "Nobody outside signs the ledger's checkpoints.",
            "Ask the oversight body or a university to run one: docs/guides/witnessing.md",
        )
    for witness in standing:
        name = witness.witness.key.name
        if witness.size is None:
            yield warn("witnesses", f"{name} has not signed anything yet.", "Ask who runs it; see the worker's log.")
        elif witness.at is not None and clock.now() - witness.at > _SILENT_WITNESS:
            yield warn(
                "witnesses",
                f"{name} signed last at {witness.at:%Y-%m-%d %H:%M} UTC, a tree of {witness.size} events.",
                "Ask who runs it; see the worker's log for what it answers.",
            )
        else:
            yield ok("witnesses", f"{name} has signed a tree of {witness.size} events.")


def _backup() -> Finding:
    from django.conf import settings

    from bluelamp.custody import queries
    from bluelamp.kernel import clock

    advice = "Run every day: bluelamp backup FOLDER (docs/guides/operator.md)"
    last = next(iter(queries.search(tag="backup.made", limit=1)), None)
    if last is None:
        if settings.BLUELAMP.demonstration:
            return note("backup", "There is none: nothing of a demonstration needs one.")
        return warn("backup", "The database was never backed up: a dead disk takes all that is known.", advice)
    age = clock.now() - last.at
    if age > _OLD_BACKUP:
        return warn("backup", f"The last one is {age.days} days old: {last.at:%Y-%m-%d %H:%M} UTC.", advice)
    return ok("backup", f"The last one was made at {last.at:%Y-%m-%d %H:%M} UTC.")


def _one(query: str) -> object:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(query)
        row = cursor.fetchone()
    return row[0] if row else None


def _all(query: str, names: list[str]) -> list[str]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(query, [names])
        return [str(row[0]) for row in cursor.fetchall()]
