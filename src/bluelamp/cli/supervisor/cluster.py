"""Where an embedded PostgreSQL cluster stands, and to which data folder it belongs.

An ordinary user's cluster stands in the data folder. Root's stands below /var/lib/bluelamp, owned by an unprivileged
user, because PostgreSQL refuses to run as root and that user may not be able to reach the data folder.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import re
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bluelamp.cli.supervisor import binaries, folders
from bluelamp.cli.supervisor.instance import Instance, read_json, write_json
from bluelamp.kernel.errors import Conflict

_CLUSTERS = folders.SYSTEM / "clusters"
_SOCKETS = folders.SYSTEM / "run"
_SUN_PATH = 107  # bytes a socket's path may have (unix(7)), less the final zero
_SOCKET_NAME = "/.s.PGSQL.5432"
_BEING_MADE_SECONDS = 60.0  # far less goes by between a new cluster's marker and its entry in instance.json
_OF_A_DEMONSTRATION = "Of a demonstration, delete the data folder and start anew."
_CLUSTER_USERS = ("postgres", "nobody")


@dataclass(frozen=True)
class Cluster:
    """One cluster: its folder (configuration, lock, `data/`), its socket folder, and the user it runs as."""

    id: str
    folder: Path
    sockets: Path
    programs: Path
    user: tuple[int, int] | None
    """uid and gid that PostgreSQL runs as; None: those of this process."""

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def name(self) -> str:
        """PostgreSQL's cluster_name: in the title of each of its processes, so that they can be told from others'."""
        return f"bluelamp-{self.id}"

    @property
    def uid(self) -> int:
        return self.user[0] if self.user else os.geteuid()

    @property
    def initialised(self) -> bool:
        return bool(read_json(self.folder / "cluster.json").get("initialised"))

    def mark_initialised(self) -> None:
        """Remember, durably, that a database was made here: should it vanish, no empty one takes its place."""
        marker = read_json(self.folder / "cluster.json")
        write_json(self.folder / "cluster.json", marker | {"initialised": True})

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the cluster against another supervisor. Raises Conflict while it is held."""
        file = _try_lock(self.folder)
        if file is None:
            raise Conflict(
                f"The database in {self.folder} is already run by another Bluelamp process.",
                "It goes on undisturbed.",
                "Stop that one first, or choose another data folder with --data.",
            )
        with file:
            yield


def open_cluster(instance: Instance) -> Cluster:
    """The cluster of `instance`; its empty folder is made when the instance has none yet.

    Raises Conflict when the cluster belongs to another user or data folder, or has vanished: an empty database must
    never silently stand in for a lost one.
    """
    as_root = os.geteuid() == 0
    own = instance.data / "postgres"
    if as_root and own.exists():
        owner = _user_name(own.stat().st_uid)
        raise Conflict(
            f"The database of {instance.data} was made by the user {owner}, not by root.",
            "Nothing was started and nothing was changed.",
            f"Start Bluelamp as {owner}.",
        )
    cluster_id = instance.cluster or secrets.token_hex(8)
    folder = _CLUSTERS / cluster_id if as_root else own
    if instance.cluster and not (folder / "cluster.json").exists():
        raise Conflict(
            f"The database of {instance.data} should be in {folder}, but is not there.",
            "Footage in the store is untouched, but nothing says what it is without that database.",
            f"Put {folder} back, or restore it from a backup. {_OF_A_DEMONSTRATION}",
        )
    cluster = _as_root(cluster_id, folder) if as_root else _as_user(cluster_id, folder, instance.data)
    _claim(cluster, instance)
    if not instance.cluster:
        instance.with_cluster(cluster_id)
    if cluster.initialised and not (cluster.data / "PG_VERSION").exists():
        raise Conflict(
            f"The database in {cluster.data} is gone.",
            "Footage in the store is untouched, but nothing says what it is without that database.",
            f"Restore it from a backup. {_OF_A_DEMONSTRATION}",
        )
    return cluster


def remove_vanished_demonstrations() -> list[Path]:
    """Remove root's clusters that were marked as demonstrations and whose data folder is gone; returns them.

    One that cannot be removed just now, as when its PostgreSQL is still ending, is left for the next time: tidying up
    must keep nothing from starting.
    """
    removed = []
    for folder in without_data_folder(demonstration=True):
        try:
            file = _try_lock(folder)
        except FileNotFoundError:  # removed by another start just now
            continue
        if file is not None:
            with file:
                # What says whose it was goes last, so that the next attempt still knows.
                shutil.rmtree(folder / "data", ignore_errors=True)
                if not (folder / "data").exists():
                    shutil.rmtree(folder, ignore_errors=True)
                shutil.rmtree(_SOCKETS / folder.name, ignore_errors=True)
            if not folder.exists():
                removed.append(folder)
    return removed


def without_data_folder(*, demonstration: bool) -> list[Path]:
    """Root's clusters, of demonstrations or of real installations, whose data folder no longer exists."""
    found = []
    for folder in sorted(_CLUSTERS.glob("*")) if os.geteuid() == 0 else []:
        marker = read_json(folder / "cluster.json")
        if not marker.get("origin") or marker.get("demonstration", False) is not demonstration:
            continue
        try:
            young = time.time() - (folder / "cluster.json").stat().st_mtime < _BEING_MADE_SECONDS
        except FileNotFoundError:  # removed by another start just now
            continue
        if young and not marker.get("initialised"):
            continue
        if not _belongs(Path(marker["origin"]), folder.name):
            found.append(folder)
    return found


def _as_root(cluster_id: str, folder: Path) -> Cluster:
    for parent in (_CLUSTERS, _SOCKETS):
        folders.make_system_folder(parent)
    user = _unprivileged_user()
    if (folder / "data").exists():  # keeps its user, whoever is preferred today
        owner = (folder / "data").stat()
        user = (owner.st_uid, owner.st_gid)
    # Root's own, so that the database's user cannot rewrite who may sign in; passable for that user's group.
    folders.make(folder, 0o750, (0, user[1]))
    folders.make(_SOCKETS / cluster_id, 0o700, user)
    return Cluster(cluster_id, folder, _SOCKETS / cluster_id, binaries.copied_for_everyone(), user)


def _as_user(cluster_id: str, folder: Path, data: Path) -> Cluster:
    folders.make(folder, 0o700)
    return Cluster(cluster_id, folder, _user_sockets(data), binaries.from_wheel(), None)


def _claim(cluster: Cluster, instance: Instance) -> None:
    path = cluster.folder / "cluster.json"
    marker = read_json(path)
    origin = str(instance.data)
    if marker.get("origin") == origin:
        return
    if "origin" in marker and _belongs(Path(marker["origin"]), cluster.id):
        raise Conflict(
            f"{instance.data} is a copy of {marker['origin']}; the database belongs to the latter.",
            "Two copies must not write to one database, so nothing was started.",
            "Start Bluelamp on the original folder. To move a data folder, move it rather than copying it.",
        )
    write_json(path, marker | {"origin": origin, "demonstration": instance.demonstration})


def _belongs(origin: Path, cluster_id: str) -> bool:
    return read_json(origin / "instance.json").get("cluster") == cluster_id


def _try_lock(folder: Path) -> IO[str] | None:
    file = os.fdopen(os.open(folder / "lock", os.O_WRONLY | os.O_CREAT, 0o600), "w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def _unprivileged_user() -> tuple[int, int]:
    for name in _CLUSTER_USERS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    raise Conflict(
        "This machine has neither a user `postgres` nor `nobody`, and PostgreSQL refuses to run as root.",
        "Nothing was started and no footage was touched.",
        "Add one (useradd --system postgres), or start Bluelamp as an ordinary user.",
    )


def _user_sockets(data: Path) -> Path:
    inside = data / "run"
    # libpq separates hosts, and PostgreSQL socket folders, by commas.
    plain = re.fullmatch(r"[\w /.+@~-]+", str(inside), re.ASCII)
    if plain and len(os.fsencode(inside)) + len(_SOCKET_NAME) <= _SUN_PATH:
        return inside
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    outside = Path(tempfile.gettempdir()) / f"bluelamp-{os.geteuid()}-{digest}"
    folders.make(outside, 0o700)
    found = outside.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise Conflict(
            f"{outside} is not a folder of your own, closed to others.",
            "The database was not started; no footage is affected.",
            f"Remove it, or choose a data folder with a shorter path than {data}.",
        )
    return outside


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
