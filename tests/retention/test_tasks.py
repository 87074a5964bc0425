"""The sweep as a job: nothing that happened to an earlier one keeps the next from being run."""

from __future__ import annotations

import pytest
from django.db import connection

from bluelamp.retention import tasks

pytestmark = pytest.mark.django_db

# What Procrastinate's workers ask for their next job with.
_FETCH = "SELECT (procrastinate_fetch_job_v2(ARRAY['retention'], NULL)).task_name"


def test_a_sweep_that_died_with_its_worker_does_not_stop_the_next_one():
    tasks.sweep.defer(timestamp=0)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE task_name = 'retention.sweep'")
        assert cursor.rowcount == 1
        tasks.sweep.defer(timestamp=60)
        cursor.execute(_FETCH)
        assert cursor.fetchone() == ("retention.sweep",)
