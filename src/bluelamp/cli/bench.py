"""`bluelamp bench`: measure this machine, each figure beside a peer's taken in the same run."""

from __future__ import annotations

import importlib
import json
import signal
import sys
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, NoReturn

import typer

from bluelamp.kernel.errors import Invalid

_CHECKOUT = Path(__file__).parents[3]


class Name(StrEnum):
    """What can be measured."""

    INGEST = "ingest"
    SHIFT = "shift"
    LEDGER = "ledger"
    RETENTION = "retention"


def bench(
    name: Annotated[
        Name,
        typer.Argument(
            help="ingest: uploads beside other servers; shift: 400 cameras dock; ledger: what it costs and does; "
            "retention: the sweep of what is due."
        ),
    ],
    rounds: Annotated[int, typer.Option(help="Interleaved rounds (ingest, ledger).", min=1)] = 5,
    cameras: Annotated[int, typer.Option(help="Cameras that dock (shift).", min=1)] = 400,
    recordings: Annotated[int, typer.Option(help="Recordings that are due (retention).", min=1000)] = 20_000,
    tls: Annotated[bool, typer.Option("--tls", help="Behind TLS (ingest).")] = False,
    report: Annotated[Path | None, typer.Option("--json", help="Write all figures to this file.")] = None,
) -> None:
    """Measure against peers. The machine should have nothing else to do; every figure is a median of several rounds."""
    if not (_CHECKOUT / "benchmarks").is_dir():
        raise Invalid(
            "The measurements come with the source, not with the installed package.",
            "Nothing was measured.",
            "Run `bluelamp bench` from a clone of the repository.",
        )
    signal.signal(signal.SIGTERM, _stopped)
    sys.path.insert(0, str(_CHECKOUT))
    module: Any = importlib.import_module(f"benchmarks.{name}")
    given = {
        Name.INGEST: {"rounds": rounds, "tls": tls},
        Name.SHIFT: {"cameras": cameras},
        Name.LEDGER: {"rounds": rounds},
        Name.RETENTION: {"recordings": recordings},
    }
    figures = module.run(**given[name], tell=typer.echo)
    text = json.dumps(figures, indent=2)
    if report is not None:
        report.write_text(text + "\n")
    typer.echo(text)


def _stopped(number: int, frame: FrameType | None) -> NoReturn:
    """As Ctrl+C does: the servers that were started for the measurement are stopped, too, and that takes its time."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(128 + number)
