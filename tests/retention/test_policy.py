"""The policy in versions: proposed, approved, in force from its date; and what no edit can do to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction

from bluelamp.custody import queries as custody
from bluelamp.footage import services as footage
from bluelamp.footage.models import Category, Recording
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Conflict, Invalid, NotAllowed
from bluelamp.people.policy import Role
from bluelamp.retention import queries, services
from bluelamp.retention.models import PolicyVersion, RetentionPolicy, Shortening
from bluelamp.retention.terms import Terms, changes
from tests import factories

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
AUTHOR, SECOND = "person:9001", "person:9002"


def terms(**other: object) -> Terms:
    return replace(Terms.from_json(queries.latest_version().terms), **other)


def keeping(**days: int | None) -> Terms:
    now = terms()
    return replace(now, keep={**now.keep, **days})


def made(new: Terms, *, after: timedelta = timedelta(), second: str = SECOND) -> PolicyVersion:
    proposal = services.propose_policy(new, effective_at=clock.now() + after, reason="Agreed", actor=AUTHOR)
    return services.approve_policy(proposal.pk, reason="Right", actor=second)


def cooled(version: PolicyVersion) -> datetime:
    """Before when nothing goes by it, counted from when it was put in force."""
    (line,) = [line for line in queries.versions() if line.version == version]
    assert line.not_before is not None
    return line.not_before


@pytest.fixture
def officer():
    return factories.person(Role.OFFICER, unit=factories.unit())


def decided(recording: Recording) -> Recording:
    services.recompute(recording)
    recording.refresh_from_db()
    return recording


def of_age(officer, days: float, **more: object) -> Recording:
    started = clock.now() - timedelta(days=days)
    return decided(
        factories.recording(
            officer, started_at=started, received_at=started + timedelta(hours=8), due_at=None, due_rule="", **more
        )
    )


@pytest.mark.parametrize(
    "change",
    [
        {"default_days": 30},
        {"quarantine_days": 2},
        {"review_grace_days": 6},
        {"margin_minutes": 16},
        {"cooling_days": 6},
        {"mopi_other_years": 5},
        {"default_days": 30, "version": 2},
        {"version": 0},
    ],
)
def test_an_edit_that_shortens_is_refused_by_the_database(change):
    with pytest.raises(ProgrammingError, match="not shortened by editing"), transaction.atomic():
        RetentionPolicy.objects.update(**change)


def test_the_policy_cannot_be_deleted():
    with pytest.raises(ProgrammingError, match="not shortened by editing"), transaction.atomic():
        RetentionPolicy.objects.all().delete()


@pytest.mark.parametrize("change", [{"quarantine_days": 31}, {"quarantine_days": 7}, {"default_days": 3}])
def test_quarantine_ends_inside_the_limit_and_leaves_time_for_review(change):
    with pytest.raises((IntegrityError, ProgrammingError)), transaction.atomic():
        RetentionPolicy.objects.update(**change)


def test_a_longer_default_is_allowed_and_read_at_once():
    RetentionPolicy.objects.update(default_days=40)
    assert queries.policy().default.days == 40


@pytest.mark.parametrize("change", [{"keep_days": 10}, {"special_days": 28}, {"code": "something_else"}])
def test_a_category_is_not_shortened_by_editing_it(change):
    with pytest.raises(ProgrammingError, match="not shortened by editing a category"), transaction.atomic():
        Category.objects.filter(code="arrest").update(**change)


def test_a_category_may_be_renamed_and_lengthened():
    Category.objects.filter(code="traffic").update(name="Roads", keep_days=3000)
    Category.objects.filter(code="traffic").update(keep_days=None)


@pytest.mark.parametrize("statement", ["UPDATE {} SET reason = 'x'", "DELETE FROM {}", "TRUNCATE {}"])
def test_a_version_is_never_changed(statement):
    with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format("retention_policy_version"))


@pytest.mark.parametrize(
    "forged",
    [
        {},
        {"approved_by": ""},
        {"approved_by": AUTHOR},
        {"not_before": None},
        {"number": 7},
        {"event": 0},
    ],
)
def test_a_version_that_shortens_needs_a_second_person_a_cooling_period_and_the_ledger(forged):
    real = made(terms(default_days=35))
    now = clock.now()
    given = {
        "number": 3,
        "terms": terms(default_days=20).to_json(),
        "effective_at": now,
        "reason": "Forged",
        "proposed_by": AUTHOR,
        "proposed_at": now,
        "approved_by": SECOND,
        "approved_at": now,
        "shortens": True,
        "not_before": now + 7 * DAY,
        "event": real.event,
        **forged,
    }
    if not forged:  # the event is of another version, and was decided by its author alone
        given["approved_by"] = "person:9009"
    with pytest.raises(ProgrammingError), transaction.atomic():
        PolicyVersion.objects.create(**given)


def test_what_differs_is_told_in_words_and_says_what_shortens():
    names = queries.category_names()
    before = terms()
    after = replace(
        before,
        default_days=28,
        quarantine_days=4,
        longest_extension_days=10,
        keep={**before.keep, "arrest": 365, "traffic": None},
        special={"training": 20, "none": 40},
    )
    told = [(change.what, change.before, change.after, change.shortens) for change in changes(before, after, names)]
    assert told == [
        ("Default", "31 days", "28 days", True),
        ("Quarantine", "3 days", "4 days", False),
        ("Longest extension", "2,557 days", "10 days", False),
        ("No policing purpose, in place of the default", "The default", "40 days", False),
        ("Training or test, in place of the default", "The default", "20 days", True),
        ("Arrest", "Until somebody decides", "1 year from recording", True),
        ("Traffic offence", "6 years from recording", "Until somebody decides", False),
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"quarantine_days": 7},
        {"quarantine_days": 0},
        {"default_days": 3},
        {"cooling_days": 3},
        {"cooling_days": 32},
        {"margin_minutes": 1},
        {"special": {"training": 3}},
        {"mopi_other_years": 0},
        {},
    ],
)
def test_what_cannot_be_a_policy_or_changes_nothing_is_not_proposed(wrong):
    with pytest.raises(Invalid):
        services.propose_policy(terms(**wrong), effective_at=clock.now(), reason="Why", actor=AUTHOR)


def test_a_proposal_needs_a_reason_and_a_date_within_a_year():
    with pytest.raises(Invalid):
        services.propose_policy(terms(default_days=40), effective_at=clock.now(), reason=" ", actor=AUTHOR)
    with pytest.raises(Invalid, match="more than a year"):
        services.propose_policy(
            terms(default_days=40), effective_at=clock.now() + 400 * DAY, reason="Why", actor=AUTHOR
        )


def test_its_author_confirms_what_lengthens_and_it_is_in_force_at_once(officer):
    recording = of_age(officer, 2)
    made(terms(default_days=40), second=AUTHOR)
    assert queries.policy().default.days == 31
    assert services.carry_out_policy() == 1
    recording.refresh_from_db()
    assert recording.due_at == recording.started_at + 40 * DAY
    assert (queries.policy().default.days, queries.policy().version) == (40, 2)
    assert custody.count("policy.in_force") == 1
    assert not Shortening.objects.exists()


def test_its_author_cannot_approve_what_shortens():
    proposal = services.propose_policy(terms(default_days=28), effective_at=clock.now(), reason="Why", actor=AUTHOR)
    with pytest.raises(NotAllowed, match="You proposed this change yourself"):
        services.approve_policy(proposal.pk, reason="Right", actor=AUTHOR)
    with pytest.raises(Invalid):
        services.approve_policy(proposal.pk, reason="", actor=SECOND)
    assert PolicyVersion.objects.count() == 1


def test_a_proposal_is_decided_once_and_not_after_another_version():
    first, stale = (
        services.propose_policy(terms(default_days=days), effective_at=clock.now(), reason="Why", actor=AUTHOR)
        for days in (40, 20)
    )
    services.approve_policy(first.pk, reason="", actor=AUTHOR)
    with pytest.raises(Conflict, match="decided already"):
        services.approve_policy(first.pk, reason="Again", actor=SECOND)
    with pytest.raises(Conflict, match="Version 2 has been made since"):
        services.approve_policy(stale.pk, reason="Right", actor=SECOND)
    services.refuse_policy(stale.pk, reason="Stale", actor=SECOND)
    with pytest.raises(Conflict, match="decided already"):
        services.refuse_policy(stale.pk, reason="Stale", actor=SECOND)
    assert [tag for tag in ("policy.proposed", "policy.version_made", "policy.refused") if custody.count(tag)] == [
        "policy.proposed",
        "policy.version_made",
        "policy.refused",
    ]


def test_a_version_takes_effect_at_its_date_and_nothing_goes_before_the_cooling_period_is_over(officer):
    old, young = of_age(officer, 20), of_age(officer, 0.2)
    version = made(terms(default_days=10, cooling_days=7), after=2 * DAY)
    assert services.carry_out_policy() == 0
    clock.advance(2 * DAY)
    services.carry_out_policy()
    for recording in (old, young):
        recording.refresh_from_db()
    # The old one goes when the cooling is over, not at once, and not later than it would have gone.
    assert version.not_before == version.effective_at + 7 * DAY
    assert old.due_at == cooled(version)
    assert cooled(version) - version.not_before < timedelta(minutes=1)
    assert old.due_rule == "cooling:v2"
    assert young.due_at == young.started_at + 10 * DAY
    assert not Shortening.objects.exists()
    assert services.sweep() == services.SweepResult()
    clock.advance(4 * DAY)
    assert services.sweep().quarantined == 1
    clock.advance(3 * DAY)
    assert services.sweep().deleted == 1


def past_limit() -> int:
    """How many recordings the oversight page finds beyond their limit."""
    from bluelamp.oversight.queries import sql

    with connection.cursor() as cursor:
        cursor.execute(sql.UNRESERVED.sql, {"now": clock.now()})
        return dict(zip([column[0] for column in cursor.description], cursor.fetchone(), strict=True))["past_limit"]


def test_what_cools_is_not_late_in_the_figures_of_oversight_and_what_is_late_still_is(officer):
    of_age(officer, 20)
    flagged = of_age(officer, 200)
    footage.flag(flagged, category=Category.objects.get(code="traffic"), reason="Speeding", by=officer)
    training = of_age(officer, 20, category=Category.objects.get(code="training"))
    version = made(replace(keeping(traffic=40), default_days=10, special={"training": 9}))
    services.carry_out_policy()
    assert past_limit() == 0
    assert not queries.shortenings().exists()
    clock.advance(cooled(version) - clock.now() + timedelta(minutes=1))
    assert past_limit() == 3
    training.refresh_from_db()
    assert training.due_at <= cooled(version)


def test_an_edit_held_back_is_a_reason_in_the_figures_of_oversight(officer):
    recording = of_age(officer, 400)
    for code in ("traffic", "stop_search"):
        footage.flag(recording, category=Category.objects.get(code=code), reason="Evidence", by=officer)
    assert queries.shortenings().count() == 1
    assert past_limit() == 0


def test_what_goes_soon_anyway_goes_at_its_former_date_in_spite_of_the_cooling_period(officer):
    recording = of_age(officer, 26)
    former = queries.decision(recording).delete_at
    made(terms(default_days=20))
    services.carry_out_policy()
    recording.refresh_from_db()
    assert recording.due_at == former


def test_two_versions_that_shorten_do_not_shorten_each_others_cooling(officer):
    recording = of_age(officer, 1)
    first = made(keeping(traffic=400))
    footage.flag(recording, category=Category.objects.get(code="traffic"), reason="Speeding", by=officer)
    services.carry_out_policy()
    clock.advance(3 * DAY)
    second = made(terms(default_days=9, cooling_days=8))
    services.carry_out_policy()
    plain = of_age(officer, 15)
    assert plain.due_at == cooled(second)
    assert cooled(first) < cooled(second)
    recording.refresh_from_db()
    assert recording.due_at == recording.started_at + 403 * DAY


def test_the_former_promise_of_a_category_is_cooled_for_the_other_files_of_the_incident_too(officer):
    incident = factories.recording(officer).incident
    assert incident is None
    from bluelamp.footage.models import Incident

    together = Incident.objects.create()
    flagged, other = of_age(officer, 50, incident=together), of_age(officer, 50, incident=together)
    footage.flag(flagged, category=Category.objects.get(code="traffic"), reason="Speeding", by=officer)
    version = made(keeping(traffic=40))
    services.carry_out_policy()
    for recording in (flagged, other):
        recording.refresh_from_db()
        assert recording.due_at == cooled(version)


def test_an_edit_during_the_cooling_period_is_held_back_all_the_same(officer):
    recording = of_age(officer, 20)
    made(terms(default_days=10))
    services.carry_out_policy()
    recording.refresh_from_db()
    before = recording.due_at
    Recording.objects.filter(pk=recording.pk).update(started_at=recording.started_at - 9 * DAY)
    services.recompute(recording, edited_by="person:9005")
    recording.refresh_from_db()
    assert recording.due_at == before
    assert Shortening.objects.get().edited_by == "person:9005"


def test_a_recomputation_that_was_interrupted_goes_on(officer):
    recordings = [of_age(officer, 2) for _ in range(3)]
    made(terms(default_days=40), second=AUTHOR)
    services.carry_out_policy()
    RetentionPolicy.objects.update(recomputing_after=sorted(each.pk for each in recordings)[0])
    assert services.carry_out_policy(0) == 0
    Recording.objects.update(due_at=clock.now() + 5 * DAY)
    assert services.carry_out_policy() == 2
    assert RetentionPolicy.objects.get().recomputing_after is None


def test_a_special_period_takes_the_place_of_the_default_for_its_category(officer):
    training = of_age(officer, 1, category=Category.objects.get(code="training"))
    plain = of_age(officer, 1)
    made(terms(special={"training": 28}))
    services.carry_out_policy()
    for recording in (training, plain):
        recording.refresh_from_db()
    assert training.due_at == training.started_at + 28 * DAY
    assert plain.due_at == plain.started_at + 31 * DAY
    assert "Training or test".lower() in queries.decision(training).sentence.lower()
