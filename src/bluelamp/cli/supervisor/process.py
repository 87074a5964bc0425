"""One supervised process of Bluelamp: started, followed, started again when it ends, stopped."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
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
        with ExitStack() as held:
            arguments, descriptors = list(self._command.arguments), self._command.descriptors
            gate_in, gate_out = None, None
            if self._gate is not None and not self._gate.is_set():
                gate_in, gate_out = os.pipe()
                held.callback(os.close, gate_out)
                arguments += ["--gate", str(gate_in)]
                descriptors += (gate_in,)
            try:
                self._process = process = await _spawn(arguments, self._command.environment, descriptors)
            finally:
                if gate_in is not None:
                    os.close(gate_in)
            self._show("running" if gate_out is None else "waiting")
            self.started.set()
            opener = asyncio.create_task(self._open_gate(gate_out))
            assert process.stdout is not None
            follower = asyncio.create_task(self._log.follow(process.stdout))
            code = await process.wait()
            opener.cancel()
            _kill_group(process.pid)  # what it started and left behind would keep the pipe, and its work, alive
            await follower
            return code

    async def _open_gate(self, gate_out: int | None) -> None:
        if self._gate is None or gate_out is None:
            return
        await self._gate.wait()
        try:
            os.write(gate_out, b"1")
        except BrokenPipeError:  # the child has just ended
            return
        self._show("running")

    def _show(self, state: str, note: str = "") -> None:
        process = self._process
        self.status.state, self.status.note = state, note
        self.status.pid = process.pid if process is not None and process.returncode is None else None
        self._changed()


async def run_to_end(name: str, command: Command, logs: Path) -> tuple[int, str]:
    """Run `command` once, filing what it says; returns its exit code and its last line."""
    log = ProcessLog(logs, name)
    process = await _spawn(command.arguments, command.environment, command.descriptors)
    assert process.stdout is not None
    try:
        await log.follow(process.stdout)
        return await process.wait(), log.last_words
    finally:
        if process.returncode is None:  # the supervisor stops
            _kill_group(process.pid)
            await process.wait()
        log.close()


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
