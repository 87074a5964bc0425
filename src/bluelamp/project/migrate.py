"""Bring the database to this version: migrations as the owner of the tables, then the application role's rights."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from bluelamp.custody.models import APPEND_ONLY


def migrate() -> bool:
    """Apply what is missing, as the owner. Returns whether anything was applied. Runs `django.setup()` callers only."""
    _connect_as_owner()
    executor = MigrationExecutor(connection)
    pending = bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if pending:
        call_command("migrate", verbosity=0, interactive=False)
    _grant()
    return pending


def pending() -> int:
    """How many migrations are not applied yet."""
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _connect_as_owner() -> None:
    from bluelamp.project.settings import database  # settings are ready once this runs

    url = settings.BLUELAMP.database_owner_url or settings.BLUELAMP.database_url
    connections["default"].close()
    connections["default"].settings_dict.update(database(url))


def _grant() -> None:
    """The application may do to data what services do, and to the ledger nothing but read and append."""
    role = conninfo_to_dict(settings.BLUELAMP.database_url).get("user")
    owner = conninfo_to_dict(settings.BLUELAMP.database_owner_url or settings.BLUELAMP.database_url).get("user")
    if not role or role == owner:
        return
    name = sql.Identifier(str(role))
    statements: list[Any] = [
        sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(name),
        sql.SQL("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}").format(name),
        sql.SQL("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}").format(name),
        sql.SQL("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {}").format(name),
        sql.SQL("REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {}").format(name),
    ]
    statements += [
        sql.SQL("REVOKE UPDATE, DELETE, TRUNCATE ON {} FROM {}").format(sql.Identifier(table), name)
        for table in APPEND_ONLY
    ]
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement.as_string(connection.connection))
