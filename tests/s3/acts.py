"""Acts on an installation as its people would, in a process of its own; BLUELAMP_DATA says on which.

`python -m tests.s3.acts flag RECORDING`, `release RECORDING`, `advance DAYS`, or `sha256 RECORDING START LENGTH`, which
prints the hash of that range as it is read back from the store.
"""

from __future__ import annotations

import hashlib
import os
import sys
from datetime import timedelta


def flag(recording_id: str) -> str:
    from bluelamp.footage import services as footage
    from bluelamp.footage.models import Recording
    from bluelamp.people.policy import Role
    from tests import factories

    recording = Recording.objects.get(pk=recording_id)
    officer = factories.person(Role.OFFICER, unit=recording.camera.unit, name="Officer")
    footage.flag(recording, category=factories.category(), reason="Assault", by=officer)
    return "flagged"


def release(recording_id: str) -> str:
    from bluelamp.footage import services as footage
    from bluelamp.footage.models import Recording
    from bluelamp.people.models import Person, Unit

    recording = Recording.objects.get(pk=recording_id)
    manager = Person.objects.create(
        username="manager", name="Manager", warrant_number="M1", unit=Unit.objects.first(), roles=["bwv_manager"]
    )
    footage.release_flag(recording, reason="Not needed", by=manager)
    return "released"


def advance(days: str) -> str:
    from bluelamp.kernel import clock

    clock.advance(timedelta(days=int(days)))
    return "advanced"


def sha256(recording_id: str, start: str, length: str) -> str:
    from bluelamp.footage.models import Recording
    from bluelamp.vault.objects import SealedReader

    recording = Recording.objects.get(pk=recording_id)
    digest = hashlib.sha256()
    for piece in SealedReader(recording.original, recording.key_id).iter(int(start), int(length)):
        digest.update(piece)
    return digest.hexdigest()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bluelamp.project.settings")
    import django

    django.setup()
    told = {"flag": flag, "release": release, "advance": advance, "sha256": sha256}[sys.argv[1]](*sys.argv[2:])
    sys.stdout.write(told + "\n")
