"""A camera is docked: who it is, what its clock says, and which of its recordings are needed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings

from bluelamp import custody
from bluelamp.fleet import queries as fleet
from bluelamp.fleet import services as fleet_services
from bluelamp.fleet.models import Camera, Dock
from bluelamp.footage.models import Recording
from bluelamp.formats.manifest import ManifestEntry, ManifestError, SignedEntry, check_chain, verify_entry
from bluelamp.ingest import receipts, rules
from bluelamp.ingest.errors import CameraUnknown
from bluelamp.ingest.events import DockingOpened
from bluelamp.ingest.inventory import DockingRequest, Offered
from bluelamp.ingest.models import DockingSession, Upload
from bluelamp.ingest.services.discrepancies import note_offers, note_turned_away
from bluelamp.ingest.services.recovery import recover_docked
from bluelamp.ingest.services.refusals import refuse_camera
from bluelamp.ingest.services.uploads import EXPIRES_AFTER, abandon, prepared
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Conflict

_SENTENCES = 50
"""How many refusals and problems an event lists; the session's inventory has them all."""


@dataclass(frozen=True)
class Verdict:
    """What the server answers for one recording offered: needed, have or refused."""

    sequence: int | None
    state: str
    sha256: str = ""
    size: int = 0
    why: str = ""
    upload: Upload | None = field(default=None, repr=False)
    receipt: dict[str, Any] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Docked:
    """An opened session and its verdicts, in the inventory's order."""

    session: DockingSession
    verdicts: list[Verdict]


@custody.unrecorded("pins the key, settles former uploads and opens the session through services that record events")
def open_session(dock: Dock, request: DockingRequest, arrived_at: datetime | None = None) -> Docked:
    """Open a docking session. `arrived_at` is when the request arrived, against which the camera's clock is measured.

    Raises CameraUnknown (and records it); Invalid and Conflict for a camera whose key is none or not the pinned one.
    """
    arrived_at = arrived_at or clock.now()
    camera = fleet.camera(request.serial)
    if camera is None:
        refuse_camera(dock.custody_id, request.serial, "No camera of the force has this serial.")
        raise CameraUnknown(request.serial)
    try:
        fleet_services.pin_key(camera, request.public_key, actor=dock.custody_id)
    except Conflict:
        note_turned_away(camera)
        raise
    recover_docked(camera)
    docked = _open(camera, dock, request, arrived_at)
    recover_docked(camera)  # clears uploads that the session has just given up
    return docked


@custody.service
def _open(camera: Camera, dock: Dock, request: DockingRequest, arrived_at: datetime) -> Docked:
    offset_ms = rules.offset_ms(arrived_at, request.device_clock)
    # Takes the camera's row lock: two docks cannot open sessions for one camera at once.
    fleet_services.record_docking(
        camera,
        dock,
        battery_percent=request.battery_percent,
        storage_capacity=request.storage["capacity"],
        storage_free=request.storage["free"],
        clock_offset_ms=offset_ms if request.clock_set else None,
        firmware=request.firmware,
        at=arrived_at,
    )
    session = DockingSession(
        dock=dock,
        camera=camera,
        opened_at=arrived_at,
        device_clock=request.device_clock,
        clock_offset_ms=offset_ms,
        clock_set=request.clock_set,
        battery=request.battery_percent,
        storage=request.storage,
        firmware=request.firmware,
    )
    session.save()
    verdicts = _Judge(session, camera, request).verdicts()
    session.inventory = [
        {"sequence": v.sequence, "sha256": v.sha256, "size": v.size, "state": v.state, "why": v.why} for v in verdicts
    ]
    session.save(update_fields=["inventory"])
    note_offers(session, request.inventory, verdicts)
    _record(session, request, verdicts)
    return Docked(session, verdicts)


class _Judge:
    """Decides for each recording offered whether it is needed, with the look-ups made once for all of them."""

    def __init__(self, session: DockingSession, camera: Camera, request: DockingRequest) -> None:
        self._session = session
        self._camera = camera
        self._offered = request.inventory
        self._measured = rules.Measured(session.opened_at, session.clock_offset_ms, session.clock_set)
        entries = [offered.signed.entry for offered in request.inventory if offered.signed]
        self._repeated = rules.repeated_sequences(entries)
        numbers = {entry.sequence for entry in entries}
        self._recordings = {
            recording.sequence: recording
            for recording in Recording.objects.select_related("camera").filter(camera=camera, sequence__in=numbers)
        }
        self._uploads: dict[int, list[Upload]] = {}
        for upload in Upload.objects.filter(camera=camera, sequence__in=numbers).order_by("created_at", "id"):
            self._uploads.setdefault(upload.sequence, []).append(upload)

    def verdicts(self) -> list[Verdict]:
        """One for each recording; an entry given twice is answered once."""
        verdicts = []
        answered: set[tuple[int, str]] = set()
        for offered in self._offered:
            if offered.signed is not None:
                identity = (offered.signed.entry.sequence, offered.signed.signature)
                if identity in answered:
                    continue
                answered.add(identity)
            verdicts.append(self._verdict(offered))
        return verdicts

    def _verdict(self, offered: Offered) -> Verdict:
        if offered.signed is None:
            return Verdict(offered.sequence, "refused", why=offered.why)
        entry = offered.signed.entry
        why = self._objection(offered.signed)
        if why:
            return Verdict(entry.sequence, "refused", entry.sha256, entry.size, why)
        recording = self._recordings.get(entry.sequence)
        if recording is not None:
            return Verdict(entry.sequence, "have", entry.sha256, entry.size, receipt=receipts.for_recording(recording))
        upload = self._upload(offered.signed, entry)
        if upload is None:
            why = f"Another recording with the number {entry.sequence} is being accepted just now."
            return Verdict(entry.sequence, "refused", entry.sha256, entry.size, why)
        return Verdict(entry.sequence, "needed", entry.sha256, entry.size, upload=upload)

    def _objection(self, signed: SignedEntry) -> str:
        entry = signed.entry
        if entry.serial != self._camera.serial:
            return f"The entry is camera {entry.serial}'s, not camera {self._camera.serial}'s."
        try:
            verify_entry(signed, self._camera.public_key)
        except ManifestError as error:
            return str(error)
        if entry.sequence in self._repeated:
            return f"The camera offers more than one recording with the number {entry.sequence}."
        recording = self._recordings.get(entry.sequence)
        if recording is not None and (recording.sha256, recording.size) != (entry.sha256, entry.size):
            return (
                f"Another recording of this camera with the number {entry.sequence} is here already. "
                "Keep the camera for examination."
            )
        if entry.size > settings.BLUELAMP.max_upload_bytes:
            return (
                f"The recording has {entry.size} bytes; this server takes at most {settings.BLUELAMP.max_upload_bytes}."
            )
        return ""

    def _upload(self, signed: SignedEntry, entry: ManifestEntry) -> Upload | None:
        """The upload to go on with: one that waits here for the same bytes, else a new one.

        None while other bytes under that number have arrived completely.
        """
        earlier = self._uploads.get(entry.sequence, [])
        same = [upload for upload in earlier if upload.sha256 == entry.sha256]
        live = next((upload for upload in earlier if upload.is_live), None)
        if live is not None and live in same and live.length == entry.size:
            live.session = self._session
            live.owner = self._session.dock.custody_id
            live.expires_at = clock.now() + EXPIRES_AFTER
            live.save(update_fields=["session", "owner", "expires_at"])
            return live
        if live is not None:
            reason = "The camera now signs other bytes for this number."
            if not abandon(live.pk, actor=self._session.dock.custody_id, reason=reason):
                return None
        measured = self._measured
        if same:
            measured = rules.measured(same[0])
        upload = prepared(self._session, signed, measured)
        upload.save()
        return upload


def _record(session: DockingSession, request: DockingRequest, verdicts: list[Verdict]) -> None:
    refused = [verdict for verdict in verdicts if verdict.state == "refused"]
    problems = check_chain(offered.signed for offered in request.inventory if offered.signed)
    custody.record(
        DockingOpened(
            actor=session.dock.custody_id,
            subject=session.camera.custody_id,
            also=(session.dock.custody_id,),
            session=session.pk,
            clock_offset_ms=session.clock_offset_ms,
            clock_set=session.clock_set,
            offered=len(verdicts),
            needed=sum(verdict.state == "needed" for verdict in verdicts),
            had=sum(verdict.state == "have" for verdict in verdicts),
            refused=[{"sequence": verdict.sequence, "why": verdict.why} for verdict in refused[:_SENTENCES]],
            problems=problems[:_SENTENCES],
        )
    )
