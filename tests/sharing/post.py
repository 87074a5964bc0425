"""The post room: does the jobs that wait in sharing's queue, as the worker would, and reads what was sent."""

from __future__ import annotations

import re

from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

WORKS = "django.core.mail.backends.locmem.EmailBackend"
REFUSES = "tests.sharing.post.RefusingServer"


class RefusingServer(BaseEmailBackend):
    """A mail server that takes nothing."""

    def send_messages(self, email_messages):
        raise ConnectionRefusedError(111, "Connection refused")


def waiting() -> list[str]:
    """The names of sharing's jobs that wait, oldest first."""
    jobs = ProcrastinateJob.objects.filter(task_name__startswith="sharing.", status="todo")
    return list(jobs.order_by("id").values_list("task_name", flat=True))


def deliver() -> None:
    """Do every waiting job once. One that fails stays in the queue, and its error is raised."""
    for job in ProcrastinateJob.objects.filter(task_name__startswith="sharing.", status="todo").order_by("id"):
        app.tasks[job.task_name].func(**job.args)
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM procrastinate_jobs WHERE id = %s", [job.pk])


def code() -> str:
    """The one-time code in the newest message."""
    return re.search(r"code is (\d{6})", mail.outbox[-1].body)[1]


def wrong(right: str) -> str:
    """A code that is not that one."""
    return f"{(int(right) + 1) % 10**6:06}"
