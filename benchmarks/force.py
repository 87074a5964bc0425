"""Makes what a measurement needs of a force: `python -m benchmarks.force SERIAL...` prints a dock's token.

A process of its own; BLUELAMP_DATA says in which installation.
"""

from __future__ import annotations

import os
import sys


def cameras_and_dock(serials: list[str]) -> str:
    """Registers cameras and adds a dock; its token."""
    from bluelamp.fleet import services as fleet
    from bluelamp.people.models import Unit

    unit, _ = Unit.objects.get_or_create(code="BENCH", defaults={"name": "Bench", "kind": Unit.Kind.UNIT})
    for serial in serials:
        fleet.register_camera(serial=serial, model="VB1", unit=unit, actor="system:bench")
    return fleet.add_dock(f"Dock of {serials[0]}", unit, "system:bench")[1]


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bluelamp.project.settings")
    import django

    django.setup()
    sys.stdout.write(cameras_and_dock(sys.argv[1:]) + "\n")
