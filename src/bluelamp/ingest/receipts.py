"""Receipts: signed once at acceptance, then repeated with the same content however often a dock asks."""

from __future__ import annotations

import hashlib
from dataclasses import fields
from datetime import datetime
from typing import Any

from django.db import connection

from bluelamp.custody import keys
from bluelamp.footage.models import Recording
from bluelamp.formats import iso8601
from bluelamp.formats.ed25519 import public_key_text
from bluelamp.formats.receipt import Receipt, sign_receipt
from bluelamp.ingest.models import Upload

MAX_MERGE_DELAY_SECONDS = 3600
"""The sequencer runs twice a second; an hour leaves room for a restart or a failing disk. Docks hold us to it."""

_COLLECTED = """
SELECT encode(e.entry, 'hex') FROM custody_event e JOIN custody_detail d ON d.event_id = e.id
WHERE e.tag = 'recording.collected' AND d.subject = %s
"""


def public_key() -> str:
    """The key that verifies receipts, as base64 of its 32 bytes."""
    return public_key_text(keys.receipt_key())


def sign(recording: Recording, leaf_entry: str) -> dict[str, Any]:
    """The receipt for an accepted recording from a camera; `leaf_entry` is hexadecimal."""
    return _signed(
        Receipt(
            recording_id=str(recording.pk),
            serial=recording.camera.serial,
            sequence=recording.sequence,
            sha256=recording.sha256,
            size=recording.size,
            leaf_entry=leaf_entry,
            received_at=_text(recording.received_at),
            max_merge_delay_seconds=MAX_MERGE_DELAY_SECONDS,
        )
    )


def for_recording(recording: Recording) -> dict[str, Any]:
    """The receipt of a recording that is here, or was and is deleted: the one stored, or made again.

    One that was signed with a former key is signed anew, for a dock knows only the present one; one that never had
    any (it came another way than through a dock) gets one.
    """
    upload = Upload.objects.filter(recording_id=recording.pk, state=Upload.State.ACCEPTED).first()
    if upload is None:
        with connection.cursor() as cursor:
            cursor.execute(_COLLECTED, [recording.custody_id])
            return sign(recording, cursor.fetchone()[0])
    if upload.receipt["key"] == key_name():
        return upload.receipt
    return _signed(Receipt(**{field.name: upload.receipt[field.name] for field in fields(Receipt)}))


def _signed(receipt: Receipt) -> dict[str, Any]:
    return sign_receipt(receipt, keys.receipt_key(), key_name())


def key_name() -> str:
    """What the key that signs receipts, and reports of imports, is called."""
    return "receipt-" + hashlib.sha256(keys.public_bytes(keys.receipt_key())).hexdigest()[:16]


def _text(moment: datetime) -> str:
    return iso8601.to_text(moment)
