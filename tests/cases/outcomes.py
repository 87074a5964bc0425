"""Short words for what happens to a person in a case, and for how long footage is then kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from bluelamp.cases import services
from bluelamp.cases.services.subjects import today
from bluelamp.custody import queries as ledger
from bluelamp.retention import rules
from bluelamp.retention.rules import Mopi, calendar

DAY = timedelta(days=1)
QUARANTINE = timedelta(days=3)


def ago(days: int) -> date:
    return today() - days * DAY


def due(recording):
    recording.refresh_from_db()
    return recording.due_at


def happened(subject, stage, on, *, reason="", **more):
    known = subject.known
    known = replace(known, proceedings=replace(known.proceedings, stage=stage, on=on, **more))
    services.record_known(subject, known, actor=subject.case.opened_by, reason=reason)


def grouped(subject, group, *, by=None, clear_from=None, reason="Burglary", **more):
    known = subject.known
    reviews = known.mopi.reviews if known.mopi else ()
    mopi = Mopi(str(subject.pk), group, clear_from or ago(0), reviews=reviews, **more)
    services.record_known(subject, replace(known, mopi=mopi), actor=by or subject.case.opened_by, reason=reason)


def closed(case):
    services.close_case(case, actor=case.opened_by, outcome="Over")


def by_default(recording):
    return rules.default_due(recording.started_at, rules.Policy())


def kept_until(day: date):
    return calendar.end_of(day) + QUARANTINE


def tags(case):
    return [item.tag for item in ledger.history(case.custody_id)]
