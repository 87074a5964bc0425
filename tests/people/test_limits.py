"""What trying to sign in costs, and what it leaves in the ledger, whoever tries."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from bluelamp.custody import queries as custody
from bluelamp.people import services
from bluelamp.people.models import Person
from bluelamp.people.services import sign_in
from tests import signin

pytestmark = pytest.mark.django_db


@pytest.fixture
def amara() -> Person:
    return services.create_person(
        username="a.okafor", name="Amara Okafor", roles=["officer"], password=signin.PASSWORD, actor="system:test"
    )[0]


def attempt(username: str, **more: Any) -> Any:
    return Client().post("/account/login/", {"login": username, "password": "not this one"}, **more)


def test_one_place_tries_sixty_times_a_minute_whatever_the_username(monkeypatch: pytest.MonkeyPatch) -> None:
    # The limit is what is under test, not scrypt: a cheap hash keeps it within its minute.
    monkeypatch.setattr(settings, "PASSWORD_HASHERS", ["django.contrib.auth.hashers.MD5PasswordHasher"])
    answers = [attempt(f"nobody{number}").status_code for number in range(61)]
    assert answers == [200] * 60 + [429]
    refused = attempt("somebody.else")
    assert "wait" in refused.content.decode().lower()
    assert attempt("nobody", REMOTE_ADDR="192.0.2.9").status_code == 200


def test_usernames_that_nobody_has_are_in_the_ledger_once_in_ten_minutes_from_each_place() -> None:
    for number in range(8):
        attempt(f"nobody{number}")
    attempt("nobody", REMOTE_ADDR="192.0.2.9")
    kept = custody.search(tag="session.refused")
    assert [item.details["address"] for item in kept] == ["192.0.2.9", "127.0.0.1"]


def test_the_next_event_says_how_many_went_unreported(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        services.note_failed_sign_in(f"nobody{number}", step="password", address="192.0.2.9")
    monkeypatch.setattr(sign_in._strangers, "_window", 0.0)
    services.note_failed_sign_in("nobody", step="password", address="192.0.2.9")
    assert custody.search(tag="session.refused")[0].details["unreported"] == 3


def test_every_failure_of_a_known_username_is_in_the_ledger_until_its_door_is_closed(amara: Person) -> None:
    for _ in range(12):
        attempt("a.okafor")
    tags = [item.tag for item in custody.history(amara.custody_id)]
    assert tags.count("session.locked_out") == 1
    assert tags.count("session.refused") == 5 + 1


def test_closing_the_door_on_ever_new_usernames_is_recorded_once_from_a_place() -> None:
    for number in range(3):
        for _ in range(5):
            attempt(f"nobody{number}")
    assert len(custody.search(tag="session.locked_out")) == 1
