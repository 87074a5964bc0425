"""Acts on a campaign's installation, in a process of its own; BLUELAMP_DATA says on which.

`python -m tests.campaigns.acts officer` adds an officer, whose warrant number it prints;
`python -m tests.campaigns.acts tomorrow` moves the clock by a day and does what the periodic jobs of that day would;
`python -m tests.campaigns.acts again` does it once more.
"""

from __future__ import annotations

import os
import sys
from datetime import timedelta


def officer() -> str:
    from bluelamp.people.models import Unit
    from tests import factories

    return str(factories.person(unit=Unit.objects.get(code="NG")).warrant_number)


def tomorrow() -> str:
    """Parts of uploads that nobody joined expire, and whatever a crash prevented is done."""
    from bluelamp.kernel import clock

    clock.advance(timedelta(hours=25))
    return again()


def again() -> str:
    from bluelamp.footage.services import processing
    from bluelamp.ingest import services
    from bluelamp.ingest.axis import services as axis

    settled, expired = services.recover(), services.expire()
    return f"{settled} {expired} {axis.settle_waiting()} {processing.retry_waiting()}"


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bluelamp.project.settings")
    import django

    django.setup()
    sys.stdout.write({"officer": officer, "tomorrow": tomorrow, "again": again}[sys.argv[1]]() + "\n")
