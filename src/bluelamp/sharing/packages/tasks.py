"""Jobs of packages, one line each into a service."""

from __future__ import annotations

from uuid import UUID

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from bluelamp.sharing.packages import services

# Waits of 2, 4, 8 ... seconds, nine hours in all: for a log or a store that is away for a while.
_FOR_HOURS = RetryStrategy(max_attempts=14, exponential_wait=2)


@app.task(queue="processing", name="packages.finish", retry=_FOR_HOURS)
def finish_package(package_id: str) -> None:
    services.finish(UUID(package_id))


@app.task(queue="housekeeping", name="packages.remove_papers", retry=_FOR_HOURS)
def remove_papers(name: str) -> None:
    services.remove_papers(name)
