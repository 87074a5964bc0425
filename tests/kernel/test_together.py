"""Calls of several threads that are carried out together."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from bluelamp.kernel.together import Together


class Disk:
    """Doubles numbers, slowly: it waits until it is let go. Refuses negative ones."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.busy, self.go = threading.Event(), threading.Event()

    def act(self, numbers: Sequence[int]) -> list[int | Exception]:
        self.calls.append(list(numbers))
        self.busy.set()
        assert self.go.wait(20)
        return [ValueError(str(number)) if number < 0 else 2 * number for number in numbers]


def _in_threads(call, numbers) -> tuple[list[threading.Thread], dict[int, object]]:
    found: dict[int, object] = {}

    def one(number: int) -> None:
        try:
            found[number] = call(number)
        except ValueError as error:
            found[number] = str(error)

    threads = [threading.Thread(target=one, args=(number,)) for number in numbers]
    for thread in threads:
        thread.start()
    return threads, found


def test_what_comes_while_one_is_carried_out_is_carried_out_together_after_it():
    disk = Disk()
    together = Together(disk.act)
    first, found = _in_threads(together, [1])
    assert disk.busy.wait(20)
    others, more = _in_threads(together, [2, -3, 4])
    while len(together._waiting) < 3:
        threading.Event().wait(0.001)
    disk.go.set()
    for thread in first + others:
        thread.join(20)
    assert len(disk.calls) == 2
    assert sorted(disk.calls[1]) == [-3, 2, 4]
    assert found | more == {1: 2, 2: 4, -3: "-3", 4: 8}


def test_an_error_of_the_whole_call_reaches_everybody_who_waited_and_the_next_call_works():
    fails = [True]

    def act(numbers: Sequence[int]) -> list[int | Exception]:
        if fails.pop():
            raise OSError("gone")
        return list(numbers)

    together = Together(act)
    with pytest.raises(OSError, match="gone"):
        together(1)
    fails.append(False)
    assert together(2) == 2
