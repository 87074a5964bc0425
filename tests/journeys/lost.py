"""What the journey of lost footage finds when it begins; each function runs in a child process of the live server."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any


def footage(copies: str) -> dict[str, Any]:
    """Three recordings, one in a case, copies of their sealed files, and the certificate of a fourth that is gone."""
    from django.conf import settings

    from bluelamp.cases import services as cases
    from bluelamp.kernel import clock
    from bluelamp.people.models import Person
    from bluelamp.retention import services as retention
    from bluelamp.retention.models import Certificate
    from tests import factories

    wearer = Person.objects.filter(roles__contains=["officer"]).order_by("pk").first()
    detective = Person.objects.filter(roles__contains=["investigator"]).order_by("pk").first()
    assert wearer is not None
    assert detective is not None
    now = clock.now()
    made = [
        factories.recording(
            wearer, content=f"recording {number}".encode(), sealed=True, due_rule="default",
            started_at=now - timedelta(days=number), received_at=now - timedelta(days=number),
        )
        for number in (1, 2, 3)
    ]  # fmt: skip
    case = cases.open_case("Lantern", opened_by=detective, urn="01AB123")
    cases.add_recording(case, made[0], actor=detective, reason="Shows the car")
    folder = Path(copies)
    folder.mkdir()
    for number, recording in enumerate(made):
        shutil.copy(settings.BLUELAMP.data / "store" / recording.original, folder / f"disk-{number}")
    long_ago = now - timedelta(days=40)
    factories.recording(wearer, sealed=True, due_rule="default", started_at=long_ago, received_at=long_ago)
    retention.sweep()
    return {
        "recordings": [{"id": str(recording.pk), "original": recording.original} for recording in made],
        "certificate": str(Certificate.objects.get().pk),
    }


def check() -> int:
    """The nightly look through the store; how many things are wrong."""
    from bluelamp.oversight import services

    run = services.check_presence()
    return run.found if run else -1
