"""The worker: every job has somebody who does it, and a dead worker's jobs go back into the queue."""

from __future__ import annotations

import asyncio

import psycopg
from procrastinate.contrib.django import app

from bluelamp.project import worker


def test_every_job_stands_in_a_queue_that_is_served():
    served = {*worker.MEDIA_QUEUES, *worker.DUTY_QUEUES, *worker.CHECK_QUEUES}
    ours = {name: task.queue for name, task in app.tasks.items() if not name.startswith(("builtin:", "procrastinate."))}
    assert {name: queue for name, queue in ours.items() if queue not in served} == {}


def test_deleting_on_time_never_waits_for_a_video():
    assert not set(worker.MEDIA_QUEUES) & set(worker.DUTY_QUEUES)
    assert app.tasks["retention.sweep"].queue in worker.DUTY_QUEUES
    assert app.tasks["footage.prepare"].queue in worker.MEDIA_QUEUES


def test_the_job_of_a_worker_that_died_is_given_back(committed_db):
    with psycopg.connect(committed_db, autocommit=True) as connection:
        (dead,) = connection.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour') RETURNING id"
        ).fetchone()
        (alive,) = connection.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now()) RETURNING id"
        ).fetchone()
        for owner in (dead, alive):
            connection.execute(
                "INSERT INTO procrastinate_jobs (queue_name, task_name, status, worker_id) "
                "VALUES ('retention', 'retention.sweep', 'doing', %s)",
                [owner],
            )

        async def give_back() -> int:
            with app.replace_connector(app.connector.get_worker_connector()):
                async with app.open_async():
                    return await worker.give_back_jobs_of_dead_workers(app)

        assert asyncio.run(give_back()) == 1
        states = connection.execute("SELECT status FROM procrastinate_jobs ORDER BY id").fetchall()
        assert states == [("todo",), ("doing",)]
