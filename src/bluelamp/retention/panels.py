"""What retention shows on a recording's page: the decision while it is here, the certificate when it is gone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from markupsafe import Markup

from bluelamp.custody import words
from bluelamp.footage import queries as footage
from bluelamp.footage.models import Recording
from bluelamp.formats import iso8601
from bluelamp.people import access
from bluelamp.people.policy import Action
from bluelamp.retention import queries
from bluelamp.retention.models import Certificate, Hold

# Each of them is decided about: more would take seconds.
_MOST_PREVIEWED = 2000


@dataclass(frozen=True)
class ReadableHold:
    """A standing hold as those who may hold or release read it.

    `source` is the kind of thing that placed it ("request"), "" for a person's decision. `release` is an address, or ""
    where this person may not release it.
    """

    kind: str
    reason: str
    placed_by: str
    placed_at: datetime
    source: str
    release: str = ""


@dataclass(frozen=True)
class ReadableCertificate:
    """A certificate with its times as times."""

    id: str
    body: dict[str, Any]
    recorded_at: datetime
    received_at: datetime
    due_at: datetime
    key_erased_at: datetime
    deleted_at: datetime
    approved_by: str = ""


def retention(request: HttpRequest, recording: Recording, **_: object) -> Markup | None:
    """The decision in a sentence, every rule considered, and what this person may do about it."""
    if recording.state == Recording.State.DELETED:
        return None
    thing = footage.thing(recording)
    may_hold = access.allows(request, Action.HOLD, thing)
    may_release = access.allows(request, Action.RELEASE, thing)
    reader = access.request_actor(request)
    # Who wore the camera reads in the decision that a hold stands, and not what for, whatever other role they hold.
    reads_holds = (may_hold or may_release) and thing.wearer != reader.id
    holds = [
        readable_hold(hold, releasable=may_release and not hold.source and hold.placed_by != reader.custody_id)
        for hold in (queries.standing_holds(recording) if reads_holds else ())
    ]
    context = {
        "recording": recording,
        "decision": queries.decision(recording),
        "holds": holds,
        "edits": (
            list(queries.shortenings().filter(recording=recording))
            if access.allows(request, Action.REVIEW_RETENTION)
            else []
        ),
        "hold": reverse("retention:place_hold", args=[recording.pk]) if may_hold else "",
        "extend": (
            reverse("retention:extend", args=[recording.pk]) if access.allows(request, Action.EXTEND, thing) else ""
        ),
    }
    return Markup(render_to_string("retention/panel.html", context, request))  # noqa: S704  # a template escaped it


def release_of_holds(request: HttpRequest, *, source: str, **_: object) -> Markup | None:
    """What would go, and when, if everything that `source` (`request:7`) holds were released."""
    held = Hold.objects.filter(source=source, released_at=None)
    count = held.count()
    if not count:
        return None
    preview = queries.preview_release(held) if count <= _MOST_PREVIEWED else None
    context = {"preview": preview, "count": count}
    return Markup(render_to_string("retention/release_panel.html", context, request))  # noqa: S704  # a template escaped it


def tombstone(request: HttpRequest, recording: Recording, **_: object) -> Markup | None:
    """What is left of a deleted recording: its certificate, or that its deletion is still under way."""
    if recording.state != Recording.State.DELETED:
        return None
    found = queries.certificate_of(recording)
    context = {"certificate": readable(found) if found else None}
    return Markup(render_to_string("retention/tombstone.html", context, request))  # noqa: S704  # a template escaped it


def readable(certificate: Certificate) -> ReadableCertificate:
    """The certificate for a page."""
    names = ("recorded_at", "received_at", "due_at", "key_erased_at", "deleted_at")
    times = {name: iso8601.parse(certificate.body[name]) for name in names}
    approver = str(certificate.body["approved_by"])
    named = words.name(approver) if approver else ""
    return ReadableCertificate(id=str(certificate.pk), body=certificate.body, approved_by=named, **times)


def readable_hold(hold: Hold, *, releasable: bool = False) -> ReadableHold:
    """The hold for those who may know its reason."""
    return ReadableHold(
        kind=hold.get_kind_display(),
        reason=hold.reason,
        placed_by=words.names({hold.placed_by}).get(hold.placed_by, "Bluelamp"),
        placed_at=hold.placed_at,
        source=hold.source.partition(":")[0].replace("_", " "),
        release=reverse("retention:release_hold", args=[hold.pk]) if releasable else "",
    )
