"""Background jobs of intake."""

from procrastinate.contrib.django import app

from bluelamp.ingest import services


@app.periodic(cron="*/5 * * * *")
@app.task(queue="maintenance", name="ingest.recover", queueing_lock="ingest.recover")
def recover(timestamp: int) -> None:
    """Settle what is complete and clear what has ended; does what a crash or a full disk prevented."""
    services.recover()


@app.periodic(cron="17 * * * *")
@app.task(queue="maintenance", name="ingest.expire", queueing_lock="ingest.expire")
def expire(timestamp: int) -> None:
    """Give up uploads that wait for bytes no longer expected."""
    services.expire()
