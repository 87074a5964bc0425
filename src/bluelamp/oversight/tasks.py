"""Checks that run by themselves, one line each into a service.

In a queue of their own: a check that takes an hour holds up neither a deletion nor a message.
"""

from __future__ import annotations

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from bluelamp.oversight import services

_LAST = -100
# The n-th wait is 2^n seconds: a day and a half in all.
_FOR_DAYS = RetryStrategy(max_attempts=16, exponential_wait=2)


@app.periodic(cron="*/10 * * * *")  # rules.FIXITY_EVERY
@app.task(queue="checks", name="oversight.check_fixity", priority=_LAST, queueing_lock="oversight.check_fixity")
def check_fixity(timestamp: int) -> None:
    services.check_fixity()


@app.periodic(cron="10 2 * * *")
@app.task(queue="checks", name="oversight.check_ledger", priority=_LAST, queueing_lock="oversight.check_ledger")
def check_ledger(timestamp: int) -> None:
    services.check_ledger()


@app.periodic(cron="50 2 * * *")
@app.task(queue="checks", name="oversight.check_keys", priority=_LAST, queueing_lock="oversight.check_keys")
def check_keys(timestamp: int) -> None:
    services.check_keys()


@app.periodic(cron="30 1 * * *")
@app.task(queue="checks", name="oversight.check_presence", priority=_LAST, queueing_lock="oversight.check_presence")
def check_presence(timestamp: int) -> None:
    services.check_presence()


# Not among the checks: one that takes an hour must not delay what is said of another.
@app.periodic(cron="*/2 * * * *")
@app.task(queue="housekeeping", name="oversight.tell_failures", queueing_lock="oversight.tell_failures")
def tell_failures(timestamp: int) -> None:
    services.tell_failures()


@app.task(queue="housekeeping", name="oversight.send_alert", retry=_FOR_DAYS)
def send_alert(to: str, subject: str, body: str) -> None:
    services.send_alert(to, subject, body)
