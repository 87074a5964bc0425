"""When something that is watched by itself fails, people are told by e-mail: once, if more is found, and at its end.

A message says what fails and how much, and nothing of footage or people: it may be read on the way. It is a job of its
own for each address, deferred in the transaction that notes the failure, and tried again until a mail server takes it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from bluelamp import custody
from bluelamp.kernel import clock
from bluelamp.kernel.transaction import claim
from bluelamp.oversight.events import FailureEnded, FailureTold
from bluelamp.oversight.models import Failure, Told
from bluelamp.oversight.queries import working
from bluelamp.oversight.queries.watched import Watched, failing, watched
from bluelamp.web import filters

log = structlog.get_logger(__name__)

SYSTEM = "system:checks"
_CLAIM = "oversight.tell_failures"
_SEND = "oversight.send_alert"


@dataclass
class Changes:
    """What is news since people were told last. `standing`: what is news only to those who were not told before."""

    failed: list[Watched] = field(default_factory=list)
    worse: list[Watched] = field(default_factory=list)
    mended: list[Watched] = field(default_factory=list)
    dropped: list[Failure] = field(default_factory=list)
    standing: list[Watched] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.failed or self.worse or self.mended or self.dropped)


@custody.unrecorded("what is told is recorded in the transaction that notes it")
def tell_failures() -> Changes:
    """Note what fails and what is well again, and tell those who are set for it. Says what changed.

    Called by a worker: that one lives is part of what is noted.
    """
    with claim(_CLAIM) as alone:
        if not alone:
            return Changes()
        now = clock.now()
        return _note([*watched(now), working.ALIVE], now)


@custody.unrecorded("what is told is recorded in the transaction that notes it")
def tell_silence() -> Changes:
    """Note that no worker lives, and write to those who are set for it; `send_waiting` sends it. Says what changed."""
    with claim(_CLAIM) as alone:
        stands = working.standing()
        if not alone or stands.alive:
            return Changes()
        return _note_silence(working.silent(stands), clock.now())


@custody.unrecorded("hands messages to the mail server; that they were written is recorded")
def send_waiting() -> int:
    """Send what waits for a worker, from this process, since none lives. Returns how many a mail server took.

    One that it does not take stays, with all behind it, for the next call or the worker that comes.
    """
    sent = 0
    waiting = ProcrastinateJob.objects.filter(task_name=_SEND, status="todo").order_by("id")
    for job_id, message in waiting.values_list("id", "args"):
        try:
            send_alert(**message)
        except Exception:
            log.exception("alert.not_sent")
            break
        # After it, not before: told twice, if a worker came just now, is better than never.
        app.job_manager.cancel_job_by_id(job_id, delete_job=True)
        sent += 1
    return sent


@custody.unrecorded("hands a message to the mail server; that it was written is recorded")
def send_alert(to: str, subject: str, body: str) -> None:
    """Send one message. Whatever the mail server raises goes to the caller, who tries again."""
    EmailMessage(subject, body, to=[to]).send()


@custody.service
def _note(states: Sequence[Watched], now: datetime) -> Changes:
    changes = _compare(states, failing(), now)
    custody.nothing_changed()
    _write(changes, now, _newcomers(now))
    return changes


@custody.service
def _note_silence(silent: Watched, now: datetime) -> Changes:
    standing = {what: failure for what, failure in failing().items() if what == silent.what}
    changes = _compare([silent], standing, now)
    custody.nothing_changed()
    _write(changes, now)
    return changes


def _compare(states: Sequence[Watched], known: dict[str, Failure], now: datetime) -> Changes:
    """What changed against `known`, kept and recorded."""
    changes = Changes()
    for state in states:
        standing = known.pop(state.what, None)
        if state.good is False and standing is None:
            Failure.objects.create(what=state.what, title=state.title, mark=state.mark, began_at=now, told_at=now)
            changes.failed.append(state)
        elif state.good is False and standing is not None:
            if state.mark > standing.mark:
                changes.worse.append(state)
                standing.told_at = now
            else:
                changes.standing.append(state)
            if state.mark != standing.mark:
                standing.mark = state.mark
                standing.save(update_fields=["mark", "told_at"])
        elif state.good and standing is not None:
            _end(standing, now)
            changes.mended.append(state)
        # Where nothing is known (`good` None) what was told of it stands.
    for standing in known.values():
        _end(standing, now)
        changes.dropped.append(standing)
    if changes:
        _record(changes)
    return changes


def _end(failure: Failure, now: datetime) -> None:
    failure.ended_at = now
    failure.save(update_fields=["ended_at"])


def _record(changes: Changes) -> None:
    told = len(settings.BLUELAMP.alert_email)
    for item in (*changes.failed, *changes.worse):
        log.error("check.failing", what=item.what, note=item.note)
        custody.record(FailureTold(actor=SYSTEM, subject=SYSTEM, what=item.title, told=told))
    for title, well in [(item.title, True) for item in changes.mended] + [(i.title, False) for i in changes.dropped]:
        custody.record(FailureEnded(actor=SYSTEM, subject=SYSTEM, what=title, well=well, told=told))


def _newcomers(now: datetime) -> set[str]:
    """Addresses that were set since this was asked last; from now on they count as told."""
    configured = set(settings.BLUELAMP.alert_email)
    Told.objects.exclude(address__in=configured).delete()
    found = configured - set(Told.objects.values_list("address", flat=True))
    Told.objects.bulk_create(Told(address=address, since=now) for address in sorted(found))
    return found


def _write(changes: Changes, now: datetime, newcomers: Collection[str] = ()) -> None:
    """A message, in a job of its own, to each address to which any of it is news."""
    for address in settings.BLUELAMP.alert_email:
        new = address in newcomers
        if changes or (new and changes.standing):
            subject, body = letter(changes, now, newcomer=new)
            # By name: the job's module imports this package.
            app.configure_task(_SEND).defer(to=address, subject=subject, body=body)


@custody.unrecorded("computes a text")
def letter(changes: Changes, now: datetime, *, newcomer: bool = False) -> tuple[str, str]:
    """Subject and body of the message about these changes; to a newcomer with what stood before as well."""
    standing = changes.standing if newcomer else []
    parts = [
        ("FAILS NOW", [f"{item.title}\n{item.note}" for item in changes.failed]),
        ("FAILED BEFORE YOU WERE TO BE TOLD, AND STILL DOES", [f"{item.title}\n{item.note}" for item in standing]),
        ("FAILS STILL, AND MORE WAS FOUND", [f"{item.title}\n{item.note}" for item in changes.worse]),
        ("WELL AGAIN", [f"{item.title}\n{item.note}" for item in changes.mended]),
        ("NOT WATCHED ANY MORE", [item.title for item in changes.dropped]),
    ]
    said = "\n\n".join("\n\n".join([head, *items]) for head, items in parts if items)
    bad, well = len(changes.failed) + len(changes.worse) + len(standing), len(changes.mended)
    news = [filters.count(bad, "check fails", "checks fail")] if bad else []
    news += [filters.count(well, "check is well again", "checks are well again")] if well else []
    subject = f"Bluelamp: {' and '.join(news) or 'fewer checks are watched'} ({settings.BLUELAMP.force})"
    end = "You are told again when more is found, and when it is well again." if bad else ""
    body = (
        f"Bluelamp checks footage, keys and ledger by itself. What changed, at "
        f"{filters.london(now).striptags()}, London time:\n\n{said}\n\n"
        f"Which, and since when: {settings.BLUELAMP.base_url}{reverse('oversight:index')}#checks\n{end}"
    )
    return " ".join(subject.split()), f"{body.rstrip()}\n"
