"""Opening an encrypted clip once it and its key are here. Each step may be repeated from wherever a crash left it.

1. The plaintext is sealed as a second object under the recording's own key, in constant memory.
2. One transaction points the recording at it; the hashes of both forms are in its event.
3. The received form is removed, and with it the store's legal hold on it, once the new one is under its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import structlog

from bluelamp import custody
from bluelamp.footage import services as footage
from bluelamp.footage.models import Recording
from bluelamp.ingest.axis import wrapping
from bluelamp.ingest.axis.events import AxisKeyFailed
from bluelamp.ingest.axis.services import keys
from bluelamp.ingest.axis.services.alerts import raise_alert
from bluelamp.ingest.axis.services.arrivals import ACTOR
from bluelamp.ingest.models import AxisAlert, AxisObject
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Conflict
from bluelamp.kernel.transaction import claim
from bluelamp.retention import object_hold
from bluelamp.vault import objects
from bluelamp.vault.objects import SealedReader
from bluelamp.vault.stores import get_store

log = structlog.get_logger(__name__)

_LEFT_ALONE = timedelta(minutes=5)
_AT_ONCE = 100
_PIECE = 1024 * 1024


@custody.unrecorded("its outcomes record recording.unwrapped or axis.key_failed")
def unwrap(item_id: UUID) -> bool:
    """Open one clip, if it waits and its key is here. Returns whether it was opened by this call.

    A key that does not open it leaves it as it was received, with an alert. Raises what store and database raise.
    """
    with claim(f"axis.unwrap:{item_id}") as alone:
        if not alone:
            return False
        item = AxisObject.objects.select_related("container__connection").get(pk=item_id)
        recording = Recording.objects.filter(pk=item.recording).first()
        if recording is None or recording.state == Recording.State.DELETED or item.received_object:
            _remove_received(item)
            return False
        key = keys.key_object(item.container, item)
        if key is None or recording.processing != Recording.Processing.KEYLESS:
            return False
        try:
            sealed = _seal_plaintext(item, recording, keys.content_key(item.container, key))
        except wrapping.WillNotOpen as error:
            _failed(item, recording, str(error), bytes(key.content or b""))
            return False
        if not _point(item, recording, sealed):
            return False
        item.refresh_from_db(fields=["received_object"])
        _remove_received(item)
        return True


@custody.unrecorded("unwrap records what comes of it")
def unwrap_waiting() -> int:
    """Open what waits although its job was lost, and remove received forms that a crash left. How many were tried."""
    old = clock.now() - _LEFT_ALONE
    waiting = AxisObject.objects.filter(stored_at__lt=old, encrypted=True, received_object="", unwrap_failed="")
    keyless = Recording.objects.filter(processing=Recording.Processing.KEYLESS).exclude(state=Recording.State.DELETED)
    ids = list(waiting.filter(recording__in=keyless.values("pk")).values_list("pk", flat=True)[:_AT_ONCE])
    ids += AxisObject.objects.exclude(received_object="").values_list("pk", flat=True)[:_AT_ONCE]
    for item_id in ids:
        try:
            unwrap(item_id)
        except Exception:  # one that fails stops no other
            log.exception("axis.unwrap_failed", item=str(item_id))
    return len(ids)


class _Sealed:
    """The plaintext as it was sealed: object, SHA-256, size in bytes."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.size = 0
        self._hash = hashlib.sha256()

    def passing(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self.size += len(piece)
            self._hash.update(piece)
            yield piece

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


def _seal_plaintext(item: AxisObject, recording: Recording, key: wrapping.ContentKey) -> _Sealed:
    # Always the same name, each time under a fresh salt: what an interrupted attempt left is replaced.
    sealed = _Sealed(f"recordings/{recording.pk}/original-2")
    reader = SealedReader(recording.original, recording.key_id)
    plain = wrapping.decrypt(reader.iter(0, reader.size, _PIECE), key, video=True)
    objects.seal_stream(sealed.name, recording.key_id, sealed.passing(plain))
    return sealed


@custody.service
def _point(item: AxisObject, recording: Recording, sealed: _Sealed) -> bool:
    received = recording.original
    try:
        footage.unwrapped(
            recording,
            received_object=received,
            original=sealed.name,
            sha256=sealed.sha256,
            size=sealed.size,
            actor=ACTOR,
        )
    except Conflict:  # it was deleted meanwhile; its objects go with its key
        custody.nothing_changed()
        return False
    object_hold.align_soon(recording)
    AxisObject.objects.filter(pk=item.pk).update(encrypted=False, received_object=received, unwrap_failed="")
    return True


def _remove_received(item: AxisObject) -> None:
    if not item.received_object:
        return
    if item.recording is not None:
        # A flag or a hold may have put the received form under the store's legal hold. The new original gets it first,
        # so that there is no moment without one; whoever still read the old name has finished by then.
        object_hold.align(item.recording)
    get_store().hold(item.received_object, False)
    objects.delete(item.received_object)
    AxisObject.objects.filter(pk=item.pk).update(received_object="")


@custody.service
def _failed(item: AxisObject, recording: Recording, why: str, key: bytes) -> None:
    digest = hashlib.sha256(key).hexdigest()
    if item.unwrap_failed == digest:  # this very key has been tried
        custody.nothing_changed()
        return
    AxisObject.objects.filter(pk=item.pk).update(unwrap_failed=digest)
    footage.await_key(recording, why=f"It could not be opened: {why}", actor=ACTOR)
    custody.record(AxisKeyFailed(actor=ACTOR, subject=recording.custody_id, why=why, received_sha256=recording.sha256))
    raise_alert(
        item.container.connection,
        AxisAlert.Kind.KEY,
        str(item.pk),
        f"An encrypted clip could not be opened. {why} The received bytes are kept as they are.",
        recording=recording.pk,
    )
