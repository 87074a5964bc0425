"""The filters in use above a list: each in words, with the address of the page without it."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import QueryDict


def chips(page: str, query: QueryDict, shown: Mapping[str, object]) -> list[tuple[str, str]]:
    """For each filter of `shown` (field name to words) that has words: them, and the address that leaves it out."""
    return [(str(text), f"{page}?{without(query, name, 'page')}") for name, text in shown.items() if text]


def without(query: QueryDict, *names: str) -> str:
    """The query string less some names."""
    rest = query.copy()
    for name in names:
        rest.pop(name, None)
    return rest.urlencode()
