"""What the ids of every room are called in the ledger."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bluelamp.custody import words
from bluelamp.fleet.models import Dock
from bluelamp.people.policy import Role
from tests import factories
from tests.oversight import story

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _mail(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


def test_every_kind_of_id_has_a_name():
    unit = factories.unit("Brixton")
    wearer = factories.person(Role.OFFICER, unit=unit, name="Ada Wren")
    camera = factories.camera(unit, serial="BL000123")
    recording = factories.recording(wearer, camera=camera)
    dock = Dock.objects.create(name="Brixton 1", unit=unit, token_sha256="x")
    share = story.shared(recording)
    request = story.request()
    ids = [thing.custody_id for thing in (unit, wearer, camera, recording, dock, share, share.recipient, share.case)]
    ids += [request.custody_id, share.recipient.organisation.custody_id]
    names = words.names(ids)
    assert names[unit.custody_id] == "Brixton"
    assert names[wearer.custody_id] == f"Ada Wren ({wearer.warrant_number})"
    assert names[camera.custody_id] == "Camera BL000123"
    assert names[recording.custody_id].startswith("Recording of ")
    assert names[recording.custody_id].endswith("camera BL000123")
    assert names[dock.custody_id] == "Dock Brixton 1"
    assert names[share.custody_id].startswith("Share with Jo Reid of ")
    assert names[share.recipient.custody_id] == "Jo Reid (CPS London)"
    assert names[share.case.custody_id] == "Case Lantern (01AB1)"
    assert names[request.custody_id] == f"Request {request.reference}"
    assert names[share.recipient.organisation.custody_id] == "CPS London"


def test_a_request_is_named_by_its_reference_and_never_by_its_requester():
    request = story.request()
    assert "Private" not in words.name(request.custody_id)


def test_a_page_of_names_makes_one_query_a_kind():
    unit = factories.unit()
    people = [factories.person(Role.OFFICER, unit=unit) for _ in range(20)]
    recordings = [factories.recording(person) for person in people]
    with CaptureQueriesContext(
        connection,
    ) as queries:
        names = words.names([thing.custody_id for thing in (*people, *recordings)])
    assert len(names) == 40
    assert len(queries) == 2


@pytest.mark.parametrize(
    "custody_id", ["person:999999999", "person:x", f"recording:{UUID(int=7)}", "recording:7", "request:", "camera:none"]
)
def test_what_is_unknown_or_was_never_an_id_keeps_its_own_name(custody_id):
    assert words.name(custody_id) == custody_id
