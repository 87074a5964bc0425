"""The gate at the end of every service: a change commits with its event or not at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.db import transaction

from bluelamp import custody
from bluelamp.custody import Event, Operation
from bluelamp.people.models import Organisation

pytestmark = pytest.mark.django_db


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class Happened(Event):
    """Something happened."""

    tag = "gate.happened"
    operation = Operation.ALTERATION


def record() -> None:
    custody.record(Happened(actor="person:1", subject="system:gate"))


def change() -> None:
    Organisation.objects.create(name="Changed without a word", kind="cps")


@custody.service
def records() -> None:
    record()


@custody.service
def finds_nothing() -> None:
    custody.nothing_changed()


@custody.service
def fails_after_its_event() -> None:
    record()
    raise ZeroDivisionError


def inner_finds_nothing() -> None:
    change()
    finds_nothing()


def event_rolled_back_by_hand() -> None:
    change()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        record()
        raise ZeroDivisionError


def inner_fails_after_its_event() -> None:
    change()
    with pytest.raises(ZeroDivisionError):
        fails_after_its_event()


def inner_succeeds_in_what_is_rolled_back() -> None:
    change()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        records()
        raise ZeroDivisionError


@pytest.mark.parametrize(
    "does",
    [
        change,
        inner_finds_nothing,
        event_rolled_back_by_hand,
        inner_fails_after_its_event,
        inner_succeeds_in_what_is_rolled_back,
    ],
)
def test_a_change_without_an_event_that_stands_is_rolled_back(does: Callable[[], None]) -> None:
    with pytest.raises(custody.ServiceWithoutEvent):
        custody.service(does)()
    assert not Organisation.objects.filter(name="Changed without a word").exists()


def in_a_savepoint() -> None:
    with transaction.atomic():
        record()


def after_one_that_found_nothing() -> None:
    finds_nothing()
    record()


def through_another_that_found_something() -> None:
    finds_nothing()
    records()


def after_one_that_was_rolled_back() -> None:
    event_rolled_back_by_hand()
    record()


@pytest.mark.parametrize(
    "does",
    [
        record,
        records,
        custody.nothing_changed,
        in_a_savepoint,
        after_one_that_found_nothing,
        through_another_that_found_something,
        after_one_that_was_rolled_back,
    ],
)
def test_a_change_with_an_event_that_stands_is_kept(does: Callable[[], None]) -> None:
    custody.service(does)()


def test_a_service_does_not_lean_on_what_ran_before_it() -> None:
    records()
    finds_nothing()
    with pytest.raises(custody.ServiceWithoutEvent):
        custody.service(change)()
