"""The page of one recording, and opening it to watch or download."""

from __future__ import annotations

import re
from typing import Any, cast
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from bluelamp.footage import forms, media, page, queries, services
from bluelamp.footage.models import Recording
from bluelamp.people import access
from bluelamp.people.models import Person
from bluelamp.people.policy import Action, Thing
from bluelamp.web.responses import render


@require_GET
@access.signed_in
def recording(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    """/footage/<id>/: for whoever may see its facts; the player opens by itself only where no reason is due."""
    item, thing = facts(request, recording_id)
    return show(request, item, thing)


@require_GET
@access.signed_in
def state(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    """How far the preparation is: asked every few seconds by the waiting page, which reloads when it is over."""
    item, _ = facts(request, recording_id)
    response = render(request, "footage/_waiting.html", {"recording": item})
    if item.processing != Recording.Processing.WAITING or item.state != Recording.State.LIVE:
        response["HX-Refresh"] = "true"
    return response


@require_POST
@access.signed_in
def watch(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    """Open the recording to watch, with the reason given."""
    item, thing = facts(request, recording_id)
    access.require(request, Action.WATCH, thing)
    form = forms.WatchForm(request.POST)
    if not form.is_valid():
        return show(request, item, thing, watch=form, status=422)
    open_viewing(request, item, form.cleaned_data["reason"])
    return redirect("footage:recording", recording_id)


@require_POST
@access.signed_in
def download(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    """The original as a file, for those who may share it, with the reason given."""
    item, thing = facts(request, recording_id)
    access.require(request, Action.WATCH, thing)
    access.require(request, Action.SHARE, thing)
    form = forms.DownloadForm(request.POST)
    if not form.is_valid():
        return show(request, item, thing, download=form, status=422)
    viewing = open_viewing(request, item, form.cleaned_data["reason"], purpose="download")
    return redirect(media.url(viewing, "download"))


def facts(request: HttpRequest, recording_id: UUID) -> tuple[Recording, Thing]:
    """The recording, if the person may see its facts. Raises NotFound, NotAllowed (recorded)."""
    item = queries.recording(recording_id)
    thing = queries.thing(item)
    access.require(request, Action.VIEW_FACTS, thing)
    return item, thing


def show(request: HttpRequest, item: Recording, thing: Thing, status: int = 200, **bound: Any) -> HttpResponse:
    """The page; `bound` are forms that did not pass, by the name under which the template shows them."""
    reader = access.request_actor(request)
    person = cast(Person, request.user)
    shown = page.gather(item, reader, thing, request.session.session_key)
    if shown.viewing is None:
        # A form that did not pass shows the whole page as well, and is a reading of it like any other.
        if status == 200 and _opens_by_itself(shown):
            open_viewing(request, item, "")
            shown = page.gather(item, reader, thing, request.session.session_key)
        else:
            services.log_consultation(person, item)
    offered: dict[str, Any] = {
        "flag": forms.FlagForm(),
        "reference": forms.ReferenceForm(),
        "category": forms.CategoryForm(initial={"category": item.category_id}),
        "note": forms.NoteForm(),
        "let_watch": forms.LetWatchForm(),
        "watch": forms.WatchForm(),
        "download": forms.DownloadForm(),
        "release": forms.ReleaseForm(),
        "lock": forms.LockForm(),
        "unlock": forms.UnlockForm(),
    }
    wrong = next((form for form in bound.values() if form.errors), None)
    context = {
        "page": shown,
        "recording": item,
        "forms": {**offered, **bound},
        "wrong": wrong,
        "let_in": list(item.released_to.order_by("name")) if item.locked_at else [],
        "begin_at": _moment(request.GET.get("t", "")),
    }
    template = "footage/deleted.html" if item.state == Recording.State.DELETED else "footage/recording.html"
    return render(request, template, context, status)


def open_viewing(request: HttpRequest, item: Recording, reason: str, purpose: str = "view") -> Any:
    """A viewing for the signed-in person in this session."""
    person = cast(Person, request.user)
    return services.open_viewing(
        item,
        viewer=person.custody_id,
        viewer_name=str(person),
        grant="person",
        reason=reason,
        session_key=request.session.session_key or "",
        purpose=purpose,
    )


def _moment(given: str) -> float | None:
    """Where to begin, in seconds: what the links to moments give where no script moves the player."""
    return float(given) if re.fullmatch(r"\d{1,6}(\.\d{1,3})?", given, re.ASCII) else None


def _opens_by_itself(shown: page.Page) -> bool:
    item = shown.recording
    ready = item.state == Recording.State.LIVE and item.processing == Recording.Processing.READY
    return ready and shown.watch.allowed and not shown.watch.needs_reason
