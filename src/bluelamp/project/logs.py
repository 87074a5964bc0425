"""Structured logs: one JSON object a line on standard output; the supervisor files them.

No line carries the path of a request: links to the public and to recipients have their secret in it.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


class RouteInsteadOfPath(logging.Filter):
    """Names the route where Django's own lines about a request (`django.request`, `django.security.*`) name its path.

    Such a line can quote the address of the page before as well (in a refused form's reason), so that goes, too.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        path = getattr(request, "path", None)
        if request is not None and path:
            # The rooms are not loaded yet when logging is set up.
            from bluelamp.web.routes import route_of

            text = record.getMessage()
            referrer = request.META.get("HTTP_REFERER", "")
            for address, name in (
                (referrer, "(the page before)"),
                (request.get_full_path(), route_of(request)),
                (path, route_of(request)),
            ):
                # Django escapes what it quotes.
                for form in (address, address.encode("unicode_escape").decode("ascii")):
                    if len(form) > 1:
                        text = text.replace(form, name)
            record.msg, record.args = text, ()
        return True


def configure(config: dict[str, Any]) -> None:
    """Send structlog and the standard library's logging through one JSON formatter."""
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.addFilter(RouteInsteadOfPath())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(config.get("level", "INFO"))
    for noisy in ("procrastinate", "httpx", "axes", "uvicorn.access"):
        logging.getLogger(noisy).setLevel("WARNING")
