"""A borough with two units, people in them, and real footage that is prepared as in production."""

from __future__ import annotations

import functools
from types import SimpleNamespace

import pytest
from django.db import connection

from bluelamp.footage.models import Recording
from bluelamp.footage.services import processing
from bluelamp.people.policy import Role
from tests import factories, signin
from tests.footage import route
from tests.media import samples


@functools.cache
def film(seconds: float = 4) -> bytes:
    """A real H.264 and AAC file, made once."""
    return samples.video(seconds)


@pytest.fixture
def station(db):
    borough = factories.unit("Northgate", kind="borough")
    return factories.unit("Northgate Response", parent=borough)


@pytest.fixture
def elsewhere(db):
    return factories.unit("Southmere Response", parent=factories.unit("Southmere", kind="borough"))


@pytest.fixture
def officer(station):
    return factories.person(Role.OFFICER, unit=station, name="Ada Okafor")


@pytest.fixture
def colleague(station):
    return factories.person(Role.OFFICER, unit=station, name="Ben Hart")


@pytest.fixture
def stranger(elsewhere):
    return factories.person(Role.OFFICER, unit=elsewhere, name="Cal Reed")


@pytest.fixture
def detective(elsewhere):
    return factories.person(Role.INVESTIGATOR, unit=elsewhere, name="Dee Marsh")


@pytest.fixture
def manager(elsewhere):
    return factories.person(Role.BWV_MANAGER, unit=elsewhere, name="Eve Moor")


@pytest.fixture
def standards(elsewhere):
    return factories.person(Role.PROFESSIONAL_STANDARDS, unit=elsewhere, name="Fay Stone")


@pytest.fixture
def pim(elsewhere):
    return factories.person(Role.POST_INCIDENT_MANAGER, unit=elsewhere, name="Gus Bell")


@pytest.fixture
def auditor(db):
    return factories.person(Role.AUDITOR, name="Hal Vane")


@pytest.fixture
def recording(officer):
    """Ada's recording of a film of four seconds, sealed and prepared."""
    return prepared(officer)


def prepared(wearer, **more):
    """A sealed and prepared recording."""
    made = factories.recording(wearer, camera=factories.camera(wearer.unit), content=film(), sealed=True, **more)
    processing.prepare(made.pk)
    made.refresh_from_db()
    return made


@pytest.fixture
def world(committed_db):
    """A committed recording of 3 MiB, its wearer signed in, and a viewing of it opened by the wearer."""
    # The route's threads outlive a test's database: without this they would keep talking to another one.
    connection.settings_dict["CONN_MAX_AGE"] = 0
    unit = factories.unit("Northgate Response")
    officer = factories.person(Role.OFFICER, unit=unit)
    recording = factories.recording(
        officer,
        camera=factories.camera(unit),
        content=route.LONG,
        sealed=True,
        processing=Recording.Processing.READY,
        duration_ms=60_000,
        media={"container": "mp4"},
    )
    session = route.session_of(officer)
    viewing = route.opened(recording, officer, session)
    return SimpleNamespace(unit=unit, officer=officer, recording=recording, session=session, viewing=viewing)


@pytest.fixture
def sign_in(client):
    """Sign a person in with the test client, which is returned."""

    def go(person):
        signin.quickly(client, person)
        return client

    return go
