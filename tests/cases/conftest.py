"""A case with a recording and a person in it."""

from __future__ import annotations

import pytest

from bluelamp.cases import services
from bluelamp.people.policy import Role
from tests import factories


@pytest.fixture
def detective():
    return factories.person(Role.INVESTIGATOR, unit=factories.unit())


@pytest.fixture
def case(detective):
    return services.open_case("Lantern", opened_by=detective)


@pytest.fixture
def recording(case, detective):
    made = factories.recording(detective)
    services.add_recording(case, made, actor=detective, reason="Shows it")
    return made


@pytest.fixture
def subject(case, recording, detective):
    return services.add_subject(case, "Custody 12/26", actor=detective)
