"""The verbs of the fleet. `actor` is always a custody id, such as `person:7` or `dock:3`."""

from __future__ import annotations

import re
import secrets
from datetime import date, datetime

from django.db import IntegrityError
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from bluelamp import custody
from bluelamp.fleet import events, rules
from bluelamp.fleet.models import Assignment, Camera, Dock, RolloutPlan
from bluelamp.formats.ed25519 import load_public_key
from bluelamp.formats.errors import FormatError
from bluelamp.kernel import clock, transaction
from bluelamp.kernel.errors import Conflict, Invalid
from bluelamp.people.models import Person, Unit

_TOKEN_BYTES = 32
_SERIAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ISSUABLE = {Camera.State.STOCK, Camera.State.SERVICE}


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
    _need_reason(reason)
    _lock(camera)
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
def issue(camera: Camera, person: Person, *, actor: str, at: datetime | None = None, reason: str = "") -> Assignment:
    """Hand a camera to a person from `at` (now) on.

    Raises Conflict where somebody has the camera at that time, the person has another one, or the camera is not fit
    for issue; Invalid for a time to come or a person without an active account.
    """
    since = at or clock.now()
    _lock(camera)
    if since > clock.now():
        raise Invalid(
            "A camera cannot be issued in the future.", "It was not issued.", "Give the time it was handed over."
        )
    if not person.is_active:
        raise Invalid(
            f"{person.name}'s account is closed.",
            "The camera was not issued.",
            "Choose somebody with an open account.",
        )
    if camera.state not in _ISSUABLE:
        raise Conflict(
            f"Camera {camera.serial} is marked “{camera.get_state_display().lower()}”.",
            "It was not issued.",
            "Put it back in stock first if it is fit for use.",
        )
    try:
        with transaction.atomic():
            assignment = Assignment.objects.create(
                camera=camera, person=person, period=DateTimeTZRange(since, None, "[)")
            )
    except IntegrityError as error:
        raise _overlap(error, camera, person) from error
    camera.state = Camera.State.SERVICE
    camera.first_issued_at = min(camera.first_issued_at or since, since)
    camera.save(update_fields=["state", "first_issued_at"])
    custody.record(
        events.CameraIssued(
            actor=actor,
            subject=camera.custody_id,
            also=(person.custody_id,),
            reason=reason,
            person=person.custody_id,
            since=_instant(since),
        )
    )
    return assignment


@custody.service
def return_camera(
    camera: Camera,
    *,
    actor: str,
    at: datetime | None = None,
    state: str = Camera.State.STOCK,
    reason: str = "",
) -> Assignment:
    """End the standing assignment at `at` (now) and put the camera into `state` (stock, repair, lost or retired).

    Raises Conflict where nobody has the camera, Invalid for a time before its issue or in the future.
    """
    until = at or clock.now()
    _lock(camera)
    _check_resting(state)
    assignment = (
        Assignment.objects.select_for_update(of=("self",))
        .select_related("person")
        .filter(camera=camera, period__endswith=None)
        .first()
    )
    if assignment is None:
        raise Conflict(
            f"Nobody has camera {camera.serial}.", "Nothing was changed.", "Look at its page: it may be back already."
        )
    if not assignment.period.lower < until <= clock.now():
        raise Invalid(
            "A camera is returned after its issue, and not in the future.",
            "The camera stays with the person who has it.",
            "Check the time of the return.",
        )
    assignment.period = DateTimeTZRange(assignment.period.lower, until, "[)")
    assignment.save(update_fields=["period"])
    camera.state = state
    camera.save(update_fields=["state"])
    custody.record(
        events.CameraReturned(
            actor=actor,
            subject=camera.custody_id,
            also=(assignment.person.custody_id,),
            reason=reason,
            person=assignment.person.custody_id,
            until=_instant(until),
            state=state,
        )
    )
    return assignment


@custody.service
def change_state(camera: Camera, state: str, *, actor: str, reason: str) -> None:
    """Put a camera that nobody has into stock, repair, lost or retired.

    Raises Conflict while somebody has it, Invalid without a reason.
    """
    _need_reason(reason)
    _check_resting(state)
    _lock(camera)
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
    _lock(camera)
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
def add_dock(name: str, unit: Unit | None, actor: str) -> tuple[Dock, str]:
    """Let a docking station upload. Returns it and its token, which is nowhere else: only its SHA-256 is kept.

    Raises Invalid without a name, Conflict where the name is taken.
    """
    name = name.strip()
    if not name:
        raise Invalid("A dock needs a name.", "No dock was added.", "Name it after where it stands.")
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    try:
        with transaction.atomic():
            dock = Dock.objects.create(name=name, unit=unit, token_sha256=rules.token_sha256(token))
    except IntegrityError as error:
        raise Conflict(
            f"There is a dock named {name} already.",
            "It stays as it was; no dock was added.",
            "Choose another name, or revoke the old dock and add the new one under a name of its own.",
        ) from error
    custody.record(events.DockAdded(actor=actor, subject=dock.custody_id, name=name, unit=unit.code if unit else ""))
    return dock, token


@custody.service
def revoke_dock(dock: Dock, *, actor: str, reason: str = "") -> None:
    """End a dock's access at once; its name stays taken, since the ledger speaks of it."""
    if not Dock.objects.filter(pk=dock.pk, active=True).update(active=False):
        custody.nothing_changed()
        return
    dock.active = False
    custody.record(events.DockRevoked(actor=actor, subject=dock.custody_id, reason=reason.strip(), name=dock.name))


@custody.service
def plan_rollout(unit: Unit, planned: int, due_on: date | None, *, actor: str) -> RolloutPlan:
    """Set how many cameras `unit`, with everything below it, is to have, and by when.

    Raises Invalid for a negative number.
    """
    if planned < 0:
        raise Invalid("A plan cannot be below zero.", "The plan stays as it was.", "Give a number of cameras.")
    plan = RolloutPlan.objects.select_for_update().filter(unit=unit).first()
    if plan is not None and (plan.planned, plan.due_on) == (planned, due_on):
        custody.nothing_changed()
        return plan
    before = plan.planned if plan else None
    plan, _ = RolloutPlan.objects.update_or_create(unit=unit, defaults={"planned": planned, "due_on": due_on})
    custody.record(
        events.RolloutPlanned(
            actor=actor,
            subject=f"unit:{unit.pk}",
            unit=unit.code,
            planned_before=before,
            planned=planned,
            due_on=due_on.isoformat() if due_on else "",
        )
    )
    return plan


@custody.service
def _pin(camera: Camera, public_key: str, actor: str) -> str:
    _lock(camera)
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


def _lock(camera: Camera) -> None:
    """Lock the camera's row until the transaction ends, and read it afresh."""
    camera.refresh_from_db(from_queryset=Camera.objects.select_for_update(of=("self",)))


def _overlap(error: IntegrityError, camera: Camera, person: Person) -> Conflict:
    constraint = getattr(getattr(error.__cause__, "diag", None), "constraint_name", "")
    if constraint == "fleet_one_wearer_a_camera":
        return Conflict(
            f"Camera {camera.serial} is, or was at that time, with somebody else.",
            "It was not issued: footage must belong to one wearer.",
            "Return it first, or check the time of issue.",
        )
    if constraint == "fleet_one_camera_a_wearer":
        return Conflict(
            f"{person.name} has, or had at that time, another camera.",
            f"Camera {camera.serial} was not issued.",
            "Return the other camera first, or check the time of issue.",
        )
    raise error


def _check_resting(state: str) -> None:
    if state not in Camera.State.values or state == Camera.State.SERVICE:
        raise Invalid(
            f"A camera that nobody has cannot be “{state}”.",
            "Nothing was changed.",
            "Choose in stock, in repair, lost or retired.",
        )


def _need_reason(reason: str) -> None:
    if not reason.strip():
        raise Invalid("Say why.", "Nothing was changed.", "Give the reason in a few words; the ledger keeps it.")


def _instant(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
