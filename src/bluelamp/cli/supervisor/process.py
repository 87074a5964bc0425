"""One supervised process of Bluelamp: started, followed, started again when it ends, stopped."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bluelamp.cli.supervisor.backoff import Backoff
from bluelamp.cli.supervisor.logs import ProcessLog
from bluelamp.cli.supervisor.spawn import guarded


@dataclass
class Status:
    """What the screen says of a process."""

    name: str
    state: str = "waiting"
    pid: int | None = None
    restarts: int = 0
    note: str = ""


@dataclass(frozen=True)
class Command:
    """What to run: arguments, environment, and the descriptors of listening sockets to inherit."""

    arguments: Sequence[str]
    environment: dict[str, str]
    descriptors: tuple[int, ...] = ()


class ManagedProcess:
    """Keeps `command` running, in a process group of its own.

    Where there is a `gate` that is not set yet, the child gets `--gate FD` and waits there with its code loaded.
    """

    def __init__(
        self, name: str, command: Command, logs: Path, gate: asyncio.Event | None, changed: Callable[[], None]
    ) -> None:
        self.status = Status(name)
        self._command = command
        self._log = ProcessLog(logs, name)
        self._gate = gate
        self._changed = changed
        self._backoff = Backoff()
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False
        self.started = asyncio.Event()
        """Set once the process has been started for the first time."""

    async def keep(self) -> None:
        """Run until `stop`; start again with back-off whenever it ends."""
        while not self._stopping:
            began = time.monotonic()
            code = await self._run_once()
            if self._stopping:
                return
            delay = self._backoff.delay(time.monotonic() - began)
            self.status.restarts += 1
            reason = f"ended with {describe_exit(code)}" + (f" ({self._log.last_words})" if code > 0 else "")
            self._show("restarting", note=f"{reason}; again in {delay:.1f} s")
            await asyncio.sleep(delay)

    async def stop(self, seconds: float) -> None:
        """SIGTERM, and after `seconds` SIGKILL, to the process and what it started."""
        self._stopping = True
        process = self._process
        if process is not None and process.returncode is None:
            self._show("stopping")
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), seconds)
            except TimeoutError:
                pass
            _kill_group(process.pid)
            await process.wait()
        self._show("stopped")

    async def _run_once(self) -> int:
        async with _spawned(self._command, self._gate, lambda: self._show("running")) as process:
            self._process = process
            self._show("running" if self._gate is None or self._gate.is_set() else "waiting")
            self.started.set()
            assert process.stdout is not None
            follower = asyncio.create_task(self._log.follow(process.stdout))
            code = await process.wait()
            _kill_group(process.pid)  # what it started and left behind would keep the pipe, and its work, alive
            await follower
            return code

    def _show(self, state: str, note: str = "") -> None:
        process = self._process
        self.status.state, self.status.note = state, note
        self.status.pid = process.pid if process is not None and process.returncode is None else None
        self._changed()


async def run_to_end(name: str, command: Command, logs: Path, gate: asyncio.Event | None = None) -> tuple[int, str]:
    """Run `command` once, filing what it says; returns its exit code and its last line. `gate` as of ManagedProcess."""
    log = ProcessLog(logs, name)
    async with _spawned(command, gate) as process:
        assert process.stdout is not None
        try:
            await log.follow(process.stdout)
            return await process.wait(), log.last_words
        finally:
            if process.returncode is None:  # the supervisor stops
                _kill_group(process.pid)
                await process.wait()
            log.close()


@asynccontextmanager
async def _spawned(
    command: Command, gate: asyncio.Event | None, opened: Callable[[], None] = lambda: None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The process of `command`, told through a pipe when `gate` is set; `opened` is called then."""
    if gate is None or gate.is_set():
        yield await _spawn(command.arguments, command.environment, command.descriptors)
        return
    gate_in, gate_out = os.pipe()
    try:
        try:
            arguments = [*command.arguments, "--gate", str(gate_in)]
            process = await _spawn(arguments, command.environment, (*command.descriptors, gate_in))
        finally:
            os.close(gate_in)
        opener = asyncio.create_task(_open_gate(gate, gate_out, opened))
        try:
            yield process
        finally:
            opener.cancel()
    finally:
        os.close(gate_out)


async def _open_gate(gate: asyncio.Event, gate_out: int, opened: Callable[[], None]) -> None:
    await gate.wait()
    try:
        os.write(gate_out, b"1")
    except BrokenPipeError:  # the child has just ended
        return
    opened()


async def _spawn(
    arguments: Sequence[str], environment: dict[str, str], descriptors: tuple[int, ...]
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        # A crash of the supervisor is a crash of the whole: no child lingers on the listening socket.
        *guarded(arguments, signal.SIGKILL),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=environment,
        pass_fds=descriptors,
        process_group=0,
    )


def describe_exit(code: int | None) -> str:
    """A return code in words: "code 1", "SIGKILL"."""
    if code is not None and code < 0:
        return signal.Signals(-code).name
    return f"code {code}"


def _kill_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        pass
