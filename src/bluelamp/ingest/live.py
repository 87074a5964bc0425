"""What is on its way in at this moment: reading for the live page of docks.

Rates need two looks at the same upload. Each look leaves what it saw in the cache for the next one, whoever makes it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.core.cache import cache
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet

from bluelamp.fleet import queries as fleet
from bluelamp.fleet.models import Dock
from bluelamp.ingest import hooks, rates, staging
from bluelamp.ingest.admission import admission
from bluelamp.ingest.discrepancies import MISSING, UNAVAILABLE
from bluelamp.ingest.hooks import Hindrance
from bluelamp.ingest.models import Discrepancy, Offer, Upload
from bluelamp.kernel import clock
from bluelamp.kernel.errors import StorageFull
from bluelamp.people.models import Person
from bluelamp.vault.disk import make_folder

MOST = 200
"""Uploads that one page lists, those that moved last first; the others are counted."""

QUIET = timedelta(minutes=1)
"""After so long without a byte, something that had begun counts as silent."""

LEFT = timedelta(hours=1)
"""After so long a camera counts as taken out of its dock; its uploads go on when it is docked again."""

UNHEARD = timedelta(days=1)
"""A dock that no camera was put into for so long is listed as silent."""

UPLOADING, WAITING, SILENT, COMPLETE, LOST = "uploading", "waiting", "silent", "complete", "lost"

_CACHE = "ingest.live.samples"
_KEPT_SECONDS = 60


@dataclass(frozen=True)
class Coming:
    """One upload. `rate` in bytes a second, None while it cannot be told; `why` it waits, where it does."""

    upload: Upload
    unit: str
    state: str
    offset: int
    rate: float | None
    left: timedelta | None
    heard_at: datetime
    why: str = ""


@dataclass
class Place:
    """Where uploads come from: a dock, or another way in."""

    name: str
    unit: str
    uploads: list[Coming] = field(default_factory=list)

    @property
    def heard_at(self) -> datetime:
        return max(each.heard_at for each in self.uploads)

    @property
    def rate(self) -> float:
        return sum(each.rate or 0 for each in self.uploads)

    @property
    def silent(self) -> bool:
        """Whether nothing comes although something should."""
        states = {each.state for each in self.uploads}
        return SILENT in states and states <= {SILENT, LOST}


@dataclass(frozen=True)
class Live:
    """What is on its way in at `at`. `more` uploads are not listed; `elsewhere` wait until their camera is docked."""

    at: datetime
    places: list[Place]
    unheard: list[Dock]
    hindrances: list[Hindrance]
    more: int
    elsewhere: int
    elsewhere_cameras: int

    @property
    def uploading(self) -> int:
        return self._count(UPLOADING)

    @property
    def waiting(self) -> int:
        return self._count(WAITING, SILENT, COMPLETE) + self.more

    @property
    def rate(self) -> float:
        return sum(place.rate for place in self.places)

    @property
    def sentence(self) -> str:
        """How it stands in one sentence that changes only when something begins, ends or stops."""
        if not self.places:
            return "Nothing is uploading."
        silent = sum(place.silent for place in self.places)
        parts = [f"{self.uploading or 'Nothing'} uploading"]
        if self.waiting:
            parts.append(f"{self.waiting} waiting")
        if lost := self._count(LOST):
            parts.append(f"{lost} cannot be sent")
        if silent:
            parts.append("one dock silent" if silent == 1 else f"{silent} docks silent")
        return ", ".join(parts) + "."

    def _count(self, *states: str) -> int:
        return sum(each.state in states for place in self.places for each in place.uploads)


def live() -> Live:
    """What is uploading now, what waits and why, and which docks are silent."""
    now = clock.now()
    current = Upload.objects.filter(state__in=Upload.LIVE).exclude(concat=Upload.Concat.PARTIAL)
    current = current.exclude(_answered_for(now))
    heard = _heard(current)
    here = [owner for owner, at in heard.items() if now - at <= LEFT]
    shown = current.filter(_of(here)).select_related("camera__unit", "session__dock__unit")
    listed = list(shown.order_by("-state", "-updated_at", "sequence", "id")[:MOST])
    away = current.exclude(_of(here))
    return Live(
        at=now,
        places=_places(listed, heard, now),
        unheard=_unheard(listed, now),
        hindrances=_hindrances(),
        more=max(0, shown.count() - len(listed)) if len(listed) == MOST else 0,
        **away.aggregate(elsewhere=Count("pk"), elsewhere_cameras=Count("camera", distinct=True)),
    )


def _answered_for(now: datetime) -> Q:
    """What no dock can send and for which somebody has answered: nothing of it is on its way in any more."""
    number = {"camera": OuterRef("camera"), "sequence": OuterRef("sequence")}
    lost = Offer.objects.filter(**number, sha256=OuterRef("sha256"), state=Offer.State.NEEDED).exclude(unavailable="")
    closed = Discrepancy.objects.filter(
        camera=OuterRef("camera"),
        first__lte=OuterRef("sequence"),
        last__gte=OuterRef("sequence"),
        kind__in=MISSING,
        state=Discrepancy.State.CLOSED,
    )
    still = Q(offset=0) | Q(updated_at__lt=now - rates.STALE)
    return Q(Exists(lost), Exists(closed), still, state=Upload.State.RECEIVING)


Owner = tuple[str, int | None]


@dataclass(frozen=True)
class _Sender:
    """One camera in its dock: when it last gave a sign, whether any of its uploads moves, whose it is."""

    heard_at: datetime
    moves: bool
    unit: str
    lost: dict[str, str]
    """Why recordings cannot be sent, as their dock said, by their SHA-256."""


def _heard(current: QuerySet[Upload]) -> dict[Owner, datetime]:
    """When each sender's camera last gave a sign: it was docked, or a byte came."""
    rows = current.values_list("owner", "camera").annotate(
        moved=Max("updated_at", filter=Q(offset__gt=0)), docked=Max("session__opened_at"), made=Max("created_at")
    )
    return {
        (owner, camera): max(at for at in (moved, docked, made) if at is not None)
        for owner, camera, moved, docked, made in rows
    }


def _of(senders: list[Owner]) -> Q:
    cameras = [camera for _, camera in senders if camera is not None]
    owners = [owner for owner, camera in senders if camera is None]
    return Q(camera__in=cameras) | Q(camera=None, owner__in=owners)


def _places(listed: list[Upload], heard: dict[Owner, datetime], now: datetime) -> list[Place]:
    wearers = fleet.wearers([upload.camera for upload in listed if upload.camera])
    samples: dict[str, list[rates.Sample]] = cache.get(_CACHE) or {}
    seen: dict[str, list[rates.Sample]] = {}
    moving = {_owner(upload) for upload in listed if _moves(upload, now)}
    lost = _lost(listed)
    places: dict[str, Place] = {}
    for upload in listed:
        offset, at = _progress(upload, now)
        seen[str(upload.pk)] = rates.noted(samples.get(str(upload.pk), ()), at, offset)
        owner, unavailable = _owner(upload), lost.get(upload.camera_id, {})
        sender = _Sender(heard[owner], owner in moving, _unit(upload, wearers), unavailable)
        _place(upload, places).uploads.append(_coming(upload, offset, seen[str(upload.pk)], sender, now))
    cache.set(_CACHE, seen, _KEPT_SECONDS)
    order = {UPLOADING: 0, COMPLETE: 1, SILENT: 2, LOST: 3, WAITING: 4}
    for place in places.values():
        place.uploads.sort(key=lambda each: (order[each.state], each.upload.camera_id or 0, each.upload.sequence or 0))
    return sorted(places.values(), key=lambda place: (place.silent, place.name))


def _lost(listed: list[Upload]) -> dict[int | None, dict[str, str]]:
    cameras = {upload.camera_id for upload in listed if upload.camera_id}
    said = Offer.objects.filter(camera__in=cameras, state=Offer.State.NEEDED).exclude(unavailable="")
    found: dict[int | None, dict[str, str]] = {}
    for camera, sha256, why in said.values_list("camera", "sha256", "unavailable"):
        found.setdefault(camera, {})[sha256] = UNAVAILABLE[why]
    return found


def _owner(upload: Upload) -> Owner:
    return upload.owner, upload.camera_id


def _moves(upload: Upload, now: datetime) -> bool:
    return bool(upload.state == Upload.State.RECEIVING and upload.offset and now - upload.updated_at <= rates.STALE)


def _progress(upload: Upload, now: datetime) -> tuple[int, datetime]:
    """How much has come and when that was noted; of one that is moving, what staging has acknowledged since."""
    if upload.state == Upload.State.RECEIVING and now - upload.updated_at > rates.STALE:
        return max(upload.offset, staging.acknowledged_offset(staging.folder_of(upload.pk))), upload.updated_at
    return upload.offset, upload.updated_at


def _unit(upload: Upload, wearers: dict[int, Person]) -> str:
    """The unit of whoever has the camera, else the camera's own."""
    if upload.camera is None:
        return ""
    wearer = wearers.get(upload.camera.pk)
    return str(((wearer.unit if wearer else None) or upload.camera.unit).name)


def _coming(upload: Upload, offset: int, samples: list[rates.Sample], sender: _Sender, now: datetime) -> Coming:
    heard_at, rate = sender.heard_at, None
    if upload.state == Upload.State.RECEIVED or offset == upload.length:
        state, why, heard_at = COMPLETE, "All of it is here; it is being accepted.", upload.updated_at
        if now - heard_at > QUIET:
            why = "All of it is here, but the store did not take it yet; that is tried again every five minutes."
    elif _moves(upload, now):
        state, why, heard_at, rate = UPLOADING, "", upload.updated_at, rates.rate(samples, now)
    elif upload.sha256 in sender.lost:
        state, why = LOST, sender.lost[upload.sha256]
    elif sender.moves:
        state, why = WAITING, "Its turn comes after others of this camera."
    elif now - heard_at <= QUIET:
        state, why = WAITING, "It is about to go on." if offset else "It is about to begin."
    else:
        state, why = SILENT, "It stopped." if offset else "It has not begun."
    return Coming(upload, sender.unit, state, offset, rate, rates.left(offset, upload.length, rate), heard_at, why)


def _place(upload: Upload, places: dict[str, Place]) -> Place:
    dock = upload.session.dock if upload.session else None
    if dock is None:
        return places.setdefault(upload.origin, Place(upload.get_origin_display(), ""))
    return places.setdefault(dock.custody_id, Place(dock.name, dock.unit.name if dock.unit else ""))


def _unheard(listed: list[Upload], now: datetime) -> list[Dock]:
    """Docks in use into which no camera was put for a day, longest silent first."""
    busy = {upload.session.dock_id for upload in listed if upload.session}
    found = Dock.objects.select_related("unit").filter(active=True).exclude(pk__in=busy)
    return list(found.filter(Q(last_seen_at=None) | Q(last_seen_at__lt=now - UNHEARD)).order_by("last_seen_at", "name"))


def turns(waiting: int, at_once: int) -> list[Hindrance]:
    """What is to be said of uploads that wait for their turn in this process."""
    if not waiting:
        return []
    many = "One upload waits" if waiting == 1 else f"{waiting:,} uploads wait"
    return [
        Hindrance(
            f"{many} for a turn: the server receives {at_once:,} at once.",
            "Nothing is lost, cameras keep their copies. What was marked as evidence comes first, then the docks that "
            "have the fewest under way.",
        )
    ]


def _hindrances() -> list[Hindrance]:
    said = [each for several in hooks.hindrances.call() for each in several]
    said += turns(admission().waiting, settings.BLUELAMP.uploads_at_once)
    make_folder(settings.BLUELAMP.staging)
    try:
        staging.require_room(settings.BLUELAMP.staging, 0)
    except StorageFull as error:
        said.append(Hindrance(error.what_happened, f"{error.meaning} {error.next_step}"))
    return said
