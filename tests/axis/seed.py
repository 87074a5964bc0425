"""What the live test finds when it begins; each function runs in a child process of the server (`Live.call`)."""

from __future__ import annotations

import time
from typing import Any

_READY_SECONDS = 90.0


def force() -> dict[str, Any]:
    """A force, an officer and a manager who can sign in."""
    from django.contrib.auth.hashers import ScryptPasswordHasher

    from bluelamp.people.models import Unit
    from bluelamp.people.policy import Role
    from tests import factories, signin

    ScryptPasswordHasher.work_factor = 16
    unit = factories.unit("Bluelamp Constabulary", kind=Unit.Kind.FORCE)
    officer = factories.person(Role.OFFICER, unit=unit, name="PC Amara Brooks")
    manager = factories.person(Role.BWV_MANAGER, unit=unit, name="Colin Fraser")
    manager.set_password(signin.PASSWORD)
    manager.save()
    return {
        "unit": unit.code,
        "warrant": officer.warrant_number,
        "username": manager.username,
        "secret": signin.secret_of(manager),
    }


def ready(serial: str) -> dict[str, Any]:
    """The camera's recording, once it is prepared for viewing."""
    from bluelamp.footage.models import Recording

    until = time.monotonic() + _READY_SECONDS
    while time.monotonic() < until:
        found = Recording.objects.filter(camera__serial=serial, processing="ready").first()
        if found is not None:
            return {
                "id": str(found.pk),
                "sha256": found.sha256,
                "events": [event["kind"] for event in found.events],
                "due": str(found.due_at),
                "viewing": found.derivatives.filter(kind="viewing").exists(),
            }
        time.sleep(0.2)
    raise RuntimeError(f"Not ready: {list(Recording.objects.values('processing', 'processing_error'))}")
