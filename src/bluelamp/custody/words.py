"""How a person reads the ledger: a sentence for each event, a name for each id, and a history for a page.

The ledger knows people and things by opaque ids (`person:7`). Rooms above say what they are called: `resolver("person",
names)` where `names` takes ids with that prefix and returns what it knows of them, in one query; and, where an event's
own description is not enough, `register(tag, phrase)`.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from functools import partial
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from markupsafe import Markup

from bluelamp.custody.event import registered_types
from bluelamp.custody.queries import HistoryItem
from bluelamp.web import filters

Phrase = Callable[[HistoryItem], str]
Names = Callable[[set[str]], Mapping[str, str]]

LONGEST_PANEL = 100
"""Events that a page's history shows; the newest of a longer one."""

_phrases: dict[str, Phrase] = {}
_resolvers: dict[str, Names] = {}
_ID = re.compile(r"[a-z][a-z_]*:[\w.-]+", re.ASCII)
_BARE = re.compile(r"\d+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_SENTENCE = re.compile(r"(.+?[.!?])(?=\s|$)", re.DOTALL)


@dataclass(frozen=True)
class Told:
    """One event in words. `about` and `also` name its subjects, `facts` are its own fields as (what, value)."""

    item: HistoryItem
    who: str
    what: str
    about: str
    also: tuple[str, ...]
    facts: tuple[tuple[str, str | Markup], ...]


def register(tag: str, phrase: Phrase) -> None:
    """Say `phrase(item)` of events with this tag instead of their type's description; the last registered counts."""
    _phrases[tag] = phrase


def sentences(said: Mapping[str, str]) -> None:
    """Register for each tag one sentence, whatever the event holds."""
    for tag, sentence in said.items():
        register(tag, partial(_whatever, f"{sentence.removesuffix('.')}."))


def resolver(prefix: str, names: Names) -> None:
    """Ask `names(ids)` for the names of ids such as `<prefix>:7`; ids that it leaves out are shown as they are."""
    _resolvers[prefix] = names


def describe(item: HistoryItem) -> str:
    """What happened, as one sentence: the phrase registered for it, else how its type describes itself."""
    phrase = _phrases.get(item.tag)
    if phrase is not None:
        return phrase(item)
    kind = registered_types().get(item.tag)
    if kind is None:
        # Recorded by a release that knew more than this one.
        return item.tag.replace(".", ": ").replace("_", " ").capitalize() + "."
    described = " ".join(inspect.getdoc(kind).split()) if kind.__doc__ else kind.tag
    sentence = _SENTENCE.match(described)
    return (sentence[1] if sentence else described).replace("`", "")


def name(custody_id: str) -> str:
    """What one id is called; of many, ask `names` once."""
    return names([custody_id])[custody_id]


def names(custody_ids: Iterable[str]) -> dict[str, str]:
    """What ids are called: one question to each kind's resolver. An unknown or erased one is its own name."""
    wanted = set(custody_ids)
    by_prefix: dict[str, set[str]] = {}
    for custody_id in wanted:
        by_prefix.setdefault(custody_id.partition(":")[0], set()).add(custody_id)
    found = {custody_id: _plain_name(custody_id) for custody_id in wanted}
    for prefix, ids in by_prefix.items():
        if prefix in _resolvers:
            found.update({known: called for known, called in _resolvers[prefix](ids).items() if known in ids})
    return found


def tell(items: Iterable[HistoryItem]) -> list[Told]:
    """Events in words, in the order given; the names of all of them take one query for each kind."""
    listed = list(items)
    ids: set[str] = set()
    for item in listed:
        ids.update((item.actor, item.subject, *item.also), _ids_in(item.details))
    known = names(ids)
    return [
        Told(
            item=item,
            who=known[item.actor],
            what=describe(item),
            about=known[item.subject],
            also=tuple(known[custody_id] for custody_id in item.also),
            facts=tuple((_label(key), _value(key, value, known)) for key, value in _in_order(item)),
        )
        for item in listed
    ]


def history_panel(request: HttpRequest, *, items: Iterable[HistoryItem], title: str = "History", **_: object) -> Markup:
    """The slot `custody_history`: what happened, newest first, whatever the order of `items`."""
    newest = sorted(items, key=lambda item: item.id, reverse=True)
    context = {"title": title, "told": tell(newest[:LONGEST_PANEL]), "total": len(newest)}
    return Markup(render_to_string("custody/history.html", context, request))  # noqa: S704  # a template escaped it


def _whatever(sentence: str, item: HistoryItem) -> str:
    return sentence


def _plain_name(custody_id: str) -> str:
    kind, _, rest = custody_id.partition(":")
    if custody_id == "public":
        return "Somebody not signed in"
    if kind == "system":
        return "Bluelamp" if rest == "bluelamp" else f"Bluelamp ({rest.replace('-', ' ').replace('_', ' ')})"
    return custody_id or "Nobody named"


def _in_order(item: HistoryItem) -> list[tuple[str, Any]]:
    """An event's own fields as its type lists them; the database hands them out in an order of its own."""
    kind = registered_types().get(item.tag)
    listed = [field.name for field in fields(kind)] if kind else []
    places = {name: place for place, name in enumerate(listed)}
    return sorted(item.details.items(), key=lambda detail: places.get(detail[0], len(places)))


def _ids_in(details: Mapping[str, Any]) -> set[str]:
    """Every id in an event's fields, however deep it stands: exactly those that `_value` asks for."""
    return {found for key, value in details.items() for found in _ids_of(key, value)}


def _ids_of(key: str, value: Any) -> Iterator[str]:
    if (custody_id := _as_id(key, value)) is not None:
        yield custody_id
    elif isinstance(value, list):
        for part in value:
            yield from _ids_of(key, part)
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from _ids_of(name, part)


def _as_id(key: str, value: Any) -> str | None:
    """The id in a field: written out (`person:7`), or bare in a field that is called like its kind."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if _ID.fullmatch(text) and text.partition(":")[0] in {*_resolvers, "system"}:
        return text
    return f"{key}:{text}" if key in _resolvers and _BARE.fullmatch(text) else None


def _label(key: str) -> str:
    label = key.removesuffix("_ms").replace("_", " ").replace("sha256", "SHA-256")
    return label[:1].upper() + label[1:]


def _value(key: str, value: Any, known: Mapping[str, str]) -> str | Markup:
    custody_id = _as_id(key, value)
    match value:
        case _ if custody_id is not None:
            return known[custody_id]
        case _ if value in (None, "", [], {}):
            return "none"
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value / 1000:,.3f} s" if key.endswith("_ms") else f"{value:,}"
        case str() if _INSTANT.fullmatch(value):
            return filters.london(datetime.fromisoformat(value.replace("Z", "+00:00")))
        case list():
            return Markup(", ").join(_value(key, part, known) for part in value)
        case dict():
            parts = (Markup("{}: {}").format(_label(name), _value(name, part, known)) for name, part in value.items())
            return Markup("; ").join(parts)
    return str(value)
