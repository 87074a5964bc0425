"""Cameras: known, keyed, docked, repaired, lost."""

from __future__ import annotations

import re
from datetime import datetime

from django.db import IntegrityError

from bluelamp import custody
from bluelamp.fleet import events, rules
from bluelamp.fleet.models import Assignment, Camera, Dock
from bluelamp.fleet.services._common import check_resting, lock, need_reason
from bluelamp.formats.ed25519 import load_public_key
from bluelamp.formats.errors import FormatError
from bluelamp.kernel import clock, transaction
from bluelamp.kernel.errors import Conflict, Invalid
from bluelamp.people.models import Unit

_SERIAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@custody.service
def register_camera(
    *, serial: str, model: str, unit: Unit, actor: str, mount: str = Camera.Mount.CHEST, reason: str = ""
) -> Camera:
    """Make a camera known, in stock, without a key: the first docking pins it.

    Raises Invalid for an empty serial or model or an unknown mount, Conflict where the serial is taken.
    """
    serial, model = serial.strip(), model.strip()
    if not _SERIAL.fullmatch(serial) or not model or mount not in Camera.Mount.values:
        raise Invalid(
            "A camera needs a serial of letters, digits, dots, hyphens and underscores, a model, and a mount.",
            "No camera was added.",
            "Take serial and model from the camera's label and choose where it is worn.",
        )
    try:
        with transaction.atomic():
            camera = Camera.objects.create(serial=serial, model=model, mount=mount, unit=unit)
    except IntegrityError as error:
        raise Conflict(
            f"There is a camera with the serial {serial} already.",
            "It stays as it was; no camera was added.",
            "Look the serial up among the cameras.",
        ) from error
    custody.record(
        events.CameraRegistered(
            actor=actor, subject=camera.custody_id, reason=reason, model=model, mount=mount, unit=unit.code
        )
    )
    return camera


@custody.unrecorded("pins through _pin and refuses through _refuse_key, each of which records its event")
def pin_key(camera: Camera, public_key: str, *, actor: str) -> None:
    """Remember a camera's public key (base64 of 32 bytes) at its first docking; later it must be the same.

    Raises Invalid for something that is no Ed25519 key, Conflict for another key than the pinned one. Call it outside
    a transaction, so that the refusal's event stands although the docking fails.
    """
    try:
        load_public_key(public_key)
    except FormatError as error:
        raise Invalid(
            f"What camera {camera.serial} gave as its public key is not one: {error}",
            "Nothing was taken from it; its recordings stay on the camera.",
            "Send the camera to the supplier: it cannot sign its recordings.",
        ) from error
    pinned = _pin(camera, public_key, actor)
    if pinned == public_key:
        return
    _refuse_key(camera, pinned, public_key, actor)
    raise Conflict(
        f"Camera {camera.serial} signs with another key than the one it had at its first docking.",
        "Nothing was taken from it; its recordings stay on the camera. Either it was repaired, or another device "
        "uses its serial.",
        "The body-worn video manager compares the key's fingerprint and, if the camera was repaired, gives up the old "
        "key on the camera's page; then dock it again.",
    )


@custody.service
def forget_key(camera: Camera, *, actor: str, reason: str) -> None:
    """Give up the pinned key, as after a repair. Raises Invalid without a reason."""
    need_reason(reason)
    lock(camera)
    if not camera.public_key:
        custody.nothing_changed()
        return
    fingerprint = rules.fingerprint(camera.public_key)
    camera.public_key = ""
    camera.save(update_fields=["public_key"])
    custody.record(
        events.CameraKeyForgotten(
            actor=actor, subject=camera.custody_id, reason=reason.strip(), fingerprint=fingerprint
        )
    )


@custody.service
def change_state(camera: Camera, state: str, *, actor: str, reason: str) -> None:
    """Put a camera that nobody has into stock, repair, lost or retired.

    Raises Conflict while somebody has it, Invalid without a reason.
    """
    need_reason(reason)
    check_resting(state)
    lock(camera)
    if camera.state == state:
        custody.nothing_changed()
        return
    if Assignment.objects.filter(camera=camera, period__endswith=None).exists():
        raise Conflict(
            f"Camera {camera.serial} is issued.", "Nothing was changed.", "Return it first, into the state it is in."
        )
    before, camera.state = camera.state, state
    camera.save(update_fields=["state"])
    custody.record(
        events.CameraStateChanged(
            actor=actor, subject=camera.custody_id, reason=reason.strip(), before=before, after=state
        )
    )


@custody.service
def record_docking(
    camera: Camera,
    dock: Dock,
    *,
    battery_percent: int | None = None,
    storage_capacity: int | None = None,
    storage_free: int | None = None,
    clock_offset_ms: int | None = None,
    firmware: str = "",
    at: datetime | None = None,
) -> custody.CustodyRecord:
    """Note what a camera said of itself at a docking (bytes; percent; milliseconds to add to its clock)."""
    docked_at = at or clock.now()
    lock(camera)
    camera.battery_percent = battery_percent
    camera.storage_capacity = storage_capacity
    camera.storage_free = storage_free
    camera.clock_offset_ms = clock_offset_ms
    camera.firmware = firmware or camera.firmware
    camera.last_docked_at = docked_at
    camera.save(
        update_fields=[
            "battery_percent",
            "storage_capacity",
            "storage_free",
            "clock_offset_ms",
            "firmware",
            "last_docked_at",
        ]
    )
    Dock.objects.filter(pk=dock.pk).update(last_seen_at=docked_at)
    return custody.record(
        events.CameraDocked(
            actor=dock.custody_id,
            subject=camera.custody_id,
            also=(dock.custody_id,),
            dock=dock.name,
            battery_percent=battery_percent,
            storage_capacity=storage_capacity,
            storage_free=storage_free,
            clock_offset_ms=clock_offset_ms,
            firmware=camera.firmware,
        )
    )


@custody.service
def _pin(camera: Camera, public_key: str, actor: str) -> str:
    lock(camera)
    if camera.public_key:
        custody.nothing_changed()
        return camera.public_key
    camera.public_key = public_key
    camera.save(update_fields=["public_key"])
    custody.record(
        events.CameraKeyPinned(actor=actor, subject=camera.custody_id, fingerprint=rules.fingerprint(public_key))
    )
    return public_key


@custody.service
def _refuse_key(camera: Camera, pinned: str, offered: str, actor: str) -> None:
    custody.record(
        events.CameraKeyRefused(
            actor=actor,
            subject=camera.custody_id,
            pinned=rules.fingerprint(pinned),
            offered=rules.fingerprint(offered),
        )
    )
