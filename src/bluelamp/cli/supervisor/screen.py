"""The one tidy screen of `bluelamp up`: what runs where. Lines and a table where the output is not a terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bluelamp.cli.supervisor.logs import ProcessLog
from bluelamp.cli.supervisor.process import Status

if TYPE_CHECKING:  # loaded only once the web process is under way, which is what a start waits for
    from rich.console import Group
    from rich.live import Live

_STYLES = {"running": "green", "restarting": "yellow", "stopped": "dim"}
_KEPT_MESSAGES = 3


@dataclass(frozen=True)
class Facts:
    """Where things are: label and value, in the order to show."""

    title: str
    rows: tuple[tuple[str, str], ...]


class Screen:
    """Lines, for a file or a pipe: each message, each failure of a process, and the table once all runs."""

    def __init__(self) -> None:
        self._facts = Facts("Bluelamp", ())
        self._processes: Sequence[Status] = ()
        self._told: dict[str, str] = {}
        self._log: ProcessLog | None = None
        self._logged: dict[str, tuple[str, str]] = {}

    def log_to(self, folder: Path) -> None:
        """Keep what is shown in `supervisor.log` too, for whoever comes later."""
        self._log = ProcessLog(folder, "supervisor")

    def show(self, facts: Facts, processes: Sequence[Status]) -> None:
        """Show these facts and processes from now on."""
        self._facts, self._processes = facts, processes
        self.refresh()

    def say(self, message: str) -> None:
        """Show a message."""
        self._keep(message)
        self._print(message)

    def ready(self) -> None:
        """Everything runs."""
        from rich.console import Console

        Console(highlight=False).print(_render(self._facts, self._processes))

    def refresh(self) -> None:
        """Show the processes' present state."""
        self._keep_changes()
        for status in self._processes:
            if status.note and self._told.get(status.name) != status.note:
                self._print(f"{status.name}: {status.note}")
            self._told[status.name] = status.note

    def close(self) -> None:
        """Leave the terminal to others."""
        if self._log is not None:
            self._log.close()
            self._log = None

    def _print(self, message: str) -> None:
        sys.stdout.write(message + "\n")
        sys.stdout.flush()

    def _keep(self, message: str) -> None:
        if self._log is not None:
            self._log.write(message)

    def _keep_changes(self) -> None:
        for status in self._processes:
            now = (status.state, status.note)
            if self._logged.get(status.name) != now:
                pid = f" as process {status.pid}" if status.pid else ""
                self._keep(f"{status.name}: {status.state}{pid}{': ' if status.note else ''}{status.note}")
            self._logged[status.name] = now


class TerminalScreen(Screen):
    """A terminal: the table stays in place and changes."""

    def __init__(self) -> None:
        super().__init__()
        self._messages: list[str] = []
        self._live: Live | None = None

    def show(self, facts: Facts, processes: Sequence[Status]) -> None:
        super().show(facts, processes)
        if self._live is None:
            from rich.live import Live

            self._live = Live(auto_refresh=False)
            self._live.start()
        self.refresh()

    def say(self, message: str) -> None:
        self._keep(message)
        self._messages = [*self._messages, message][-_KEPT_MESSAGES:]
        self.refresh()

    def ready(self) -> None:
        self.refresh()

    def refresh(self) -> None:
        self._keep_changes()
        if self._live is not None:
            self._live.update(_render(self._facts, self._processes, self._messages), refresh=True)

    def close(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None
        super().close()


def for_standard_output() -> Screen:
    """The screen that suits where the output goes."""
    return TerminalScreen() if sys.stdout.isatty() else Screen()


def _render(facts: Facts, processes: Sequence[Status], messages: Sequence[str] = ()) -> Group:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    where = Table(show_header=False, box=None, title=facts.title, title_justify="left", title_style="bold")
    for label, value in facts.rows:
        where.add_row(Text(label, style="dim"), Text(value, overflow="fold"))
    running = Table(box=None, header_style="dim")
    for heading in ("process", "state", "pid", "restarts", ""):
        running.add_column(heading, justify="right" if heading in ("pid", "restarts") else "left")
    for status in processes:
        running.add_row(
            status.name,
            Text(status.state, style=_STYLES.get(status.state, "")),
            str(status.pid or ""),
            str(status.restarts),
            Text(status.note),
        )
    return Group(where, running, *(Text(message, style="dim") for message in messages))
