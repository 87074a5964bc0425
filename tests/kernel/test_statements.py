"""Kept queries against Django's own: the same rows, the same objects beside them, the same refusals."""

from __future__ import annotations

import importlib
import pkgutil
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Value
from django.db.transaction import TransactionManagementError

import bluelamp
from bluelamp.fleet.models import Dock
from bluelamp.footage.models import Recording
from bluelamp.kernel import statements
from bluelamp.kernel.ids import new_id
from bluelamp.kernel.statements import Kept
from bluelamp.people.policy import Role
from tests import factories

DOCKS = Kept(
    lambda since, before: Dock.objects.select_related("unit").filter(name__gte=since, name__lt=before).order_by("name"),
    since="a name",
    before="another name",
)


def _content(row: object) -> dict[str, object]:
    return {name: value for name, value in vars(row).items() if name != "_state"}


def _docks() -> list[Dock]:
    unit = factories.unit()
    return [
        Dock.objects.create(name=f"Dock {n}", unit=unit if n % 2 else None, token_sha256=f"{n:064}") for n in range(4)
    ]


def test_a_kept_query_answers_with_what_django_would(db: None) -> None:
    docks = _docks()
    for _ in range(4):  # the statement is prepared at the third
        found = DOCKS.all(since="Dock", before="Docl")
        assert [_content(each) for each in found] == [_content(each) for each in docks]
        with CountedQueries() as asked:
            assert [each.unit for each in found] == [each.unit for each in docks]
        assert asked.count == 0
    assert DOCKS.all(since="Shelf", before="Shelg") == []
    assert DOCKS.first(since="A", before="B") is None
    assert DOCKS.get(since="Dock 2", before="Dock 3") == docks[2]
    with pytest.raises(Dock.DoesNotExist):
        DOCKS.get(since="A", before="B")
    with pytest.raises(Dock.MultipleObjectsReturned, match="4 rows"):
        DOCKS.get(since="Dock", before="Docl")


def test_json_times_and_uuids_arrive_as_django_reads_them(db: None) -> None:
    officer = factories.person(Role.OFFICER, unit=factories.unit())
    made = factories.recording(officer, events=[{"kind": "marker", "at": "x"}], track=[])
    by_id = Kept(lambda pk: Recording.objects.select_related("camera", "wearer__unit").filter(pk=pk), pk=new_id())
    (found,) = by_id.all(pk=made.pk)
    usual = Recording.objects.select_related("camera", "wearer__unit").get(pk=made.pk)
    assert _content(found) == _content(usual)
    assert found.events == [{"kind": "marker", "at": "x"}]
    assert found.started_at.tzinfo is not None
    assert found.wearer.unit == usual.wearer.unit


def test_what_is_composed_once_serves_every_thread(committed_db: str) -> None:
    docks = _docks()
    found: list[list[str]] = []

    def look() -> None:
        try:
            found.append([each.name for each in DOCKS.all(since="Dock", before="Docl")])
        finally:
            connection.close()

    threads = [threading.Thread(target=look) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert found == [[each.name for each in docks]] * 3


def test_a_value_that_is_missing_or_unknown_is_refused(db: None) -> None:
    with pytest.raises(TypeError, match="Expected since, before; got since"):
        DOCKS.all(since="Dock")
    with pytest.raises(TypeError, match="got since, before, unit"):
        DOCKS.all(since="Dock", before="E", unit=3)


def test_an_example_that_does_not_reach_the_query_is_a_fault_of_the_program(db: None) -> None:
    forgets = Kept(lambda name, active: Dock.objects.filter(name=name), name="a name", active=True)
    with pytest.raises(ValueError, match="does not contain active"):
        forgets.all(name="Dock", active=True)
    annotated = Kept(lambda: Dock.objects.annotate(more=Value(1)))
    with pytest.raises(ValueError, match="no annotations"):
        annotated.all()


def test_rows_are_locked_in_a_transaction_only(committed_db: str) -> None:
    docks = _docks()
    locked = Kept(lambda name: Dock.objects.select_for_update().filter(name=name), name="a name")
    with transaction.atomic():
        assert locked.first(name="Dock 1") == docks[1]
    with pytest.raises(TransactionManagementError, match="in a transaction"):
        locked.first(name="Dock 1")


def test_a_statement_that_fails_breaks_its_transaction_like_any_other(db: None) -> None:
    _docks()
    with pytest.raises(IntegrityError), transaction.atomic():
        statements.carry_out("UPDATE fleet_dock SET name = %s", ["one name for all"])
    with transaction.atomic():
        transaction.set_rollback(True)
        with pytest.raises(TransactionManagementError):
            statements.ask("SELECT 1", [])


def test_who_watches_the_connection_sees_the_statement(db: None) -> None:
    _docks()
    with CountedQueries() as asked:
        DOCKS.all(since="Dock", before="Docl")
        assert statements.carry_out("UPDATE fleet_dock SET last_seen_at = %s", [datetime(2026, 1, 1, tzinfo=UTC)]) == 4
    assert asked.count == 2


class CountedQueries:
    """What passes Django's own cursor."""

    def __enter__(self) -> CountedQueries:
        self.count = 0
        self._wrapper = connection.execute_wrapper(self._seen)
        self._wrapper.__enter__()
        return self

    def _seen(self, execute, sql, params, many, context):
        self.count += 1
        return execute(sql, params, many, context)

    def __exit__(self, *error: object) -> None:
        self._wrapper.__exit__(None, None, None)


def test_each_kept_query_of_the_product_asks_what_django_would(committed_db: str) -> None:
    for name, query in _of_the_product():
        with transaction.atomic():
            assert query.all(**query.examples) == list(query.make(**query.examples)), name


def _of_the_product() -> Iterator[tuple[str, Kept[Any]]]:
    """Every kept query that stands in a module of the product, all of which are loaded."""
    for module in pkgutil.walk_packages(bluelamp.__path__, "bluelamp."):
        if {"queries", "services"} & set(module.name.split(".")):
            for name, value in vars(importlib.import_module(module.name)).items():
                if isinstance(value, Kept):
                    yield f"{module.name}.{name}", value


def test_what_nobody_waits_for_leaves_the_session_waiting_for_everything_else(committed_db: str) -> None:
    (dock, *_) = _docks()
    connection.ensure_connection()
    flushed = "SELECT current_setting('synchronous_commit')"
    for _ in range(4):  # the statement is prepared at the third
        assert statements.carry_out_unwaited("UPDATE fleet_dock SET name = 'Dock 9' WHERE id = %s", [dock.pk]) == 1
        assert statements.ask(flushed, []) == [("on",)]
    with transaction.atomic():
        assert statements.carry_out_unwaited("UPDATE fleet_dock SET name = 'Dock 8' WHERE id = %s", [dock.pk]) == 1
        # With it goes what the transaction did before: it may be what somebody was promised.
        assert statements.ask(flushed, []) == [("on",)]
    dock.refresh_from_db()
    assert dock.name == "Dock 8"


def test_what_nobody_waits_for_is_not_on_the_disk_when_it_answers(committed_db: str) -> None:
    (dock, *_) = _docks()
    statement = "UPDATE fleet_dock SET name = 'Dock 9' WHERE id = %s"

    def left_in_memory() -> bool:
        ((left,),) = statements.ask("SELECT pg_current_wal_insert_lsn() > pg_current_wal_flush_lsn()", [])
        return bool(left)

    waited, unwaited = 0, 0
    for _ in range(20):  # PostgreSQL may happen to write it out in between, or have other things on their way
        statements.carry_out_unwaited(statement, [dock.pk])
        unwaited += left_in_memory()
        statements.carry_out(statement, [dock.pk])
        waited += left_in_memory()
    assert unwaited > waited
