"""What the journeys find when they begin; each function runs in a child process of a live server (`Live.call`)."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

WEARERS = 5
"""How many of the force's wearers get a sign-in; the first four belong to Northgate, the fifth to Southbank."""

_PREPARED_SECONDS = 150.0


def force() -> dict[str, Any]:
    """The demonstration's force. Its accounts by username, its cameras with their wearers, and the dock's token."""
    from django.contrib.auth.hashers import ScryptPasswordHasher

    from bluelamp.cli.demo import force as forces
    from bluelamp.kernel import clock

    # Sixty passwords at full strength would take longer than a journey; a hash carries its own strength.
    ScryptPasswordHasher.work_factor = 16
    made = forces.create(clock.now())
    accounts = {account.username: vars(account) for account in made.accounts}
    for _, wearer, _ in made.wearers[1:WEARERS]:
        accounts[wearer.username] = _sign_in_for(wearer)
    return {
        "accounts": accounts,
        "dock_token": made.dock_token,
        "cameras": [_camera(*wearing) for wearing in made.wearers[:WEARERS]],
    }


def prepared(serial: str) -> dict[str, Any]:
    """The camera's first recording, once everything that came from the camera is prepared for viewing."""
    from bluelamp.footage.models import Recording

    recordings = Recording.objects.filter(camera__serial=serial).order_by("started_at")
    deadline = time.monotonic() + _PREPARED_SECONDS
    while {one.processing for one in recordings.all()} != {Recording.Processing.READY}:
        if time.monotonic() > deadline:
            raise RuntimeError(f"Not prepared: {[(one.processing, one.processing_error) for one in recordings.all()]}")
        time.sleep(0.2)
    first = recordings[0]
    return {
        "id": str(first.pk),
        "serial": serial,
        "started_at": first.started_at.isoformat(),
        "sha256": first.sha256,
        "original": first.original,
    }


def let_days_pass(days: int) -> str:
    """Move the demonstration's clock; returns the new time."""
    from bluelamp.kernel import clock

    return clock.advance(timedelta(days=days)).isoformat()


def _camera(camera: Any, wearer: Any, place: tuple[float, float]) -> dict[str, Any]:
    return {
        "serial": camera.serial,
        "model": camera.model,
        "mount": camera.mount,
        "lat": place[0],
        "lon": place[1],
        "wearer": wearer.username,
        "name": wearer.name,
        "number": wearer.warrant_number,
    }


def _sign_in_for(person: Any) -> dict[str, Any]:
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

    from bluelamp.kernel.transaction import atomic
    from bluelamp.people import services as people

    password, secret = "a lamp in the fog 1829", generate_totp_secret()
    people.set_own_password(person, password)
    with atomic():
        TOTP.activate(person, secret)
        people.note_second_factor(person)
    return {"role": "officer", "username": person.username, "password": password, "totp_secret": secret}


def two_boroughs() -> dict[str, Any]:
    """A small force: two boroughs, an officer with a camera in each, an information rights officer, a dock."""
    from django.contrib.auth.hashers import ScryptPasswordHasher

    from bluelamp.fleet import services as fleet
    from bluelamp.kernel import clock
    from bluelamp.people import services as people
    from bluelamp.people.models import Unit
    from bluelamp.people.policy import Role

    ScryptPasswordHasher.work_factor = 16
    actor = "system:demonstration"
    top = people.create_unit(name="Bluelamp Constabulary", code="BC", kind=Unit.Kind.FORCE, actor=actor)
    cameras = []
    for number, name in enumerate(("Northgate", "Southbank")):
        borough = people.create_unit(name=name, code=name[:2], kind=Unit.Kind.BOROUGH, parent=top, actor=actor)
        team = people.create_unit(
            name=f"{name} Response Team", code=f"{name[:2]}1", kind=Unit.Kind.UNIT, parent=borough, actor=actor
        )
        wearer, _ = people.create_person(
            username=f"officer{number + 1}", name=f"PC {name}", actor=actor, roles=[Role.OFFICER], unit=team,
            warrant_number=f"{200100 + number}", email=f"officer{number + 1}@bluelamp.example",
        )  # fmt: skip
        camera = fleet.register_camera(serial=f"BL{4100 + number}", model="BW-2", unit=team, actor=actor)
        fleet.issue(camera, wearer, actor=actor, at=clock.now() - timedelta(days=7))
        cameras.append(_camera(camera, wearer, (51.56, -0.1)))
    rights, _ = people.create_person(
        username="rights", name="Anita Desai", actor=actor, roles=[Role.RIGHTS_OFFICER], unit=top,
        warrant_number="S1004", email="rights@bluelamp.example",
    )  # fmt: skip
    _, dock_token = fleet.add_dock("Northgate charging room", None, actor)
    return {"accounts": {"rights": _sign_in_for(rights)}, "cameras": cameras, "dock_token": dock_token}
