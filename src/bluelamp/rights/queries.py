"""Reading requests."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from uuid import UUID
from zoneinfo import ZoneInfo

import holidays
from django.db.models import Count, Q, QuerySet

from bluelamp.footage.models import Recording
from bluelamp.kernel import clock
from bluelamp.kernel.among import among
from bluelamp.kernel.statements import Kept
from bluelamp.people.models import Unit
from bluelamp.people.queries import unit_and_below
from bluelamp.retention.models import Hold
from bluelamp.retention.rules import RetentionReason
from bluelamp.rights import rules
from bluelamp.rights.models import Message, Request, RequestMatch

LONDON = ZoneInfo("Europe/London")

# Asked for each recording that comes in.
_ABOUT = Kept(
    lambda since, until: Request.objects.filter(
        state__in=[Request.State.OPEN, Request.State.UNCONFIRMED], from_at__lt=until, until_at__gt=since
    ).order_by("pk"),
    since=datetime(2000, 1, 1, tzinfo=UTC),
    until=datetime(2000, 1, 2, tzinfo=UTC),
)


@dataclass(frozen=True)
class DeskRow:
    """A request as the desk lists it; `days_left` None while the clock does not run.

    `kept` recordings match it; `held` holds of it stand. `unsent`: a message to the requester has not left yet.
    """

    request: Request
    due: rules.Due
    days_left: int | None
    kept: int
    held: int
    unsent: bool


def boroughs() -> QuerySet[Unit]:
    """Where footage can be asked for: boroughs and commands."""
    return Unit.objects.filter(kind=Unit.Kind.BOROUGH)


def matching(request: Request) -> QuerySet[Recording]:
    """Recordings that may show what a request asks for: of its borough, or of the officer named, within its time.

    Recordings in quarantine count: a request brings them back. Deleted ones cannot be.
    """
    if request.from_at is None or request.until_at is None or not request.finds_footage:
        return Recording.objects.none()
    recorded_there = Q()
    if request.borough_id is not None:
        recorded_there |= Q(unit_id__in=unit_and_below(request.borough_id))
    if request.officer_number:
        recorded_there |= Q(wearer__warrant_number__iexact=request.officer_number)
    return (
        Recording.objects.exclude(state=Recording.State.DELETED)
        .filter(recorded_there)
        .filter(
            started_at__lt=request.until_at + rules.MARGIN,
            ended_at__gt=request.from_at - rules.MARGIN,
        )
        .order_by("started_at")
    )


def waiting_for(recordings: Collection[Recording]) -> list[tuple[Request, Recording]]:
    """Open requests, each with a recording, among those that have just arrived, that may answer it."""
    requests = _ABOUT.all(
        until=max(recording.ended_at for recording in recordings) + rules.MARGIN,
        since=min(recording.started_at for recording in recordings) - rules.MARGIN,
    )
    arrived = {recording.pk: recording for recording in recordings}
    return [
        (request, arrived[recording_id])
        for request in requests
        for recording_id in matching(request).filter(pk__in=arrived).values_list("pk", flat=True)
    ]


def retention_reasons(recordings: Sequence[Recording]) -> dict[UUID, list[RetentionReason]]:
    """A request not yet confirmed keeps what it matches for a few days; once confirmed, holds do."""
    asked = RequestMatch.objects.filter(recording__in=among(recording.pk for recording in recordings))
    found: dict[UUID, list[RetentionReason]] = defaultdict(list)
    for match in asked.filter(provisional_until__gt=clock.now()).order_by("pk"):
        found[match.recording_id].append(
            RetentionReason(
                code=f"request:{match.request_id}",
                title="Request being confirmed",
                why="a member of the public has just asked for it",
                basis="DPA 2018 s.45 and s.173",
                until=match.provisional_until,
            )
        )
    return found


def clock_facts(request: Request) -> rules.ClockFacts:
    """What bears on a request's due date, in London days."""
    return rules.ClockFacts(
        kind=rules.Kind(request.kind),
        received=_day(request.received_at),
        identity_proved=_day(request.identity_proved_at) if request.identity_proved_at else None,
        extended=request.extended_at is not None,
        pauses=[
            rules.Pause(_day(pause.since), _day(pause.until) if pause.until else None)
            for pause in request.pauses.all()
            if pause.since is not None
        ],
    )


def due(request: Request) -> rules.Due:
    """When a request must be answered."""
    return rules.due(clock_facts(request), today(), bank_holidays())


def desk(states: Iterable[str]) -> list[DeskRow]:
    """Requests in the given states, those due first at the top, then those whose clock does not run.

    Closed ones: those that still hold footage first.
    """
    found = list(
        Request.objects.filter(state__in=list(states))
        .select_related("borough")
        .prefetch_related("pauses", "messages__pause")
        .annotate(kept=Count("matches", distinct=True))
    )
    held = _standing_holds(found)
    rows = []
    for request in found:
        when = due(request)
        days_left = (when.on - today()).days if when.on else None
        rows.append(DeskRow(request, when, days_left, request.kept, held[request.custody_id], bool(unsent(request))))
    return sorted(rows, key=_urgency)


def _urgency(row: DeskRow) -> tuple[bool, bool, int, datetime]:
    finished = row.request.closed_at is not None and not row.held
    return finished, row.days_left is None, row.days_left or 0, row.request.received_at


def held(request: Request) -> int:
    """How many recordings a request holds."""
    return _standing_holds([request])[request.custody_id]


def _standing_holds(requests: Iterable[Request]) -> Counter[str]:
    standing = Hold.objects.filter(released_at=None, source__in=[request.custody_id for request in requests])
    return Counter(standing.values_list("source", flat=True))


def unsent(request: Request) -> list[Message]:
    """Messages to the requester that are still needed and have not been sent yet."""
    return [message for message in request.messages.all() if message.sent_at is None and message.needed]


def open_question(request: Request) -> str:
    """What a requester was sent as a question and has not answered yet, or "" where nothing is awaited."""
    pause = request.pauses.filter(until=None, since__isnull=False).first()
    return pause.question if pause else ""


def matches(request: Request) -> QuerySet[RequestMatch]:
    """What was found for a request."""
    return request.matches.select_related("recording__wearer", "recording__unit").order_by("recording__started_at")


def by_confirm_token(token: str) -> Request | None:
    """The request that a confirmation link names."""
    return Request.objects.filter(confirm_token_sha256=hashlib.sha256(token.encode()).hexdigest()).first()


def followed(reference: str, email: str) -> Request | None:
    """The request with this reference, for whoever also knows its e-mail address."""
    return Request.objects.filter(reference=reference.strip().upper(), email__iexact=email.strip()).first()


def today() -> date:
    """Today in London, on Bluelamp's clock."""
    return _day(clock.now())


@lru_cache(maxsize=1)
def bank_holidays() -> holidays.HolidayBase:
    """Bank holidays in England and Wales; years are filled in as they are asked for."""
    return holidays.country_holidays("GB", subdiv="ENG")


def _day(instant: datetime) -> date:
    return instant.astimezone(LONDON).date()
