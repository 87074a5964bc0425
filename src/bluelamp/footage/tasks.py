"""Background jobs, one line each into a service."""

from __future__ import annotations

from uuid import UUID

from procrastinate.contrib.django import app

from bluelamp.footage.services import processing


@app.task(queue="processing", name="footage.prepare")
def prepare(recording_id: str) -> None:
    processing.prepare(UUID(recording_id))


@app.periodic(cron="*/5 * * * *")
@app.task(queue="processing", name="footage.retry_waiting", queueing_lock="footage.retry_waiting")
def retry_waiting(timestamp: int) -> None:
    processing.retry_waiting()
