"""`bluelamp camera`: a virtual body-worn camera."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from bluelamp.camera import CameraError, Device, RecordingSpec
from bluelamp.camera.device import MODEL
from bluelamp.camera.spec import MOUNTS, PRE_EVENT_SECONDS, SIZES, SPLIT_SECONDS, Span
from bluelamp.formats import iso8601
from bluelamp.formats.manifest import SignedEntry
from bluelamp.kernel.errors import BluelampError

app = typer.Typer(help="A virtual body-worn camera that makes real recordings.", no_args_is_help=True)

BETWEEN_RECORDINGS = timedelta(minutes=1)


@app.callback()
def camera() -> None:
    """A virtual body-worn camera that makes real recordings."""


@app.command()
def record(
    out: Annotated[Path, typer.Option("--out", help="The camera's folder; made where there is none.")],
    seconds: Annotated[float, typer.Option(help="Length, the pre-event buffer included.")] = 60.0,
    serial: Annotated[str | None, typer.Option(help="Serial number of a new camera.")] = None,
    model: Annotated[str | None, typer.Option(help=f"Model of a new camera [{MODEL}].")] = None,
    mount: Annotated[str | None, typer.Option(help=f"Where it is worn: {', '.join(MOUNTS)}.")] = None,
    size: Annotated[str, typer.Option(help=f"{' or '.join(SIZES)}, 25 pictures a second.")] = "720p",
    pre_event: Annotated[
        int,
        typer.Option(help="Seconds before the start, without sound; half the length where it would fill it."),
    ] = PRE_EVENT_SECONDS,
    marker: Annotated[list[float] | None, typer.Option(help="A marker at this second; may be repeated.")] = None,
    mute: Annotated[list[str] | None, typer.Option(help="No sound FROM:TO seconds; may be repeated.")] = None,
    stealth: Annotated[
        list[str] | None, typer.Option(help="No ring, no beep FROM:TO seconds; may be repeated.")
    ] = None,
    split: Annotated[float, typer.Option(help="Seconds after which a new file begins.")] = SPLIT_SECONDS,
    at: Annotated[str | None, typer.Option(help="Start on the camera's clock, ISO 8601 [now].")] = None,
    seed: Annotated[int, typer.Option(help="Which scene; each gives another.")] = 0,
    lat: Annotated[float | None, typer.Option(help="Latitude where the walk begins.")] = None,
    lon: Annotated[float | None, typer.Option(help="Longitude where the walk begins.")] = None,
    count: Annotated[int, typer.Option(min=1, help="How many recordings, a minute apart.")] = 1,
    told: Annotated[
        bool | None, typer.Option("--told/--not-told", help="Whether people were told of the recording.")
    ] = None,
    clock_set: Annotated[
        bool, typer.Option("--clock-set/--clock-not-set", help="A camera that lost its clock says so.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print the signed manifest entries as JSON.")] = False,
) -> None:
    """Record as a camera does: H.264 and AAC in MP4, a signed manifest entry for each file."""
    try:
        device = Device.open(out, serial=serial, model=model, mount=mount)
        recovered = device.recover()
        started_at = _moment(at)
        specs = []
        for number in range(count):
            specs.append(
                RecordingSpec(
                    started_at=started_at,
                    seconds=seconds,
                    pre_event_seconds=pre_event,
                    size=size,
                    seed=seed + number,
                    markers=tuple(marker or ()),
                    mutes=_spans(mute, "--mute"),
                    stealths=_spans(stealth, "--stealth"),
                    split_seconds=split,
                    lat=lat,
                    lon=lon,
                    told=told,
                    clock_set=clock_set,
                )
            )
            started_at += timedelta(seconds=seconds) + BETWEEN_RECORDINGS
        entries = _record_all(device, specs, quiet=as_json)
    except CameraError as error:
        raise told_in_words(error) from error
    if as_json:
        typer.echo(json.dumps([json.loads(signed.to_json()) for signed in [*recovered, *entries]]))
        return
    _show(device, recovered, entries)


@app.command()
def recover(
    folder: Annotated[Path, typer.Argument(help="The camera's folder.", exists=True, file_okay=False)],
) -> None:
    """Switch a camera on after a power cut: close the recordings that were open."""
    try:
        device = Device.existing(folder)
        recovered = device.recover()
    except CameraError as error:
        raise told_in_words(error) from error
    if recovered:
        _show(device, recovered, [])
    else:
        Console().print("No recording was open: nothing was lost, nothing had to be closed.")


def told_in_words(error: CameraError) -> BluelampError:
    """The camera's error as the one that the command line prints."""
    return BluelampError(error.what_happened, error.meaning, error.next_step)


def _record_all(device: Device, specs: list[RecordingSpec], *, quiet: bool) -> list[SignedEntry]:
    entries: list[SignedEntry] = []
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), disable=quiet) as progress:
        task = progress.add_task(f"Camera {device.serial} records", total=sum(spec.seconds for spec in specs))
        done = 0.0
        for spec in specs:
            before = done

            def advance(seconds: float, before: float = before) -> None:
                progress.update(task, completed=before + seconds)

            entries += device.record(spec, on_progress=advance)
            done += spec.seconds
    return entries


def _show(device: Device, recovered: list[SignedEntry], entries: list[SignedEntry]) -> None:
    console = Console()
    table = Table(title=f"Camera {device.serial} ({device.model}, worn on the {device.mount})")
    for heading in ("No.", "From (UTC)", "Seconds", "MB", "SHA-256", ""):
        table.add_column(heading, justify="right" if heading in ("No.", "Seconds", "MB") else "left")
    closed = {signed.entry.sequence for signed in recovered}
    for signed in [*recovered, *entries]:
        entry = signed.entry
        notes = []
        if entry.sequence in closed:
            notes.append("power was lost; closed now")
        if not entry.clock_set:
            notes.append("clock not set")
        if any(event["kind"] == "split" for event in entry.events):
            notes.append(f"part {entry.part}")
        length = (iso8601.parse(entry.ended_at) - iso8601.parse(entry.started_at)).total_seconds()
        table.add_row(
            str(entry.sequence),
            entry.started_at,
            f"{length:g}",
            f"{entry.size / 1e6:.1f}",
            entry.sha256[:12],
            ", ".join(notes),
        )
    console.print(table)
    typer.echo(f"In {device.folder}. Upload with: bluelamp dock {device.folder} --server URL --token TOKEN")


def _moment(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC).replace(microsecond=0)  # a camera's clock counts whole seconds
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise CameraError(f"{text} is no time.", next_step="Write it like 2026-11-22T07:19:05Z.") from error
    return moment if moment.utcoffset() is not None else moment.replace(tzinfo=UTC)


def _spans(texts: list[str] | None, option: str) -> tuple[Span, ...]:
    spans = []
    for text in texts or ():
        start, separator, end = text.partition(":")
        try:
            if not separator:
                raise ValueError("no colon")
            spans.append((float(start), float(end)))
        except ValueError as error:
            raise CameraError(f"{option} {text} is no span.", next_step="Write it like 3:6, in seconds.") from error
    return tuple(spans)
