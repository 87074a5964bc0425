"""Where imports hang into the rooms below: footage's hooks, the ledger's names, the pages."""

from __future__ import annotations

from bluelamp.custody import words
from bluelamp.custody.queries import HistoryItem
from bluelamp.footage import hooks
from bluelamp.ingest.imports import panels
from bluelamp.ingest.imports.events import ImportFinished, ImportStarted
from bluelamp.ingest.imports.services.reporting import forget
from bluelamp.ingest.models import ImportRun
from bluelamp.web import navigation, slots


def register() -> None:
    """Called once, when intake's application is ready."""
    hooks.deleted.register(forget)
    words.resolver("import", _names)
    words.register(ImportStarted.tag, _started)
    words.register(ImportFinished.tag, lambda item: f"The import ended. {item.details.get('verdict', '')}")
    navigation.register_below("fleet", "Imports", "imports:runs", order=40)
    slots.register_panel("recording_panels", panels.said, order=30)


def _started(item: HistoryItem) -> str:
    who, machine = item.details.get("by", ""), item.details.get("machine", "")
    where = f" on {machine}"
    # The command says "anna on dock-3", and that is the machine, too, unless it was run from afar.
    return f"{who.removesuffix(where)}{where} began to import {item.details.get('source', 'a source')}."


def _names(ids: set[str]) -> dict[str, str]:
    numbers = {int(custody_id.partition(":")[2]) for custody_id in ids if custody_id.partition(":")[2].isdecimal()}
    return {each.custody_id: f"Import {each.pk}" for each in ImportRun.objects.filter(pk__in=numbers)}
