"""The worker: background jobs, and the sequencer that puts custody events into the tree.

Media jobs and checks may take long, so they have slots of their own: a sweep never waits for a video. Jobs of a worker
that died are given back to the queue; every job is written to bear being run again.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from typing import Any

import structlog
from procrastinate.exceptions import AlreadyEnqueued

log = structlog.get_logger()

MEDIA_QUEUES = ("intake", "processing")
DUTY_QUEUES = ("retention", "mail", "maintenance", "housekeeping")
CHECK_QUEUES = ("checks",)

_AT_ONCE = 2
_GRACE_SECONDS = 2
_HEARTBEAT_SECONDS = 5
_DEAD_AFTER_SECONDS = 20
_LOOK_FOR_DEAD_SECONDS = 10
_SEQUENCER_GIVES_UP_AFTER = 60


def main() -> None:
    """Run until SIGTERM or SIGINT."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bluelamp.project.settings")
    import django

    django.setup()
    from procrastinate.contrib.django import app

    from bluelamp.custody import witnessing

    stop = threading.Event()
    sequencer = threading.Thread(target=_sequence, args=(stop,), name="sequencer", daemon=True)
    sequencer.start()
    witnessing.start(stop)
    _recover_soon(app)
    try:
        with app.replace_connector(app.connector.get_worker_connector()):
            asyncio.run(_work(app))
    finally:
        stop.set()
        sequencer.join(timeout=2)


def _recover_soon(app: Any) -> None:
    """What an earlier end left behind is settled at once, as a job: a store that is down must not hold up the rest."""
    try:
        app.configure_task("ingest.recover", queueing_lock="ingest.recover").defer(timestamp=int(time.time()))
    except AlreadyEnqueued:
        pass


async def _work(app: Any) -> None:
    loop = asyncio.get_running_loop()
    async with app.open_async():
        tasks = [
            asyncio.create_task(_serve(app, "media", MEDIA_QUEUES)),
            asyncio.create_task(_serve(app, "duties", DUTY_QUEUES)),
            asyncio.create_task(_serve(app, "checks", CHECK_QUEUES)),
            asyncio.create_task(_give_back_for_ever(app)),
        ]
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, lambda: [task.cancel() for task in tasks])
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        if not task.cancelled() and task.exception() is not None:
            raise task.exception()  # not None


async def _serve(app: Any, name: str, queues: tuple[str, ...]) -> None:
    await app.run_worker_async(
        name=name,
        queues=list(queues),
        concurrency=_AT_ONCE,
        shutdown_graceful_timeout=_GRACE_SECONDS,
        delete_jobs="successful",
        install_signal_handlers=False,
        update_heartbeat_interval=_HEARTBEAT_SECONDS,
        stalled_worker_timeout=_DEAD_AFTER_SECONDS,
    )


async def _give_back_for_ever(app: Any) -> None:
    while True:
        try:
            await give_back_jobs_of_dead_workers(app)
        except Exception:  # the database may be away for a moment; the next look is soon
            log.exception("jobs.give_back_failed")
        await asyncio.sleep(_LOOK_FOR_DEAD_SECONDS)


async def give_back_jobs_of_dead_workers(app: Any) -> int:
    """Put jobs whose worker gives no sign of life back into the queue. Returns how many.

    A job left `doing` would otherwise stay so for ever, and with it whatever waits behind its lock.
    """
    stalled = list(await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=_DEAD_AFTER_SECONDS))
    for job in stalled:
        log.warning("job.given_back", job=job.id, task=job.task_name)
        await app.job_manager.retry_job(job)
    return len(stalled)


def _sequence(stop: threading.Event) -> None:
    """Sequence at least every `checkpoint_seconds`; a failure is logged and tried again, events wait in their table.

    Receipts promise a checkpoint, so a sequencer that cannot go on ends the worker, and the supervisor says so.
    """
    from django.conf import settings
    from django.db import connection

    from bluelamp.custody import sequencer

    failures = 0
    while not stop.wait(settings.BLUELAMP.checkpoint_seconds):
        try:
            sequencer.keep_up()
            failures = 0
        except Exception:  # whatever it is: a key, a disk, the database
            log.exception("sequencer.failed")
            connection.close()
            failures += 1
            if failures >= _SEQUENCER_GIVES_UP_AFTER:
                os._exit(1)
    connection.close()
