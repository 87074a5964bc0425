"""Roles and database of an embedded cluster, made at its first start.

`bluelamp_owner` owns the database and its tables and is used for migrations only; web and workers are `bluelamp_app`,
which owns nothing and can create nothing, so that even a fault in them cannot rewrite the ledger.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bluelamp.cli.supervisor.configuration import APPLICATION, DATABASE, OWNER

if TYPE_CHECKING:
    import psycopg  # loaded only once the web process is under way, which is what a start waits for

_ASIDE = f"{DATABASE}_new"
_ROLES_EXIST = "SELECT count(*) = 2 FROM pg_roles WHERE rolname = ANY(%s)"
_DATABASE_EXISTS = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = %s)"
# The database is made aside and renamed last, so that its name means that all of this was done.
_MAKE_ROLES = (
    f"CREATE ROLE {OWNER} LOGIN",
    f"CREATE ROLE {APPLICATION} LOGIN",
)
_MAKE_DATABASE = (
    f"DROP DATABASE IF EXISTS {_ASIDE}",
    f"CREATE DATABASE {_ASIDE} OWNER {OWNER}",
    f"REVOKE ALL ON DATABASE {_ASIDE} FROM PUBLIC",
    f"GRANT CONNECT ON DATABASE {_ASIDE} TO {APPLICATION}",
    f"ALTER DATABASE {_ASIDE} RENAME TO {DATABASE}",
)


def provision(maintenance_url: str) -> bool:
    """Make the roles and the database that are missing; returns False while the server does not answer yet.

    `maintenance_url` is the administrator's, to the database `postgres`. Raises psycopg.OperationalError when the
    server answers and refuses.
    """
    import psycopg

    try:
        with psycopg.connect(maintenance_url, autocommit=True, connect_timeout=5) as connection:
            if not _one(connection, _ROLES_EXIST, [OWNER, APPLICATION]):
                with connection.transaction():
                    _run(connection, _MAKE_ROLES)
            if not _one(connection, _DATABASE_EXISTS, DATABASE):
                _run(connection, _MAKE_DATABASE)
    except psycopg.OperationalError as error:
        # "the database system is starting up", "... in recovery mode", "... shutting down": all will pass.
        if "FATAL:" in str(error) and "the database system is" not in str(error):
            raise
        return False
    return True


def checkpoint(maintenance_url: str) -> None:
    """Ask the server for a checkpoint; quietly without one where it no longer answers."""
    import psycopg

    try:
        with psycopg.connect(maintenance_url, autocommit=True, connect_timeout=1) as connection:
            connection.execute("CHECKPOINT")
    except psycopg.OperationalError:
        pass


def _one(connection: psycopg.Connection, query: str, argument: object) -> object:
    row = connection.execute(query, [argument]).fetchone()
    return row[0] if row else None


def _run(connection: psycopg.Connection, statements: tuple[str, ...]) -> None:
    for statement in statements:
        connection.execute(statement)
