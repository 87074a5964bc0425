"""How a person reads the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from django.test import RequestFactory

from bluelamp import custody
from bluelamp.custody import Event, Operation, words
from bluelamp.custody.queries import HistoryItem
from bluelamp.web import slots


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class LampLit(Event):
    """Somebody lit the `lamp`; it burns until dawn. It is blue.

    More that only programmers read.
    """

    tag = "lamp.lit"
    operation = Operation.ALTERATION
    keeper: str = ""
    watch: str = ""


@pytest.fixture(autouse=True)
def _words_of_our_own(monkeypatch):
    monkeypatch.setattr(words, "_phrases", {})
    monkeypatch.setattr(words, "_resolvers", {})


def item(tag="lamp.lit", **more):
    given = {
        "id": 7,
        "at": datetime(2026, 7, 1, 6, 19, 5, tzinfo=UTC),
        "tag": tag,
        "operation": "alteration",
        "actor": "keeper:3",
        "subject": "lamp:1",
        "also": (),
        "reason": "",
        "details": {},
        "leaf": None,
    }
    return HistoryItem(**{**given, **more})


def panel(items, title="History"):
    request = RequestFactory().get("/")
    request.csp_nonce = "n"
    return words.history_panel(request, items=items, title=title)


def test_an_event_is_described_by_the_first_sentence_of_its_type():
    assert words.describe(item()) == "Somebody lit the lamp; it burns until dawn."


def test_a_room_may_say_it_better():
    words.register("lamp.lit", lambda event: f"Lit by {event.details['keeper']}.")
    assert words.describe(item(details={"keeper": "Ada"})) == "Lit by Ada."


def test_one_sentence_may_stand_for_a_type_whatever_its_event_holds():
    words.sentences({"lamp.lit": "Lit", "lamp.out": "Put out."})
    assert words.describe(item()) == "Lit."
    assert words.describe(item("lamp.out", details={"keeper": "Ada"})) == "Put out."


def test_an_event_of_an_unknown_type_is_described_by_its_tag():
    assert words.describe(item("lamp.blown_out")) == "Lamp: blown out."


def test_every_registered_type_describes_itself_in_one_plain_sentence():
    for tag in custody.registered_types():
        said = words.describe(item(tag))
        assert said.endswith("."), tag
        assert said[0].isupper(), tag
        assert "`" not in said, tag
        assert len(said) < 160, tag


def test_ids_are_named_with_one_question_a_kind():
    asked = []

    def keepers(ids):
        asked.append(ids)
        return {"keeper:1": "Ada", "keeper:2": "Ben"}

    words.resolver("keeper", keepers)
    assert words.names(["keeper:1", "keeper:2", "keeper:9", "lamp:1"]) == {
        "keeper:1": "Ada",
        "keeper:2": "Ben",
        "keeper:9": "keeper:9",
        "lamp:1": "lamp:1",
    }
    assert asked == [{"keeper:1", "keeper:2", "keeper:9"}]
    assert words.name("keeper:2") == "Ben"


def test_a_page_of_events_asks_once_for_all_names_in_them():
    asked = []

    def keepers(ids):
        asked.append(ids)
        return {custody_id: custody_id.upper() for custody_id in ids}

    words.resolver("keeper", keepers)
    told = words.tell(
        item(id=number, actor=f"keeper:{number}", also=("keeper:90",), details={"relief": "keeper:91", "keeper": 92})
        for number in range(50)
    )
    assert len(asked) == 1
    assert told[3].who == "KEEPER:3"
    assert told[3].also == ("KEEPER:90",)
    assert dict(told[3].facts) == {"Relief": "KEEPER:91", "Keeper": "KEEPER:92"}


def test_a_resolver_cannot_rename_what_it_was_not_asked_about():
    words.resolver("keeper", lambda ids: {"lamp:1": "Forged"})
    assert words.names(["keeper:1", "lamp:1"])["lamp:1"] == "lamp:1"


@pytest.mark.parametrize(
    ("custody_id", "name"),
    [
        ("public", "Somebody not signed in"),
        ("system:retention", "Bluelamp (retention)"),
        ("system:command-line", "Bluelamp (command line)"),
        ("system:bluelamp", "Bluelamp"),
        ("", "Nobody named"),
    ],
)
def test_those_who_are_nobody_have_names_too(custody_id, name):
    assert words.name(custody_id) == name


def test_details_read_as_words():
    facts = dict(
        words.tell(
            [
                item(
                    details={
                        "size": 1234567,
                        "from_ms": 1500,
                        "final": True,
                        "why": None,
                        "roles": ["officer", "supervisor"],
                        "changes": {"unit": ["A", "B"]},
                        "nothing": {},
                        "until": "2026-12-24T23:30:00Z",
                        "text_sha256": "ab",
                        "zero": 0,
                    }
                )
            ]
        )[0].facts
    )
    assert facts["Size"] == "1,234,567"
    assert facts["From"] == "1.500 s"
    assert facts["Final"] == "yes"
    assert facts["Why"] == "none"
    assert facts["Roles"] == "officer, supervisor"
    assert facts["Changes"] == "Unit: A, B"
    assert facts["Nothing"] == "none"
    assert "24 Dec 2026, 23:30" in facts["Until"]
    assert facts["Text SHA-256"] == "ab"
    assert facts["Zero"] == "0"


def test_an_id_is_named_however_deep_it_stands_and_shown_as_it_is_where_nobody_knows_it():
    words.resolver("keeper", lambda ids: {"keeper:3": "Ada Wren"})
    deep = {"filters": {"who": "keeper:3", "other": "keeper:4"}, "lists": [["keeper:3"], [{"keeper": "4"}]]}
    (told,) = words.tell([item(details=deep)])
    facts = dict(told.facts)
    assert facts["Filters"] == "Who: Ada Wren; Other: keeper:4"
    assert facts["Lists"] == "Ada Wren, Keeper: keeper:4"


def test_details_stand_in_the_order_of_the_type_and_what_it_does_not_know_comes_last():
    told = words.tell([item(details={"unknown": "x", "watch": "night", "keeper": "Ada"})])
    assert [label for label, _ in told[0].facts] == ["Keeper", "Watch", "Unknown"]


def test_what_people_wrote_cannot_become_markup():
    html = panel(
        [item(reason="<script>alert(1)</script>", actor="<b>", details={"list": ["<i>", "2026-12-24T23:30:00Z"]})],
        title="<u>",
    )
    for tag in ("<script>", "<b>", "<i>", "<u>"):
        assert tag not in html
    assert "&lt;script&gt;" in html


def test_the_panel_says_who_when_what_why_and_which_leaf():
    words.resolver("keeper", lambda ids: {"keeper:3": "Ada Wren"})
    html = panel([item(reason="It got dark", leaf=1234), item(id=8)], title="History of the lamp")
    assert "History of the lamp" in html
    assert "Somebody lit the lamp" in html
    assert "1 Jul 2026, 07:19" in html
    assert "by Ada Wren" in html
    assert "Reason: It got dark" in html
    assert "leaf 1,234 of the ledger" in html
    assert "not yet in a checkpoint" in html
    assert "<details" in html


def test_the_panel_shows_the_newest_first_whatever_the_order():
    for order in (1, -1):
        html = panel([item(id=1, reason="first"), item(id=2, reason="second")][::order])
        assert html.index("second") < html.index("first")


def test_a_long_history_shows_its_newest_part_and_says_so():
    html = panel([item(id=number, reason=f"because {number}.") for number in range(1, 151)])
    assert "The latest 100 of 150 events" in html
    assert "because 150." in html
    assert "because 50." not in html


def test_an_empty_history_says_so():
    assert "Nothing has happened yet." in panel([])


def test_the_panel_stands_in_the_slot_that_pages_name():
    request = RequestFactory().get("/")
    assert "Nothing has happened yet." in slots.render("custody_history", request, items=[], title="History")
