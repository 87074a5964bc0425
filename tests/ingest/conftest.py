"""A dock entrance on loopback, a dock with a token, a registered camera that signs what it offers."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
import uvicorn
from django.db import connections
from psycopg.conninfo import make_conninfo
from starlette.applications import Starlette

from bluelamp.people.policy import Role
from tests import conftest, factories
from tests.ingest.browsers import Browser, Browsers
from tests.ingest.docks import Camera, Docking


@pytest.fixture(scope="module")
def shared_db(django_db_setup: None, postgres: Any, django_db_blocker: Any) -> Iterator[None]:
    """A committing database for all tests of a module: each has a camera of its own and looks at nothing else."""
    name = f"ingest_{uuid.uuid4().hex[:12]}"
    with django_db_blocker.unblock():
        connections.close_all()
        with psycopg.connect(postgres.url("admin"), autocommit=True) as admin:
            admin.execute(f'CREATE DATABASE "{name}" TEMPLATE bluelamp OWNER bluelamp_owner')
        conftest._connect(make_conninfo(postgres.url("app"), dbname=name))
        yield
        connections.close_all()
        conftest._connect(postgres.url("app"))
        with psycopg.connect(postgres.url("admin"), autocommit=True) as admin:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="module")
def way() -> str:
    """How bodies come in; a module that looks at them asks for both: "wire" (the socket) and "asgi" (messages)."""
    return "wire"


@pytest.fixture(scope="module")
def entrance(shared_db: None, way: str) -> Iterator[str]:
    """The dock routes served by a real uvicorn; yields its address."""
    from bluelamp.ingest.asgi import routes
    from bluelamp.ingest.wire.connection import Connection

    config = uvicorn.Config(
        Starlette(routes=routes),
        port=0,
        loop="uvloop",
        http=Connection if way == "wire" else "httptools",
        log_config=None,
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def docking(entrance: str) -> Iterator[Docking]:
    """A dock of the force at that entrance, with a camera in it."""
    from bluelamp.fleet import services as fleet
    from bluelamp.kernel import clock

    unit = factories.unit("Northgate")
    camera = factories.camera(unit)
    wearer = factories.person(unit=unit)
    fleet.issue(camera, wearer, actor="person:1", at=clock.now() - timedelta(days=1))
    _, token = fleet.add_dock(f"Dock {camera.serial}", unit, "person:1")
    with Docking(entrance, token, Camera(camera.serial)) as found:
        yield found


@pytest.fixture
def browsers(entrance: str) -> Browsers:
    """A browser of a new person with these roles."""

    def signed_in(*roles: Role, unit: Any = None) -> Browser:
        return Browser(entrance, factories.person(*(roles or (Role.OFFICER,)), unit=unit or factories.unit()))

    return signed_in
