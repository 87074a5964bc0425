"""The files that tell embedded PostgreSQL how to run and whom to let in; written anew at each start.

They stand outside PostgreSQL's own data directory, where (under root) PostgreSQL may read but not change them.
"""

from __future__ import annotations

import os
import pwd

from bluelamp.cli.supervisor.cluster import Cluster
from bluelamp.kernel.errors import Conflict

DATABASE = "bluelamp"
ADMIN, OWNER, APPLICATION = "bluelamp_admin", "bluelamp_owner", "bluelamp_app"
ROLES = {"admin": ADMIN, "owner": OWNER, "app": APPLICATION}

_MIB = 1024 * 1024


def write(cluster: Cluster) -> None:
    """Write `postgresql.conf`, `pg_hba.conf` and `pg_ident.conf` of `cluster`."""
    system_user = _system_user()
    _write(cluster, "postgresql.conf", _postgresql_conf(cluster, _machine_memory()))
    if not (cluster.folder / "local.conf").exists():
        _write(cluster, "local.conf", _LOCAL_CONF)
    # The one way in: over the socket, as the operating-system user that runs Bluelamp. No host lines, no trust.
    _write(cluster, "pg_hba.conf", "local all all peer map=bluelamp\n")
    _write(cluster, "pg_ident.conf", "".join(f'bluelamp "{system_user}" {role}\n' for role in ROLES.values()))


def _postgresql_conf(cluster: Cluster, memory: int) -> str:
    shared = _between(128 * _MIB, memory // 24, 4096 * _MIB)
    return f"""\
# Written by Bluelamp at each start; changes belong in local.conf beside this file.
cluster_name = '{cluster.name}'
listen_addresses = ''
unix_socket_directories = '"{cluster.sockets}"'
unix_socket_permissions = 0700
hba_file = '{_quoted(cluster.folder / "pg_hba.conf")}'
ident_file = '{_quoted(cluster.folder / "pg_ident.conf")}'
allow_alter_system = off

fsync = on
full_page_writes = on
synchronous_commit = on

max_connections = 120
max_logical_replication_workers = 0
shared_buffers = {shared // _MIB}MB
effective_cache_size = {memory // 2 // _MIB}MB
work_mem = 16MB
maintenance_work_mem = {_between(64 * _MIB, memory // 64, 1024 * _MIB) // _MIB}MB
# Files instead of POSIX shared memory: containers give that 64 MB, and systemd removes a user's when he signs out.
dynamic_shared_memory_type = mmap
min_wal_size = 256MB
max_wal_size = 2GB
wal_compression = on
random_page_cost = 1.1
jit = off

timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
log_destination = 'stderr'
logging_collector = off
log_line_prefix = '[%p] %q%u@%d '
# Statements and constraint details carry people's names and references; a log is no place for them.
log_error_verbosity = terse
log_min_error_statement = panic
log_checkpoints = off
log_lock_waits = on

include = 'local.conf'
"""


_LOCAL_CONF = "# Your own PostgreSQL settings; they win over postgresql.conf, and Bluelamp never changes this file.\n"


def _write(cluster: Cluster, name: str, content: str) -> None:
    path = cluster.folder / name
    aside = path.with_name(f".{name}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        if cluster.user:
            os.fchown(descriptor, 0, cluster.user[1])
            os.fchmod(descriptor, 0o640)
        file.write(content)
    os.replace(aside, path)


def _system_user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        raise Conflict(
            f"The user id {os.geteuid()} that Bluelamp runs as has no name on this machine (/etc/passwd).",
            "PostgreSQL tells users by name, so the database was not started; no footage is affected.",
            "Give the user a name, or set BLUELAMP_DATABASE_URL to a PostgreSQL elsewhere.",
        ) from None


def _machine_memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _between(lowest: int, value: int, highest: int) -> int:
    return max(lowest, min(value, highest))


def _quoted(path: object) -> str:
    return str(path).replace("'", "''")
