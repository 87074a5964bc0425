"""Calls that come at the same time, carried out together: what waits for a disk waits once for all of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Together(Generic[T, R]):
    """Hands what several threads ask for at the same time to one call of `act`.

    `act` takes what was asked, in order, and returns as many results or exceptions; the exceptions are raised where
    they belong. What comes while it runs gathers for its next call. A call returns once its own part is done.
    """

    def __init__(self, act: Callable[[Sequence[T]], Sequence[R | Exception]]) -> None:
        self._act = act
        self._turn = threading.Lock()
        self._gathering = threading.Lock()
        self._waiting: list[_Asked[T, R]] = []

    def __call__(self, what: T) -> R:
        asked: _Asked[T, R] = _Asked(what)
        with self._gathering:
            self._waiting.append(asked)
        with self._turn:
            if not asked.answers:
                self._carry_out()
        (answer,) = asked.answers
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _carry_out(self) -> None:
        with self._gathering:
            together, self._waiting = self._waiting, []
        try:
            answers = self._act([asked.what for asked in together])
        except Exception as error:
            answers = [error] * len(together)
        for asked, answer in zip(together, answers, strict=True):
            asked.answers.append(answer)


class _Asked(Generic[T, R]):
    def __init__(self, what: T) -> None:
        self.what = what
        self.answers: list[R | Exception] = []
