"""From what an auditor types or pastes to the ids that the ledger knows."""

from __future__ import annotations

import re
from urllib.parse import urlsplit
from uuid import UUID

from django.db.models import Q
from django.urls import Resolver404, resolve

from bluelamp.fleet.models import Camera, Dock
from bluelamp.people.models import Person
from bluelamp.rights.models import Request
from bluelamp.sharing.models import Recipient

MOST = 200
"""People whom one name may stand for."""

_ID = re.compile(r"[a-z][a-z_]*:[\w.-]+", re.ASCII)
# What a page's address calls its thing, and what the ledger does.
_ADDRESSED = {
    "recording_id": "recording",
    "case_id": "case",
    "share_id": "share",
    "request_id": "request",
    "person_id": "person",
    "dock_id": "dock",
    "serial": "camera",
}
_BY_UUID = ("recording", "case", "share", "request", "recipient")


def actors(text: str) -> tuple[str, ...]:
    """Ids of those whom `text` names: an id, a warrant number, a username, or words that a name has."""
    if _is_id(text):
        return (text,)
    people = Person.objects.filter(Q(warrant_number__iexact=text) | Q(username__iexact=text) | _named(text))
    recipients = Recipient.objects.filter(Q(email__iexact=text) | _named(text))
    docks = Dock.objects.filter(_named(text))
    return tuple(found.custody_id for kind in (people, recipients, docks) for found in kind[:MOST])


def subjects(text: str) -> tuple[str, ...]:
    """Ids of the things that `text` names: an id, the address of a thing's page, a UUID, a reference, a serial."""
    if _is_id(text):
        return (text,)
    if "/" in text:
        return _of_page(urlsplit(text).path)
    try:
        return tuple(f"{kind}:{UUID(text)}" for kind in _BY_UUID)
    except ValueError:
        pass
    requests = Request.objects.filter(reference__iexact=text)
    cameras = Camera.objects.filter(serial__iexact=text)
    return tuple(found.custody_id for kind in (requests, cameras) for found in kind) or actors(text)


def _is_id(text: str) -> bool:
    return text == "public" or _ID.fullmatch(text) is not None


def _named(text: str) -> Q:
    """Every word of `text` begins a word of the name."""
    found = Q()
    for word in text.split():
        found &= Q(name__iregex=rf"\m{re.escape(word)}")
    return found


def _of_page(path: str) -> tuple[str, ...]:
    try:
        captured = resolve(path).kwargs
    except Resolver404:
        return ()
    return tuple(f"{_ADDRESSED[name]}:{value}" for name, value in captured.items() if name in _ADDRESSED)
