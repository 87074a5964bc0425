"""A body-worn system connected to the real routes on loopback; real H.264 in Matroska."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from bluelamp.people.models import Person, Unit
from tests import factories
from tests.axis.system import System
from tests.ingest.conftest import entrance, shared_db, way
from tests.media import samples

__all__ = ["entrance", "shared_db", "way"]


@pytest.fixture(scope="session")
def mkv() -> bytes:
    """Two seconds of H.264 and AAC in Matroska, as the cameras deliver it."""
    return samples.video(2, container="matroska")


@pytest.fixture(scope="session")
def other_mkv() -> bytes:
    return samples.video(2, container="matroska", gop=10)


@pytest.fixture
def unit(entrance: str) -> Unit:
    return factories.unit("Northgate")


@pytest.fixture
def officer(unit: Unit) -> Person:
    return factories.person(unit=unit, name="PC Amara Brooks")


def connect(entrance: str, unit: Unit, **wanted: Any) -> System:
    """A system with a connection file of its own, signed in."""
    from bluelamp.ingest.axis import services
    from bluelamp.ingest.axis.services.connections import Wanted

    issued = services.issue(
        Wanted(name=f"System {uuid.uuid4().hex[:8]}", unit=unit, uris=(f"{entrance}/auth/v1.0",), **wanted),
        actor="person:1",
    )
    system = System(entrance, json.loads(issued.text))
    assert system.sign_in().status_code == 200
    return system


@pytest.fixture
def system(entrance: str, unit: Unit, officer: Person) -> Iterator[System]:
    """A system whose user is the officer, and that may begin to send."""
    with connect(entrance, unit) as found:
        found.announce(user_id=officer.warrant_number or "")
        yield found


@pytest.fixture
def encrypting(entrance: str, unit: Unit, officer: Person) -> Iterator[System]:
    """The same for a system that encrypts from end to end."""
    with connect(entrance, unit, want_encryption=True) as found:
        found.announce(user_id=officer.warrant_number or "")
        yield found


def recordings(system: System) -> list[Any]:
    """What became of the system's camera, in order of time."""
    from bluelamp.footage.models import Recording

    return list(Recording.objects.filter(camera__serial=system.serial).order_by("started_at", "received_at"))


def content(recording: Any) -> bytes:
    """The original, opened."""
    from bluelamp.vault.objects import SealedReader

    reader = SealedReader(recording.original, recording.key_id)
    return reader.read(0, reader.size)


def settle() -> None:
    """What the settling jobs do."""
    from bluelamp.ingest.axis import services
    from bluelamp.ingest.models import AxisContainer

    for container in AxisContainer.objects.filter(kind__in=("recording", "rejected"), cleared=False):
        services.settle(container.pk)
