"""Jobs of requests."""

from __future__ import annotations

from procrastinate.contrib.django import app

from bluelamp.rights import services


@app.periodic(cron="*/10 * * * *")
@app.task(queue="housekeeping", name="rights.lapse_unconfirmed", pass_context=False)
def lapse_unconfirmed(timestamp: int) -> None:
    services.lapse_unconfirmed()
