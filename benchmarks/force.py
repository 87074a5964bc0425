"""Makes what a measurement needs of a force, in a process of its own: `python -m benchmarks.force SERIAL` prints a dock's
token. BLUELAMP_DATA says in which installation."""

from __future__ import annotations

import os
import sys


def camera_and_dock(serial: str) -> str:
    from bluelamp.fleet import services as fleet
    from bluelamp.people.models import Unit

    unit, _ = Unit.objects.get_or_create(code="BENCH", defaults={"name": "Bench", "kind": Unit.Kind.UNIT})
    fleet.register_camera(serial=serial, model="VB1", unit=unit, actor="system:bench")
    return fleet.add_dock(f"Dock of {serial}", unit, "system:bench")[1]


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bluelamp.project.settings")
    import django

    django.setup()
    sys.stdout.write(camera_and_dock(sys.argv[1]) + "\n")
