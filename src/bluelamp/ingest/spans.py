"""Stretches of whole numbers, (first, last) with both ends in; pure. A hostile number makes no long list."""

from __future__ import annotations

from collections.abc import Iterable

Span = tuple[int, int]


def of(numbers: Iterable[int]) -> list[Span]:
    """The stretches that the numbers make up, in order."""
    found: list[Span] = []
    for number in sorted(set(numbers)):
        if found and number == found[-1][1] + 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found


def minus(whole: Iterable[Span], taken: Iterable[Span]) -> list[Span]:
    """What is in `whole` and not in `taken`, in order. The spans of `whole` do not overlap."""
    cut = sorted(taken)
    left: list[Span] = []
    for first, last in sorted(whole):
        for start, end in cut:
            if end < first:
                continue
            if start > last:
                break
            if start > first:
                left.append((first, start - 1))
            first = end + 1
            if first > last:
                break
        if first <= last:
            left.append((first, last))
    return left


def count(spans: Iterable[Span]) -> int:
    """How many numbers are in them."""
    return sum(last - first + 1 for first, last in spans)


def words(first: int, last: int) -> str:
    """For a sentence: "recording 3", "recordings 3 to 7"."""
    return f"recording {first:,}" if first == last else f"recordings {first:,} to {last:,}"
