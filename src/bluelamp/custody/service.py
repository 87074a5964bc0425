"""Services: the verbs that change state. None may change anything without saying so in the ledger.

A function under `@custody.service` runs in one transaction and must record an event before it returns, or say with
`nothing_changed()` that there was nothing to do; otherwise the transaction is rolled back. A test walks all services
modules and fails for a public function that is neither a service nor declared `@custody.unrecorded(why)`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextvars import ContextVar
from typing import ParamSpec, TypeVar

from django.db.transaction import atomic

P = ParamSpec("P")
R = TypeVar("R")

_events: ContextVar[int] = ContextVar("custody_events", default=0)


class ServiceWithoutEvent(RuntimeError):
    """A service was about to change something without a custody event; its transaction was rolled back."""


def service(function: Callable[P, R]) -> Callable[P, R]:
    """Run `function` in one transaction that commits only together with a custody event."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with atomic():
            before = _events.get()
            result = function(*args, **kwargs)
            if _events.get() == before:
                raise ServiceWithoutEvent(f"{function.__module__}.{function.__qualname__} recorded no event")
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
    """Say that a service found nothing to change, so that no event is due."""
    note_event()


def note_event() -> None:
    """Count an event; called by `record`."""
    _events.set(_events.get() + 1)
