"""The pages on which footage from elsewhere is added: what it is, then its files."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from bluelamp.ingest import services
from bluelamp.ingest.adding import queries
from bluelamp.ingest.adding.forms import AdditionForm
from bluelamp.ingest.models import Addition
from bluelamp.ingest.services.adding import clear_given_up, clock_words
from bluelamp.people import access
from bluelamp.people.models import Person
from bluelamp.people.policy import Action
from bluelamp.web.filters import count
from bluelamp.web.responses import render


@access.signed_in
def begin(request: HttpRequest) -> HttpResponse:
    """Page 1: what it is, where and when it was recorded, and who handed it over."""
    access.require(request, Action.ADD_FOOTAGE)
    form = AdditionForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        made = services.open_addition(form.said(), by=cast(Person, request.user))
        return redirect("adding:send", made.pk)
    context = {"form": form, "begun": queries.open_additions(access.request_actor(request))}
    return render(request, "adding/begin.html", context, 422 if form.errors else 200)


@require_GET
@access.signed_in
def send(request: HttpRequest, addition_id: UUID) -> HttpResponse:
    """Page 2: its files."""
    addition = _addition(request, addition_id)
    context = {
        "addition": addition,
        "files": queries.files(addition),
        "clock_words": clock_words(addition),
        "most_bytes": services.most_bytes(),
    }
    return render(request, "adding/send.html", context)


@require_GET
@access.signed_in
def files(request: HttpRequest, addition_id: UUID) -> HttpResponse:
    """The list of files on that page, asked for again by its script."""
    addition = _addition(request, addition_id)
    return render(request, "adding/_files.html", {"addition": addition, "files": queries.files(addition)})


@require_POST
@access.signed_in
def finish(request: HttpRequest, addition_id: UUID) -> HttpResponse:
    """No more files; what has not arrived whole is given up."""
    addition = _addition(request, addition_id)
    given_up = services.finish_addition(addition, actor=addition.maker.custody_id)
    clear_given_up(addition)
    gone = f" {count(given_up, 'file')} that had not arrived whole {'was' if given_up == 1 else 'were'} given up."
    messages.success(request, "Finished: no more files can be added here." + (gone if given_up else ""))
    return redirect("adding:send", addition.pk)


def _addition(request: HttpRequest, addition_id: UUID) -> Addition:
    access.require(request, Action.ADD_FOOTAGE)
    return queries.addition_of(access.request_actor(request), addition_id, request.path)
