"""`bluelamp dock`: upload a camera's recordings, verify the receipts, then clear the camera."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.table import Table

from bluelamp.camera import CameraError, Device
from bluelamp.camera.dock import PARALLEL, DockClient, DockResult
from bluelamp.cli.camera import told_in_words
from bluelamp.web.filters import clock_error

NOT_ALL_UPLOADED = 3


def dock(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The camera's folder.", exists=True, file_okay=False)],
    server: Annotated[str, typer.Option(help="The server's address, like http://localhost:8000.")],
    token: Annotated[str, typer.Option(envvar="BLUELAMP_DOCK_TOKEN", help="This dock's token.")],
    parallel: Annotated[int, typer.Option(min=1, max=16, help="How many files at once.")] = PARALLEL,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the recordings on the camera.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Upload what the server needs, verify its signed receipts, and only then erase the camera's copies.

    Exit code 0: everything is safe on the server. 3: some recordings are not; the dock erased none of these.
    """
    client = DockClient(server, token, lambda: datetime.now(UTC), parallel=parallel, keep=keep)
    columns = (
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    try:
        device = Device.existing(folder)
        with Progress(*columns, console=Console(stderr=True), disable=as_json) as progress:
            result = client.dock(folder, _Bars(progress))
    except CameraError as error:
        raise told_in_words(error) from error
    if as_json:
        typer.echo(json.dumps({**asdict(result), "all_safe": result.all_safe}))
    else:
        _show(device, result)
    raise typer.Exit(0 if result.all_safe else NOT_ALL_UPLOADED)


class _Bars:
    """One bar a file and one for all. Rich's progress may be updated from several threads."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._all = progress.add_task("All", total=0)
        self._sizes: dict[int, int] = {}
        self._sent: dict[int, int] = {}
        self._tasks: dict[int, object] = {}

    def __call__(self, sequence: int, filename: str, sent: int, size: int) -> None:
        if sequence not in self._tasks:
            self._tasks[sequence] = self._progress.add_task(f"Recording {sequence}", total=size)
        self._sizes[sequence], self._sent[sequence] = size, sent
        self._progress.update(self._tasks[sequence], completed=sent)
        self._progress.update(self._all, total=sum(self._sizes.values()), completed=sum(self._sent.values()))


def _show(device: Device, result: DockResult) -> None:
    console = Console()
    refused = {refusal.sequence: refusal.why for refusal in result.refused}
    table = Table(title=f"Camera {device.serial} ({device.model})")
    for heading in ("No.", "Recording", "Server", "Receipt", "On the camera"):
        table.add_column(heading, justify="right" if heading == "No." else "left")
    for signed in device.entries():
        sequence = signed.entry.sequence
        if sequence in result.uploaded or sequence in result.already:
            came = "uploaded now" if sequence in result.uploaded else "had it already"
            receipt = "verified" if sequence in result.receipts_verified else "-"
            left = "erased" if sequence in result.erased else "kept"
            table.add_row(str(sequence), signed.entry.started_at, came, receipt, left)
        elif device.path(signed).exists():
            came = "[red]refused[/]" if sequence in refused else "[red]not uploaded[/]"
            table.add_row(str(sequence), signed.entry.started_at, came, "-", "kept")
        elif sequence in result.in_vain:
            table.add_row(str(sequence), signed.entry.started_at, "[red]not uploaded[/]", "-", "[red]gone[/]")
    if table.row_count:
        console.print(table)
    else:
        console.print(f"Camera {device.serial} holds nothing that the server needs.")
    for sequence, why in sorted(refused.items()):
        console.print(f"[red]Recording {sequence}:[/] {why}", highlight=False)
    for problem in result.problems:
        console.print(f"[red]{problem}[/]", highlight=False)
    if abs(result.clock_offset_ms) >= 50:  # what is less is the request's own time
        console.print(f"The camera's clock is {clock_error(result.clock_offset_ms)}.", highlight=False)
    if result.all_safe:
        console.print("[green]Everything is safe on the server.[/]")
    else:
        console.print(f"[bold red]{_what_is_left(result)}[/]", highlight=False)


def _what_is_left(result: DockResult) -> str:
    if not result.in_vain:
        return "Not everything is on the server. Nothing of that was erased: dock again."
    if not result.docking_again_helps:
        return (
            "Not everything is on the server, and docking again does not change that: do what is said above. "
            "The dock erased nothing of it."
        )
    numbers = ", ".join(map(str, result.in_vain))
    return (
        "Not everything is on the server. The dock erased nothing of that. Dock again for the rest; for "
        f"{'recordings' if len(result.in_vain) > 1 else 'recording'} {numbers} do what is said above first."
    )
