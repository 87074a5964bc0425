"""Reading what is missing: lists of discrepancies, and the story of one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import BigIntegerField, Exists, F, Max, OuterRef, QuerySet, Sum, Window
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Lag

from bluelamp.custody import queries as custody
from bluelamp.fleet import queries as fleet
from bluelamp.fleet.events import CameraKeyRefused
from bluelamp.fleet.models import Assignment, Camera, Dock
from bluelamp.fleet.rules import fingerprint
from bluelamp.footage.models import Recording
from bluelamp.ingest import advice, discrepancies, spans
from bluelamp.ingest.models import Discrepancy, ImportItem, ImportRun, Offer, Upload
from bluelamp.ingest.spans import Span
from bluelamp.kernel import clock
from bluelamp.kernel.errors import NotFound
from bluelamp.people.models import Unit
from bluelamp.people.queries import unit_and_below

AGES = {"day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=31)}
"""How long ago something was revealed, at least."""

_AROUND = 6
"""How many stretches of a camera's numbers stand on either side of the one that a page is about."""

_LONGEST_LIST = 50

HERE, GONE, COMING, REFUSED = "Here", "Deleted on time", "On its way", "Refused"
MISSING, ANSWERED = "Missing", "Missing, answered for"


@dataclass(frozen=True)
class Stretch:
    """Numbers of a camera of which the same is to be said. `about`: a page is about one of them."""

    first: int
    last: int
    state: str
    about: bool = False

    @property
    def numbers(self) -> str:
        return f"{self.first:,}" if self.first == self.last else f"{self.first:,} to {self.last:,}"

    @property
    def count(self) -> int:
        return self.last - self.first + 1


@dataclass(frozen=True)
class Neighbour:
    """A recording that is, or was, here: its number and when it was made."""

    sequence: int
    started_at: datetime
    ended_at: datetime


@dataclass(frozen=True)
class Number:
    """Where one missing recording stands: when it was last offered and in which dock, how far it has come, and why."""

    sequence: int
    state: str
    offered_at: datetime | None
    dock: str
    offset: int
    length: int | None
    why: str


@dataclass(frozen=True)
class Keys:
    """Fingerprints of the key that a camera is registered with and of the one that it presented in `dock`.

    Empty where it is not known.
    """

    registered: str
    presented: str
    dock: str


@dataclass(frozen=True)
class Story:
    """One discrepancy, as its page tells it. `wearers` had the camera in the time it is about; `keys` where it is about
    a camera that was turned away."""

    discrepancy: Discrepancy
    advice: advice.Advice
    keys: Keys | None
    before: Neighbour | None
    after: Neighbour | None
    wearers: list[Assignment]
    numbers: list[Number]
    strip: list[Stretch]
    earlier: bool
    later: bool
    events: list[custody.HistoryItem]


def listing(*, kind: str = "", unit: Unit | None = None, age: str = "", state: str = "open") -> QuerySet[Discrepancy]:
    """Discrepancies, the latest revealed first. `age` is a key of AGES; `state` "" shows all."""
    found = Discrepancy.objects.select_related("camera__unit", "session__dock")
    if kind:
        found = found.filter(kind=kind)
    if state:
        found = found.filter(state=state)
    if unit is not None:
        found = found.filter(camera__unit__in=unit_and_below(unit.pk))
    if age:
        found = found.filter(first_seen_at__lte=clock.now() - AGES[age])
    return found


def recordings_missing() -> int:
    """How many recordings cameras say that they made, which are not here and for which nobody has answered."""
    return int(Discrepancy.objects.filter(state=Discrepancy.State.OPEN).aggregate(n=Sum("missing"))["n"] or 0)


def recordings_awaited() -> int:
    """How many recordings cameras showed that are not here and of which nothing is said yet: they may still come."""
    told = Discrepancy.objects.filter(
        camera=OuterRef("camera"),
        first__lte=OuterRef("sequence"),
        last__gte=OuterRef("sequence"),
        kind__in=discrepancies.MISSING,
        state__in=(Discrepancy.State.OPEN, Discrepancy.State.CLOSED),
    )
    # What has arrived is noted with its offer only when the camera is compared.
    here = Recording.objects.filter(camera=OuterRef("camera"), sequence=OuterRef("sequence"))
    waited = Offer.objects.filter(~Exists(here), ~Exists(told), state=Offer.State.NEEDED)
    return waited.values("camera", "sequence").distinct().count() + _left_out_of_imports()


def _left_out_of_imports() -> int:
    """How many numbers are not here of cameras whose folders were imported, and were not shown to a dock.

    The comparison at a docking tells of all others. Only such cameras are looked at: their recordings by one index.
    """
    serials = ImportRun.objects.filter(kind=ImportRun.Kind.CAMERA).values_list(KT("described__camera"))
    made = Recording.objects.filter(camera__serial__in=serials, sequence__isnull=False).order_by()
    before = Window(Lag("sequence", default=0), partition_by=F("camera"), order_by="sequence")
    holes = made.annotate(before=before).filter(sequence__gt=F("before") + 1)
    absent: dict[int, list[Span]] = {}
    for camera, last_here, next_here in holes.values_list("camera", "before", "sequence"):
        absent.setdefault(camera, []).append((last_here + 1, next_here - 1))
    imported = _highest_imported()
    here = Recording.objects.filter(camera__in=imported, sequence__isnull=False).order_by().values_list("camera")
    highest_here = dict(here.annotate(Max("sequence")))
    for camera, highest in imported.items():
        if highest > highest_here.get(camera, 0):
            absent.setdefault(camera, []).append((highest_here.get(camera, 0) + 1, highest))
    said = _told_or_offered(list(absent))
    return sum(spans.count(spans.minus(each, said.get(camera, []))) for camera, each in absent.items())


def _highest_imported(camera: Camera | None = None) -> dict[int, int]:
    """The highest number, by camera, that an imported folder's manifest lists with no file, or none to be taken.

    Only entries that were signed with the key that the camera is registered with.
    """
    absent = (ImportItem.State.MISSING, ImportItem.State.CORRUPT, ImportItem.State.UNREADABLE)
    listed = ImportItem.objects.filter(run__kind=ImportRun.Kind.CAMERA, state__in=absent)
    # With a refusal stands an entry whose signature is not good.
    listed = listed.filter(facts__has_key="signed").exclude(facts__has_key="refusal")
    if camera is not None:
        # Of the camera's own folders: few rows to read the entries of.
        listed = listed.filter(run__described__camera=camera.serial, facts__signed__entry__serial=camera.serial)
    number = Cast(KT("facts__signed__entry__sequence"), BigIntegerField())
    rows = listed.values_list(KT("facts__signed__entry__serial"), KT("facts__signed__public_key"))
    highest = {(serial, key): most for serial, key, most in rows.annotate(most=Max(number))}
    cameras = Camera.objects.filter(serial__in={serial for serial, _ in highest})
    return {
        pk: highest[serial, key]
        for pk, serial, key in cameras.values_list("pk", "serial", "public_key")
        if (serial, key) in highest
    }


def _told_or_offered(cameras: list[int]) -> dict[int, list[Span]]:
    """The numbers, by camera, of which a discrepancy tells or which stand among the offers as not here."""
    told = Discrepancy.objects.filter(camera__in=cameras, kind__in=discrepancies.MISSING, first__isnull=False).exclude(
        state=Discrepancy.State.RESOLVED
    )
    offered = Offer.objects.filter(camera__in=cameras).exclude(state=Offer.State.ARRIVED)
    found: dict[int, list[Span]] = {}
    for camera, first, last in (
        *told.values_list("camera", "first", "last"),
        *offered.values_list("camera", "sequence", "sequence"),
    ):
        found.setdefault(camera, []).append((first, last))
    return found


def open_of(camera: Camera) -> list[Discrepancy]:
    """A camera's open discrepancies, latest first."""
    return list(Discrepancy.objects.filter(camera=camera, state=Discrepancy.State.OPEN))


def one(discrepancy_id: UUID) -> Discrepancy:
    """One discrepancy. Raises NotFound."""
    found: Discrepancy | None = (
        Discrepancy.objects.select_related("camera__unit", "session__dock", "closed_by")
        .filter(pk=discrepancy_id)
        .first()
    )
    if found is None:
        raise NotFound("There is no such discrepancy.", "Nothing was changed.", "Look at the list of what is missing.")
    return found


def story(found: Discrepancy) -> Story:
    """Everything that the page of one discrepancy tells."""
    camera = found.camera
    before = after = None
    if found.first is not None and found.last is not None:
        made = Recording.objects.filter(camera=camera).order_by("sequence")
        before = _neighbour(made.filter(sequence__lt=found.first).last())
        after = _neighbour(made.filter(sequence__gt=found.last).first())
    strip, earlier, later = _around(stretches(camera), found)
    numbers = _numbers(found)
    return Story(
        discrepancy=found,
        advice=advice.on(found.kind, _unavailable(found, numbers)),
        keys=_keys(found) if found.kind == Discrepancy.Kind.CAMERA_REFUSED else None,
        before=before,
        after=after,
        wearers=_wearers(found, before, after),
        numbers=numbers,
        strip=strip,
        earlier=earlier,
        later=later,
        events=custody.history(found.custody_id),
    )


def stretches(camera: Camera) -> list[Stretch]:
    """All of a camera's numbers from 1 on, by where they stand."""
    states: dict[int, str] = dict.fromkeys(_refused(camera), REFUSED)
    coming = Upload.objects.filter(camera=camera, state__in=Upload.LIVE, offset__gt=0, sequence__isnull=False)
    states.update(dict.fromkeys(coming.values_list("sequence", flat=True), COMING))
    made = Recording.objects.filter(camera=camera, sequence__isnull=False).order_by()
    for sequence, state in made.values_list("sequence", "state"):
        states[sequence] = GONE if state == Recording.State.DELETED else HERE
    known = spans.of(states)
    highest = max([*states, *_signed(camera), *_highest_imported(camera).values()], default=0)
    missing = spans.minus([(1, highest)] if highest else [], known)
    open_ones = spans.minus(missing, _answered(camera))
    found = [Stretch(first, last, MISSING) for first, last in open_ones]
    found += [Stretch(first, last, ANSWERED) for first, last in spans.minus(missing, open_ones)]
    for state in set(states.values()):
        same = spans.of(number for number, each in states.items() if each == state)
        found += [Stretch(first, last, state) for first, last in same]
    return sorted(found, key=lambda each: each.first)


def _refused(camera: Camera) -> list[int]:
    refused = Offer.objects.filter(camera=camera, state=Offer.State.REFUSED)
    return list(refused.values_list("sequence", flat=True))


def _signed(camera: Camera) -> list[int]:
    return list(Offer.objects.filter(camera=camera, signed=True).values_list("sequence", flat=True))


def _answered(camera: Camera) -> list[Span]:
    """The numbers for which a person has answered."""
    closed = Discrepancy.objects.filter(camera=camera, state=Discrepancy.State.CLOSED, missing__gt=0)
    return [(first, last) for first, last in closed.values_list("first", "last") if first is not None]


def _around(all_of_them: list[Stretch], found: Discrepancy) -> tuple[list[Stretch], bool, bool]:
    """The stretches near what a page is about, and whether there are more before and after them."""
    marked = [part for each in all_of_them for part in _cut(each, found)]
    places = [place for place, each in enumerate(marked) if each.about] or [len(marked) - 1]
    start, end = max(0, places[0] - _AROUND), min(len(marked), places[-1] + 1 + _AROUND, places[0] + 3 * _AROUND)
    return marked[start:end], start > 0, end < len(marked)


def _cut(each: Stretch, found: Discrepancy) -> list[Stretch]:
    """A stretch, cut where a discrepancy begins and ends; what lies in it is marked."""
    if found.first is None or found.last is None:
        return [each]
    outside = spans.minus([(each.first, each.last)], [(found.first, found.last)])
    inside = spans.minus([(each.first, each.last)], outside)
    parts = [Stretch(first, last, each.state) for first, last in outside]
    parts += [Stretch(first, last, each.state, about=True) for first, last in inside]
    return sorted(parts, key=lambda part: part.first)


def _neighbour(recording: Recording | None) -> Neighbour | None:
    if recording is None or recording.sequence is None:
        return None
    return Neighbour(recording.sequence, recording.started_at, recording.ended_at)


def _wearers(found: Discrepancy, before: Neighbour | None, after: Neighbour | None) -> list[Assignment]:
    """Who had the camera between the recordings before and after; without these, up to the docking."""
    start = before.ended_at if before else None
    end = after.started_at if after else found.first_seen_at
    if found.first is None:
        start = end = found.first_seen_at
    return [
        each
        for each in fleet.assignments(camera=found.camera)
        if each.period.lower <= end and (each.period.upper is None or start is None or each.period.upper > start)
    ]


def _numbers(found: Discrepancy) -> list[Number]:
    """What is known of each number that was offered and is not here, a page's worth of them."""
    if found.first is None or found.last is None or not found.missing:
        return []
    within = {"camera": found.camera, "sequence__gte": found.first, "sequence__lte": found.last}
    offers = Offer.objects.filter(**within).exclude(state=Offer.State.ARRIVED).select_related("last_session__dock")
    latest = {offer.sequence: offer for offer in offers.order_by("last_at")}
    uploads = {
        upload.sequence: upload
        for upload in Upload.objects.filter(**within, state__in=Upload.LIVE).order_by("created_at")
    }
    shown = [latest[number] for number in sorted(latest)[:_LONGEST_LIST]]
    missing = ANSWERED if found.state == Discrepancy.State.CLOSED else MISSING
    return [_number(offer, uploads.get(offer.sequence), missing) for offer in shown]


def _number(offer: Offer, upload: Upload | None, missing: str) -> Number:
    coming = upload is not None and upload.offset > 0
    return Number(
        sequence=offer.sequence,
        state=COMING if coming else REFUSED if offer.state == Offer.State.REFUSED else missing,
        offered_at=offer.last_at,
        dock=offer.last_session.dock.name,
        offset=upload.offset if upload else 0,
        length=upload.length if upload else None,
        why=offer.why or discrepancies.UNAVAILABLE.get(offer.unavailable, ""),
    )


def _unavailable(found: Discrepancy, numbers: list[Number]) -> str:
    """Why the dock cannot send any of what it is about, a key of UNAVAILABLE; nothing where that is not so of all."""
    if found.kind != Discrepancy.Kind.NEVER_ARRIVED or any(each.state == COMING for each in numbers):
        return ""
    within = {"camera": found.camera, "sequence__gte": found.first, "sequence__lte": found.last}
    offers = Offer.objects.filter(**within).exclude(state=Offer.State.ARRIVED)
    said = set(offers.order_by().values_list("unavailable", flat=True).distinct())
    if said and said != {""}:
        return said.pop() if len(said) == 1 else ""
    # At another docking what its dock said before is forgotten until it says it again.
    return next((why for why, words in discrepancies.UNAVAILABLE.items() if found.detail.endswith(words)), "")


def _keys(found: Discrepancy) -> Keys:
    # The ledger's `until` leaves out its own instant, which may be that of the only refusal.
    refusals = custody.search(subject=found.camera.custody_id, tag=CameraKeyRefused.tag, since=found.first_seen_at)
    latest = next((each for each in refusals if found.ended_at is None or each.at <= found.ended_at), None)
    if latest is None:
        return Keys(fingerprint(found.camera.public_key) if found.camera.public_key else "", "", "")
    kind, _, number = latest.actor.partition(":")
    dock = Dock.objects.filter(pk=number).first() if kind == "dock" and number.isdecimal() else None
    return Keys(latest.details.get("pinned") or "", latest.details.get("offered") or "", dock.name if dock else "")
