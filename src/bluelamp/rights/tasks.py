"""Jobs of requests, one line each into a service."""

from __future__ import annotations

from procrastinate import BaseRetryStrategy, RetryDecision
from procrastinate.contrib.django import app
from procrastinate.jobs import Job

from bluelamp.rights import services

_MAIL_FIRST = 50  # before what may wait; deletion goes before it
_LONGEST_WAIT = 3600


class _BackOff(BaseRetryStrategy):
    """Seconds at first, an hour at most, without an end: a message that is not needed any more ends by itself."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:
        return RetryDecision(retry_in={"seconds": min(5 * 2 ** min(job.attempts, 10), _LONGEST_WAIT)})


@app.task(queue="housekeeping", name="rights.send_message", priority=_MAIL_FIRST, retry=_BackOff())
def send_message(message_id: int) -> None:
    services.send(message_id)


@app.periodic(cron="*/10 * * * *")
@app.task(queue="housekeeping", name="rights.lapse_unconfirmed", queueing_lock="rights.lapse_unconfirmed")
def lapse_unconfirmed(timestamp: int) -> None:
    services.lapse_unconfirmed()


@app.periodic(cron="5-59/10 * * * *")
@app.task(queue="housekeeping", name="rights.match_again", queueing_lock="rights.match_again")
def match_again(timestamp: int) -> None:
    services.match_again()
