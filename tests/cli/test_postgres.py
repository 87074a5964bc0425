"""Embedded PostgreSQL, for root as for an ordinary user (`test_ordinary_user.py` runs this file as one)."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from bluelamp.cli.supervisor import binaries, folders, leftovers
from bluelamp.cli.supervisor import cluster as clusters
from bluelamp.cli.supervisor.cluster import Cluster, open_cluster, remove_vanished_demonstrations, without_data_folder
from bluelamp.cli.supervisor.instance import open_instance, read_json
from bluelamp.cli.supervisor.postgres import EmbeddedPostgres, PostgresStopped
from bluelamp.kernel.errors import Busy, Conflict

AS_ROOT = os.geteuid() == 0
only_root = pytest.mark.skipif(not AS_ROOT, reason="root only")


def one(url: str, query: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(query).fetchone()
        return row[0] if row else None


def run(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


def cluster_of(data: Path) -> Cluster:
    return open_cluster(open_instance(data))


def wait_until_gone(cluster: Cluster, seconds: float = 10) -> list[int]:
    until = time.monotonic() + seconds
    while (pids := leftovers.processes(cluster)) and time.monotonic() < until:
        time.sleep(0.05)
    return pids


def postmaster(data: Path) -> int:
    return int((cluster_of(data).data / "postmaster.pid").read_text().split("\n")[0])


def start_in_another_process(data: Path, before: str = "") -> subprocess.Popen[bytes]:
    script = (
        "import sys, time, pathlib\n"
        f"{before}\n"
        "from bluelamp.cli.supervisor.postgres import EmbeddedPostgres\n"
        "postgres = EmbeddedPostgres(pathlib.Path(sys.argv[1]), demonstration=True)\n"
        "postgres.start()\n"
        "print(postgres.url('owner'), flush=True)\n"
        "time.sleep(600)\n"
    )
    return subprocess.Popen([sys.executable, "-c", script, str(data)], stdout=subprocess.PIPE)


def test_it_is_durable_checked_and_reachable_only_by_its_socket(data: Path) -> None:
    with EmbeddedPostgres(data, demonstration=True) as postgres:
        url = postgres.url("admin")
        assert one(url, "SHOW server_version").startswith("18.")
        for setting in ("fsync", "full_page_writes", "synchronous_commit", "data_checksums"):
            assert one(url, f"SHOW {setting}") == "on"
        assert one(url, "SHOW listen_addresses") == ""
        assert one(url, "SHOW timezone") == "UTC"
        assert one(url, "SHOW server_encoding") == "UTF8"
        assert one(url, "SELECT datlocale FROM pg_database WHERE datname = 'bluelamp'") == "C.UTF-8"
        assert Path(conninfo_to_dict(url)["host"]).stat().st_mode & 0o077 == 0


def test_nobody_is_ever_trusted(data: Path) -> None:
    with EmbeddedPostgres(data, demonstration=True) as postgres:
        rules = "SELECT string_agg(type || ' ' || auth_method, ',') FROM pg_hba_file_rules"
        assert one(postgres.url("admin"), rules) == "local peer"
        assert "trust" not in (cluster_of(data).data / "pg_hba.conf").read_text().split("# Put your")[-1]


def test_the_applications_role_owns_and_creates_nothing(data: Path) -> None:
    with EmbeddedPostgres(data, demonstration=True) as postgres:
        run(postgres.url("owner"), "CREATE TABLE ledger (id int)")
        for forbidden in (
            "CREATE TABLE mine (id int)",
            "CREATE TEMPORARY TABLE mine (id int)",
            "CREATE SCHEMA mine",
            "DROP TABLE ledger",
            "SELECT * FROM ledger",
            "SET ROLE bluelamp_owner",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                run(postgres.url("app"), forbidden)
        superusers = "SELECT string_agg(rolname, ',') FROM pg_roles WHERE rolsuper OR rolcreatedb OR rolcreaterole"
        assert one(postgres.url("admin"), superusers) == "bluelamp_admin"


@only_root
def test_no_other_user_of_the_machine_gets_in_not_even_the_one_it_runs_as(data: Path) -> None:
    with EmbeddedPostgres(data, demonstration=True) as postgres:
        cluster = cluster_of(data)
        assert cluster.user is not None
        psql = [cluster.programs / "psql", postgres.url("app"), "-c", "SELECT 1"]
        same = subprocess.run(psql, user=cluster.uid, group=cluster.user[1], extra_groups=[], capture_output=True)
        other = subprocess.run(psql, user=65533, group=65533, extra_groups=[], capture_output=True)
        assert b"Peer authentication failed" in same.stderr
        assert b"Permission denied" in other.stderr


def test_what_was_written_is_there_after_a_stop_and_a_start(data: Path) -> None:
    with EmbeddedPostgres(data, demonstration=True) as postgres:
        run(postgres.url("owner"), "CREATE TABLE kept AS SELECT 7 AS id")
    assert not (data / "run" / "database.json").exists()
    with EmbeddedPostgres(data) as postgres:
        assert one(postgres.url("owner"), "SELECT id FROM kept") == 7
        assert read_json(data / "run" / "database.json")["app"] == postgres.url("app")


def test_no_folder_outside_its_own_changes_its_permissions(data: Path) -> None:
    watched = {*data.parents, *binaries.from_wheel().parents, *folders.SYSTEM.parents}
    before = {path: (path.stat().st_mode, path.stat().st_uid, path.stat().st_gid) for path in watched}
    with EmbeddedPostgres(data, demonstration=True):
        pass
    assert {path: (path.stat().st_mode, path.stat().st_uid, path.stat().st_gid) for path in watched} == before


def test_it_ends_when_its_supervisor_is_killed_and_starts_again(data: Path) -> None:
    supervisor = start_in_another_process(data)
    assert supervisor.stdout is not None
    url = supervisor.stdout.readline().decode().strip()
    run(url, "CREATE TABLE kept AS SELECT 7 AS id")
    assert leftovers.processes(cluster_of(data))
    supervisor.kill()
    supervisor.wait()
    assert wait_until_gone(cluster_of(data)) == []
    with EmbeddedPostgres(data) as postgres:
        assert one(postgres.url("owner"), "SELECT id FROM kept") == 7


def test_a_start_ends_a_postgres_that_outlived_its_supervisor(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "_SHUTDOWN_SECONDS", 0.3)
    monkeypatch.setattr(leftovers, "_QUIT_SECONDS", 0.5)
    # As where the kernel does not tell a child of its parent's death: signal 0 asks for none.
    deaf = (
        "from bluelamp.cli.supervisor import spawn\n"
        "guarded = spawn.guarded\n"
        "spawn.guarded = lambda command, death_signal, user: guarded(command, 0, user)"
    )
    supervisor = start_in_another_process(data, deaf)
    assert supervisor.stdout is not None
    supervisor.stdout.readline()
    orphan = postmaster(data)
    supervisor.kill()
    supervisor.wait()
    os.kill(orphan, signal.SIGSTOP)  # nor can it be asked politely
    said: list[str] = []
    with EmbeddedPostgres(data, say=said.append) as postgres:
        assert one(postgres.url("app"), "SELECT 1") == 1
        assert orphan not in leftovers.processes(cluster_of(data))
    assert any("earlier run" in line for line in said)


def test_a_backend_that_survives_a_killed_postmaster_is_waited_for(data: Path) -> None:
    with EmbeddedPostgres(data, demonstration=True) as postgres:
        run(postgres.url("owner"), "CREATE TABLE kept AS SELECT 7 AS id")
        busy = threading.Thread(target=_count_long, args=(postgres.url("owner"),), daemon=True)
        busy.start()
        wait_until_counting(postgres.url("admin"))
        os.kill(postmaster(data), signal.SIGKILL)
        postgres.wait()
        assert leftovers.processes(cluster_of(data))
        postgres.prepare()
        assert leftovers.processes(cluster_of(data)) == []
        with (data / "logs" / "postgres.log").open("ab") as log:
            postgres.spawn(log)
        postgres.wait_ready()
        assert one(postgres.url("owner"), "SELECT id FROM kept") == 7


def wait_until_counting(url: str, seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    counting = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%generate_series%' "
    while not one(url, counting + "AND pid <> pg_backend_pid()"):
        assert time.monotonic() < until, "it does not count"
        time.sleep(0.02)


def _count_long(url: str) -> None:
    with contextlib.suppress(psycopg.OperationalError):
        run(url, "SELECT count(*) FROM generate_series(1, 100000000) AS n WHERE n % 3 = 0")


def test_it_recovers_after_all_its_processes_were_killed_and_says_that_it_waits(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with EmbeddedPostgres(data, demonstration=True) as postgres:
        run(postgres.url("owner"), "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS id")
        for pid in leftovers.processes(cluster_of(data)):
            os.kill(pid, signal.SIGKILL)
        postgres.wait()
    monkeypatch.setattr("bluelamp.cli.supervisor.postgres._SAY_EVERY_SECONDS", 0)
    said: list[str] = []
    with EmbeddedPostgres(data, say=said.append) as postgres:
        assert one(postgres.url("owner"), "SELECT count(*) FROM kept") == 1000
    assert any("not ready yet" in line for line in said)


def test_another_program_that_names_its_files_is_left_alone(data: Path) -> None:
    cluster = cluster_of_new_demonstration(data)
    editor = [sys.executable, "-c", "import time; time.sleep(60)", cluster.folder / "postgresql.conf"]
    with subprocess.Popen(editor) as innocent:
        assert leftovers.processes(cluster) == []
        innocent.kill()


def test_a_process_id_given_to_another_process_does_not_stop_the_start(data: Path) -> None:
    with EmbeddedPostgres(data, demonstration=True):
        cluster = cluster_of(data)
        content = (cluster.data / "postmaster.pid").read_text().split("\n")
    user = {"user": cluster.uid, "group": cluster.user[1], "extra_groups": []} if cluster.user else {}
    innocent = subprocess.Popen(["sleep", "60"], **user)
    try:
        stale = "\n".join([str(innocent.pid), *content[1:]])
        (cluster.data / "postmaster.pid").write_text(stale)
        (cluster.sockets / ".s.PGSQL.5432.lock").write_text(stale)
        with EmbeddedPostgres(data) as postgres:
            assert one(postgres.url("app"), "SELECT 1") == 1
        assert innocent.poll() is None
    finally:
        innocent.kill()
        innocent.wait()


def test_a_crash_during_initdb_leaves_nothing_in_the_way(data: Path) -> None:
    cluster = cluster_of_new_demonstration(data)
    (cluster.folder / "new").mkdir()
    (cluster.folder / "new" / "half").touch()
    with EmbeddedPostgres(data) as postgres:
        assert one(postgres.url("app"), "SELECT 1") == 1


def cluster_of_new_demonstration(data: Path) -> Cluster:
    return open_cluster(open_instance(data, demonstration=True))


def test_two_never_run_one_cluster(data: Path) -> None:
    with EmbeddedPostgres(data, demonstration=True), pytest.raises(Conflict, match="already run by another"):
        EmbeddedPostgres(data).start()


def test_a_lost_database_is_never_replaced_by_an_empty_one(data: Path) -> None:
    with EmbeddedPostgres(data, demonstration=True):
        cluster = cluster_of(data)
    shutil.rmtree(cluster.data)
    with pytest.raises(Conflict, match="is gone"):
        EmbeddedPostgres(data).start()
    shutil.rmtree(cluster.folder)
    with pytest.raises(Conflict, match="is not there"):
        EmbeddedPostgres(data).start()


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Root's clusters stand in a place of the test's own: any other start would remove those of lost demonstrations."""
    place = folders.SYSTEM / f"test-{uuid.uuid4().hex[:12]}"
    monkeypatch.setattr(clusters, "_CLUSTERS", place / "clusters")
    monkeypatch.setattr(clusters, "_SOCKETS", place / "run")
    yield
    if AS_ROOT:
        shutil.rmtree(place)


@pytest.mark.usefixtures("apart")
def test_a_moved_data_folder_takes_its_database_along(data: Path) -> None:
    with EmbeddedPostgres(data, demonstration=True) as postgres:
        run(postgres.url("owner"), "CREATE TABLE kept AS SELECT 7 AS id")
    moved = data.rename(data.with_name("moved"))
    with EmbeddedPostgres(moved) as postgres:
        assert one(postgres.url("owner"), "SELECT id FROM kept") == 7


@only_root
def test_a_copied_data_folder_does_not_share_the_originals_database(data: Path) -> None:
    with EmbeddedPostgres(data, demonstration=True):
        pass
    copy = data.with_name("copy")
    shutil.copytree(data, copy)
    with pytest.raises(Conflict, match="is a copy of"):
        EmbeddedPostgres(copy).start()


def test_demonstration_and_real_footage_never_share_a_folder(data: Path) -> None:
    open_instance(data, demonstration=True)
    with pytest.raises(Conflict, match="made for a demonstration"):
        EmbeddedPostgres(data, demonstration=False).start()


def vanished(path: str, *, dir_fd: int | None = None) -> None:
    raise FileNotFoundError(path)


@only_root
@pytest.mark.usefixtures("apart")
def test_a_demonstrations_cluster_goes_with_its_folder_and_a_real_one_stays(data: Path) -> None:
    demonstration, real = data / "demonstration", data / "real"
    for folder, is_demonstration in ((demonstration, True), (real, False)):
        with EmbeddedPostgres(folder, demonstration=is_demonstration):
            pass
    gone, stays = cluster_of(demonstration), cluster_of(real)
    shutil.rmtree(demonstration)
    shutil.rmtree(real)
    with pytest.MonkeyPatch.context() as patched:
        # Its files vanish beneath us, as those of a PostgreSQL that is still ending do.
        patched.setattr(os, "unlink", vanished)
        assert gone.folder not in remove_vanished_demonstrations()
    assert gone.folder in remove_vanished_demonstrations()
    assert not gone.sockets.exists()
    assert stays.data.exists()
    assert stays.folder in without_data_folder(demonstration=False)


def test_tidying_up_does_not_mind_another_start_that_did_it_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clusters, "without_data_folder", lambda *, demonstration: [tmp_path / "removed just now"])
    assert remove_vanished_demonstrations() == []


@only_root
def test_a_system_folder_that_others_can_write_to_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_to_all = tmp_path / "bluelamp"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    monkeypatch.setattr(folders, "SYSTEM", open_to_all)
    with pytest.raises(Conflict, match="root alone"):
        folders.make_system_folder(open_to_all / "clusters")


@only_root
def test_root_does_not_take_over_an_ordinary_users_database(data: Path) -> None:
    (data / "postgres").mkdir(parents=True)
    os.chown(data / "postgres", 65534, 65534)
    with pytest.raises(Conflict, match="not by root"):
        EmbeddedPostgres(data, demonstration=True).start()


def test_a_long_or_odd_path_of_the_data_folder_does_no_harm(data: Path) -> None:
    with EmbeddedPostgres(data / ("long" * 30) / "a, 'b'", demonstration=True) as postgres:
        assert one(postgres.url("app"), "SELECT 1") == 1
        socket_folder = postgres.sockets
    if not AS_ROOT:
        shutil.rmtree(socket_folder)


def test_a_server_that_cannot_start_says_where_to_look(data: Path) -> None:
    with EmbeddedPostgres(data, demonstration=True):
        cluster = cluster_of(data)
    (cluster.folder / "local.conf").write_text("no_such_setting = on\n")
    with pytest.raises(PostgresStopped, match=r"postgres\.log"):
        EmbeddedPostgres(data).start()
    assert "no_such_setting" in (data / "logs" / "postgres.log").read_text()


def test_it_is_started_from_the_main_thread_only(data: Path) -> None:
    postgres = EmbeddedPostgres(data, demonstration=True)
    postgres.prepare()
    errors: list[Exception] = []

    def spawn() -> None:
        try:
            postgres.spawn(subprocess.DEVNULL)
        except RuntimeError as error:
            errors.append(error)

    thread = threading.Thread(target=spawn)
    thread.start()
    thread.join()
    postgres.stop()
    assert errors


def test_a_process_that_cannot_be_ended_stops_the_start(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "_SHUTDOWN_SECONDS", 0.1)
    monkeypatch.setattr(leftovers, "_QUIT_SECONDS", 0.1)
    with EmbeddedPostgres(data, demonstration=True):
        monkeypatch.setattr(leftovers, "_send", lambda pid, stop_signal: None)  # as if it hung in the kernel
        with pytest.raises(Busy, match="do not end"):
            leftovers.clear(cluster_of(data), lambda _: None)
