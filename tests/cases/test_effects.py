"""What is shown before something is recorded is what happens when it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bluelamp.cases import queries, services
from bluelamp.cases.rules import with_review
from bluelamp.cases.services.subjects import today
from bluelamp.kernel import clock
from bluelamp.people.policy import Role
from bluelamp.retention import rules
from bluelamp.retention import services as retention_services
from bluelamp.retention.models import Hold, Shortening
from bluelamp.retention.rules import Mopi, MopiGroup, MopiReview, Stage, calendar
from tests import factories
from tests.cases.outcomes import DAY, ago, closed, due, grouped, happened

pytestmark = pytest.mark.django_db


def _changes(subject):
    known = subject.known
    convicted = replace(known.proceedings, stage=Stage.CONVICTED, on=ago(2))
    mopi = Mopi(str(subject.pk), MopiGroup.OTHER, ago(0))
    return [
        ("charged", replace(known, proceedings=replace(known.proceedings, stage=Stage.CHARGED, on=ago(2)))),
        ("over", replace(known, proceedings=replace(known.proceedings, stage=Stage.ACQUITTED, on=ago(2)))),
        ("convicted", replace(known, proceedings=convicted)),
        ("in custody", replace(known, proceedings=replace(convicted, custodial=True))),
        ("grouped", replace(known, mopi=mopi)),
    ]


@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize("corrected", [False, True])
def test_what_was_shown_before_saving_is_what_happens(case, detective, number, corrected):
    long_ago = clock.now() - 90 * DAY
    recordings = [
        factories.recording(detective),
        factories.recording(detective),
        factories.recording(detective, started_at=long_ago, received_at=long_ago),
    ]
    for recording in recordings:
        services.add_recording(case, recording, actor=detective, reason="Shows it")
    retention_services.place_hold(recordings[1], Hold.Kind.COMPLAINT, "Complaint 7", "", "person:900")
    subject = services.add_subject(case, "unknown", actor=detective)
    closed(case)
    if corrected:
        happened(subject, Stage.CONVICTED, ago(1))
    _, after = _changes(subject)[number]
    effect = queries.effect_of_knowing(subject, after)
    before = [due(recording) for recording in recordings]
    services.record_known(subject, after, actor=detective, reason="As the court says")
    moved = [recording for recording, was in zip(recordings, before, strict=True) if due(recording) != was]
    assert effect.recordings == 3
    assert effect.unchanged == 3 - len(moved)
    said = sorted(line.after for line in effect.lines for _ in range(line.recordings))
    assert said == sorted(
        "Kept without an end date" if one is None else f"Gone by {calendar.on(one.astimezone(rules.LONDON).date())}"
        for one in map(due, moved)
    )
    assert effect.waiting == Shortening.objects.count()
    assert effect.review == sum(recording.review_until is not None for recording in recordings)


def test_a_review_that_lets_go_what_time_would_keep_waits_for_a_second_person_too(case, recording, subject):
    happened(subject, Stage.NO_FURTHER_ACTION, ago(0))
    closed(case)
    grouped(subject, MopiGroup.OTHER)
    promised = due(recording)
    effect = queries.effect_of_knowing(subject, with_review(subject.known, MopiReview(today(), keep=False)))
    assert (effect.lines, effect.waiting) == ((), 1)
    other = factories.person(Role.INVESTIGATOR)
    services.review_group(subject, keep=False, following=None, reason="No risk", actor=other)
    assert due(recording) == promised
    assert Shortening.objects.get().edited_by == other.custody_id


def test_closing_shows_what_it_does(case, recording, detective):
    effect = queries.effect_of_closing(case)
    (line,) = effect.lines
    assert (line.recordings, line.before, line.shorter) == (1, "Kept without an end date", True)
    services.add_subject(case, "unknown", actor=detective)
    assert (queries.effect_of_closing(case).lines, queries.effect_of_closing(case).unchanged) == ((), 1)
