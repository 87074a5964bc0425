"""Runs the parts of one machine together: PostgreSQL, migrations, web and workers."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from bluelamp.cli.supervisor import environment, instance, listening
from bluelamp.cli.supervisor.database import SupervisedPostgres
from bluelamp.cli.supervisor.process import Command, ManagedProcess, Status, run_to_end
from bluelamp.cli.supervisor.screen import Facts, Screen, for_standard_output
from bluelamp.kernel.errors import BluelampError
from bluelamp.project import configuration

# A stop takes less than five seconds in all, the time a machine's shutdown or a person grants. What the other
# processes leave of them is PostgreSQL's: a shutdown cut short costs a recovery at the next start.
_STOP_SECONDS = 4.5
_CHILDREN_STOP_SECONDS = 2.8
_POSTGRES_LEAST_SECONDS = 1.2
_CHECKPOINT_SECONDS = 1.0
_READY_POLL_SECONDS = 0.03
_FIRST_ATTEMPTS = 5


class StartFailed(BluelampError):
    """A part of Bluelamp does not run at all."""

    title = "Bluelamp could not start"


class MigrationsFailed(BluelampError):
    """The database could not be brought to this version of Bluelamp."""

    title = "The database could not be brought up to date"


class Supervisor:
    """`bluelamp up`: everything that one machine needs, until a signal to stop.

    `main`, where given, is called with the address, in a thread of its own, once everything answers; when it returns,
    all is stopped and what it returned is the exit code.
    """

    def __init__(
        self,
        data: Path,
        host: str = "localhost",
        port: int = 8000,
        *,
        demonstration: bool | None = None,
        screen: Screen | None = None,
        main: Callable[[str], int] | None = None,
    ) -> None:
        self._data, self._host, self._port = data, host, port
        self._demonstration = demonstration
        # What `main` prints must not be overwritten.
        self._screen = screen or (Screen() if main else for_standard_output())
        self._main = main

    def run(self) -> int:
        """Start, serve, stop; returns the exit code. Raises BluelampError when it cannot start. Main thread only."""
        found = instance.open_instance(self._data, self._demonstration)
        lock = instance.DataLock(found.data)
        lock.acquire()
        try:
            self._screen.log_to(found.data / "logs")
            listeners = listening.bind(self._host, self._port)
            try:
                port = listeners[0].getsockname()[1]
                address = listening.address(self._host, port, tls=bool(configuration.load().tls_certificate))
                lock.describe(pid=os.getpid(), address=address)
                descriptors = tuple(listener.fileno() for listener in listeners)
                return asyncio.run(_run(found, address, descriptors, self._screen, self._main))
            finally:
                listening.close(listeners)
        finally:
            self._screen.close()
            lock.release()


async def _run(*arguments: Any) -> int:
    return await _Run(*arguments).run()


class _Run:
    """One run, inside its event loop."""

    def __init__(
        self,
        found: instance.Instance,
        address: str,
        descriptors: tuple[int, ...],
        screen: Screen,
        main: Callable[[str], int] | None,
    ) -> None:
        self._began = time.monotonic()
        self._instance, self._address, self._descriptors = found, address, descriptors
        self._screen, self._main = screen, main
        self._configuration = configuration.load({**os.environ, "BLUELAMP_DATA": str(found.data)})
        self._base_url = os.environ.get("BLUELAMP_BASE_URL") or address
        # Not from the configuration, which falls back to what an earlier run may have left in the data folder.
        self._app_url = os.environ.get("BLUELAMP_DATABASE_URL", "")
        self._owner_url = os.environ.get("BLUELAMP_DATABASE_OWNER_URL") or self._app_url
        self._postgres = None if self._app_url else SupervisedPostgres(found, screen.refresh, screen.say)
        self._database_answers = asyncio.Event()
        self._migrated = asyncio.Event()
        self._migration: asyncio.Task[None] | None = None
        self._children: list[ManagedProcess] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def run(self) -> int:
        stop = asyncio.Event()
        for stop_signal in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(stop_signal, stop.set)
        stopping = asyncio.create_task(stop.wait())
        work: asyncio.Task[int] = asyncio.create_task(self._start_and_serve())
        try:
            await asyncio.wait({stopping, work}, return_when=asyncio.FIRST_COMPLETED)
            return work.result() if work.done() else 0
        finally:
            await _cancel([stopping, work, *([self._migration] if self._migration else [])])
            await self._stop_all()

    async def _start_and_serve(self) -> int:
        if self._postgres is not None:
            await self._postgres.open()
            self._app_url, self._owner_url = self._postgres.app_url, self._postgres.owner_url
            if self._postgres.is_new:
                self._migration = asyncio.create_task(self._migrate())
        # Migrations and web load their code while the database is made and started.
        self._add_web()
        if self._postgres is not None:
            await self._postgres.prepare()
            await self._postgres.start()
            self._tasks.append(asyncio.create_task(self._postgres.keep()))
        self._database_answers.set()
        if self._migration is not None:
            await self._migration
        elif not await self._is_current():
            await self._migrate()
        self._migrated.set()
        await self._answering()
        await self._add("worker", environment.command("worker")).started.wait()
        self._screen.ready()
        self._screen.say(f"Ready after {time.monotonic() - self._began:.1f} s. Stop with Ctrl+C.")
        if self._postgres is not None:
            self._tasks.append(asyncio.create_task(self._postgres.tidy()))
        if self._main is not None:
            return await _in_daemon_thread(self._main, self._address)
        await asyncio.Event().wait()
        return 0

    def _add_web(self) -> None:
        count = self._configuration.web_processes
        arguments = environment.command("web")
        for descriptor in self._descriptors:
            arguments += ["--fd", str(descriptor)]
        for number in range(1, count + 1):
            self._add("web" if count == 1 else f"web-{number}", arguments, self._descriptors, self._migrated)

    def _add(
        self, name: str, arguments: list[str], descriptors: tuple[int, ...] = (), gate: asyncio.Event | None = None
    ) -> ManagedProcess:
        command = Command(arguments, self._child_environment(), descriptors)
        child = ManagedProcess(name, command, self._logs, gate, self._screen.refresh)
        self._children.append(child)
        self._tasks.append(asyncio.create_task(child.keep()))
        self._open_screen()
        return child

    async def _is_current(self) -> bool:
        # Loads the database's client, hence here, with the web process under way.
        from bluelamp.cli.supervisor import migrations

        return await asyncio.to_thread(migrations.are_current, self._owner_url, self._app_url)

    async def _migrate(self) -> None:
        self._screen.say("Bringing the database up to date.")
        owner_url = self._owner_url
        command = Command(environment.command("migrate"), self._child_environment(owner_url))
        code, last_line = await run_to_end("migrate", command, self._logs, self._database_answers)
        if code != 0:
            raise MigrationsFailed(
                f"The database could not be brought up to date: {last_line}",
                "No footage was touched; the database is as it was before the step that failed.",
                f"Read {self._logs / 'migrate.log'}, put right what it names, and start again.",
            )

    def _status_of(self, path: str) -> int:
        tls = bool(self._configuration.tls_certificate)
        return listening.get_status(self._descriptors[0], path, tls=tls)

    async def _answering(self) -> None:
        """Return when the web server says at /readyz that it can serve. Raises StartFailed when it cannot even run."""
        while True:
            if await asyncio.to_thread(self._status_of, "/readyz") == 200:
                return
            for child in self._children:
                if child.status.restarts >= _FIRST_ATTEMPTS:
                    raise StartFailed(
                        f"The process {child.status.name} ends again and again: {child.status.note}",
                        "Nothing was received, so no footage is affected; cameras keep what they hold.",
                        f"Read {self._logs / child.status.name}.log, put right what it names, and start again.",
                    )
            await asyncio.sleep(_READY_POLL_SECONDS)

    async def _stop_all(self) -> None:
        deadline = time.monotonic() + _STOP_SECONDS
        ending: list[Coroutine[Any, Any, Any]] = [child.stop(_CHILDREN_STOP_SECONDS) for child in self._children]
        if self._postgres is not None:
            # Beside the children's end, so that little is left to write at the database's own.
            checkpoint = asyncio.create_task(asyncio.to_thread(self._postgres.checkpoint))
            ending.append(asyncio.wait({checkpoint}, timeout=_CHECKPOINT_SECONDS))
        await asyncio.gather(*ending)
        if self._postgres is not None:
            await self._postgres.stop(max(_POSTGRES_LEAST_SECONDS, deadline - time.monotonic()))
        await _cancel(self._tasks)

    @property
    def _logs(self) -> Path:
        return self._instance.data / "logs"

    def _child_environment(self, owner_url: str | None = None) -> dict[str, str]:
        return environment.for_child(self._instance.data, self._app_url, self._base_url, owner_url)

    def _open_screen(self) -> None:
        statuses: list[Status] = [self._postgres.status] if self._postgres is not None else []
        self._screen.show(self._facts(), [*statuses, *(child.status for child in self._children)])

    def _facts(self) -> Facts:
        data = self._instance.data
        rows = [("address", self._base_url), ("data folder", str(data))]
        if self._base_url != self._address:
            rows.insert(1, ("listens at", self._address))
        if self._postgres is None:
            from bluelamp.cli.supervisor import migrations

            rows.append(("database", migrations.without_password(self._app_url)))
        elif self._app_url:
            rows.append(("PostgreSQL", f"embedded, socket in {self._postgres.socket}"))
        rows += [("footage", self._configuration.store_url or str(data / "store")), ("logs", str(self._logs))]
        return Facts("Bluelamp demonstration" if self._instance.demonstration else "Bluelamp", tuple(rows))


async def _cancel(tasks: list[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _in_daemon_thread(function: Callable[[str], int], argument: str) -> int:
    """Like asyncio.to_thread, but a stop does not wait for the thread."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[int] = loop.create_future()

    def settle(settle_with: Callable[[Any], None], value: object) -> None:
        if not result.done():
            settle_with(value)

    def work() -> None:
        try:
            loop.call_soon_threadsafe(settle, result.set_result, function(argument))
        except BaseException as error:
            loop.call_soon_threadsafe(settle, result.set_exception, error)

    threading.Thread(target=work, daemon=True, name="main").start()
    return await result
