"""The words under which a recording is found.

PostgreSQL's own parser takes "01MP/1234/26" for a path and "12e3" for a number, so references and names are split
here: every word as it stands without its punctuation, and each of its parts. Notes are also indexed by their English
stems. A query is read the same way; every word of it must be met, by the beginning of a word or by its stem.
"""

from __future__ import annotations

import re
from uuid import UUID

from django.contrib.postgres.search import SearchVectorField
from django.db import connection
from django.db.models.expressions import RawSQL

from bluelamp.footage.models import Recording

_PARTS = re.compile(r"[^\W_]+")
_LONGEST_WORD = 100  # characters; a lexeme may have 2 KB
MOST_WORDS = 12

_TEXTS = """
SELECT concat_ws(' ', r.filename, r.place, p.name, p.warrant_number, u.name, u.code, c.serial, k.name, k.code,
                 (SELECT string_agg(f.value, ' ') FROM footage_reference f WHERE f.recording_id = r.id)),
       concat_ws(' ', r.place,
                 (SELECT string_agg(n.text, ' ') FROM footage_note n WHERE n.recording_id = r.id),
                 (SELECT string_agg(e.reason, ' ') FROM footage_evidence_flag e WHERE e.recording_id = r.id))
FROM footage_recording r
LEFT JOIN people_person p ON p.id = r.wearer_id
LEFT JOIN people_unit u ON u.id = r.unit_id
LEFT JOIN fleet_camera c ON c.id = r.camera_id
LEFT JOIN footage_category k ON k.id = r.category_id
WHERE r.id = %s
"""
_VECTOR = "array_to_tsvector(%s::text[]) || to_tsvector('english', %s)"
_UPDATE = f"UPDATE footage_recording SET search = {_VECTOR} WHERE id = %s"  # noqa: S608  a constant


def index(recording: Recording) -> None:
    """Bring the words of `recording` up to date; part of whatever transaction changed them."""
    index_by_id(recording.pk)


def index_by_id(recording_id: UUID) -> None:
    """The same for a recording of which only the id is at hand."""
    with connection.cursor() as cursor:
        cursor.execute(_TEXTS, [recording_id])
        names, prose = cursor.fetchone()
        cursor.execute(_UPDATE, [lexemes(f"{names} {prose}"), prose, recording_id])


def of_new(recording: Recording) -> RawSQL:
    """The words of a recording that is not stored yet, for its `search`: what `index` would store right afterwards.

    Nobody has put it into a category, written a note or a reference, or flagged it.
    """
    wearer, unit, camera = recording.wearer, recording.unit, recording.camera
    names = [recording.filename, recording.place]
    if wearer is not None:
        names += [wearer.name, wearer.warrant_number or ""]
    if unit is not None:
        names += [unit.name, unit.code]
    if camera is not None:
        names.append(camera.serial)
    return RawSQL(_VECTOR, [lexemes(" ".join(names)), recording.place], SearchVectorField())  # noqa: S611  a constant


def lexemes(text: str) -> list[str]:
    """The words of `text` in lower case: each whole, without its punctuation, and each of its parts."""
    found: set[str] = set()
    for word in text.lower().split():
        parts = _PARTS.findall(word)
        found.update(part[:_LONGEST_WORD] for part in parts)
        if len(parts) > 1:
            found.add("".join(parts)[:_LONGEST_WORD])
    return sorted(found)


def condition(text: str) -> tuple[str, list[str]] | None:
    """SQL (with its values) for a tsquery that asks for every word of `text`; None where it has no words."""
    pieces: list[str] = []
    values: list[str] = []
    for word in text.lower().split()[:MOST_WORDS]:
        parts = [part[:_LONGEST_WORD] for part in _PARTS.findall(word)]
        if not parts:
            continue
        # Only letters and digits stand between the quotes: nothing can break out of the tsquery's syntax.
        apart = " & ".join([*(f"'{part}'" for part in parts[:-1]), f"'{parts[-1]}':*"])
        joined = "".join(parts)[:_LONGEST_WORD]
        pieces.append("(%s::tsquery || plainto_tsquery('english', %s))")
        values += [f"'{joined}':* | ({apart})", word]
    return (" && ".join(pieces), values) if pieces else None
