"""A sign of life to somebody outside, who raises the alarm when none comes: a machine that is down tells nobody."""

from __future__ import annotations

from urllib.parse import urlsplit

import structlog
from django.conf import settings

from bluelamp import custody
from bluelamp.verify.fetching import Unreachable, fetch

log = structlog.get_logger(__name__)

_ANSWER_SECONDS = 10
_MOST_ANSWER_BYTES = 64 * 1024


@custody.unrecorded("asks an address for nothing; no footage, no person and no figure goes with it")
def send_heartbeat() -> bool:
    """Ask for BLUELAMP_HEARTBEAT_URL, where one is set. Says whether it answered with a 2xx.

    What did not arrive is not repeated: the next one comes, and a missing one is what the other side waits for.
    """
    url = settings.BLUELAMP.heartbeat_url
    if not url:
        return False
    # Only the host is logged: whoever knows the rest of such an address can pretend that all is well.
    host = urlsplit(url).hostname
    try:
        answer = fetch(url, most=_MOST_ANSWER_BYTES, seconds=_ANSWER_SECONDS)
    except Unreachable as error:
        log.warning("heartbeat.not_taken", host=host, why=str(error).replace(url, "it"))
        return False
    if not 200 <= answer.status < 300:
        log.warning("heartbeat.not_taken", host=host, why=f"It answers {answer.status}.")
        return False
    return True
