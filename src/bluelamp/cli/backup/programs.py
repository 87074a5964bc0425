"""PostgreSQL's own programs for dumping and restoring: the wheel's, or the machine's where those cannot do it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from bluelamp.cli.supervisor import binaries
from bluelamp.kernel.errors import BluelampError, Conflict

_NEEDS_TLS = {"require", "verify-ca", "verify-full"}  # the wheel's programs speak none
_VERSION = re.compile(r"\) (\d+)")


class ProgramFailed(BluelampError):
    """pg_dump or pg_restore gave up."""

    title = "PostgreSQL's program failed"


def dump(url: str, target: Path, *, snapshot: str, server_version: int) -> None:
    """Dump the database as `snapshot` shows it, into the new file `target` (custom format, mode 0600)."""
    # Whoever signed in then signs in again; a restored session would outlive a password changed since.
    arguments = ["--format=custom", f"--snapshot={snapshot}", "--exclude-table-data=django_session"]
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    _run("pg_dump", url, server_version, [*arguments, f"--file={target}"])


def restore(url: str, source: Path, *, server_version: int) -> None:
    """Restore the dump into the empty database at `url`: all of it or nothing. Roles and rights are this machine's."""
    arguments = ["--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction"]
    _run("pg_restore", url, server_version, [*arguments, str(source)])


def _run(name: str, url: str, server_version: int, arguments: list[str]) -> None:
    parts: dict[str, Any] = conninfo_to_dict(url)
    password = parts.pop("password", None)
    command = [str(_program(name, server_version, parts)), f"--dbname={make_conninfo(**parts)}", *arguments]
    # Not on the command line, where everybody on the machine reads it.
    environment = {**os.environ, "LC_ALL": "C", **({"PGPASSWORD": str(password)} if password else {})}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = " ".join(done.stderr.split())[-600:]
        raise ProgramFailed(
            f"{name} ended with code {done.returncode}: {said}",
            "The database was only read." if name == "pg_dump" else "The database that it was to fill is empty still.",
            "Put right what it names, then try again.",
        )


def _program(name: str, server_version: int, parts: dict[str, Any]) -> Path:
    """A program that can do it: no older than the server (pg_dump refuses newer ones), with TLS where that is asked."""
    major = server_version // 10000
    if major <= int(binaries.MAJOR_VERSION) and str(parts.get("sslmode", "")) not in _NEEDS_TLS:
        return binaries.from_wheel() / name
    found = shutil.which(name)
    if found is not None:
        said = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
        version = _VERSION.search(said)
        if version and int(version[1]) >= major:
            return Path(found)
    raise Conflict(
        f"{name} of PostgreSQL {major} or newer is needed for this database, and is not on the PATH.",
        "Nothing was changed.",
        "Install the PostgreSQL client programs (Debian: postgresql-client).",
    )
