"""Background jobs, one line each into a service."""

from __future__ import annotations

from procrastinate.contrib.django import app

from bluelamp.retention import services

_FIRST = 100  # before media jobs that wait: the limit does not


@app.periodic(cron="* * * * *")
# Without a lock on purpose: a job that died with its worker would hold it, and no sweep would ever run again. Two
# sweeps at once are safe, for each recording is taken under its row's lock, and passed by where another one has it.
@app.task(queue="retention", name="retention.sweep", priority=_FIRST, queueing_lock="retention.sweep")
def sweep(timestamp: int) -> None:
    services.sweep()


@app.periodic(cron="20 3 * * *")
@app.task(queue="retention", name="retention.reconsider", queueing_lock="retention.reconsider")
def reconsider(timestamp: int) -> None:
    services.reconsider()
