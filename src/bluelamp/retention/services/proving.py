"""Is a deleted recording really gone? Looks everywhere, by a list that nobody wrote: the models, the store, the disk.

Tables are found from Django's models, so that one which somebody adds tomorrow is looked at too. What of them may stay
is named below, column by column; everything else that is there counts as left over. So a new table that nobody thought
of fails this search until somebody has said what of it outlives the footage, and why.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.db import connection, models

from bluelamp import custody
from bluelamp.footage.models import Recording
from bluelamp.kernel.errors import Conflict
from bluelamp.retention.events import GoneProven
from bluelamp.vault.keyring import get_keyring
from bluelamp.vault.stores import get_store

_MOST_NAMED = 20


@dataclass(frozen=True)
class Kept:
    """What of a table may outlive the footage: in words, and which of its columns may hold something."""

    what: str
    columns: frozenset[str]


def _kept(what: str, columns: str) -> Kept:
    return Kept(what, frozenset(columns.split()))


# By Django's name of the model. Columns in which people or devices say what is to be seen are in none of them.
MAY_KEEP: Mapping[str, Kept] = {
    "footage.Recording": _kept(
        "The tombstone: who recorded when with which camera, its SHA-256 and size, and the rule under which it went",
        "id camera sequence wearer unit added_by incident part started_at ended_at device_started_at device_ended_at "
        "clock_offset_ms clock_status received_at sha256 size original mount told pre_event_seconds state processing "
        "processing_attempts duration_ms category due_at due_rule review_until locked_at locked_by",
    ),
    "footage.EvidenceFlag": _kept(
        "That it was flagged as evidence, as what and by whom",
        "id recording category flagged_by flagged_at released_by released_at",
    ),
    "footage.Viewing": _kept(
        "Who opened it and when (Data Protection Act 2018 s.62)",
        "id recording viewer viewer_name grant purpose session_sha256 opened_at expires_at closed_at",
    ),
    "retention.Hold": _kept(
        "That deletion was stopped, when, and by what kind of thing",
        "id recording kind source owner review_at placed_by placed_at released_by released_at",
    ),
    "retention.Extension": _kept("That it was kept longer, and until when", "id recording until made_by made_at"),
    "retention.Shortening": _kept(
        "That an edit would have shortened its time, and who decided",
        "id recording cause source former_due_at would_be_due_at edited_by edited_at state decided_by decided_at "
        "not_before",
    ),
    "retention.PolicyProposal": _kept(
        "That it was in the sample of what a proposed change would do, until that is decided", "dry_run"
    ),
    "retention.Deletion": _kept(
        "The record of the deletion",
        "id recording rule basis due_at objects_found closed_at finished_at checked_at",
    ),
    "retention.Certificate": _kept("The certificate", "id recording issued_at body"),
    "cases.CaseRecording": _kept("That it belonged to a case", "id case recording added_by added_at"),
    "sharing.Share": _kept(
        "That it was shared, by whom, with whom and when",
        "id recording case recipient may_download token_sha256 invited_at created_by created_at expires_at "
        "acknowledged_at revoked_at revoked_by",
    ),
    "sharing.PackageItem": _kept("That it was in a package that was handed out", "id package recording position"),
    "rights.RequestMatch": _kept(
        "That it may have shown what a request asked for", "id request recording matched_at provisional_until"
    ),
    "oversight.Finding": _kept(
        "What checks of its stored file found while it was here",
        "id kind recording object_name problem detail found_at seen_at ended_at ended_because",
    ),
    "oversight.Loss": _kept(
        "That a file of it was lost while it was here",
        "id recording state good_until found_at files ended_at proposed_by proposed_at accepted_by accepted_at",
    ),
    "oversight.CheckRun": _kept("What a check of the store found wrong that day", "problems"),
    "ingest.Upload": _kept(
        "How it arrived: the camera, the dock, the hash, the receipt",
        "id origin owner session camera sequence length offset concat parts sha256 recording_id object_name state "
        "receipt docked_at clock_offset_ms clock_set created_at updated_at expires_at cleared",
    ),
    "ingest.AddedFile": _kept("That it was added on a page", "id addition upload recording mark twin"),
    "ingest.AxisObject": _kept(
        "That a body-worn system sent it, under which number and with which hash",
        "id container name version kind size sha256 md5 upload recording starts_at ends_at stored_at disputed "
        "encrypted applied created_at",
    ),
    "ingest.AxisAlert": _kept(
        "That something about the system that sent it had to be looked at",
        "id connection kind about text recording raised_at settled_at settled_by",
    ),
    "ingest.ImportItem": _kept(
        "That it was imported, with the hash that was found at the source",
        "id run key in_manifest claimed_size claimed seen source_size source_mtime_ns taken_size taken_mtime_ns sha256 "
        "state recording here_sha256 here_size checked_at",
    ),
    "procrastinate.ProcrastinateJob": _kept("Background jobs that were done for it: its number alone", "args"),
}

# The ledger outlives everything: what of an event may be erased is decided event by event (custody.erasing).
_LEDGER = "custody"
_TEXT = (models.TextField, models.CharField, models.JSONField)


@dataclass(frozen=True)
class Looked:
    """One place that was searched. `found`: rows, files or keys that tell of it; `left`: what should not be there."""

    place: str
    found: int
    kept: str
    left: tuple[str, ...]


@dataclass(frozen=True)
class Search:
    """Everywhere that was searched: the places that tell of the recording, and how many tables there are."""

    looked: tuple[Looked, ...]
    tables: int

    @property
    def left(self) -> tuple[str, ...]:
        return tuple(f"{each.place}: {one}" for each in self.looked for one in each.left)

    @property
    def gone(self) -> bool:
        return not self.left


@custody.service
def prove_gone(recording: Recording, *, actor: str) -> Search:
    """Search for everything that could be left of a deleted recording, and record what was found.

    Raises Conflict for one that is not deleted, or whose deletion is still under way; StoreUnavailable and
    KeyringUnusable.
    """
    deletion = getattr(recording, "deletion", None)
    if recording.state != Recording.State.DELETED or deletion is None or deletion.finished_at is None:
        raise Conflict(
            "This recording is not deleted yet, or its deletion is still under way.",
            "Nothing was searched.",
            "Come back when it has its certificate.",
        )
    tables = [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.app_label != _LEDGER and not model._meta.proxy
    ]
    search = Search(tuple(_look(recording, tables)), len(tables))
    custody.record(
        GoneProven(
            actor=actor,
            subject=recording.custody_id,
            tables=search.tables,
            searched=[
                {"place": each.place, "found": each.found, "kept": each.kept, "left": len(each.left)}
                for each in search.looked
            ],
            left=list(search.left[:_MOST_NAMED]),
        )
    )
    return search


def _look(recording: Recording, tables: Iterable[type[models.Model]]) -> Iterator[Looked]:
    ids = {recording.pk}
    for model in sorted(tables, key=lambda each: each._meta.label):
        found = _rows(model, recording.pk)
        ids.update(row["pk"] for row in found if isinstance(row["pk"], UUID))
        if found or model is Recording:
            yield _table(model, found, recording.pk)
    yield Looked("Search", *_search(recording))
    yield Looked("Keyring", *_key(recording))
    yield Looked("Store", *_store(recording))
    yield Looked("Staging", *_staging(ids))


def _rows(model: type[models.Model], recording_id: UUID) -> list[dict[str, Any]]:
    """The rows of a table that refer to the recording by a column, or name it in a text or in JSON; each column."""
    references, texts = [], []
    for field in model._meta.concrete_fields:
        if (field.is_relation and field.related_model is Recording) or (
            isinstance(field, models.UUIDField) and (model is Recording or not field.primary_key)
        ):
            references.append(field.column)
        elif isinstance(field, _TEXT) and model is not Recording:
            texts.append(field.column)
    quoted = connection.ops.quote_name
    table = quoted(model._meta.db_table)
    conditions = [f"{quoted(column)} = %s" for column in references]
    conditions += [f"{quoted(column)}::text LIKE %s" for column in texts]
    if not conditions:
        return []
    values: list[Any] = [recording_id] * len(references) + [f"%{recording_id}%"] * len(texts)
    key = quoted(model._meta.pk.column) if model._meta.pk is not None and model._meta.pk.column else "NULL"
    with connection.cursor() as cursor:
        # The names come from Django's models, the values are given apart.
        cursor.execute(f"SELECT {key}, * FROM {table} WHERE {' OR '.join(conditions)}", values)  # noqa: S608
        names = ["pk", *(column.name for column in cursor.description[1:])]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _table(model: type[models.Model], rows: list[dict[str, Any]], recording_id: UUID) -> Looked:
    label = model._meta.label
    allowed = MAY_KEEP.get(label)
    if allowed is None:
        left = [f"row {row['pk']} tells of it, and nobody has said that it may stay" for row in rows]
        return Looked(label, len(rows), "", tuple(left))
    columns = {field.column: field.name for field in model._meta.concrete_fields}
    given = {field.column: field.get_default() for field in model._meta.concrete_fields if field.has_default()}
    left = [
        f"row {row['pk']}: {columns[column]} is not empty"
        for row in rows
        for column, value in _of_it(row, recording_id).items()
        if column in columns and columns[column] not in allowed.columns and not _is_empty(value, given.get(column))
    ]
    return Looked(label, len(rows), allowed.what, tuple(left))


def _of_it(row: dict[str, Any], recording_id: UUID) -> dict[str, Any]:
    """What of a row is of the recording: all of it, or, in a row about something else, the columns that name it."""
    if recording_id in row.values():
        return row
    return {column: value for column, value in row.items() if str(recording_id) in str(value)}


def _is_empty(value: Any, default: Any) -> bool:
    return value in (None, "", "{}", "[]", b"", False) or value == {} or value == [] or value == default


def _search(recording: Recording) -> tuple[int, str, tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM footage_recording WHERE id = %s AND search IS NOT NULL", [recording.pk])
        (entries,) = cursor.fetchone()
    return entries, "", ("it can be found by its words",) * entries


def _key(recording: Recording) -> tuple[int, str, tuple[str, ...]]:
    keyring = get_keyring()
    erased_at = keyring.erased_at(recording.key_id)
    left = ["its key is there"] if keyring.has(recording.key_id) else []
    if erased_at is None:
        left.append("it does not say that its key was erased")
    return int(bool(left)), "When the key was erased, so that no other ever takes its name", tuple(left)


def _store(recording: Recording) -> tuple[int, str, tuple[str, ...]]:
    store = get_store()
    folder = f"recordings/{recording.pk}"
    names = {*store.remains(folder), *store.remains(recording.original), *store.unfinished(folder)}
    return len(names), "", tuple(sorted(names))


def _staging(ids: Iterable[UUID]) -> tuple[int, str, tuple[str, ...]]:
    wanted = tuple(str(one) for one in ids)
    try:
        paths = list(settings.BLUELAMP.staging.iterdir())
    except FileNotFoundError:
        paths = []
    left = sorted(path.name for path in paths if path.name.startswith(wanted))
    return len(left), "", tuple(left)
