"""The page of a witness, in plain words: what it watches over, under which key, and what it refused."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment

from bluelamp.verify.witness import FORK, Refused, Standing

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

_TEMPLATE = Path(__file__).with_suffix(".html")


def render(vkey: str, logs: Sequence[Standing], refused: Sequence[Refused], of: int) -> str:
    """The page of the witness `vkey`; `refused` are the first of `of` pieces of evidence."""
    template = Environment(autoescape=True, trim_blocks=True).from_string(_TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        vkey=vkey,
        name=vkey.partition("+")[0],
        logs=logs,
        refused=refused,
        more=of - len(refused),
        forks=sum(log.forks for log in logs),
        fork=FORK,
        utc=_utc,
        digest=lambda origin: hashlib.sha256(origin.encode()).hexdigest(),
    )


def _utc(seconds: int) -> str:
    return time.strftime("%d %b %Y, %H:%M:%S UTC", time.gmtime(seconds))
