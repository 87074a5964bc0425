"""What the ids of the ledger are called, for every room below; one query a kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Model

from bluelamp.cases.models import Case
from bluelamp.custody import words
from bluelamp.fleet.models import Camera, Dock
from bluelamp.footage.models import Recording
from bluelamp.oversight.rules import LONDON
from bluelamp.people.models import Organisation, Person, Unit
from bluelamp.rights.models import Request
from bluelamp.sharing.models import Recipient, Share


def register() -> None:
    """Called once when Django is ready."""
    words.resolver("person", _by_key(Person, int, ("name", "warrant_number"), _person))
    words.resolver("unit", _by_key(Unit, int, ("name",), str))
    words.resolver("organisation", _by_key(Organisation, int, ("name",), str))
    words.resolver("dock", _by_key(Dock, int, ("name",), lambda name: f"Dock {name}"))
    words.resolver("camera", _by_key(Camera, str, ("serial",), lambda serial: f"Camera {serial}", key="serial"))
    words.resolver("recording", _by_key(Recording, UUID, ("started_at", "camera__serial"), _recording))
    words.resolver("case", _by_key(Case, UUID, ("name", "urn"), _case))
    words.resolver("recipient", _by_key(Recipient, UUID, ("name", "organisation__name"), "{} ({})".format))
    words.resolver("share", _by_key(Share, UUID, ("recipient__name", "created_at"), _share))
    # Never the requester's name: the ledger outlives the request's particulars, and so does whoever reads it.
    words.resolver("request", _by_key(Request, UUID, ("reference",), lambda reference: f"Request {reference}"))


def _by_key(
    model: type[Model],
    parse: Callable[[str], Any],
    fields: tuple[str, ...],
    called: Callable[..., str],
    key: str = "pk",
) -> words.Names:
    """A resolver that looks ids up by `key` in one query and calls each by its `fields`."""

    def names(ids: set[str]) -> Mapping[str, str]:
        keys = {}
        for custody_id in ids:
            try:
                keys[parse(custody_id.partition(":")[2])] = custody_id
            except ValueError:
                continue  # an id that was never one of these keeps itself as its name
        rows = model._default_manager.filter(**{f"{key}__in": list(keys)}).values_list(key, *fields)
        return {keys[found]: called(*values) for found, *values in rows}

    return names


def _person(name: str, number: str | None) -> str:
    return f"{name} ({number})" if number else name


def _recording(started_at: datetime, serial: str | None) -> str:
    return f"Recording of {_when(started_at)}{f', camera {serial}' if serial else ''}"


def _case(name: str, urn: str) -> str:
    return f"Case {name} ({urn})" if urn else f"Case {name}"


def _share(recipient: str, created_at: datetime) -> str:
    return f"Share with {recipient} of {_when(created_at)}"


def _when(instant: datetime) -> str:
    local = instant.astimezone(LONDON)
    return f"{local.day} {local:%b %Y, %H:%M}"
