"""Housekeeping of sign-ins."""

from __future__ import annotations

from django.contrib.sessions.backends.db import SessionStore
from procrastinate.contrib.django import app


@app.periodic(cron="40 3 * * *")
@app.task(queue="housekeeping", name="people.clear_expired_sessions", queueing_lock="people.clear_expired_sessions")
def clear_expired_sessions(timestamp: int) -> None:
    SessionStore.clear_expired()
