"""The worker: background jobs, and the sequencer that puts custody events into the tree."""

from __future__ import annotations

import os
import threading

import structlog

log = structlog.get_logger()

_JOBS_AT_ONCE = 2


def main() -> None:
    """Run until SIGTERM or SIGINT. Jobs left half done are retried later; they are written to bear that."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bluelamp.project.settings")
    import django

    django.setup()
    from procrastinate.contrib.django import app

    from bluelamp.ingest import services as ingest

    stop = threading.Event()
    sequencer = threading.Thread(target=_sequence, args=(stop,), name="sequencer", daemon=True)
    sequencer.start()
    ingest.recover()
    try:
        with app.replace_connector(app.connector.get_worker_connector()):  # type: ignore[attr-defined]
            app.run_worker(concurrency=_JOBS_AT_ONCE, shutdown_graceful_timeout=2, delete_jobs="successful")
    finally:
        stop.set()
        sequencer.join(timeout=2)


def _sequence(stop: threading.Event) -> None:
    """Sequence at least every `checkpoint_seconds`; a failure is logged and tried again, events wait in their table."""
    from django.conf import settings
    from django.db import DatabaseError, connection

    from bluelamp.custody import sequencer

    while not stop.wait(settings.BLUELAMP.checkpoint_seconds):
        try:
            sequencer.drain()
        except DatabaseError:
            log.exception("sequencer.failed")
            connection.close()
    connection.close()
