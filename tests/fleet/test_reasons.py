from __future__ import annotations

import pytest
from django.test import Client

from bluelamp.custody import queries as custody
from bluelamp.fleet import services
from bluelamp.people.policy import Role
from tests import factories, signin

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("reason", ["x" * 501, "nul\0byte"])
def test_a_reason_is_short_and_of_characters_that_can_be_kept(client: Client, reason: str) -> None:
    signin.quickly(client, factories.person(Role.BWV_MANAGER))
    camera = factories.camera(factories.unit())
    dock, _ = services.add_dock("Northgate", factories.unit(), actor="person:1")
    for address, subject in (
        (f"/fleet/cameras/{camera.serial}/key/", camera.custody_id),
        (f"/fleet/docks/{dock.pk}/revoke/", dock.custody_id),
    ):
        before = len(custody.history(subject))
        response = client.post(address, {"reason": reason})
        assert response.status_code == 422
        assert b"govuk-error-message" in response.content
        assert len(custody.history(subject)) == before
