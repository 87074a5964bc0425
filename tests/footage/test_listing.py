"""Finding footage: what is found, by which words, and never what one may not know of."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluelamp.footage import queries, search, services
from bluelamp.footage.filters import Filters, Position, address, instant
from bluelamp.footage.models import Category, Recording
from bluelamp.kernel import clock
from bluelamp.kernel.hooks import Hook
from bluelamp.people import access
from bluelamp.people.policy import Action, Role, may
from tests import factories
from tests.footage.conftest import prepared


def _ids(person, size=50, **filters):
    return [row.recording.pk for row in queries.page(access.actor(person), Filters(**filters), size).rows]


@pytest.fixture
def found(officer):
    """Adds a recording of Ada's and brings its words up to date."""

    def make(wearer=officer, **more):
        made = factories.recording(wearer, camera=factories.camera(wearer.unit), **more)
        search.index(made)
        return made

    return make


# Words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("CAD 1234/22NOV26", ["1234", "123422nov26", "22nov26", "cad"]),
        ("O'Neill-Smith", ["neill", "o", "oneillsmith", "smith"]),
        ("  ", []),
        ("12e3 01MP/1234/26", ["01mp", "01mp123426", "1234", "12e3", "26"]),
    ],
)
def test_words_are_kept_whole_and_in_parts(text, words):
    assert search.lexemes(text) == words


@given(st.text(max_size=200))
def test_any_text_makes_a_query_whose_words_cannot_break_out(text):
    made = search.condition(text)
    if made is not None:
        assert all(set(value) <= set("'&|:*() ") or value.replace("'", "").strip() for value in made[1])
        assert made[0].count("%s") == len(made[1])


@pytest.mark.django_db
@pytest.mark.parametrize(
    "text",
    ["'", "a' | 'b", "\\", "':*", "!!!", "a & b", "((", "%s", "\x7f", "ω ß İ", "x" * 3000, "a " * 200, "'; DROP"],
)
def test_hostile_words_are_just_words(officer, found, text):
    found()
    _ids(officer, text=text)


@pytest.mark.django_db
def test_a_recording_is_found_by_whatever_is_known_of_it(officer, found):
    recording = found(place="Market Square")
    found(place="Elsewhere")
    services.add_reference(recording, kind="crime", value="01MP/1234/26", by=officer)
    services.add_note(recording, text="The suspect was running towards the station", by=officer)
    services.flag(recording, category=Category.objects.get(code="arrest"), reason="Shoplifting at Marks", by=officer)
    for text in (
        "market",
        "MARKET square",
        "01mp/1234/26",
        "01MP123426",
        "1234/26",
        "runs",
        "shoplift",
        recording.camera.serial,
        "arrest mark",
        "okafor market",
    ):
        assert _ids(officer, text=text) == [recording.pk], text
    for text in ("market elsewhere", "01mp/77777", "burglary"):
        assert _ids(officer, text=text) == [], text


# What one may see


@pytest.mark.django_db
def test_the_list_shows_exactly_what_the_policy_lets_one_see_the_facts_of(
    station, elsewhere, found, monkeypatch, officer, stranger
):
    from bluelamp.footage import hooks

    below = factories.unit(parent=station)
    people = [officer, stranger, factories.person(Role.OFFICER, unit=below), factories.person(Role.OFFICER)]
    recordings = [found(wearer) for wearer in people[:3]]
    unknown = factories.recording(stranger)
    Recording.objects.filter(pk=unknown.pk).update(wearer=None, unit=None)
    recordings.append(Recording.objects.get(pk=unknown.pk))
    added = factories.recording(stranger)
    Recording.objects.filter(pk=added.pk).update(wearer=None, unit=None, added_by=people[3])
    recordings.append(Recording.objects.get(pk=added.pk))
    member = people[3]
    of_case = Hook("test")
    of_case.register(lambda person_id: [recordings[1].pk] if person_id == member.pk else [])
    members = Hook("test")
    members.register(lambda recording: {member.pk} if recording.pk == recordings[1].pk else set())
    monkeypatch.setattr(hooks, "recordings_of_member", of_case)
    monkeypatch.setattr(hooks, "members", members)
    askers = [*people]
    for role in Role:
        askers += [
            factories.person(role, unit=station),
            factories.person(role, unit=station.parent),
            factories.person(role),
        ]
    for asker in askers:
        actor = access.actor(asker)
        allowed = {item.pk for item in recordings if may(actor, Action.VIEW_FACTS, queries.thing(item)).allowed}
        listed = set(_ids(asker))
        assert listed == allowed, (asker.roles, asker.unit)
        assert queries.page(actor, Filters()).count == len(allowed)


@pytest.mark.django_db
def test_a_picture_stands_only_where_no_reason_is_due(officer, colleague, manager):
    recording = prepared(officer)

    def shows(person):
        (row,) = queries.page(access.actor(person), Filters()).rows
        return row.shows_poster

    assert shows(officer)
    assert not shows(colleague)
    assert not shows(manager)
    services.lock(recording, reason="Death", by=officer)
    assert not shows(officer)
    services.unlock(recording, reason="Over", by=officer)
    services.mark_quarantined(recording)
    assert not shows(officer)


# Filters


@pytest.mark.django_db
def test_each_filter_narrows_the_list(officer, colleague, station, found):
    now = clock.now()
    old = found(started_at=now - timedelta(days=3), events=[{"kind": "mute", "at": "x", "note": ""}])
    new = found(colleague, started_at=now - timedelta(hours=1))
    arrest = Category.objects.get(code="arrest")
    services.flag(old, category=arrest, reason="Evidence", by=officer, reference=("cad", "77_%/26"))
    services.lock(new, reason="Death", by=officer)
    cases = [
        ({"officer": "okafor"}, [old]),
        ({"officer": "ada okaf"}, [old]),
        ({"officer": officer.warrant_number.lower()}, [old]),
        ({"officer": "%"}, []),
        ({"officer": "o_afor"}, []),
        ({"unit": station.pk}, [new, old]),
        ({"unit": station.parent_id}, [new, old]),
        ({"unit": factories.unit().pk}, []),
        ({"since": now - timedelta(days=1)}, [new]),
        ({"until": now - timedelta(days=1)}, [old]),
        ({"category": arrest.pk}, [old]),
        ({"flagged": True}, [old]),
        ({"flagged": False}, [new]),
        ({"locked": True}, [new]),
        ({"event": "mute"}, [old]),
        ({"event": "stealth"}, []),
        ({"reference": "77_%"}, [old]),
        ({"reference": "77 %"}, []),
        ({"reference": "7%"}, []),
        ({"state": "quarantined"}, []),
    ]
    for filters, expected in cases:
        assert _ids(officer, **filters) == [item.pk for item in expected], filters
    services.mark_deleted(old)
    assert _ids(officer) == [new.pk]
    assert _ids(officer, state="deleted") == [old.pk]


@pytest.mark.django_db
def test_pages_follow_each_other_without_gap_or_repeat_both_ways(officer, found):
    at = clock.now()
    made = [found(started_at=at - timedelta(minutes=minute // 2)) for minute in range(7)]
    expected = [r.pk for r in sorted(made, key=lambda r: (r.started_at, r.pk), reverse=True)]
    actor = access.actor(officer)
    seen, filters, pages = [], Filters(), []
    while True:
        page = queries.page(actor, filters, 3)
        pages.append([row.recording.pk for row in page.rows])
        seen += pages[-1]
        if page.earlier is None:
            break
        found(started_at=at + timedelta(minutes=1))  # what arrives in the meantime moves nothing
        filters = Filters(older_than=page.earlier)
    assert seen == expected
    back = queries.page(actor, Filters(newer_than=page.later), 3)
    assert [row.recording.pk for row in back.rows] == pages[-2]
    assert queries.page(actor, Filters(), 3).later is None


@given(st.text(max_size=80))
def test_a_damaged_position_is_none(text):
    position = Position.parse(text)
    assert position is None or Position.parse(str(position)) == position


def test_a_position_survives_the_address():
    from urllib.parse import parse_qs

    from bluelamp.kernel.ids import new_id

    position = Position(datetime(2026, 11, 22, 7, 19, 30, 123456, UTC), new_id())
    query = address({"q": "a b"}, before=position)
    assert Position.parse(parse_qs(query[1:])["before"][0]) == position
    assert parse_qs(address({"q": "a", "state": "x"}, q=None)[1:]) == {"state": ["x"]}


def test_days_are_londons():
    summer, winter = date(2026, 7, 1), date(2026, 12, 1)
    assert instant(summer, None, end=False) == datetime(2026, 6, 30, 23, tzinfo=UTC)
    assert instant(summer, None, end=True) == datetime(2026, 7, 1, 23, tzinfo=UTC)
    assert instant(winter, time(7, 19), end=False) == datetime(2026, 12, 1, 7, 19, tzinfo=UTC)
    assert instant(winter, time(7, 19), end=True) == datetime(2026, 12, 1, 7, 20, tzinfo=UTC)


def test_the_hour_that_autumn_repeats_is_searched_whole():
    changing = date(2026, 10, 25)
    assert instant(changing, time(1, 30), end=False) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert instant(changing, time(1, 30), end=True) == datetime(2026, 10, 25, 1, 31, tzinfo=UTC)


@pytest.mark.parametrize("given", [{"until": "9999-12-31"}, {"since": "0001-01-01"}, {"until": "1066-10-14"}])
def test_days_at_the_ends_of_the_calendar_are_explained(sign_in, officer, given):
    response = sign_in(officer).get("/footage/", given)
    assert response.status_code == 422
    assert "Enter a day" in response.content.decode()


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_a_place_in_the_list_at_the_ends_of_the_calendar_shows_the_first_page(sign_in, officer, at):
    position = f"{at}~00000000-0000-0000-0000-000000000000"
    assert sign_in(officer).get("/footage/", {"before": position}).status_code == 200
    assert Position.parse(position) is None
