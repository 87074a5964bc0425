"""What the source should have and what it has, file by file; and what changed there since the last look."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import islice
from typing import TypeVar

from django.db.models import F, Q, TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Concat

from bluelamp import custody
from bluelamp.ingest.imports import queries
from bluelamp.ingest.imports.entries import Entry, key_of, shown
from bluelamp.ingest.imports.sources import Found, Source, files
from bluelamp.ingest.models import ImportItem, ImportRun
from bluelamp.kernel import clock
from bluelamp.kernel.transaction import atomic

_CHUNK = 1000
_PROOF_LASTS = timedelta(days=1)
State = ImportItem.State
T = TypeVar("T")

_ABSENT = "The manifest lists it; it is not at the source."
_GONE = "It was at the source when the import began, and has gone from there since."
_TAKEN_AWAY = "It was at the source, the manifest does not name it, and it has been taken away since."
_SAFE = "It has gone from the source since; it is safe here."
_EXTRA = "It lies at the source, but the manifest does not name it. Import it too with --extra."
_IGNORED = "A file of the computer’s own, which holds no footage."


@custody.unrecorded("what lies at a source; what comes of it is recorded")
def list_source(run: ImportRun, source: Source, *, fresh: bool = False) -> bool:
    """Note every file of manifest and source. Returns whether there is work to do.

    `fresh`, at the beginning of an attempt: what was wrong before is looked at anew.
    """
    run.attempt += 1
    run.moved_at = clock.now()
    run.save(update_fields=["attempt", "moved_at"])
    if fresh and source.manifest is not None:
        for chunk in _chunks(source.manifest.entries):
            _note_claims(run, chunk)
    troubled: list[tuple[str, Found]] = []
    accented: set[str] = set()
    for found in _chunks(files(source)):
        keyed = [(_key(each, accented), each) for each in found]
        _note_found(run, keyed)
        troubled += [(key, each) for key, each in keyed if each.why]
    with atomic():
        if fresh:
            _reopen(run)
        for key, each in troubled:
            run.items.filter(key=key, state=State.WAITING).update(state=State.UNREADABLE, sentence=each.why)
        _note_absent(run)
    return bool(changed(run).exists() or run.items.filter(state=State.WAITING).exists())


@custody.unrecorded("reads only")
def changed(run: ImportRun, *, again: bool = False) -> queries.QuerySet[ImportItem]:
    """Files here that are not at the source any more as they were when they were read; `again`: also known ones."""
    differs = (
        ~Q(source_size=F("taken_size"))
        | ~Q(source_mtime_ns=F("taken_mtime_ns"))
        | Q(taken_mtime_ns=None)
        | Q(taken_size=None)
    )
    wanted = differs & Q(state__in=ImportItem.HERE)
    return run.items.filter(wanted | Q(state=State.CHANGED) if again else wanted, seen=run.attempt)


def _note_claims(run: ImportRun, entries: list[Entry]) -> None:
    rows = [
        ImportItem(
            run=run,
            key=key_of(entry.path),
            path=shown(entry.path),
            in_manifest=True,
            claimed_size=entry.size,
            claimed=entry.hashes,
            facts={**entry.facts, "refusal": entry.refusal} if entry.refusal else entry.facts,
        )
        for entry in entries
    ]
    ImportItem.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["run", "key"],
        update_fields=["in_manifest", "claimed_size", "claimed"],
    )


def _note_found(run: ImportRun, found: list[tuple[str, Found]]) -> None:
    rows: list[ImportItem] = []
    extra = run.has_manifest and not run.options.get("extra")
    for key, each in found:
        path = shown(each.path)
        raw = each.path.encode("utf-8", "surrogateescape")
        state, sentence = State.WAITING, ""
        if each.ignored:
            state, sentence = State.IGNORED, _IGNORED
        elif extra:
            state, sentence = State.EXTRA, _EXTRA
        rows.append(
            ImportItem(
                run=run,
                key=key,
                path=path,
                # Kept also where the name is spelled in another Unicode form than the manifest spells it.
                raw=None if path.encode() == raw and path.isascii() else raw,
                seen=run.attempt,
                source_size=each.size,
                source_mtime_ns=each.mtime_ns,
                state=state,
                sentence=sentence,
            )
        )
    ImportItem.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["run", "key"],
        update_fields=["seen", "source_size", "source_mtime_ns", "raw"],
    )


def _reopen(run: ImportRun) -> None:
    """What was wrong may have been put right; what was proven long ago is proven again."""
    again = [State.MISSING, State.CORRUPT, State.UNREADABLE, State.REFUSED]
    if run.options.get("extra"):
        again.append(State.EXTRA)
    run.items.filter(state__in=again).update(state=State.WAITING, sentence="")
    stale = Q(checked_at__lt=clock.now() - _PROOF_LASTS) | ~Q(here_sha256=F("sha256"))
    run.items.filter(stale, checked_at__isnull=False).update(checked_at=None, here_sha256="", here_size=None)


def _note_absent(run: ImportRun) -> None:
    absent = run.items.filter(seen__lt=run.attempt)
    absent.filter(state=State.WAITING, in_manifest=True).update(state=State.MISSING, sentence=_ABSENT, source_size=None)
    absent.filter(state__in=(State.WAITING, State.UNREADABLE)).update(state=State.MISSING, sentence=_GONE)
    absent.filter(state=State.EXTRA).update(state=State.IGNORED, sentence=_TAKEN_AWAY)
    gone = absent.filter(state__in=ImportItem.HERE, source_size__isnull=False)
    unused = KeyTextTransform("unused", "facts")
    gone.filter(facts__has_key="unused").update(
        source_size=None, source_mtime_ns=None, sentence=Concat(Value(f"{_SAFE} "), unused, output_field=TextField())
    )
    gone.update(source_size=None, source_mtime_ns=None, sentence=_SAFE)
    run.items.filter(seen=run.attempt, state=State.MISSING).update(state=State.WAITING, sentence="")


def _key(found: Found, accented: set[str]) -> str:
    """The file's key. Two names that differ in their Unicode form only are two files: the second has its own."""
    key = key_of(found.path)
    if not found.path.isascii():
        if key in accented:
            return hashlib.sha256(b"raw:" + found.path.encode("utf-8", "surrogateescape")).hexdigest()
        accented.add(key)
    return key


def _chunks(given: Iterable[T]) -> Iterator[list[T]]:
    walked = iter(given)
    while chunk := list(islice(walked, _CHUNK)):
        yield chunk
