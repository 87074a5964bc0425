"""A borough with an officer, and mail that stays in memory."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bluelamp.kernel import clock
from bluelamp.people.models import Unit
from bluelamp.people.policy import Role
from tests import factories


@pytest.fixture(autouse=True)
def _mail(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


@pytest.fixture
def borough():
    return factories.unit("Northgate", kind=Unit.Kind.BOROUGH)


@pytest.fixture
def wearer(borough):
    return factories.person(Role.OFFICER, unit=factories.unit(parent=borough))


@pytest.fixture
def officer():
    """Somebody at the rights desk."""
    return factories.person(Role.RIGHTS_OFFICER, unit=factories.unit())


@pytest.fixture
def at():
    """When what is asked for happened."""
    return clock.now() - timedelta(days=2)
