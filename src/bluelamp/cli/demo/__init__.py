"""`bluelamp demo`: a whole force on one machine, with real recordings, over real protocols."""

from __future__ import annotations

import json as json_module
import os
import shutil
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from bluelamp.kernel.errors import Conflict, NotFound

_DEFAULT = Path("bluelamp-demo")
_EACH = 3
_SECONDS = 8.0


def demo(
    data: Annotated[Path, typer.Option("--data", help="The demonstration's data folder; made anew.")] = _DEFAULT,
    port: Annotated[int, typer.Option("--port", help="Port of the pages.")] = 8000,
    exit_: Annotated[bool, typer.Option("--exit", help="End after the main job, with a summary.")] = False,
    json: Annotated[Path | None, typer.Option("--json", help="Write the summary to this file as JSON.")] = None,
    code: Annotated[str, typer.Option("--code", help="Print this username's one-time code now, and end.")] = "",
) -> None:
    """Run a demonstration force: record, dock, watch, flag, share, ask, and let 31 days pass."""
    from bluelamp.cli.supervisor.supervisor import Supervisor

    data = data.resolve()
    if code:
        typer.echo(_one_time_code(data, code))
        return
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
    os.environ["BLUELAMP_LOG_LEVEL"] = "WARNING"  # of this process: its terminal is for people
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
        "axis": {"user": force.axis.connection.user, "key": force.axis.key},
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
    console.rule(f"Sign in at {address}")
    for account in force.accounts:
        console.print(
            f"  {account.role.replace('_', ' '):24}{account.username:12}{account.password:18}"
            f"one-time password secret {account.totp_secret}",
            soft_wrap=True,
            highlight=False,
        )
    folder = f" --data {data}" if data != _DEFAULT.resolve() else ""
    console.print(f"  No authenticator app at hand? .venv/bin/bluelamp demo{folder} --code USERNAME prints the code.")
    console.print(f"  The prosecutor signs in at {address}/share/ with a code from {data / 'mail'}.", soft_wrap=True)
    console.print(f"  The public asks at {address}/public/. All this stands in {data / 'demo.json'}.", soft_wrap=True)


def _one_time_code(data: Path, username: str) -> str:
    """The code that an authenticator app would show for a demonstration's account (RFC 6238)."""
    from bluelamp.cli import django_ready
    from bluelamp.cli.supervisor.instance import read_json

    accounts = {account["username"]: account for account in read_json(data / "demo.json").get("accounts", [])}
    secret = accounts.get(username, {}).get("totp_secret")
    if not secret:
        raise NotFound(
            f"There is no account {username!r} with one-time passwords in {data / 'demo.json'}.",
            "Nothing was changed.",
            f"Choose one of: {', '.join(name for name in accounts if accounts[name]['totp_secret']) or 'none'}.",
        )
    os.environ["BLUELAMP_DATA"] = str(data)
    django_ready()
    from bluelamp.cli.demo.browser import one_time_code

    return one_time_code(secret)


def _serve_until_stopped() -> None:
    import threading

    threading.Event().wait()
