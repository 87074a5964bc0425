"""A real PostgreSQL for the whole session, in a data folder of its own that is thrown away afterwards.

Most tests run in a transaction that is rolled back (`db`). A test that needs commits, several connections or threads
asks for `committed_db`: a database copied from the migrated one, since the ledger's tables refuse TRUNCATE.

Several processes may share the tests (`pytest -n 2`, tests/parallel.py): each imports this file, so each has a data
folder and a PostgreSQL of its own.
"""

from __future__ import annotations

import atexit
import dataclasses
import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings as hypothesis_settings

_DATA = Path(tempfile.mkdtemp(prefix="bluelamp-test-"))
(_DATA / "staging").mkdir()
(_DATA / "instance.json").write_text(json.dumps({"demonstration": True, "instance": "test"}))
for _name in [name for name in os.environ if name.startswith("BLUELAMP_")]:
    del os.environ[_name]
os.environ["BLUELAMP_DATA"] = str(_DATA)
os.environ["DJANGO_SETTINGS_MODULE"] = "bluelamp.project.settings"

import django  # noqa: E402  the settings read the environment above

django.setup()

from django.conf import settings as django_settings  # noqa: E402  after the settings
from django.contrib.auth.hashers import ScryptPasswordHasher  # noqa: E402  after the settings

if django_settings.BLUELAMP.data.resolve() != _DATA.resolve():
    # pytest-django reads the settings before this file where the environment names them.
    pytest.exit("The tests would work on another data folder: unset DJANGO_SETTINGS_MODULE.", returncode=2)

# A guess is made to cost 50 ms; the tests sign in hundreds of times and guess at nothing.
ScryptPasswordHasher.work_factor = 16

# The same examples each time, however long a busy machine takes over one.
hypothesis_settings.register_profile("bluelamp", derandomize=True, deadline=None)
hypothesis_settings.load_profile("bluelamp")

# This database is thrown away at the end, so it need not outlast a power cut.
_WITHOUT_DURABILITY = """\
fsync = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
"""


@pytest.hookimpl(optionalhook=True)  # pytest-xdist's
def pytest_xdist_setupnodes() -> None:
    """What this process set for itself is not for those that will run the tests: each sets itself up as it begins."""
    for name in ("BLUELAMP_DATA", "DJANGO_SETTINGS_MODULE"):
        del os.environ[name]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from tests.parallel import Files

    return Files(config, log)


def _remove_data() -> None:
    shutil.rmtree(_DATA, ignore_errors=True)


atexit.register(_remove_data)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Any]:
    """The session's PostgreSQL: `.url("app" | "owner" | "admin")`."""
    from bluelamp.cli.supervisor.cluster import open_cluster
    from bluelamp.cli.supervisor.instance import open_instance
    from bluelamp.cli.supervisor.postgres import EmbeddedPostgres
    from tests import clusters

    server = EmbeddedPostgres(_DATA, demonstration=True)
    server.prepare()
    with (open_cluster(open_instance(_DATA)).folder / "local.conf").open("a") as settings:
        settings.write(_WITHOUT_DURABILITY)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        clusters.remove_below(_DATA)
        _remove_data()


@pytest.fixture(scope="session", autouse=True)
def _no_cluster_is_left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing removes the database of a real installation by itself, and tests make real installations."""
    from tests import clusters

    yield
    clusters.remove_below(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="session")
def django_db_setup(postgres: Any, django_db_blocker: Any) -> None:
    """Migrate as the owner, then connect as the application's role, as in production."""
    from django.conf import settings

    settings.BLUELAMP = dataclasses.replace(
        settings.BLUELAMP, database_url=postgres.url("app"), database_owner_url=postgres.url("owner")
    )
    with django_db_blocker.unblock():
        from bluelamp.project.migrate import migrate

        migrate()
        _connect(postgres.url("app"))


@pytest.fixture
def committed_db(django_db_setup: None, postgres: Any, django_db_blocker: Any) -> Iterator[str]:
    """A database of the test's own, where transactions really commit. Yields its application URL."""
    import psycopg
    from django.db import connections
    from psycopg.conninfo import make_conninfo

    name = f"test_{uuid.uuid4().hex[:12]}"
    with django_db_blocker.unblock():
        connections.close_all()
        with psycopg.connect(postgres.url("admin"), autocommit=True) as admin:
            # Copied as files, which costs half of what copying through the log does.
            admin.execute(f'CREATE DATABASE "{name}" TEMPLATE bluelamp OWNER bluelamp_owner STRATEGY file_copy')
        url = make_conninfo(postgres.url("app"), dbname=name)
        _connect(url)
        try:
            yield url
        finally:
            connections.close_all()
            _connect(postgres.url("app"))
            with psycopg.connect(postgres.url("admin"), autocommit=True) as admin:
                admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _connect(url: str) -> None:
    from django.db import connections

    from bluelamp.project.settings import database

    connections["default"].close()
    connections["default"].settings_dict.update(database(url))


@pytest.fixture(autouse=True)
def _clock_cache() -> Iterator[None]:
    """The clock's cached offset does not survive a test's rolled-back advance."""
    from bluelamp.kernel import clock

    clock._cached = (float("-inf"), clock._cached[1])
    yield
    clock._cached = (float("-inf"), clock._cached[1])
