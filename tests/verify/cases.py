"""Packages that are good, forged, damaged or undecided: each goes through the command's verifier and the page's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from tests.verify.build import VKEY

Expectation = tuple[int, int, frozenset[tuple[str, str]]]


@dataclass(frozen=True)
class Case:
    """A package and what both verifiers must say: exit code, the step that decides, (code, where) of each problem."""

    name: str
    make: Callable[[], bytes]
    exit_code: int
    step: int
    problems: frozenset[tuple[str, str]]
    keys: tuple[str, ...] = (VKEY,)
    witnesses: tuple[str, ...] = ()

    @cached_property
    def package(self) -> bytes:
        return self.make()

    def __str__(self) -> str:
        return self.name


def good(
    name: str, make: Callable[[], bytes], keys: tuple[str, ...] = (VKEY,), witnesses: tuple[str, ...] = ()
) -> Case:
    return Case(name, make, 0, 0, frozenset(), keys, witnesses)


def bad(
    name: str,
    make: Callable[[], bytes],
    step: int,
    *problems: tuple[str, str],
    keys: tuple[str, ...] = (VKEY,),
    witnesses: tuple[str, ...] = (),
) -> Case:
    return Case(name, make, 1, step, frozenset(problems), keys, witnesses)


def unsure(
    name: str,
    make: Callable[[], bytes],
    *problems: tuple[str, str],
    step: int = 6,
    keys: tuple[str, ...] = (),
    witnesses: tuple[str, ...] = (),
) -> Case:
    return Case(name, make, 2, step, frozenset(problems), keys, witnesses)
