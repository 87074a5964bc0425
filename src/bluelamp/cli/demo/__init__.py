"""`bluelamp demo`: a whole force on one machine, with real recordings, over real protocols."""

from __future__ import annotations

import json as json_module
import os
import shutil
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from bluelamp.kernel.errors import Conflict

_EACH = 3
_SECONDS = 8.0


def demo(
    data: Annotated[Path, typer.Option("--data", help="The demonstration's data folder; made anew.")] = Path(
        "bluelamp-demo"
    ),
    port: Annotated[int, typer.Option("--port", help="Port of the pages.")] = 8000,
    exit_: Annotated[bool, typer.Option("--exit", help="End after the main job, with a summary.")] = False,
    json: Annotated[Path | None, typer.Option("--json", help="Write the summary to this file as JSON.")] = None,
) -> None:
    """Run a demonstration force: record, dock, watch, flag, share, ask, and let 31 days pass."""
    from bluelamp.cli.supervisor.supervisor import Supervisor

    data = data.resolve()
    _make_room(data)
    console = Console()
    target = json.resolve() if json else None

    def main(address: str) -> int:
        return _run(data, address, console, stay=not exit_, target=target)

    raise typer.Exit(Supervisor(data, "localhost", port, demonstration=True, main=main).run())


def _make_room(data: Path) -> None:
    """Remove an earlier demonstration; refuse a folder that holds anything else."""
    if not data.exists() or not any(data.iterdir()):
        return
    from bluelamp.cli.supervisor import instance

    running = instance.holder(data)
    if running is not None:
        raise Conflict(
            f"A demonstration runs in {data} already, at {running.get('address', 'another address')}.",
            "It was left alone.",
            "Open that address, end it with Ctrl+C in its terminal, or choose another folder with --data.",
        )
    if instance.read_json(data / "instance.json").get("demonstration") is not True:
        raise Conflict(
            f"{data} is not a demonstration's folder, so it is not cleared.",
            "Nothing in it was touched.",
            "Choose another folder with --data.",
        )
    shutil.rmtree(data)


def _run(data: Path, address: str, console: Console, *, stay: bool, target: Path | None) -> int:
    os.environ["BLUELAMP_DATA"] = str(data)
    os.environ.setdefault("BLUELAMP_BASE_URL", address)
    from bluelamp.cli import django_ready

    django_ready()
    from bluelamp.cli.demo import force as forces
    from bluelamp.cli.demo import shift, story, summary
    from bluelamp.kernel import clock

    say = console.print
    console.rule("A force is set up")
    force = forces.create(clock.now())
    say(f"  {len(force.officers)} officers, {len(force.wearers)} cameras issued, {len(force.units)} units")
    console.rule("Cameras record and dock")
    plans = shift.plan(force, clock.now(), _EACH, _SECONDS)
    docked = shift.run(force, data / "devices", plans, address, clock.now, say)
    total = sum(camera.uploaded for camera in docked)
    say(f"  {story.wait_until_prepared(total, say)} of {total} prepared for viewing")
    console.rule("People use the footage")
    told = story.tell(force, address, data, say)
    console.rule("Thirty-one days pass")
    story.let_days_pass(say)
    found = summary.figures(docked, told.watched, data)
    wrong = list(summary.mismatches(found))
    summary.show(console, found)
    for line in wrong:
        console.print(f"[red]{line}[/]")
    if target is not None:
        target.write_text(json_module.dumps(found, indent=2) + "\n")
    if stay:
        console.rule("A new shift docks, so that there is something to see")
        late = shift.plan(force, clock.now(), 1, _SECONDS, seed=5000)
        story.wait_until_prepared(
            total
            + sum(camera.uploaded for camera in shift.run(force, data / "devices", late, address, clock.now, say)),
            say,
        )
    _write_facts(data, address, force, told)
    _invite(console, address, force, data)
    if stay:
        _serve_until_stopped()
    return 1 if wrong else 0


def _write_facts(data: Path, address: str, force: Any, told: Any) -> None:
    """demo.json: what a person or program needs to use the demonstration."""
    from bluelamp.cli.demo.story import PROSECUTOR

    facts = {
        "base_url": address,
        "accounts": [
            *(vars(account) for account in force.accounts),
            {"role": "prosecutor", "username": PROSECUTOR[1], "password": None, "totp_secret": None},
        ],
        "dock_token": force.dock_token,
        # No Axis content destination is served yet.
        "axis": {"user": None, "key": None},
        "recording": str(told.recording.pk),
        "case": str(told.case.pk),
        "share": str(told.share.pk),
        "request": str(told.request.pk),
    }
    path = data / "demo.json"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(json_module.dumps(facts, indent=2) + "\n")


def _invite(console: Console, address: str, force: Any, data: Path) -> None:
    table = Table(title=f"Sign in at {address}")
    for column in ("role", "username", "password", "one-time password secret"):
        table.add_column(column)
    for account in force.accounts:
        table.add_row(account.role, account.username, account.password or "", account.totp_secret or "")
    console.print(table)
    console.print(f"The same stands in {data / 'demo.json'}. Messages (links, one-time codes) are in {data / 'mail'}.")
    console.print(f"The public's page: {address}/public/   The partners' portal: {address}/share/")


def _serve_until_stopped() -> None:
    import threading

    threading.Event().wait()
