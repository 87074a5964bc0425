"""People who oversee, one who may not, and figures that no earlier test left in the cache."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.test import Client

from bluelamp.people.policy import Role
from tests import factories, signin


@pytest.fixture(autouse=True)
def _no_cached_figures():
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def auditor(db):
    return factories.person(Role.AUDITOR, name="Ada Wren")


@pytest.fixture
def signed_in():
    """A function: a client in which a person is signed in."""

    def sign_in(person):
        client = Client()
        signin.quickly(client, person)
        return client

    return sign_in


@pytest.fixture
def as_auditor(auditor, signed_in):
    return signed_in(auditor)
