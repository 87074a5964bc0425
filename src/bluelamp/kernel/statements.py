"""Statements that are asked so often that composing and planning them would cost more than answering them.

An ordinary query is composed by Django anew each time, and its values are written into its text, so that PostgreSQL
reads and plans it anew each time as well: about a millisecond and a half of both together for a row with what belongs
to it. Where a recording comes in every few milliseconds that is most of its cost. Here a query is composed once a
process, and prepared once a session.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import psycopg
from django.db import connection
from django.db.models import Model, QuerySet
from django.db.models.query import get_related_populators
from django.db.transaction import TransactionManagementError

M = TypeVar("M", bound=Model)
Row = tuple[Any, ...]

_PREPARED_AT = 2  # uses of a statement in a session; Django's cursors, which never prepare, are not concerned


def ask(statement: str, values: Sequence[object], *, binary: bool = False) -> list[Row]:
    """The rows that a statement answers with; it is prepared once a session, and its values are sent as they are.

    `binary`: how the answer's values travel. Numbers and UUIDs are cheaper so; JSON and times come as Django expects
    them only as text. Raises what Django's own cursor would.
    """
    rows: list[Row] = _asked(statement, values, lambda cursor: cursor.fetchall(), binary=binary)
    return rows


def carry_out(statement: str, values: Sequence[object]) -> int:
    """Carry out a statement that answers with no rows, like `ask`. Returns how many rows it changed."""
    changed: int = _asked(statement, values, lambda cursor: cursor.rowcount)
    return changed


def carry_out_unwaited(statement: str, values: Sequence[object]) -> int:
    """`carry_out` for a change that a crash may undo without harm: nobody waits until the disk has it.

    The statement ends with its WHERE. Within a transaction it is as durable as the transaction.
    """
    if not connection.in_atomic_block:
        statement += " AND set_config('synchronous_commit', 'off', true) = 'off'"
    return carry_out(statement, values)


def _asked(statement: str, values: Sequence[object], result: Callable[[Any], Any], *, binary: bool = False) -> Any:
    if connection.queries_logged or connection.execute_wrappers:
        # Somebody watches what is asked: through Django's cursor they see it.
        with connection.cursor() as watched:
            watched.execute(statement, values)
            return result(watched)
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    connection.validate_no_broken_transaction()
    session: psycopg.Connection[Row] = connection.connection
    session.prepare_threshold = _PREPARED_AT
    with connection.wrap_database_errors, psycopg.Cursor(session) as cursor:
        cursor.execute(statement, values, binary=binary)
        return result(cursor)


class Kept(Generic[M]):
    """A query for rows of a model, composed at its first use.

    `make` composes it of named values, given here as examples: each is found again in the composed query by being
    equal to its example, so examples must be of the type of the real values, different from each other, and like no
    constant of the query.

        OPEN = Kept(lambda owner: Upload.objects.filter(owner=owner, state="receiving"), owner="an owner")
        OPEN.all(owner=dock.custody_id)
    """

    def __init__(self, make: Callable[..., QuerySet[M]], **examples: object) -> None:
        self.make = make
        self.examples: Mapping[str, object] = examples
        self._lock = threading.Lock()
        self._plan: _Plan[M] | None = None

    def all(self, **values: object) -> list[M]:
        """The rows for these values, in the query's order. Raises TypeError for other names than the examples'."""
        if values.keys() != self.examples.keys():
            raise TypeError(f"Expected {', '.join(self.examples)}; got {', '.join(values)}.")
        plan = self._plan
        if plan is None:
            with self._lock:
                plan = self._plan = self._plan or _Plan(self.make(**self.examples), self.examples)
        return plan.rows(values)

    def first(self, **values: object) -> M | None:
        """The first row for these values; None where there is none. The query itself should ask for one at most."""
        found = self.all(**values)
        return found[0] if found else None

    def get(self, **values: object) -> M:
        """The one row for these values. Raises the model's DoesNotExist, MultipleObjectsReturned."""
        found = self.all(**values)
        if len(found) == 1:
            return found[0]
        model = self._plan.model if self._plan else Model
        raise (model.MultipleObjectsReturned if found else model.DoesNotExist)(f"{len(found)} rows for {values}")


class _Plan(Generic[M]):
    """A composed query, and how its rows become models: what Django's own ModelIterable does after composing."""

    def __init__(self, queryset: QuerySet[M], examples: Mapping[str, object]) -> None:
        compiler = queryset.query.get_compiler(using=connection.alias)
        self._statement, params = compiler.as_sql()
        self._parameters = [self._named(value, examples) for value in params]
        missing = examples.keys() - {name for name, _ in self._parameters}
        if missing:
            raise ValueError(f"The composed query does not contain {', '.join(sorted(missing))}.")
        if compiler.annotation_col_map:
            raise ValueError("A kept query has no annotations.")
        self._locks = queryset.query.select_for_update
        columns = compiler.klass_info["select_fields"]
        self._from, self._to = columns[0], columns[-1] + 1
        self.model: type[M] = compiler.klass_info["model"]
        self._names = [each[0].target.attname for each in compiler.select[self._from : self._to]]
        self._related = get_related_populators(compiler.klass_info, compiler.select, connection.alias)
        self._converters = compiler.get_converters([each[0] for each in compiler.select]).items()

    @staticmethod
    def _named(value: Any, examples: Mapping[str, object]) -> tuple[str | None, Any]:
        """A parameter's name, and the type that Django gives its values; of a constant, None and the value."""
        for name, example in examples.items():
            if isinstance(value, type(example)) and example == value:
                return name, None if type(value) is type(example) else type(value)
        return None, value

    def rows(self, values: Mapping[str, object]) -> list[M]:
        if self._locks and not connection.in_atomic_block:
            raise TransactionManagementError("A query that locks rows is asked in a transaction.")
        given = [
            more if name is None else values[name] if more is None else more(values[name])
            for name, more in self._parameters
        ]
        return [self._model_of(list(row)) for row in ask(self._statement, given)]

    def _model_of(self, row: list[Any]) -> M:
        for position, (converters, expression) in self._converters:
            for convert in converters:
                row[position] = convert(row[position], expression, connection)
        found: M = self.model.from_db(connection.alias, self._names, row[self._from : self._to])
        for related in self._related:
            related.populate(row, found)
        return found
