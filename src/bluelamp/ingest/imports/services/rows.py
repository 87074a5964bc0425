"""Many files' rows changed with one statement.

Django's bulk_update makes a CASE with a branch for each row and column, which takes longer than all the rest.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from bluelamp import custody
from bluelamp.ingest.models import ImportItem

_TYPES = {
    "state": "text",
    "sentence": "text",
    "recording": "uuid",
    "sha256": "text",
    "taken_size": "bigint",
    "taken_mtime_ns": "bigint",
    "here_sha256": "text",
    "here_size": "bigint",
    "checked_at": "timestamptz",
}


@custody.unrecorded("how far an import is; its end is recorded")
def save(items: Sequence[ImportItem], *columns: str) -> None:
    """Save these columns of the files' rows."""
    if not items:
        return
    given = ", ".join(f"%s::{_TYPES[column]}[]" for column in columns)
    changes = ", ".join(f"{column} = given.{column}" for column in columns)
    sql = (
        f"UPDATE ingest_import_item AS item SET {changes} "  # noqa: S608  columns of the table above
        f"FROM unnest(%s::bigint[], {given}) AS given (id, {', '.join(columns)}) WHERE item.id = given.id"
    )
    values = [[getattr(item, column) for item in items] for column in columns]
    with connection.cursor() as cursor:
        cursor.execute(sql, [[item.pk for item in items], *values])
