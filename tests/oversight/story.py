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


def whole_force() -> dict[str, str]:
    """A force with something on every page of oversight; returns the auditor's sign-in and the ids to look at.

    Runs in a child process of a live server.
    """
    from bluelamp.custody import erasing, sequencer
    from bluelamp.custody import queries as custody_queries
    from bluelamp.footage.services.viewing import log_refusal
    from bluelamp.people import services as people
    from bluelamp.retention import services as retention
    from bluelamp.retention.models import Hold
    from tests import signin

    now = clock.now()
    force = factories.unit("Bluelamp Constabulary", kind=Unit.Kind.FORCE)
    borough = factories.unit("Northgate", parent=force, kind=Unit.Kind.BOROUGH)
    officers = [factories.person(Role.OFFICER, unit=borough, name=f"PC {name} Hale") for name in "ABCDEFGHIJKL"]
    camera = factories.camera(borough, serial="BL000123")
    recordings = [
        factories.recording(
            officers[number % 3],
            camera=camera,
            started_at=now - timedelta(days=2 * number, hours=number),
            duration_ms=754_000,
            processing="ready" if number % 4 else "failed",
        )
        for number in range(17)
    ]
    watched = recordings[1]
    for officer in officers:
        viewing = opened(watched, officer, reason="" if officer is officers[5] else "Statement for Operation Lantern")
        footage.record_range(viewing, "original", 0, 40_000, 100_000)
        footage.record_range(viewing, "original", 60_000, 90_000, 100_000)
    for _ in range(6):
        opened(recordings[2], officers[11], reason="")
    log_refusal(watched, actor=officers[9].custody_id, what="media", why="It was recorded by another unit.")
    share = shared(recordings[3])
    retention.place_hold(recordings[4], Hold.Kind.COMPLAINT, "Complaint 17/26", "", officers[0].custody_id)
    request(received_at=now - timedelta(days=70))
    auditor = factories.person(Role.AUDITOR, Role.PROFESSIONAL_STANDARDS, unit=force, name="Ada Wren")
    sequencer.drain()
    (viewed, _) = custody_queries.search(tag="recording.viewed", limit=2)
    erasing.ask(viewed.id, ["reason"], reason="Request SAR-17: a name was written into it", actor="person:1")
    password = "a lamp in the fog 1829"
    people.set_own_password(auditor, password)
    return {
        "username": auditor.username,
        "password": password,
        "totp_secret": signin.secret_of(auditor),
        "recording": str(watched.pk),
        "share": str(share.pk),
        "case": str(share.case_id),
    }
