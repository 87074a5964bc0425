"""Units of the force's tree, and the organisations that footage is shared with."""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.db import IntegrityError

from bluelamp import custody
from bluelamp.kernel import transaction
from bluelamp.kernel.errors import Conflict, Invalid
from bluelamp.people import events
from bluelamp.people.models import Organisation, Unit

_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")


@custody.service
def create_unit(*, name: str, code: str, kind: str, actor: str, parent: Unit | None = None, reason: str = "") -> Unit:
    """Add a node to the force's tree: the force itself without a parent, everything else below something.

    Raises Invalid for a missing name or code, an unknown kind or a wrong place; Conflict where the code is taken.
    """
    name, code = name.strip(), code.strip()
    if not name or not code or kind not in Unit.Kind.values:
        raise Invalid("A unit needs a name, a code and a kind.", "No unit was added.", "Fill in what is missing.")
    if (kind == Unit.Kind.FORCE) != (parent is None):
        raise Invalid(
            "The force stands at the top of the tree; boroughs, commands and units stand below something.",
            "No unit was added.",
            "Choose what the unit belongs to.",
        )
    if parent is not None and parent.kind == Unit.Kind.UNIT and kind == Unit.Kind.BOROUGH:
        raise Invalid(
            "A borough or command does not stand below a unit.", "No unit was added.", "Choose the force as its parent."
        )
    try:
        with transaction.atomic():
            unit = Unit.objects.create(name=name, code=code, kind=kind, parent=parent)
    except IntegrityError as error:
        raise Conflict(
            f"There is a unit with the code {code} already.", "No unit was added.", "Choose another code."
        ) from error
    custody.record(
        events.UnitCreated(
            actor=actor,
            subject=unit.custody_id,
            reason=reason.strip(),
            name=name,
            code=code,
            kind=kind,
            parent=parent.code if parent else "",
        )
    )
    return unit


@custody.service
def create_organisation(
    *, name: str, kind: str, actor: str, email_domains: Iterable[str] = (), reason: str = ""
) -> Organisation:
    """Add an organisation; where domains are given, only addresses in them can receive footage for it.

    Raises Invalid for a missing name, an unknown kind or something that is no domain; Conflict where the name is taken.
    """
    name = name.strip()
    domains = [domain.strip().lower().removeprefix("@") for domain in email_domains]
    domains = [domain for domain in domains if domain]
    if not name or kind not in Organisation.Kind.values:
        raise Invalid("An organisation needs a name and a kind.", "None was added.", "Fill in what is missing.")
    wrong = [domain for domain in domains if not _DOMAIN.fullmatch(domain)]
    if wrong:
        raise Invalid(
            f"{wrong[0]} is not an e-mail domain.", "No organisation was added.", "Write domains like cps.gov.uk."
        )
    try:
        with transaction.atomic():
            organisation = Organisation.objects.create(name=name, kind=kind, email_domains=domains)
    except IntegrityError as error:
        raise Conflict(
            f"There is an organisation named {name} already.", "None was added.", "Use the one that is there."
        ) from error
    custody.record(
        events.OrganisationCreated(
            actor=actor,
            subject=organisation.custody_id,
            reason=reason.strip(),
            name=name,
            kind=kind,
            email_domains=domains,
        )
    )
    return organisation
