"""Jobs of sharing, one line each into a service. What sends a message is tried again with growing waits."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from bluelamp.sharing import services
from bluelamp.sharing.packages import tasks as packages

__all__ = ["forget_old_codes", "packages", "send_code", "send_invitation", "warn_sharer"]

# The n-th wait is 2^n seconds: a day and a half in all, eight minutes for a code, which works for ten.
_FOR_DAYS = RetryStrategy(max_attempts=16, exponential_wait=2)
_FOR_MINUTES = RetryStrategy(max_attempts=8, exponential_wait=2)


@app.task(queue="housekeeping", name="sharing.send_invitation", retry=_FOR_DAYS)
def send_invitation(share_id: str) -> None:
    services.send_invitation(UUID(share_id))


@app.task(queue="housekeeping", name="sharing.send_code", retry=_FOR_MINUTES)
def send_code(email: str, ticket_sha256: str, asked_at: str) -> None:
    services.send_code(email, ticket_sha256, datetime.fromisoformat(asked_at))


@app.task(queue="housekeeping", name="sharing.warn_sharer", retry=_FOR_DAYS)
def warn_sharer(recipient_id: str, person_id: int) -> None:
    services.warn_sharer(UUID(recipient_id), person_id)


@app.periodic(cron="41 4 * * *")
@app.task(queue="housekeeping", name="sharing.forget_old_codes", queueing_lock="sharing.forget_old_codes")
def forget_old_codes(timestamp: int) -> None:
    services.forget_old_codes()
