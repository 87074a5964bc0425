"""Acts on an installation as its operator would, in a process of its own; BLUELAMP_DATA says on which.

`python -m tests.ingest.force SERIAL...` registers cameras and adds a dock, whose token it prints;
`python -m tests.ingest.force --prepare RECORDING` prepares a recording for viewing.
"""

from __future__ import annotations

import os
import sys


def cameras_and_dock(serials: list[str]) -> str:
    from bluelamp.fleet import services as fleet
    from bluelamp.people.models import Unit

    unit, _ = Unit.objects.get_or_create(code="NG", defaults={"name": "Northgate", "kind": Unit.Kind.UNIT})
    for serial in serials:
        fleet.register_camera(serial=serial, model="Bluelamp VB1", unit=unit, actor="system:test")
    return fleet.add_dock(f"Dock of {serials[0]}", unit, "system:test")[1]


def prepare(recording: str) -> str:
    from uuid import UUID

    from bluelamp.footage.services import processing

    processing.prepare(UUID(recording))
    return "prepared"


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bluelamp.project.settings")
    import django

    django.setup()
    told = prepare(sys.argv[2]) if sys.argv[1] == "--prepare" else cameras_and_dock(sys.argv[1:])
    sys.stdout.write(told + "\n")
