"""What a camera recorded against what arrived: pure rules, from facts to findings.

A camera numbers its recordings from 1 and signs each manifest entry, which carries the hash of the one before. So its
own signatures tell what it must have recorded. A camera that signs nothing gives no numbers, and misses none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID

from bluelamp.formats.manifest import FIRST_PREVIOUS
from bluelamp.ingest import spans
from bluelamp.ingest.rules import ClockPolicy
from bluelamp.ingest.spans import Span
from bluelamp.web.filters import clock_difference

GAP = "gap"
NEVER_ARRIVED = "never_arrived"
REFUSED = "refused"
REJECTED = "rejected"
CHAIN = "chain"
CAMERA_REFUSED = "camera_refused"
CLOCK_UNSET = "clock_unset"
CLOCK_DRIFTING = "clock_drifting"

MISSING = frozenset({GAP, NEVER_ARRIVED, REFUSED, REJECTED})
"""Kinds that speak of recordings which are not here."""

UNAVAILABLE = {
    "gone": "Its file is no longer on the camera, as the dock found when it was to be sent.",
    "altered": "Its file on the camera is not as long as the camera signed, as the dock found.",
    "unreadable": "The dock cannot read its file on the camera.",
}
"""Why a dock cannot send what its camera offered, by the protocol's word for it."""

_ANEW = "More is known now; it is reported anew."


@dataclass(frozen=True)
class Patience:
    """How long a recording that was offered may take before somebody is told; a force's values replace these.

    `quiet`: nothing came from the camera for that long. `longest`: since it was first offered, while others still
    arrive; less than a day, so that the alert stands within a day of the docking.
    """

    quiet: timedelta = timedelta(hours=6)
    longest: timedelta = timedelta(hours=23)


@dataclass(frozen=True)
class Docked:
    """One docking of the camera. `complete`: it offered fewer recordings than one session may, so it offered all.

    `unreadable`: why entries of its inventory could not be read that did not even tell their number.
    """

    session: UUID
    at: datetime
    clock_set: bool
    clock_offset_ms: int
    complete: bool = True
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True)
class Offered:
    """One entry that the camera showed. `signed`: its signature was good. `why`: the refusal, where it was refused."""

    sequence: int
    entry_hash: str
    previous: str
    signed: bool
    first_session: UUID
    first_at: datetime
    last_session: UUID
    last_at: datetime
    arrived: bool = False
    refused: bool = False
    why: str = ""
    moved_at: datetime | None = None
    """When a byte of it last came, in an upload that is not over."""
    whole: bool = False
    """Whether all its bytes have come and wait for acceptance."""
    rejected: str = ""
    """Why its latest upload was rejected, where it was."""
    unavailable: str = ""
    """Why the dock cannot send it, a key of UNAVAILABLE, where it said so since it was offered."""


@dataclass(frozen=True)
class Facts:
    """What is known of one camera.

    `here` are the numbers of its recordings, those deleted on time included. `dockings` are its latest, newest first.
    `moved_at` is when a byte of any of its recordings last came.
    """

    here: Sequence[int] = ()
    offers: Sequence[Offered] = ()
    dockings: Sequence[Docked] = ()
    moved_at: datetime | None = None
    refused_at: datetime | None = None
    """When a dock first brought the camera in vain, since it was last docked: it had another key than its own."""


@dataclass(frozen=True)
class Finding:
    """Something that does not agree, since a docking revealed it; `missing`: how many recordings are not here."""

    kind: str
    since: datetime
    session: UUID | None
    detail: str
    first: int | None = None
    last: int | None = None

    @property
    def span(self) -> Span | None:
        return None if self.first is None or self.last is None else (self.first, self.last)

    @property
    def missing(self) -> int:
        return spans.count([self.span]) if self.kind in MISSING and self.span else 0


@dataclass(frozen=True)
class Standing:
    """A finding of before. `open`: it waits for an answer; otherwise a person closed it."""

    id: UUID
    kind: str
    first: int | None
    last: int | None
    open: bool
    last_seen_at: datetime
    detail: str = ""

    @property
    def span(self) -> Span | None:
        return None if self.first is None or self.last is None else (self.first, self.last)


@dataclass(frozen=True)
class Change:
    """What becomes of an open one: how many recordings it still misses; with `resolved`, why it is over."""

    id: UUID
    missing: int
    resolved: str = ""


def findings(facts: Facts, now: datetime, patience: Patience = Patience()) -> list[Finding]:
    """Everything that does not agree now. Each number that is not here stands in one finding only."""
    newest = _newest(facts.offers)
    late = [*_refused(newest), *_rejected(newest), *_late(facts, newest, now, patience)]
    known = [finding.span for finding in late if finding.span]
    itself = [*_turned_away(facts), *_unreadable(facts.dockings), *_clock(facts.dockings)]
    return [*late, *_gaps(facts, known), *_chain(facts.offers), *itself]


def compare(found: Iterable[Finding], standing: Iterable[Standing], facts: Facts) -> tuple[list[Finding], list[Change]]:
    """What is new among `found`, and what becomes of those that stood open.

    What a person closed is not found again: for numbers, ever; for a clock, until it was right once.
    """
    found, standing = list(found), list(standing)
    new = [fresh for finding in found for fresh in _fresh(finding, standing)]
    return new, [_change(one, found, facts) for one in standing if one.open]


def settled(facts: Facts) -> list[Span]:
    """The numbers of which nothing is missing: what the camera last signed under them is here."""
    newest = {offer.sequence: offer for offer in _newest(facts.offers)}
    here = {number for number in facts.here if number not in newest}
    return spans.of(here | {offer.sequence for offer in newest.values() if offer.arrived})


def clock_is(docked: Docked, policy: ClockPolicy | None = None) -> str:
    """The kind of finding that the clock of a docking makes, or nothing."""
    policy = policy or ClockPolicy()
    if not docked.clock_set:
        return CLOCK_UNSET
    return CLOCK_DRIFTING if abs(docked.clock_offset_ms) > policy.drift / timedelta(milliseconds=1) else ""


def _newest(offers: Iterable[Offered]) -> list[Offered]:
    """Of each number what was offered last, by number. What it said before is the chain's business."""
    latest: dict[int, Offered] = {}
    for offer in sorted(offers, key=lambda offer: (offer.last_at, offer.signed)):
        latest[offer.sequence] = offer
    return [latest[number] for number in sorted(latest)]


def _refused(newest: list[Offered]) -> list[Finding]:
    refused = [offer for offer in newest if offer.refused and not offer.arrived]
    return _grouped(REFUSED, refused, lambda offer: f"Refused when it was offered: {offer.why}")


def _rejected(newest: list[Offered]) -> list[Finding]:
    rejected = [offer for offer in newest if offer.rejected and not (offer.arrived or offer.refused)]
    return _grouped(REJECTED, rejected, lambda offer: f"Sent, and rejected: {offer.rejected}")


def _late(facts: Facts, newest: list[Offered], now: datetime, patience: Patience) -> list[Finding]:
    waited = [offer for offer in newest if not (offer.arrived or offer.refused or offer.rejected)]
    late = {offer.sequence: why for offer in waited if (why := _lateness(offer, facts, now, patience))}
    return _grouped(
        NEVER_ARRIVED, [offer for offer in waited if offer.sequence in late], lambda offer: late[offer.sequence]
    )


def _lateness(offer: Offered, facts: Facts, now: datetime, patience: Patience) -> str:
    """Why a recording that was offered and is not here counts as late; nothing while it may still be on its way."""
    if offer.unavailable and not offer.whole:
        return f"Offered, and it cannot be sent. {UNAVAILABLE[offer.unavailable]}"
    if offer.moved_at is not None and now - offer.moved_at < patience.quiet and offer.whole:
        return ""
    last = facts.dockings[0] if facts.dockings else None
    if last and last.complete and last.session != offer.last_session and last.at > offer.last_at:
        return "Offered, not arrived, and then the camera was docked again without it."
    if offer.moved_at is not None and now - offer.moved_at < patience.quiet:
        return ""
    if now - offer.first_at >= patience.longest:
        return "Offered and not arrived, most of a day later."
    if now - max(offer.last_at, facts.moved_at or offer.last_at) >= patience.quiet:
        return (
            f"Offered and not arrived; nothing came from the camera for {patience.quiet // timedelta(hours=1)} hours."
        )
    return ""


def _gaps(facts: Facts, known: list[Span]) -> list[Finding]:
    """Numbers below the highest that the camera signed which it never offered."""
    if facts.dockings and not facts.dockings[0].complete:
        return []  # the rest of its inventory comes in another session
    signed = {offer.sequence: offer for offer in facts.offers if offer.signed}
    seen = spans.of([*signed, *facts.here])
    if not signed or not seen:
        return []
    found = []
    for first, last in spans.minus(spans.minus([(1, seen[-1][1])], seen), known):
        after = signed.get(last + 1) or signed[min((number for number in signed if number > last), default=max(signed))]
        detail = f"The camera offered {spans.words(last + 1, last + 1)}, and never {spans.words(first, last)}."
        if first == 1:
            detail = (
                f"The camera never offered {spans.words(first, last)}: what is known of it begins with {last + 1:,}."
            )
        found.append(Finding(GAP, after.first_at, after.first_session, detail, first, last))
    return found


def _chain(offers: Sequence[Offered]) -> list[Finding]:
    """Entries that do not follow from one another. Hashes stay known after a recording was deleted on time."""
    by_number: dict[int, list[Offered]] = {}
    for offer in offers:
        if offer.signed:
            by_number.setdefault(offer.sequence, []).append(offer)
    found = []
    for number, same in sorted(by_number.items()):
        latest = max(same, key=lambda offer: offer.first_at)
        detail = _broken(latest, len(same), {offer.entry_hash for offer in by_number.get(number - 1, [])})
        if detail:
            found.append(Finding(CHAIN, latest.first_at, latest.first_session, detail, number, number))
    return found


def _broken(offer: Offered, different: int, before: set[str]) -> str:
    number, is_first = offer.sequence, offer.previous == FIRST_PREVIOUS
    if different > 1:
        return f"The camera signed {different} different entries with the number {number:,}."
    if number == 1 and not is_first:
        return "Recording 1 refers to one before it."
    if number > 1 and is_first:
        return f"Recording {number:,} claims to be the camera's first."
    if before and offer.previous not in before:
        return f"Recording {number:,} does not follow from recording {number - 1:,} as the camera signed it before."
    return ""


def _turned_away(facts: Facts) -> list[Finding]:
    if facts.refused_at is None:
        return []
    detail = "The camera was turned away when it was docked: it signs with another key than at its first docking."
    return [Finding(CAMERA_REFUSED, facts.refused_at, None, detail)]


def _unreadable(dockings: Sequence[Docked]) -> list[Finding]:
    if not dockings or not dockings[0].unreadable:
        return []
    last, whys = dockings[0], sorted(set(dockings[0].unreadable))
    many = "An entry" if len(last.unreadable) == 1 else f"{len(last.unreadable)} entries"
    return [Finding(REFUSED, last.at, last.session, f"{many} of its inventory cannot be read: {' '.join(whys[:3])}")]


def _clock(dockings: Sequence[Docked]) -> list[Finding]:
    kind = clock_is(dockings[0]) if dockings else ""
    if not kind:
        return []
    run = []
    for docked in dockings:
        if clock_is(docked) != kind:
            break
        run.append(docked)
    first, last = run[-1], run[0]
    if kind == CLOCK_UNSET:
        return [Finding(kind, first.at, first.session, "The camera's clock was not set when it was docked.")]
    seconds = abs(last.clock_offset_ms) / 1000
    side = "behind" if last.clock_offset_ms > 0 else "ahead of"
    apart = f"{seconds:.1f} seconds" if seconds < 120 else clock_difference(seconds)
    detail = f"The camera's clock was {apart} {side} the server's when it was docked."
    return [Finding(kind, first.at, first.session, detail)]


def _grouped(kind: str, offers: list[Offered], says: Callable[[Offered], str]) -> list[Finding]:
    """One finding for each stretch of numbers of which the same is to be said after the same docking."""
    found: list[Finding] = []
    for (_, detail, _), group in groupby(
        enumerate(offers), key=lambda each: (each[1].last_session, says(each[1]), each[1].sequence - each[0])
    ):
        same = [offer for _, offer in group]
        first, last = same[0], same[-1]
        found.append(Finding(kind, first.last_at, first.last_session, detail, first.sequence, last.sequence))
    return found


def _fresh(finding: Finding, standing: list[Standing]) -> list[Finding]:
    """What of a finding is not said already."""
    same = [one for one in standing if one.kind == finding.kind]
    if finding.span is None:
        return [] if any(_says(one, finding) for one in same if one.span is None) else [finding]
    left = spans.minus([finding.span], [one.span for one in same if one.span])
    return [replace(finding, first=first, last=last) for first, last in left]


def _says(one: Standing, finding: Finding) -> bool:
    """Whether one without numbers is about the same trouble: for a clock, since it was last right."""
    if one.open:
        return True
    return one.detail == finding.detail if finding.kind == REFUSED else one.last_seen_at >= finding.since


def _change(one: Standing, found: list[Finding], facts: Facts) -> Change:
    if one.span is None:
        return Change(one.id, 0, _over(one, [finding.kind for finding in found if finding.span is None]))
    if one.kind == CHAIN:
        return Change(one.id, 0)
    left = spans.minus([one.span], settled(facts))
    elsewhere = [finding.span for finding in found if finding.kind in MISSING - {one.kind} and finding.span]
    remains = spans.minus(left, elsewhere)
    if remains:
        return Change(one.id, spans.count(remains))
    return Change(one.id, 0, _ANEW if left else "It has arrived.")


def _over(one: Standing, now: list[str]) -> str:
    """Why one without numbers is over; nothing while it is not."""
    if one.kind in now:
        return ""
    if one.kind == REFUSED:
        return "When the camera was docked again, all of its entries could be read."
    if one.kind == CAMERA_REFUSED:
        return "The camera was docked again and taken."
    if {CLOCK_UNSET, CLOCK_DRIFTING} & set(now):
        return _ANEW
    return "When the camera was docked again, its clock was right."
