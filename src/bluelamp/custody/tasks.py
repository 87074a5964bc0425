"""Jobs of the ledger, one line each."""

from __future__ import annotations

from procrastinate.contrib.django import app

from bluelamp.custody import timestamping


@app.periodic(cron="*/10 * * * *")
@app.task(queue="checks", name="custody.stamp", queueing_lock="custody.stamp")
def stamp(timestamp: int) -> None:
    timestamping.stamp()
