"""Docking stations and their tokens."""

from __future__ import annotations

import secrets

from django.db import IntegrityError

from bluelamp import custody
from bluelamp.fleet import events, rules
from bluelamp.fleet.models import Dock
from bluelamp.kernel import transaction
from bluelamp.kernel.errors import Conflict, Invalid
from bluelamp.people.models import Unit

_TOKEN_BYTES = 32


@custody.service
def add_dock(name: str, unit: Unit | None, actor: str) -> tuple[Dock, str]:
    """Let a docking station upload. Returns it and its token, which is nowhere else: only its SHA-256 is kept.

    Raises Invalid without a name, Conflict where the name is taken.
    """
    name = name.strip()
    if not name:
        raise Invalid("A dock needs a name.", "No dock was added.", "Name it after where it stands.")
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    try:
        with transaction.atomic():
            dock = Dock.objects.create(name=name, unit=unit, token_sha256=rules.token_sha256(token))
    except IntegrityError as error:
        raise Conflict(
            f"There is a dock named {name} already.",
            "It stays as it was; no dock was added.",
            "Choose another name, or revoke the old dock and add the new one under a name of its own.",
        ) from error
    custody.record(events.DockAdded(actor=actor, subject=dock.custody_id, name=name, unit=unit.code if unit else ""))
    return dock, token


@custody.service
def revoke_dock(dock: Dock, *, actor: str, reason: str = "") -> None:
    """End a dock's access at once; its name stays taken, since the ledger speaks of it."""
    if not Dock.objects.filter(pk=dock.pk, active=True).update(active=False):
        custody.nothing_changed()
        return
    dock.active = False
    custody.record(events.DockRevoked(actor=actor, subject=dock.custody_id, reason=reason.strip(), name=dock.name))
