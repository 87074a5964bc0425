"""Background jobs of intake."""

from uuid import UUID

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from bluelamp.fleet.models import Camera
from bluelamp.ingest import services
from bluelamp.ingest.axis import tasks as axis

__all__ = ["axis", "expire", "join", "recover"]

# A disk that is full for a moment, a part that somebody is looking at: 2 s, 4 s, 8 s and so on, some four minutes in
# all. What lasts longer is for `recover`.
_UNTIL_IT_PASSES = RetryStrategy(max_attempts=7, exponential_wait=2)


@app.periodic(cron="*/5 * * * *")
@app.task(queue="maintenance", name="ingest.recover", queueing_lock="ingest.recover")
def recover(timestamp: int) -> None:
    """Settle what is complete and clear what has ended; does what a crash or a full disk prevented."""
    services.recover()


@app.task(queue="intake", name="ingest.recover_camera")
def recover_camera(camera_id: int) -> None:
    """The same for a camera that was docked."""
    services.recover(Camera.objects.get(pk=camera_id))


@app.periodic(cron="17 * * * *")
@app.task(queue="maintenance", name="ingest.expire", queueing_lock="ingest.expire")
def expire(timestamp: int) -> None:
    """Give up uploads that wait for bytes no longer expected."""
    services.expire()


@app.task(queue="intake", name="ingest.join", retry=_UNTIL_IT_PASSES)
def join(upload_id: str) -> None:
    """Make one upload of its parts."""
    services.join(UUID(upload_id))


@app.periodic(cron="* * * * *")
@app.task(queue="maintenance", name="ingest.reconcile_docked", queueing_lock="ingest.reconcile_docked")
def reconcile_docked(timestamp: int) -> None:
    """Compare what cameras recorded with what arrived, of those that were docked."""
    services.reconcile_docked()


@app.periodic(cron="*/10 * * * *")
@app.task(queue="maintenance", name="ingest.reconcile_waiting", queueing_lock="ingest.reconcile_waiting")
def reconcile_waiting(timestamp: int) -> None:
    """The same of cameras of which something is awaited."""
    services.reconcile_waiting()


@app.periodic(cron="23 4 * * *")
@app.task(queue="maintenance", name="ingest.tidy_additions", queueing_lock="ingest.tidy_additions")
def tidy_additions(timestamp: int) -> None:
    """Close what was left open on the pages for footage from elsewhere, and forget what was said of what has gone."""
    services.tidy_additions()
