"""Small things that tests need: a force's tree, people with roles, cameras, sealed recordings."""

from __future__ import annotations

import hashlib
import itertools
from datetime import datetime, timedelta

from bluelamp.fleet.models import Camera
from bluelamp.footage.models import Category, Recording
from bluelamp.kernel import clock
from bluelamp.kernel.ids import new_id
from bluelamp.people.models import Person, Unit
from bluelamp.people.policy import Role
from tests import signin

_numbers = itertools.count(1)


def unit(name: str = "", parent: Unit | None = None, kind: str = Unit.Kind.UNIT) -> Unit:
    number = next(_numbers)
    return Unit.objects.create(name=name or f"Unit {number}", code=f"U{number}", kind=kind, parent=parent)


def person(*roles: Role, unit: Unit | None = None, name: str = "") -> Person:
    number = next(_numbers)
    made = Person.objects.create(
        username=f"person{number}",
        name=name or f"Person {number}",
        warrant_number=f"W{number:05}",
        email=f"person{number}@force.example",
        unit=unit,
        roles=[role.value for role in roles],
    )
    signin.second_factor(made)
    return made


def camera(unit: Unit, serial: str = "") -> Camera:
    number = next(_numbers)
    return Camera.objects.create(
        serial=serial or f"BL{number:06}", model="BW-1", unit=unit, state=Camera.State.SERVICE, public_key=""
    )


def category(code: str = "violence", keep_days: int | None = 365) -> Category:
    return Category.objects.get_or_create(
        code=code, defaults={"name": code.title(), "keep_days": keep_days, "basis": "Test"}
    )[0]


def recording(
    wearer: Person,
    *,
    camera: Camera | None = None,
    started_at: datetime | None = None,
    content: bytes = b"",
    sealed: bool = False,
    **more: object,
) -> Recording:
    """A recording of a minute; with `sealed`, its content really stands in the vault."""
    recording_id = new_id()
    started = started_at or clock.now() - timedelta(minutes=5)
    content = content or b"not a video, but bytes"
    fields: dict[str, object] = {
        "id": recording_id,
        "camera": camera,
        "sequence": next(_numbers) if camera else None,
        "filename": f"{recording_id}.mp4",
        "wearer": wearer,
        "unit": wearer.unit,
        "started_at": started,
        "ended_at": started + timedelta(minutes=1),
        "device_started_at": started,
        "device_ended_at": started + timedelta(minutes=1),
        "received_at": clock.now(),
        "sha256": hashlib.sha256(content).hexdigest(),
        "size": len(content),
        "original": f"recordings/{recording_id}/original",
        "due_at": started + timedelta(days=31),
        **more,
    }
    if sealed:
        from bluelamp.vault import objects
        from bluelamp.vault.keyring import get_keyring

        get_keyring().create(str(recording_id))
        objects.seal_bytes(str(fields["original"]), str(recording_id), content)
    return Recording.objects.create(**fields)
