"""The figures of a demonstration, and whether they add up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bluelamp.cli.demo.shift import Docked, files
from bluelamp.custody import sequencer
from bluelamp.custody.verification import verify_ledger
from bluelamp.footage.models import Derivative, Recording
from bluelamp.kernel import clock
from bluelamp.retention.models import Certificate, Hold
from bluelamp.rights.models import Request
from bluelamp.sharing.models import Share
from bluelamp.vault.keyring import get_keyring

_LIMIT = timedelta(days=31)
_KEPT = (Recording.State.LIVE, Recording.State.QUARANTINED)


def figures(docked: list[Docked], watched: int, data: Path) -> dict[str, Any]:
    """The main job in figures, from the database, the store and the ledger."""
    sequencer.drain()
    report, _ = verify_ledger()
    kept = Recording.objects.filter(state__in=_KEPT)
    return {
        "recorded": sum(camera.recorded for camera in docked),
        "uploaded": sum(camera.uploaded for camera in docked),
        "receipts_verified": sum(camera.receipts for camera in docked),
        "flagged": Recording.objects.filter(flags__released_at=None, flags__isnull=False).distinct().count(),
        "held": Hold.objects.filter(released_at=None).values("recording").distinct().count(),
        "shared": Share.objects.count(),
        "watched": watched,
        "requested": Request.objects.count(),
        "deleted": Recording.objects.filter(state=Recording.State.DELETED).count(),
        "kept": kept.count(),
        "certificates": Certificate.objects.count(),
        "ledger_size": report.size,
        "checkpoint_verified": report.good,
        "objects_in_store": sum(1 for _ in files(data / "store")),
        "objects_expected": kept.count() + Derivative.objects.filter(recording__in=kept).count(),
        "files_in_staging": sum(1 for _ in files(data / "staging")),
        "left_on_devices": sum(camera.left_on_device for camera in docked),
        "problems": [problem for camera in docked for problem in camera.problems],
    }


def mismatches(found: dict[str, Any]) -> Iterator[str]:
    """In words, whatever does not add up; nothing where the main job was done right."""
    if not found["recorded"] == found["uploaded"] == found["receipts_verified"]:
        yield "Recorded, uploaded and receipts verified differ."
    if found["deleted"] + found["kept"] != found["recorded"]:
        yield "Deleted and kept do not add up to recorded."
    if found["certificates"] != found["deleted"]:
        yield "There is not one certificate for each deletion."
    if not found["checkpoint_verified"]:
        yield "The ledger does not match its signed checkpoint."
    if found["objects_in_store"] != found["objects_expected"]:
        yield f"The store holds {found['objects_in_store']} objects, {found['objects_expected']} are accounted for."
    if found["files_in_staging"]:
        yield f"{found['files_in_staging']} files were left in staging."
    if found["left_on_devices"]:
        yield f"{found['left_on_devices']} recordings were left on devices."
    yield from _wrongly_deleted()
    yield from _wrongly_kept()
    yield from (f"Docking: {problem}" for problem in found["problems"])


def _wrongly_deleted() -> Iterator[str]:
    gone = Recording.objects.filter(state=Recording.State.DELETED)
    if gone.filter(flags__isnull=False, flags__released_at=None).exists():
        yield "A recording flagged as evidence was deleted."
    if gone.filter(holds__isnull=False, holds__released_at=None).exists():
        yield "A held recording was deleted."
    keyring = get_keyring()
    if any(keyring.has(recording.key_id) for recording in gone):
        yield "A deleted recording's data key is still in the keyring."


def _wrongly_kept() -> Iterator[str]:
    overdue = Recording.objects.filter(state__in=_KEPT, started_at__lt=clock.now() - _LIMIT)
    standing = overdue.exclude(flags__isnull=False, flags__released_at=None)
    for recording in standing.exclude(holds__isnull=False, holds__released_at=None):
        if not recording.cases.filter(closed_at=None).exists():
            yield f"Recording {recording.pk} is older than 31 days, and nothing keeps it."


def show(console: Console, found: dict[str, Any]) -> None:
    """The figures as a table."""
    table = Table(title="From a recording camera to court, to the requester, or to nothing", show_header=False)
    for name, value in found.items():
        if name != "problems":
            table.add_row(name.replace("_", " "), "yes" if value is True else "no" if value is False else str(value))
    console.print(table)
