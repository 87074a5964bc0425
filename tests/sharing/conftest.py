from __future__ import annotations

import pytest

from bluelamp.cases import services as cases
from bluelamp.footage import services as footage
from bluelamp.kernel.limiter import Limiter
from bluelamp.people.models import Organisation
from bluelamp.people.policy import Role
from bluelamp.sharing import portal_views, services
from tests import factories
from tests.sharing import post


@pytest.fixture(autouse=True)
def _mail(settings):
    settings.EMAIL_BACKEND = post.WORKS


@pytest.fixture(autouse=True)
def _a_place_of_its_own(monkeypatch):
    """What is limited for each address on the network starts anew: all tests come from one."""
    monkeypatch.setattr(portal_views, "_askings", tuple(Limiter() for _ in portal_views._askings))


@pytest.fixture
def cps():
    return Organisation.objects.create(name="CPS", kind=Organisation.Kind.CPS, email_domains=["cps.example"])


@pytest.fixture
def story(cps):
    """A flagged recording in an open case, and the detective whose case it is."""
    unit = factories.unit()
    wearer = factories.person(Role.OFFICER, unit=unit)
    detective = factories.person(Role.INVESTIGATOR, unit=unit)
    recording = factories.recording(wearer, sealed=True)
    case = cases.open_case("Lantern", opened_by=detective, urn="01AB1")
    cases.add_recording(case, recording, actor=detective, reason="Shows it")
    footage.flag(recording, category=factories.category(), reason="Assault", by=wearer)
    return recording, case, detective


@pytest.fixture
def shared(story, cps):
    """Shares the story's recording; what is not given stands for itself."""
    recording, case, detective = story

    def share(which=recording, **more):
        given = {
            "name": "Jo Reid",
            "email": "jo@cps.example",
            "organisation": cps,
            "summary": "The assault",
            "urn": "01ab1",
            "may_download": False,
            "days": 30,
            "by": detective,
            "case": case,
        }
        return services.share(which, **{**given, **more})

    return share
