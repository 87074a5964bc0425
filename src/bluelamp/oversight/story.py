"""A recording's custody history as somebody tells it who was never inside a police station: day by day, in sentences.

From the same events as the footage page's history and under the same rule of what a reader may learn; nothing here
reads or decides anything by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby, pairwise
from typing import Any

from bluelamp.custody import words
from bluelamp.custody.queries import HistoryItem
from bluelamp.oversight.rules import LONDON
from bluelamp.web.filters import count, duration, filesize

QUIET = timedelta(days=2)
"""From when on a stretch without any event is worth a sentence."""

LATE = timedelta(hours=24)
"""Longer than this in the camera alone is said to be long."""


@dataclass
class Step:
    """Something that happened: one sentence, who and why where they add to it, and the events that it is told from."""

    at: datetime
    icon: str
    text: str
    who: str = ""
    why: str = ""
    notes: list[str] = field(default_factory=list)
    events: list[int] = field(default_factory=list)
    leaf: int | None = None
    gap: str = ""
    gap_matters: bool = False

    @property
    def day(self) -> date:
        return self.at.astimezone(LONDON).date()

    @property
    def clock(self) -> str:
        """London time, such as "07:19"."""
        return f"{self.at.astimezone(LONDON):%H:%M}"


@dataclass(frozen=True)
class Day:
    """The steps of one London day, in order."""

    day: date
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Facts:
    """What the story begins with, from the recording itself: when, by whom, with what; sizes in bytes, times aware."""

    started_at: datetime
    ended_at: datetime
    received_at: datetime
    wearer: str
    camera: str
    added_by: str
    docked: bool
    signed: bool | None
    """None: it is not known any more, for the recording was deleted."""
    clock: str
    """How far its times can be relied on, where they are not simply right."""
    size: int
    sha256: str
    neighbours: tuple[str, ...] = ()


_Sentence = Callable[[HistoryItem, Mapping[str, str]], str]
_WATCHED = "recording.range_served"

# Icon and sentence; `{}` stands for who did it. What has none here is told as the pages tell it.
_SAID: dict[str, tuple[str, str]] = {
    "recording.collected": ("arrive", "The recording arrived and was sealed."),
    "recording.added": ("arrive", "{} added it by hand as footage from elsewhere."),
    "recording.added_again": ("arrive", "{} handed in the same file once more; nothing was stored twice."),
    "recording.arrived_late": (
        "clock",
        "It arrived late, so somebody was given time to look at it before it is deleted.",
    ),
    "recording.prepared": ("page", "A copy for viewing was made from it. The original was only read."),
    "recording.unwrapped": ("key", "Its device had encrypted it; it was opened with the force's key."),
    "recording.key_awaited": ("key", "Its device had encrypted it, and the key was not there yet."),
    "recording.consulted": ("eye", "{} read its page, without seeing the pictures."),
    "footage.listed": ("eye", "{} saw it named in a list of search results."),
    "recording.flagged": ("flag", "{} marked it as evidence."),
    "recording.flag_released": ("flag", "{} took the mark as evidence away."),
    "recording.note_added": ("pencil", "{} wrote a note about it."),
    "recording.locked": ("lock", "{} locked it, so that nobody could watch it."),
    "recording.unlocked": ("lock", "{} ended the lock."),
    "recording.watch_released": ("lock", "{} let one person watch it in spite of the lock."),
    "hold.placed": ("hold", "{} placed a hold: while it stands, it cannot be deleted."),
    "hold.released": ("hold", "{} ended a hold on it."),
    "retention.extended": ("clock", "{} decided to keep it longer."),
    "case.recording_added": ("link", "{} linked it to a case."),
    "request.matched": ("link", "It was found to fit a request by a member of the public, and kept for it."),
    "share.created": ("share", "{} gave somebody outside the force leave to watch it."),
    "share.revoked": ("share", "{} ended that leave."),
    "share.acknowledged": ("share", "{} confirmed having received it."),
    "recording.quarantined": ("bin", "Nothing kept it any longer: it was put aside to be deleted."),
    "recording.restored": ("flag", "It was brought back into use."),
    "recording.deleted": ("bin", "It was deleted, as the force's rules require."),
    "recording.erased": ("bin", "Its key was destroyed and its files removed: no copy of it can be opened again."),
    "ledger.consulted": ("page", "{} read this history."),
    "ledger.verified": ("check", "{} verified that nothing of this was changed since it was written."),
    "ledger.proof_taken": ("page", "{} took away the proof of one of these steps."),
    "fixity.failed": ("warning", "A check found that its stored file is not as it was sealed."),
    "fixity.restored": ("check", "A check found its stored file as it was sealed."),
    "access.refused": ("stop", "{} was refused."),
    "recipient.refused": ("stop", "{} was refused."),
}
_ICONS = {
    "recording": "pencil",
    "share": "share",
    "case": "link",
    "request": "link",
    "package": "share",
    "axis": "page",
}
_ONCE_A_DAY = {"recording.consulted", "footage.listed", "ledger.consulted"}


def tell(items: Iterable[HistoryItem], names: Mapping[str, str], facts: Facts, *, discreet: bool) -> list[Day]:
    """The story in order of time. `discreet`: no reasons but the reader's own were left in `items`, and some events may
    be missing, so that nothing is said about times in which nothing happened.
    """
    steps = [_recorded(facts), *_steps(list(items), names, facts, discreet)]
    steps.sort(key=lambda step: step.at)
    if not discreet:
        _say_gaps(steps)
    _say_journey(steps, facts)
    return [Day(day, tuple(group)) for day, group in groupby(steps, key=lambda step: step.day)]


def _recorded(facts: Facts) -> Step:
    if facts.added_by:
        text = "Somebody else's camera recorded it, at the time that was stated when it was handed over."
    else:
        text = f"{facts.wearer or 'Somebody not known'} recorded it" + (
            f" with {facts.camera}." if facts.camera else "."
        )
    notes = [f"It lasts {duration(facts.ended_at - facts.started_at)}."] if facts.ended_at > facts.started_at else []
    if facts.clock:
        notes.append(f"{facts.clock}.")
    return Step(facts.started_at, "camera", text, notes=notes + list(facts.neighbours))


def _steps(items: list[HistoryItem], names: Mapping[str, str], facts: Facts, discreet: bool) -> list[Step]:
    made: list[Step] = []
    viewings: dict[str, tuple[Step, list[tuple[int, int]]]] = {}
    today: dict[tuple[str, str, date], Step] = {}
    for item in items:
        who = names.get(item.actor, item.actor)
        viewing = str(item.details.get("viewing", ""))
        if item.tag == "recording.viewed":
            step = _opened(item, who)
            viewings[viewing] = (step, [])
        elif viewing in viewings and item.tag in {_WATCHED, "recording.viewing_closed"}:
            step, stretches = viewings[viewing]
            if item.details.get("from_ms") is not None:
                stretches.append((item.details["from_ms"], item.details["to_ms"]))
            step.events.append(item.id)
            continue
        elif item.tag in _ONCE_A_DAY and (known := today.get((item.actor, item.tag, _day(item.at)))):
            known.events.append(item.id)
            continue
        else:
            step = _step(item, who, names, facts, discreet)
            today[item.actor, item.tag, _day(item.at)] = step
        step.events.append(item.id)
        step.leaf = item.leaf
        made.append(step)
    for step, stretches in viewings.values():
        if stretches:
            step.notes.append(f"It was sent {_stretches(stretches)}, approximately.")
    for step in today.values():
        if len(step.events) > 1 and step.icon in {"eye", "page"}:
            step.notes.append(f"{count(len(step.events), 'time')} that day.")
    return made


def _opened(item: HistoryItem, who: str) -> Step:
    done = "opened it to take a copy away" if item.details.get("purpose") == "download" else "opened it to watch"
    outside = not str(item.details.get("grant", "person")).startswith("person")
    return Step(
        item.at,
        "eye",
        f"{who} {done}." if not outside else f"{who}, to whom it was shared, {done}.",
        why=item.reason,
    )


def _step(item: HistoryItem, who: str, names: Mapping[str, str], facts: Facts, discreet: bool) -> Step:
    icon, sentence = _SAID.get(item.tag, (_ICONS.get(item.tag.partition(".")[0], "page"), ""))
    step = Step(item.at, icon, sentence.format(who) if sentence else words.describe(item), why=item.reason)
    if not sentence:
        step.who = who
    match item.tag:
        case "recording.collected":
            step.notes.append(
                f"{filesize(facts.size)}, received through {who}. Its fingerprint (SHA-256) begins {facts.sha256[:12]}."
            )
            if facts.signed:
                step.notes.append("It is the file that the camera signed when it recorded.")
        case "recording.flagged":
            step.notes.append(words.describe(item))
        case "access.refused" | "recipient.refused":
            step.notes.append(str(item.details.get("why", "")))
        case "case.recording_added" | "share.created" if not discreet:
            about = item.subject if item.tag == "case.recording_added" else str(item.details.get("recipient", ""))
            name = names.get(about, about)
            if name:
                step.notes.append(f"{name}.")
        case "fixity.failed":
            step.notes.append(str(item.details.get("detail", "")))
    return step


def _say_gaps(steps: list[Step]) -> None:
    """Before each step the stretch in which nothing happened, if it is long."""
    for before, step in pairwise(steps):
        quiet = step.at - before.at
        if quiet >= QUIET and before.icon != "camera":
            step.gap = f"For {count(quiet.days, 'day')} nobody opened it, and nothing was done to it."


_PROOF = {
    True: " The camera had signed what it recorded, so a change on the way would have shown.",
    False: " Nothing here proves what happened to it in that time.",
    None: "",
}


def _say_journey(steps: list[Step], facts: Facts) -> None:
    """The time before it came: there is no ledger for that, so it is said what there is."""
    arrived = next((step for step in steps if step.icon == "arrive"), None)
    alone = facts.received_at - facts.ended_at
    if arrived is None or facts.added_by or alone <= timedelta():
        return
    who = "only the camera had it" if facts.docked else "it was not here yet"
    arrived.gap = f"For {_long(alone)} {who}.{_PROOF[facts.signed]}"
    arrived.gap_matters = alone > LATE or facts.signed is False


def _long(stretch: timedelta) -> str:
    if stretch >= QUIET:
        return count(stretch.days, "day")
    hours, rest = divmod(int(stretch.total_seconds()), 3600)
    return count(hours, "hour") if hours else count(max(rest // 60, 1), "minute")


def _stretches(found: list[tuple[int, int]]) -> str:
    joined: list[list[int]] = []
    for start, end in sorted(found):
        if joined and start <= joined[-1][1]:
            joined[-1][1] = max(joined[-1][1], end)
        else:
            joined.append([start, end])
    told = [f"from {_clock(start)} to {_clock(end)}" for start, end in joined[:6]]
    return ", ".join(told) + (f" and {count(len(joined) - 6, 'more stretch', 'more stretches')}" if joined[6:] else "")


def _clock(milliseconds: int) -> str:
    seconds = milliseconds // 1000
    return f"{seconds // 60}:{seconds % 60:02}"


def _day(instant: datetime) -> Any:
    return instant.astimezone(LONDON).date()
