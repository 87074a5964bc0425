"""Pieces of a force's life that the tests of oversight look back on."""

from __future__ import annotations

from datetime import timedelta

from bluelamp.cases import services as cases
from bluelamp.footage import services as footage
from bluelamp.footage.models import Recording
from bluelamp.kernel import clock
from bluelamp.people.models import Organisation, Person, Unit
from bluelamp.people.policy import Role
from bluelamp.rights.models import Request
from bluelamp.sharing import services as sharing
from bluelamp.sharing.models import Share
from tests import factories


def opened(recording: Recording, viewer: Person, reason: str = "", purpose: str = "view"):
    """`viewer` opens a recording, as its page would let them."""
    return footage.open_viewing(
        recording,
        viewer=viewer.custody_id,
        viewer_name=viewer.name,
        grant="person",
        reason=reason,
        session_key=f"session of {viewer.pk}",
        purpose=purpose,
    )


def cps() -> Organisation:
    return Organisation.objects.get_or_create(
        name="CPS London", defaults={"kind": Organisation.Kind.CPS, "email_domains": ["cps.example"]}
    )[0]


def shared(recording: Recording, organisation: Organisation | None = None, days: int = 30) -> Share:
    """The recording, flagged, in a case, and shared with a prosecutor."""
    detective = factories.person(Role.INVESTIGATOR, unit=recording.unit)
    case = cases.open_case("Lantern", opened_by=detective, urn="01AB1")
    cases.add_recording(case, recording, actor=detective, reason="Shows it")
    if not recording.flags.filter(released_at=None).exists():
        footage.flag(recording, category=factories.category(), reason="Assault", by=detective)
    return sharing.share(
        recording,
        name="Jo Reid",
        email="jo@bell.example" if organisation else "jo@cps.example",
        organisation=organisation or cps(),
        summary="The assault",
        urn="01ab1",
        may_download=True,
        days=days,
        by=detective,
        case=case,
    )


def request(state: str = Request.State.OPEN, **more: object) -> Request:
    """Somebody's request as the desk has it, its month begun on receipt."""
    now = clock.now()
    received = more.pop("received_at", now)
    number = Request.objects.count()
    given = {
        "reference": f"BL-AAAA-BBBB-{number:04}",
        "state": state,
        "name": "Somebody Private",
        "email": "private@example.org",
        "borough": Unit.objects.first() or factories.unit(kind=Unit.Kind.BOROUGH),
        "place": "Brixton Road",
        "from_at": now - timedelta(days=2, hours=1),
        "until_at": now - timedelta(days=2),
        "role": Request.Role.STOPPED,
        "received_at": received,
        "identity_proved_at": received,
        "confirm_token_sha256": f"token {number}",
        **more,
    }
    return Request.objects.create(**given)
