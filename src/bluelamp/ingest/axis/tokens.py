"""Tokens: who sends, until when, and a MAC over both. Opaque to the system, and no row anywhere."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime, timedelta

from django.utils.crypto import salted_hmac

from bluelamp.ingest.models import AxisConnection
from bluelamp.kernel import clock

GOOD_FOR = timedelta(minutes=30)
_LONGEST = 200


def issue(connection: AxisConnection, now: datetime | None = None) -> str:
    """A token for `connection`, on real time. A new password, too, ends it."""
    until = (now or clock.real_now()) + GOOD_FOR
    said = f"{connection.pk}.{int(until.timestamp())}"
    return f"{said}.{_mac(said, connection.key_sha256)}"


def holder(token: str, now: datetime | None = None) -> AxisConnection | None:
    """The active connection that holds `token`; None where it is made up, altered or out of date."""
    said, _, mac = token[:_LONGEST].rpartition(".")
    number, _, until = said.partition(".")
    if not (number.isascii() and number.isdecimal() and until.isascii() and until.isdecimal() and len(number) < 19):
        return None
    connection = AxisConnection.objects.select_related("unit").filter(pk=int(number), active=True).first()
    expected = _mac(said, connection.key_sha256 if connection else "")
    if not hmac.compare_digest(mac.encode(), expected.encode()) or connection is None:
        return None
    return connection if int(until) > (now or clock.real_now()).timestamp() else None


def key_sha256(key: str) -> str:
    """The form in which a password is kept; 256 random bits need no slow, salted hash."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def is_key(connection: AxisConnection | None, key: str) -> bool:
    """Whether `key` is the password, compared in constant time; of no connection it never is."""
    kept = connection.key_sha256 if connection else "0" * 64
    return hmac.compare_digest(kept, key_sha256(key)) and connection is not None


def _mac(said: str, key: str) -> str:
    digest = salted_hmac("bluelamp.ingest.axis.token", f"{said}.{key}", algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
