"""Reading the force's tree."""

from __future__ import annotations

from django.db import connection

_BELOW = """
WITH RECURSIVE below AS (
    SELECT id FROM people_unit WHERE id = %s
    UNION ALL
    SELECT u.id FROM people_unit u JOIN below ON u.parent_id = below.id
) SELECT id FROM below
"""


def unit_and_below(unit_id: int | None) -> frozenset[int]:
    """The ids of a unit and every unit below it; empty for None."""
    if unit_id is None:
        return frozenset()
    with connection.cursor() as cursor:
        cursor.execute(_BELOW, [unit_id])
        return frozenset(row[0] for row in cursor.fetchall())
