from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bluelamp.cli.supervisor.process import Command, ManagedProcess, describe_exit, run_to_end


def python(script: str) -> Command:
    return Command([sys.executable, "-u", "-c", script], dict(os.environ))


async def until(condition: Callable[[], object], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        await asyncio.sleep(0.01)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_killed_process_is_started_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        child = ManagedProcess("child", python("import time; time.sleep(60)"), tmp_path, None, lambda: None)
        keeping = asyncio.create_task(child.keep())
        await until(lambda: child.status.state == "running")
        first = child.status.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await until(lambda: child.status.state == "restarting")
        assert child.status.note.startswith("ended with SIGKILL")
        await until(lambda: child.status.state == "running")
        assert child.status.pid != first
        assert child.status.restarts == 1
        await child.stop(2)
        await keeping
        assert child.status.state == "stopped"

    asyncio.run(scenario())


def test_a_process_that_ignores_the_polite_signal_is_killed_with_what_it_started(tmp_path: Path) -> None:
    script = (
        "import signal, subprocess, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print(subprocess.Popen(['sleep', '60']).pid)\n"
        "time.sleep(60)\n"
    )

    async def scenario() -> None:
        child = ManagedProcess("child", python(script), tmp_path, None, lambda: None)
        keeping = asyncio.create_task(child.keep())
        log = tmp_path / "child.log"
        await until(lambda: log.exists() and log.read_text())
        grandchild = int(json.loads(log.read_text())["event"])
        began = time.monotonic()
        await child.stop(0.3)
        await keeping
        assert time.monotonic() - began < 20, "it would have slept for a minute"
        await until(lambda: not is_alive(grandchild))

    asyncio.run(scenario())


def test_a_child_waits_at_its_gate(tmp_path: Path) -> None:
    script = (
        "import os, sys, time\n"
        "print('loaded')\n"
        "print('through' if os.read(int(sys.argv[sys.argv.index('--gate') + 1]), 1) else 'closed')\n"
        "time.sleep(60)\n"
    )

    async def scenario() -> None:
        gate = asyncio.Event()
        child = ManagedProcess("child", python(script), tmp_path, gate, lambda: None)
        keeping = asyncio.create_task(child.keep())
        log = tmp_path / "child.log"
        await until(lambda: log.exists() and "loaded" in log.read_text())
        assert child.status.state == "waiting"
        assert "through" not in log.read_text()
        gate.set()
        await until(lambda: "through" in log.read_text())
        assert child.status.state == "running"
        await child.stop(1)
        await keeping

    asyncio.run(scenario())


def test_a_command_run_once_waits_at_its_gate_too(tmp_path: Path) -> None:
    script = (
        "import os, sys\n"
        "print('loaded')\n"
        "print('through' if os.read(int(sys.argv[sys.argv.index('--gate') + 1]), 1) else 'closed')\n"
    )

    async def scenario() -> None:
        gate = asyncio.Event()
        running = asyncio.create_task(run_to_end("once", python(script), tmp_path, gate))
        log = tmp_path / "once.log"
        await until(lambda: log.exists() and "loaded" in log.read_text())
        assert not running.done()
        gate.set()
        assert await running == (0, "through")

    asyncio.run(scenario())


def test_a_command_given_up_before_its_gate_opened_is_ended(tmp_path: Path) -> None:
    script = "import os, time\nprint(os.getpid())\ntime.sleep(60)\n"

    async def scenario() -> None:
        running = asyncio.create_task(run_to_end("once", python(script), tmp_path, asyncio.Event()))
        log = tmp_path / "once.log"
        await until(lambda: log.exists() and log.read_text())
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert not is_alive(int(json.loads(log.read_text())["event"]))

    asyncio.run(scenario())


def test_a_child_dies_with_its_supervisor(tmp_path: Path) -> None:
    script = (
        "import asyncio, os, pathlib, sys\n"
        "from bluelamp.cli.supervisor.process import Command, ManagedProcess\n"
        "async def main():\n"
        "    command = Command([sys.executable, '-c', 'import time; time.sleep(60)'], dict(os.environ))\n"
        "    child = ManagedProcess('child', command, pathlib.Path(sys.argv[1]), None, lambda: None)\n"
        "    task = asyncio.create_task(child.keep())\n"
        "    while child.status.pid is None: await asyncio.sleep(0.01)\n"
        "    print(child.status.pid, flush=True)\n"
        "    await task\n"
        "asyncio.run(main())\n"
    )
    supervisor = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE)
    assert supervisor.stdout is not None
    pid = int(supervisor.stdout.readline())
    assert is_alive(pid)
    supervisor.kill()
    supervisor.wait()
    until_then = time.monotonic() + 5
    while is_alive(pid) and time.monotonic() < until_then:
        time.sleep(0.02)
    assert not is_alive(pid)


def test_what_a_child_says_is_filed_as_json_lines_only_the_operator_can_read(tmp_path: Path) -> None:
    script = 'print(\'plain words\'); print(\'{"event": "structured", "level": "warning"}\'); print(\'x\' * 200000)'

    async def scenario() -> None:
        assert await run_to_end("child", python(script), tmp_path) == (0, "x" * 200000)

    asyncio.run(scenario())
    log = tmp_path / "child.log"
    plain, structured, long = (json.loads(line) for line in log.read_text().splitlines())
    assert plain["event"] == "plain words"
    assert plain["process"] == "child"
    assert structured == {"event": "structured", "level": "warning"}
    assert len(long["event"]) == 200000
    assert log.stat().st_mode & 0o777 == 0o600


def test_exit_codes_are_told_in_words() -> None:
    assert describe_exit(1) == "code 1"
    assert describe_exit(-9) == "SIGKILL"
