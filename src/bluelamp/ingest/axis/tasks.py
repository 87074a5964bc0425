"""Background jobs of the Axis content destination."""

from __future__ import annotations

from uuid import UUID

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from bluelamp.ingest.axis import services

# A store or a database that is away for a moment: 2 s, 4 s, 8 s and so on, some four minutes in all. What lasts longer
# is for `catch_up`.
_UNTIL_IT_PASSES = RetryStrategy(max_attempts=7, exponential_wait=2)


@app.task(queue="maintenance", name="axis.settle", retry=_UNTIL_IT_PASSES)
def settle(container: str) -> None:
    """Bring what a container's small objects say to its recordings."""
    services.settle(UUID(container))


@app.task(queue="processing", name="axis.unwrap", retry=_UNTIL_IT_PASSES)
def unwrap(item: str) -> None:
    """Open an encrypted clip whose key is here."""
    services.unwrap(UUID(item))


@app.periodic(cron="*/5 * * * *")
@app.task(queue="maintenance", name="axis.catch_up", queueing_lock="axis.catch_up")
def catch_up(timestamp: int) -> None:
    """Do what jobs that were lost would have done."""
    services.settle_waiting()
    services.unwrap_waiting()


@app.periodic(cron="41 3 * * *")
@app.task(queue="maintenance", name="axis.tidy", queueing_lock="axis.tidy")
def tidy(timestamp: int) -> None:
    """Clear what was said of recordings that are not here."""
    services.tidy()
