"""The threads behind the ASGI routes (kernel.threads), with the database that they keep a connection to."""

from __future__ import annotations

import asyncio
import threading

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
    begun, may_end = threading.Event(), threading.Event()

    def work():
        begun.set()
        may_end.wait(20)
        done.append(1)

    async def cancel():
        task = asyncio.create_task(pool.run(work))
        while not begun.is_set():
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.sleep(0.05)
        assert not task.done()
        may_end.set()
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
