"""Reading the fleet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncDate

from bluelamp.custody import queries as custody
from bluelamp.fleet import rules
from bluelamp.fleet.events import CameraDocked
from bluelamp.fleet.models import Assignment, Camera, Dock, RolloutPlan
from bluelamp.fleet.rules import token_sha256
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Invalid, NotFound
from bluelamp.kernel.statements import Kept
from bluelamp.people.models import Person, Unit
from bluelamp.people.policy import Thing
from bluelamp.people.queries import Node, tree, unit_and_below
from bluelamp.web.filters import LONDON

_GONE = (Camera.State.LOST, Camera.State.RETIRED)

# Asked with each request of a dock, and for each recording that comes in.
_DOCK = Kept(
    lambda digest: Dock.objects.select_related("unit").filter(token_sha256=digest, active=True)[:1],
    digest=token_sha256("an example"),
)
_ISSUED = Kept(
    lambda camera, at: Assignment.objects.select_related("person__unit").filter(camera=camera, period__contains=at)[:1],
    camera=1_000_003,
    at=datetime(2000, 1, 1, tzinfo=UTC),
)


@dataclass(frozen=True)
class Standing:
    """How far the roll-out is in a unit and everything below it."""

    unit: Unit
    planned: int
    issued: int
    due_on: date | None
    projection: rules.Projection
    has_below: bool


def camera(serial: str) -> Camera | None:
    """The registered camera with this serial."""
    return Camera.objects.select_related("unit").filter(serial=serial).first()


def camera_or_404(serial: str) -> Camera:
    """The same. Raises NotFound."""
    found = camera(serial)
    if found is None:
        raise NotFound(
            f"There is no camera with the serial {serial}.", "Nothing was changed.", "Look it up in the list."
        )
    return found


def thing(camera: Camera) -> Thing:
    """What the policy looks at when it is asked about a camera."""
    return Thing(camera.custody_id, unit=camera.unit_id)


def authenticate_dock(token: str) -> Dock | None:
    """The active dock whose token this is.

    One digest and one look-up by it, whether the token is good, revoked or made up: the time taken tells nothing
    about how near a guess came.
    """
    return _DOCK.first(digest=token_sha256(token))


def wearer_at(camera: Camera, at: datetime) -> Person | None:
    """Who had the camera at an instant; None where it was issued to nobody."""
    assignment = _ISSUED.first(camera=camera.pk, at=at)
    return assignment.person if assignment else None


def unit_of(camera: Camera, wearer: Person | None) -> Unit:
    """The unit that footage belongs to: that of who wore the camera, else the camera's."""
    return (wearer.unit if wearer else None) or camera.unit


def cameras(
    *, words: str = "", model: str = "", mount: str = "", unit: Unit | None = None, state: str = ""
) -> QuerySet[Camera]:
    """Cameras by serial; `words` may be part of a serial or of the wearer's name or number."""
    found = Camera.objects.select_related("unit")
    if words:
        worn = Assignment.objects.filter(
            Q(person__name__icontains=words) | Q(person__warrant_number__icontains=words), period__endswith=None
        )
        found = found.filter(Q(serial__icontains=words) | Q(pk__in=worn.values("camera")))
    if unit is not None:
        found = found.filter(unit__in=unit_and_below(unit.pk))
    given = {"model": model, "mount": mount, "state": state}
    return found.filter(**{name: value for name, value in given.items() if value})


def models() -> list[str]:
    """The models that there are."""
    return list(Camera.objects.order_by("model").values_list("model", flat=True).distinct())


def wearers(cameras: list[Camera]) -> dict[int, Person]:
    """Who has each of these cameras now, by the camera's primary key."""
    standing = Assignment.objects.select_related("person").filter(camera__in=cameras, period__endswith=None)
    return {assignment.camera_id: assignment.person for assignment in standing}


def assignments(*, camera: Camera | None = None, person: Person | None = None) -> list[Assignment]:
    """Who had a camera, or which cameras a person had, newest first."""
    found = Assignment.objects.select_related("camera", "person").order_by("-period__startswith")
    if camera is not None:
        found = found.filter(camera=camera)
    if person is not None:
        found = found.filter(person=person)
    return list(found)


def standing_assignment(person: Person) -> Assignment | None:
    """The camera that a person has now."""
    return Assignment.objects.select_related("camera").filter(person=person, period__endswith=None).first()


def dockings(camera: Camera, limit: int = 20) -> list[custody.HistoryItem]:
    """The latest dockings of a camera, newest first, as the ledger has them."""
    return custody.search(subject=camera.custody_id, tag=CameraDocked.tag, limit=limit)


def recording_count(camera: Camera) -> int:
    """How many recordings came from a camera, deleted ones included."""
    of_footage: Any = camera  # the relation is declared by the footage room, which this one does not import
    return int(of_footage.recordings.count())


def attention(units: Collection[int] | None = None) -> list[tuple[Camera, list[str]]]:
    """Cameras, of these units if given, that somebody should look at, and why; lost and retired ones are left out."""
    now, found = clock.now(), []
    cameras = Camera.objects.select_related("unit").exclude(state__in=_GONE).exclude(last_docked_at=None)
    for each in cameras if units is None else cameras.filter(unit_id__in=units):
        problems = problems_of(each, now)
        if problems:
            found.append((each, problems))
    return found


def problems_of(camera: Camera, now: datetime) -> list[str]:
    """What somebody should look at about one camera, in words."""
    return rules.attention(
        now,
        in_service=camera.state == Camera.State.SERVICE,
        last_docked_at=camera.last_docked_at,
        clock_offset_ms=camera.clock_offset_ms,
    )


def person_by(text: str) -> Person:
    """The one open account that a name, warrant number or username means. Raises Invalid where none or several do."""
    text = text.strip()
    active = Person.objects.filter(is_active=True)
    exact = active.filter(Q(warrant_number__iexact=text) | Q(username__iexact=text))
    found = list(exact[:2]) or list(active.filter(name__icontains=text)[:6] if text else [])
    if len(found) == 1:
        return found[0]
    if not found:
        raise Invalid(
            f"Nobody with an open account is “{text}”.", "Nothing was changed.", "Type the warrant number or username."
        )
    raise Invalid(
        f"Several people are “{text}”: {', '.join(str(person) for person in found[:5])}.",
        "Nothing was changed.",
        "Type the warrant number.",
    )


def docks() -> list[Dock]:
    """All docks by name, revoked ones too."""
    return list(Dock.objects.select_related("unit"))


def dock_named(name: str) -> Dock:
    """The dock of this name. Raises NotFound."""
    dock = Dock.objects.filter(name=name).first()
    if dock is None:
        raise NotFound(f"There is no dock named {name}.", "Nothing was changed.", "Look at the list of docks.")
    return dock


def dock(dock_id: int) -> Dock:
    """The dock with this key. Raises NotFound."""
    found = Dock.objects.filter(pk=dock_id).first()
    if found is None:
        raise NotFound("There is no such dock.", "Nothing was changed.", "Look at the list of docks.")
    return found


def rollout(code: str = "") -> tuple[Standing | None, list[Node], list[Standing]]:
    """The unit with this code (else the top of the tree), the way down to it, and what stands directly below it.

    Raises NotFound for a code that no unit has. Without any unit: None and two empty lists.
    """
    top = tree()
    plans = {plan.unit_id: plan for plan in RolloutPlan.objects.all()}
    issues = _first_issues()
    today = clock.now().astimezone(LONDON).date()

    def planned(node: Node) -> int:
        # A plan covers the unit and all below it; where there is none, those below add up.
        own = plans.get(node.unit.pk)
        return own.planned if own else sum(planned(below) for below in node.below)

    def days(node: Node) -> list[date]:
        return [*issues[node.unit.pk], *(day for below in node.below for day in days(below))]

    def standing(node: Node) -> Standing:
        wanted, issued = planned(node), days(node)
        plan = plans.get(node.unit.pk)
        return Standing(
            node.unit,
            wanted,
            len(issued),
            plan.due_on if plan else None,
            rules.project(issued, wanted, today),
            bool(node.below),
        )

    way = _way(top, code)
    if not way:
        return None, [], [standing(node) for node in top]
    return standing(way[-1]), way, [standing(node) for node in way[-1].below]


def plan_of(unit: Unit) -> RolloutPlan | None:
    """The unit's own plan."""
    return RolloutPlan.objects.filter(unit=unit).first()


def _way(top: list[Node], code: str) -> list[Node]:
    """The nodes from the top down to the unit with this code; without a code, the one node at the top."""
    if not code:
        return top[:1] if len(top) == 1 else []
    stack = [[node] for node in top]
    while stack:
        way = stack.pop()
        if way[-1].unit.code == code:
            return way
        stack.extend([*way, below] for below in way[-1].below)
    raise NotFound(f"There is no unit with the code {code}.", "Nothing was changed.", "Start from the roll-out page.")


def _first_issues() -> defaultdict[int, list[date]]:
    """Days of first issue by unit, of cameras that are neither lost nor retired."""
    rows = (
        Camera.objects.exclude(first_issued_at=None)
        .exclude(state__in=_GONE)
        .order_by()
        .annotate(day=TruncDate("first_issued_at", tzinfo=LONDON))
        .values_list("unit_id", "day")
        .annotate(Count("id"))
    )
    found: defaultdict[int, list[date]] = defaultdict(list)
    for unit_id, day, count in rows:
        found[unit_id] += [day] * count
    return found
