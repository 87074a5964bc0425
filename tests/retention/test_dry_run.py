"""What a change of the policy would do, said beforehand; and what it does, whatever versions follow each other."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bluelamp.footage import services as footage
from bluelamp.footage.models import Category, Incident, Recording
from bluelamp.kernel import clock
from bluelamp.people import access
from bluelamp.people.policy import Role
from bluelamp.retention import hooks, queries, services
from bluelamp.retention.models import Extension, Hold
from bluelamp.retention.terms import changes
from tests import factories
from tests.retention.test_policy import AUTHOR, DAY, SECOND, decided, keeping, made, of_age, terms

pytestmark = pytest.mark.django_db


@pytest.fixture
def officer():
    return factories.person(Role.OFFICER, unit=factories.unit())


def test_a_dry_run_of_the_policy_as_it_stands_finds_nothing(officer):
    of_age(officer, 3)
    dry = queries.dry_run(terms(), not_before=None)
    assert (dry.earlier, dry.later, dry.bytes) == (0, 0, 0)
    assert sum(bucket.today for bucket in dry.months) == 1


def test_a_dry_run_leaves_an_edit_of_a_limit_where_it_is_held_back(officer):
    made(terms(special={"training": 20}))
    services.carry_out_policy()
    recording = of_age(officer, 1)
    footage.categorise(recording, category=Category.objects.get(code="training"), by=officer)
    assert queries.shortenings(cause="category").count() == 1
    dry = queries.dry_run(terms(), not_before=None)
    assert (dry.earlier, dry.later) == (0, 0)


@pytest.fixture
def whole_store(officer):
    """Recordings under every rule, alone and together, with both changes of the clocks in their time."""
    clock.advance(datetime(2027, 3, 1, 12, tzinfo=UTC) - clock.now() if clock.now().year < 2027 else timedelta())
    detective = factories.person(Role.INVESTIGATOR)
    categories = {code: Category.objects.get(code=code) for code in ("traffic", "arrest", "stop_search", "training")}

    def flagged(recording, code):
        footage.flag(recording, category=categories[code], reason="Evidence", by=detective)
        return recording

    made_ = [of_age(officer, days) for days in (0.1, 5, 20, 27.5, 29, 30.9)]
    made_ += [
        flagged(of_age(officer, days), code) for days in (2, 200, 363) for code in categories if code != "training"
    ]
    made_ += [of_age(officer, 3, category=categories["training"])]
    late = factories.recording(officer, started_at=clock.now() - 40 * DAY, due_rule="", due_at=None)
    made_ += [decided(late)]
    held = of_age(officer, 10)
    services.place_hold(held, Hold.Kind.COMPLAINT, "Complaint", "", "person:9007")
    extended = of_age(officer, 10)
    Extension.objects.create(
        recording=extended, until=clock.now() + 50 * DAY, reason="x", made_by="person:9007", made_at=clock.now()
    )
    made_ += [held, decided(extended)]
    for code in ("traffic", "arrest"):
        together = Incident.objects.create()
        made_ += [flagged(of_age(officer, 40, incident=together), code), of_age(officer, 12, incident=together)]
    shorter = flagged(of_age(officer, 6), "traffic")
    made_ += [flagged(shorter, "stop_search")]
    for each in made_:
        services.recompute(each)
    return made_


@pytest.mark.parametrize(
    "change",
    [
        {"default_days": 28},
        {"default_days": 60},
        {"default_days": 10, "quarantine_days": 2, "cooling_days": 4},
        {"review_grace_days": 30},
        {"quarantine_days": 5},
        {"special": {"training": 20}, "default_days": 29},
        {"keep": {"traffic": 100, "arrest": 700, "stop_search": None}},
        {"keep": {"traffic": 100, "arrest": 300}, "default_days": 14},
    ],
    ids=str,
)
def test_the_dry_run_says_what_the_rules_say_once_the_version_is_in_force(whole_store, change):
    now = terms()
    new = replace(now, **{**change, "keep": {**now.keep, **change.get("keep", {})}})
    before = {each.pk: Recording.objects.get(pk=each.pk).due_at for each in whole_store}
    proposal = services.propose_policy(new, effective_at=clock.now(), reason="Try", actor=AUTHOR)
    dry = queries.dry_run(new, not_before=queries.not_before(proposal, clock.now()))
    services.approve_policy(proposal.pk, reason="Right", actor=SECOND)
    services.carry_out_policy()
    after = {each.pk: Recording.objects.get(pk=each.pk).due_at for each in whole_store}

    def later(one, other):
        return other is not None and (one is None or one > other)

    # A margin: what goes at its former date all the same begins to go then, and the stored date says so.
    slack = timedelta(minutes=15)
    earlier = [pk for pk in after if later(before[pk], after[pk] and after[pk] + slack)]
    assert dry.earlier == len(earlier)
    assert dry.later == len([pk for pk in after if later(after[pk], before[pk])])
    assert dry.bytes == sum(Recording.objects.filter(pk__in=earlier).values_list("size", flat=True))
    assert not dry.rough


def test_a_room_with_reasons_says_to_which_recordings_they_may_be_attached():
    assert len(hooks.attached_to.call()) == len(hooks.attached_reasons._functions)


def test_what_another_room_keeps_is_decided_by_the_rules(officer):
    from tests.oversight import story

    recording = of_age(officer, 20)
    share = story.shared(recording, days=60)
    footage.release_flag(recording, reason="Not needed", by=factories.person(Role.BWV_MANAGER))
    from bluelamp.cases import services as cases

    cases.close_case(share.case, actor=share.case.opened_by, outcome="Done")
    recording.refresh_from_db()
    services.recompute(recording)
    dry = queries.dry_run(terms(default_days=10), not_before=None)
    assert dry.earlier == 0


def test_the_dry_run_warns_of_what_goes_soon_is_flagged_or_has_no_date_now(officer):
    of_age(officer, 12)
    arrest = of_age(officer, 100)
    footage.flag(arrest, category=Category.objects.get(code="arrest"), reason="Arrest", by=officer)
    new = replace(keeping(arrest=31), default_days=10)
    reader = factories.person(Role.BWV_MANAGER)
    dry = queries.dry_run(new, not_before=clock.now() + 7 * DAY)
    assert (dry.earlier, dry.soon, dry.flagged, dry.endless) == (2, 2, 1, 1)
    assert {each.recording for each in queries.sampled(dry, access.actor(reader))} == set(Recording.objects.all())
    assert queries.DryRun.from_json(json.loads(json.dumps(dry.to_json()))) == dry
    stranger = access.actor(factories.person(Role.OFFICER, unit=factories.unit()))
    assert queries.sampled(dry, stranger) == []


_STEPS = (
    {"default_days": 20},
    {"default_days": 45, "quarantine_days": 5},
    {"default_days": 12, "keep": {"traffic": 60}},
    {"special": {"training": 9}},
    {"keep": {"arrest": 90, "traffic": None}},
    {"default_days": 31, "quarantine_days": 3, "special": {}},
    {"cooling_days": 10, "review_grace_days": 9},
    {"default_days": 11, "keep": {"arrest": 20, "traffic": 30}},
)


@pytest.mark.parametrize(
    "order", [(0, 2, 5), (2, 1, 7), (4, 0, 7), (1, 5, 3), (6, 2, 0), (3, 4, 5), (7, 2, 1), (2, 7, 3)]
)
@pytest.mark.parametrize("hours", [5, 70, 200])
def test_whatever_versions_follow_each_other_nothing_goes_before_its_cooling_nor_stays_beyond_its_former_date(
    whole_store, order, hours
):
    # What goes at its former date begins to go then, a margin before.
    slack = timedelta(minutes=15)
    for step in order:
        now = terms()
        change = _STEPS[step]
        new = replace(now, **{**change, "keep": {**now.keep, **change.get("keep", {})}})
        if not changes(now, new, queries.category_names()):
            continue
        before = {each.pk: each.due_at for each in Recording.objects.exclude(state=Recording.State.DELETED)}
        version = made(new)
        services.carry_out_policy()
        raw = queries.decisions_under(list(Recording.objects.filter(pk__in=before)), new)
        for recording in Recording.objects.filter(pk__in=before):
            due, was, alone = recording.due_at, before[recording.pk], raw[recording.pk].due_at
            if due is None:
                assert alone is None
                continue
            never = datetime.max.replace(tzinfo=UTC)
            if due < (was or never):
                assert version.shortens
                assert due >= min(was or never, version.not_before) - slack
            assert due <= max(was or never, alone or never)
        assert not [each for each in queries.shortenings() if each.cause != "flag"]
        clock.advance(timedelta(hours=hours))
        services.sweep()
