"""The primary navigation: each room registers its entry, each person sees what they may open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse


@dataclass(frozen=True)
class Entry:
    label: str
    url_name: str
    visible: Callable[[HttpRequest], bool]
    order: int


@dataclass(frozen=True)
class Link:
    """An entry as it stands on one page; `current` where the page lies under it."""

    label: str
    href: str
    current: bool


_entries: dict[str, Entry] = {}
_below: dict[str, dict[str, tuple[int, str]]] = {}


def register(label: str, url_name: str, visible: Callable[[HttpRequest], bool], order: int = 0) -> None:
    """Add an entry; a second one for the same `url_name` replaces the first. Lower `order` stands further left."""
    _entries[url_name] = Entry(label, url_name, visible, order)


def links(request: HttpRequest) -> list[Link]:
    """What this request's person may open, in order; at most one is current: the one with the longest matching path."""
    shown = [
        (entry.label, reverse(entry.url_name))
        for entry in sorted(_entries.values(), key=lambda entry: entry.order)
        if entry.visible(request)
    ]
    under = [href for _, href in shown if request.path.startswith(href)]
    here = max(under, key=len, default=None)
    return [Link(label, href, href == here) for label, href in shown]


def register_below(group: str, label: str, url_name: str, order: int = 0) -> None:
    """Add a page of an upper room to the pages of `group` (its subnavigation); lower `order` stands further left."""
    _below.setdefault(group, {})[url_name] = (order, label)


def below(group: str) -> list[tuple[str, str, str]]:
    """What upper rooms added to a group, in order: label, address, and the URL name by which a page knows itself."""
    ordered = sorted(_below.get(group, {}).items(), key=lambda entry: entry[1][0])
    return [(label, reverse(url_name), url_name) for url_name, (_, label) in ordered]
