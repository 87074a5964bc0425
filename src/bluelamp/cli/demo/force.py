"""A force to show: boroughs and units, forty officers, a dozen cameras, a dock, partners. All invented."""

from __future__ import annotations

import random
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

from bluelamp.fleet import services as fleet
from bluelamp.fleet.models import Camera
from bluelamp.ingest.axis import services as axis_services
from bluelamp.ingest.axis.services.connections import Issued, Wanted
from bluelamp.kernel.transaction import atomic
from bluelamp.people import services as people
from bluelamp.people.models import Organisation, Person, Unit
from bluelamp.people.policy import Role

ACTOR = "system:demonstration"

# name, code, latitude, longitude, units, cameras planned
BOROUGHS = (
    ("Northgate", "NG", 51.5620, -0.1060, ("Response Team A", "Safer Neighbourhoods"), 14),
    ("Southbank", "SB", 51.4950, -0.1020, ("Response Team B", "Town Centre"), 12),
    ("Eastfield", "EF", 51.5290, 0.0270, ("Response Team C",), 8),
    ("Westmoor", "WM", 51.5100, -0.2800, ("Response Team D",), 8),
    ("Roads and Transport", "RT", 51.5250, -0.0860, ("Traffic",), 6),
    ("Firearms Command", "FC", 51.5010, -0.1250, ("Armed Response",), 6),
)

# Which cameras are really issued: unit index over all units, mount
_CAMERAS = (
    (0, "chest"),
    (0, "chest"),
    (0, "chest"),
    (1, "chest"),
    (2, "chest"),
    (2, "chest"),
    (3, "chest"),
    (4, "chest"),
    (5, "chest"),
    (6, "chest"),
    (7, "cap"),
    (7, "ballistic helmet"),
)

_FIRST = ("Amara", "Ben", "Chloe", "Daniel", "Esther", "Farah", "George", "Hannah", "Imran", "Jade", "Kwame", "Laura")
_LAST = ("Adeyemi", "Brooks", "Carter", "Davies", "Edwards", "Farrell", "Grant", "Hughes", "Islam", "Khan", "Morgan")

_STAFF = (
    (Role.SUPERVISOR, "supervisor", "Sergeant Ruth Okafor", 0),
    (Role.BWV_MANAGER, "manager", "Colin Fraser", None),
    (Role.INVESTIGATOR, "detective", "DC Helen Marsh", 0),
    (Role.RIGHTS_OFFICER, "rights", "Anita Desai", None),
    (Role.PROFESSIONAL_STANDARDS, "standards", "DI Mark Penrose", None),
    (Role.POST_INCIDENT_MANAGER, "pim", "Chief Inspector Jo Lindqvist", None),
    (Role.AUDITOR, "auditor", "Margaret Osei", None),
    (Role.OPERATOR, "operator", "Sam Whitlock", None),
)


@dataclass
class Account:
    """One sign-in to hand to whoever looks at the demonstration."""

    role: str
    username: str
    password: str | None
    totp_secret: str | None


@dataclass
class Force:
    """What was made."""

    units: list[Unit]
    places: list[tuple[float, float]]
    officers: list[Person]
    staff: dict[Role, Person]
    wearers: list[tuple[Camera, Person, tuple[float, float]]]
    dock_token: str
    cps: Organisation
    axis: Issued
    accounts: list[Account] = field(default_factory=list)


def create(now: datetime) -> Force:
    """Make the whole force; the roll-out began eight weeks before `now`."""
    rng = random.Random(20170814)  # noqa: S311  names for people who do not exist
    top = people.create_unit(name="Bluelamp Constabulary", code="BC", kind=Unit.Kind.FORCE, actor=ACTOR)
    units, places = _units(top)
    officers = _officers(units, rng)
    accounts: list[Account] = []
    officer = officers[0]
    accounts.append(_account(officer, Role.OFFICER))
    staff: dict[Role, Person] = {}
    for role, username, name, unit in _STAFF:
        person, _ = people.create_person(
            username=username,
            name=name,
            actor=ACTOR,
            roles=[role],
            unit=units[unit].parent if unit is not None else top,
            warrant_number=f"S{1000 + len(staff)}",
            email=f"{username}@bluelamp.example",
        )
        staff[role] = person
        accounts.append(_account(person, role))
    _, dock_token = fleet.add_dock("Northgate charging room", units[0].parent, ACTOR)
    cps = people.create_organisation(
        name="Crown Prosecution Service", kind=Organisation.Kind.CPS, email_domains=["cps.example"], actor=ACTOR
    )
    wearers = _cameras(units, places, officers, now)
    for (name, code, *_), planned in zip(BOROUGHS, (borough[5] for borough in BOROUGHS), strict=True):
        fleet.plan_rollout(
            Unit.objects.get(code=code, name=name), planned, (now + timedelta(days=120)).date(), actor=ACTOR
        )
    axis = axis_services.issue(Wanted(name="Northgate body-worn system", unit=units[0].parent), actor=ACTOR)
    return Force(units, places, officers, staff, wearers, dock_token, cps, axis, accounts)


def _units(top: Unit) -> tuple[list[Unit], list[tuple[float, float]]]:
    units: list[Unit] = []
    places: list[tuple[float, float]] = []
    for name, code, lat, lon, teams, _ in BOROUGHS:
        borough = people.create_unit(name=name, code=code, kind=Unit.Kind.BOROUGH, parent=top, actor=ACTOR)
        for number, team in enumerate(teams, 1):
            units.append(
                people.create_unit(
                    name=f"{name} {team}", code=f"{code}{number}", kind=Unit.Kind.UNIT, parent=borough, actor=ACTOR
                )
            )
            places.append((lat, lon))
    return units, places


def _officers(units: list[Unit], rng: random.Random) -> list[Person]:
    names = [f"PC {first} {last}" for first in _FIRST for last in _LAST]
    rng.shuffle(names)
    officers = []
    for number in range(40):
        person, _ = people.create_person(
            username=f"officer{number + 1}",
            name=names[number],
            actor=ACTOR,
            roles=[Role.OFFICER],
            unit=units[number % len(units)],
            warrant_number=f"{200100 + 37 * number}",
            email=f"officer{number + 1}@bluelamp.example",
        )
        officers.append(person)
    return officers


def _account(person: Person, role: Role) -> Account:
    password = secrets.token_urlsafe(12)
    people.set_own_password(person, password)
    secret = generate_totp_secret()
    with atomic():
        TOTP.activate(person, secret)
        people.note_second_factor(person)
    return Account(role.value, person.username, password, secret)


def _cameras(
    units: list[Unit], places: list[tuple[float, float]], officers: list[Person], now: datetime
) -> list[tuple[Camera, Person, tuple[float, float]]]:
    free = {unit.pk: [officer for officer in officers if officer.unit_id == unit.pk] for unit in units}
    wearers = []
    for number, (unit_index, mount) in enumerate(_CAMERAS):
        unit = units[unit_index]
        camera = fleet.register_camera(
            serial=f"BL{4100 + number}",
            model="Flex-H" if mount != "chest" else "BW-2",
            unit=unit,
            mount=mount,
            actor=ACTOR,
        )
        wearer = free[unit.pk].pop(0)
        fleet.issue(camera, wearer, actor=ACTOR, at=now - timedelta(days=56 - 4 * number, hours=2))
        wearers.append((camera, wearer, places[unit_index]))
    for number in range(6):
        fleet.register_camera(serial=f"BL{4200 + number}", model="BW-2", unit=units[number % 3], actor=ACTOR)
    return wearers
