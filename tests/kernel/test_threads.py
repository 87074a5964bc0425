"""The threads behind the ASGI routes (kernel.threads), with the database that they keep a connection to."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
from django.db import connection, connections

from bluelamp.kernel.threads import Pool


def test_work_runs_in_a_thread_of_the_pool_and_its_error_reaches_the_caller():
    pool = Pool("trial", 1, database=False)
    assert asyncio.run(pool.run(lambda: threading.current_thread().name)).startswith("trial")
    with pytest.raises(ZeroDivisionError):
        asyncio.run(pool.run(lambda: 1 // 0))


def test_cancelled_work_runs_to_its_end_before_the_cancellation_goes_on():
    pool, done = Pool("trial", 1, database=False), []

    async def cancel():
        task = asyncio.create_task(pool.run(lambda: (time.sleep(0.1), done.append(1))))
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert done == [1]

    asyncio.run(cancel())


@pytest.mark.usefixtures("committed_db")
def test_a_connection_that_broke_is_replaced_before_the_next_work():
    pool = Pool("trial", 1)

    def look() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (pid,) = cursor.fetchone()
        return pid

    def broken() -> None:
        connection.ensure_connection()
        connection.errors_occurred = True
        connection.connection.close()

    first = asyncio.run(pool.run(look))
    asyncio.run(pool.run(broken))
    assert asyncio.run(pool.run(look)) != first
    asyncio.run(pool.run(connections.close_all))
