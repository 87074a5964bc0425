"""A borough with two units, people in them, and real footage that is prepared as in production."""

from __future__ import annotations

import functools

import pytest

from bluelamp.footage.services import processing
from bluelamp.people.policy import Role
from tests import factories, signin
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
def sign_in(client):
    """Sign a person in with the test client, which is returned."""

    def go(person):
        signin.quickly(client, person)
        return client

    return go
