"""Background jobs, one line each into a service."""

from __future__ import annotations

from uuid import UUID

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from bluelamp.retention import object_hold, services

_FIRST = 100  # before media jobs that wait: the limit does not
_LAST = -100
_HALF_A_MINUTE = 30.0  # then whatever else waits in the queue has its turn, the sweep above all
_FOR_HOURS = RetryStrategy(max_attempts=8, exponential_wait=3)  # a store that is down longer is left to the next repair


@app.periodic(cron="* * * * *")
# Without a lock on purpose: a job that died with its worker would hold it, and no sweep would ever run again. Two
# sweeps at once are safe, for each recording is taken under its row's lock, and passed by where another one has it.
@app.task(queue="retention", name="retention.sweep", priority=_FIRST, queueing_lock="retention.sweep")
def sweep(timestamp: int) -> None:
    services.sweep()


@app.periodic(cron="* * * * *")
@app.task(queue="retention", name="retention.policy", queueing_lock="retention.policy")
def carry_out_policy(timestamp: int) -> None:
    services.carry_out_policy(_HALF_A_MINUTE)


@app.periodic(cron="20 3 * * *")
@app.task(queue="retention", name="retention.reconsider", queueing_lock="retention.reconsider")
def reconsider(timestamp: int) -> None:
    services.reconsider()


@app.task(queue="retention", name=object_hold.ALIGN, retry=_FOR_HOURS)
def align_object_hold(recording_id: str) -> None:
    object_hold.align(UUID(recording_id))


@app.periodic(cron="40 3 * * *")
@app.task(queue="retention", name=object_hold.REPAIR, priority=_LAST, retry=_FOR_HOURS)
def repair_object_holds(timestamp: int, after: str | None = None) -> None:
    object_hold.repair(UUID(after) if after else None)
