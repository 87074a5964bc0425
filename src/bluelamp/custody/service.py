"""Services: the verbs that change state. None may change anything without saying so in the ledger.

A function under `@custody.service` runs in one transaction and must record an event before it returns, or say with
`nothing_changed()` that there was nothing to do; otherwise the transaction is rolled back. Where services call each
other, the event of an inner one counts for the outer ones as well, since they commit together; that an inner one found
nothing to do says nothing about the outer. An event that was rolled back with an inner savepoint does not count.

A test walks all services modules and fails for a public function that is neither a service nor declared
`@custody.unrecorded(why)`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextvars import ContextVar
from typing import ParamSpec, TypeVar

from django.db import connection
from django.db.transaction import atomic, on_commit

P = ParamSpec("P")
R = TypeVar("R")


class ServiceWithoutEvent(RuntimeError):
    """A service was about to change something without a custody event; its transaction was rolled back."""


class _Noted:
    """The mark of one event in its transaction.

    It waits among the callbacks for the commit, where it does nothing: Django drops it from there together with the
    savepoint in which the event was recorded.
    """

    def __call__(self) -> None:
        pass


class _Running:
    """A service that is running: the events so far, and whether it said that there was nothing to change."""

    def __init__(self) -> None:
        self.events: list[_Noted] = []
        self.nothing_changed = False

    def has_event(self) -> bool:
        """Whether an event of this service, or of one that it called, still stands in the transaction."""
        standing = {id(callback) for _, callback, _ in connection.run_on_commit}
        return any(id(event) in standing for event in self.events)


_running: ContextVar[_Running | None] = ContextVar("custody_running", default=None)


def service(function: Callable[P, R]) -> Callable[P, R]:
    """Run `function` in one transaction that commits only together with a custody event."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with atomic():
            outer, this = _running.get(), _Running()
            token = _running.set(this)
            try:
                result = function(*args, **kwargs)
            finally:
                _running.reset(token)
            if not (this.nothing_changed or this.has_event()):
                raise ServiceWithoutEvent(f"{function.__module__}.{function.__qualname__} recorded no event")
            if outer is not None:
                outer.events += this.events
            return result

    run.is_custody_service = True  # type: ignore[attr-defined]  # read by the test that walks all services
    return run


def unrecorded(why: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare that a function in a services module needs no event of its own, and why."""

    def mark(function: Callable[P, R]) -> Callable[P, R]:
        function.custody_unrecorded = why  # type: ignore[attr-defined]  # read by the test that walks all services
        return function

    return mark


def nothing_changed() -> None:
    """Say that the service that is running found nothing to change, so that no event of its own is due."""
    this = _running.get()
    if this is not None:
        this.nothing_changed = True


def note_event() -> None:
    """Count an event for the service that is running; called by `record`, in a transaction."""
    this = _running.get()
    if this is not None:
        event = _Noted()
        on_commit(event)
        this.events.append(event)
