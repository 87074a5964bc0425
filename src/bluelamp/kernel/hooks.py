"""How a lower room reaches an upper one without importing it: the upper room registers a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Hook:
    """A named list of functions, called in the order in which they were registered."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._functions: list[Callable[..., Any]] = []

    def register(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Add `function` (once); usable as a decorator."""
        if function not in self._functions:
            self._functions.append(function)
        return function

    def call(self, *args: Any, **kwargs: Any) -> list[Any]:
        """Call every registered function; an exception in one stops the rest and reaches the caller."""
        return [function(*args, **kwargs) for function in self._functions]
