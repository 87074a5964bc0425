"""Many events recorded together are what each of them would be alone."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bluelamp import custody
from bluelamp.custody import queries, sequencer
from bluelamp.custody.models import CustodyEvent, CustodyLeaf
from bluelamp.kernel.transaction import atomic


@custody.event_type
@dataclass(frozen=True, kw_only=True)
class Seen(custody.Event):
    """Something was seen."""

    tag = "test.seen_together"
    operation = custody.Operation.CONSULTATION
    number: int
    words: tuple[str, ...] = ()


def seen(number: int) -> Seen:
    return Seen(
        actor="person:1",
        subject=f"thing:{number % 7}",
        also=("case:1", f'odd:"{number}\\,{{') if number % 2 else (),
        reason="the sort of reason that has 'quotes', \\ and \n in it",
        number=number,
        words=("a", "b"),
    )


@pytest.mark.django_db
def test_each_is_told_as_it_would_be_alone():
    alone = [custody.record(seen(number)) for number in range(14)]
    told = queries.history("thing:3")
    together = custody.record_all([seen(number) for number in range(14)])
    assert [record.id for record in together] == sorted(record.id for record in together)
    assert min(record.id for record in together) > max(record.id for record in alone)
    again = queries.history("thing:3")[len(told) :]
    assert [(item.tag, item.actor, item.also, item.reason, item.details) for item in again] == [
        (item.tag, item.actor, item.also, item.reason, item.details) for item in told
    ]
    assert {item.at for item in again} == {together[0].at}
    assert len(queries.history('odd:"3\\,{')) == 2


@pytest.mark.django_db
def test_their_records_and_their_leaves_stand_in_the_order_given():
    records = custody.record_all([seen(number) for number in range(2100)])
    sequencer.drain()
    stored = CustodyEvent.objects.in_bulk([record.id for record in records])
    assert [bytes(stored[record.id].entry) for record in records] == [record.entry for record in records]
    assert len({record.entry for record in records}) == 2100
    leaves = CustodyLeaf.objects.filter(event__in=stored).order_by("index").values_list("event_id", flat=True)
    assert list(leaves) == [record.id for record in records]
    numbers = [item.details["number"] for item in queries.history("thing:3")]
    assert numbers == sorted(numbers)


@pytest.mark.django_db
def test_a_thousand_of_them_take_as_many_statements_as_ten_and_none_take_none():
    events = [seen(number) for number in range(1000)]
    with CaptureQueriesContext(connection) as asked_for_few:
        custody.record_all(events[:10])
    with CaptureQueriesContext(connection) as asked:
        custody.record_all(events)
    assert len(asked) <= len(asked_for_few) <= 5
    with CaptureQueriesContext(connection) as asked:
        custody.record_all(events[:4])
    assert len(asked) == 1
    with CaptureQueriesContext(connection) as asked:
        assert custody.record_all([]) == []
    assert len(asked) == 0


@pytest.mark.django_db
def test_they_count_for_the_service_that_runs():
    @custody.service
    def look(count: int) -> None:
        custody.record_all([seen(number) for number in range(count)])

    look(3)
    with pytest.raises(custody.ServiceWithoutEvent):
        look(0)


def test_outside_a_transaction_none_is_recorded(committed_db: str):
    with pytest.raises(RuntimeError, match="outside a transaction"):
        custody.record_all([seen(1), seen(2)])
    with pytest.raises(ZeroDivisionError), atomic():
        custody.record_all([seen(1), seen(2)])
        raise ZeroDivisionError
    assert CustodyEvent.objects.filter(tag=Seen.tag).count() == 0
