"""Reading the force's tree and the people in it."""

from __future__ import annotations

from dataclasses import dataclass, field

from allauth.mfa.models import Authenticator
from axes.helpers import get_cool_off
from axes.models import AccessAttempt
from django.conf import settings
from django.db import connection
from django.db.models import Count, Q, QuerySet, Sum

from bluelamp.custody import Operation
from bluelamp.custody import queries as custody
from bluelamp.kernel import clock
from bluelamp.kernel.errors import NotFound
from bluelamp.people.events import LockedOut
from bluelamp.people.models import Organisation, Person, Unit

_BELOW = """
WITH RECURSIVE below AS (
    SELECT id FROM people_unit WHERE id = %s
    UNION ALL
    SELECT u.id FROM people_unit u JOIN below ON u.parent_id = below.id
) SELECT id FROM below
"""


@dataclass
class Node:
    """A unit in the tree, with the open accounts in it and in everything below it."""

    unit: Unit
    depth: int
    people: int
    below: list[Node] = field(default_factory=list)


def unit_and_below(unit_id: int | None) -> frozenset[int]:
    """The ids of a unit and every unit below it; empty for None."""
    if unit_id is None:
        return frozenset()
    with connection.cursor() as cursor:
        cursor.execute(_BELOW, [unit_id])
        return frozenset(row[0] for row in cursor.fetchall())


def tree() -> list[Node]:
    """The force from the top, siblings by name; counts of open accounts include what is below."""
    counts: dict[int | None, int] = dict(
        Person.objects.filter(is_active=True).values_list("unit").annotate(Count("id")).order_by()
    )
    children: dict[int | None, list[Unit]] = {}
    for unit in Unit.objects.all():
        children.setdefault(unit.parent_id, []).append(unit)

    def grow(parent: int | None, depth: int) -> list[Node]:
        nodes = []
        for unit in children.get(parent, []):
            below = grow(unit.pk, depth + 1)
            people = counts.get(unit.pk, 0) + sum(node.people for node in below)
            nodes.append(Node(unit, depth, people, below))
        return nodes

    return grow(None, 0)


def unit_choices() -> list[tuple[str, str]]:
    """All units in the order of the tree, indented, as (code, name) for a select."""
    choices: list[tuple[str, str]] = []

    def walk(nodes: list[Node]) -> None:
        for node in nodes:
            choices.append((node.unit.code, "\u2003" * node.depth + node.unit.name))
            walk(node.below)

    walk(tree())
    return choices


def unit(code: str) -> Unit | None:
    """The unit with this code; None for an empty one. Raises NotFound."""
    if not code:
        return None
    found = Unit.objects.filter(code=code).first()
    if found is None:
        raise NotFound(f"There is no unit with the code {code}.", "Nothing was changed.", "Choose one from the list.")
    return found


def people(words: str = "", unit: Unit | None = None, role: str = "", state: str = "open") -> QuerySet[Person]:
    """People by name: every word must occur in name, warrant number, username or e-mail address."""
    found = Person.objects.select_related("unit")
    for word in words.split():
        found = found.filter(
            Q(name__icontains=word)
            | Q(warrant_number__icontains=word)
            | Q(username__icontains=word)
            | Q(email__icontains=word)
        )
    if unit is not None:
        found = found.filter(unit__in=unit_and_below(unit.pk))
    if role:
        found = found.filter(roles__contains=[role])
    if state in ("open", "closed"):
        found = found.filter(is_active=state == "open")
    return found


def person(person_id: int) -> Person:
    """One person with the unit. Raises NotFound."""
    found = Person.objects.select_related("unit__parent").filter(pk=person_id).first()
    if found is None:
        raise NotFound("There is no such person.", "Nothing was changed.", "Look the person up in the list.")
    return found


def has_second_factor(person: Person) -> bool:
    """Whether one-time passwords are set up."""
    return Authenticator.objects.filter(user=person, type=Authenticator.Type.TOTP).exists()


def is_locked_out(person: Person) -> bool:
    """Whether sign-in is closed for this account from some place after repeated failures, on real time."""
    since = clock.real_now() - get_cool_off()
    attempts = AccessAttempt.objects.filter(username=person.username, attempt_time__gte=since)
    places = attempts.values("ip_address").annotate(failures=Sum("failures_since_start"))
    return any(place["failures"] >= settings.AXES_FAILURE_LIMIT for place in places)


def account_history(person: Person, limit: int = 100) -> list[custody.HistoryItem]:
    """What happened to an account: made, changed, closed, locked out. Signing in and out is left to the audit pages."""
    changes = custody.search(subject=person.custody_id, operation=Operation.ALTERATION, limit=limit)
    lockouts = custody.search(subject=person.custody_id, tag=LockedOut.tag, limit=limit)
    return [item for item in changes if item.tag.startswith("person.")] + lockouts


def organisations() -> list[Organisation]:
    """Everybody the force shares with, by name."""
    return list(Organisation.objects.all())


def without_second_factor() -> int:
    """How many open accounts have no one-time passwords yet."""
    protected = Authenticator.objects.filter(type=Authenticator.Type.TOTP).values("user_id")
    return Person.objects.filter(is_active=True).exclude(pk__in=protected).count()
