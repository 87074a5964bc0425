"""What is said of a recording: each form posts to one service and comes back to the page."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from bluelamp.footage import forms, services
from bluelamp.footage.services import processing
from bluelamp.footage.views.showing import facts, show
from bluelamp.people import access
from bluelamp.people.models import Person
from bluelamp.people.policy import Action


@require_POST
@access.signed_in
def flag(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    """Flag as evidence, with a reference where one is given."""
    item, thing = facts(request, recording_id)
    access.require(request, Action.FLAG, thing)
    form = forms.FlagForm(request.POST)
    if not form.is_valid():
        return show(request, item, thing, flag=form, status=422)
    given, by = form.cleaned_data, cast(Person, request.user)
    reference = (given["reference_kind"], given["reference"]) if given["reference"] else None
    services.flag(item, category=given["category"], reason=given["reason"], by=by, reference=reference)
    return _back(request, recording_id, f"Flagged as evidence: {given['category'].name}.")


@require_POST
@access.signed_in
def release(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    """Release the evidence flag, with a reason."""
    item, thing = facts(request, recording_id)
    access.require(request, Action.RELEASE, thing)
    form = forms.ReleaseForm(request.POST)
    if not form.is_valid():
        return show(request, item, thing, release=form, status=422)
    services.release_flag(item, reason=form.cleaned_data["reason"], by=cast(Person, request.user))
    return _back(request, recording_id, "The evidence flag was released.")


@require_POST
@access.signed_in
def categorise(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    """Say what the recording is about."""
    item, thing = facts(request, recording_id)
    access.require(request, Action.FLAG, thing)
    form = forms.CategoryForm(request.POST)
    if not form.is_valid():
        return show(request, item, thing, category=form, status=422)
    chosen = form.cleaned_data["category"]
    services.categorise(item, category=chosen, by=cast(Person, request.user))
    return _back(request, recording_id, f"Category: {chosen.name}.")


@require_POST
@access.signed_in
def add_reference(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    """Add a CAD, crime or other number."""
    item, thing = facts(request, recording_id)
    access.require(request, Action.NOTE, thing)
    form = forms.ReferenceForm(request.POST)
    if not form.is_valid():
        return show(request, item, thing, reference=form, status=422)
    made = services.add_reference(item, **form.cleaned_data, by=cast(Person, request.user))
    return _back(request, recording_id, f"Reference added: {made.value}.")


@require_POST
@access.signed_in
def add_note(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    """Write a note, at a moment or about all of it."""
    item, thing = facts(request, recording_id)
    access.require(request, Action.NOTE, thing)
    form = forms.NoteForm(request.POST)
    if not form.is_valid():
        return show(request, item, thing, note=form, status=422)
    given = form.cleaned_data
    services.add_note(item, text=given["text"], at_ms=given["at"], by=cast(Person, request.user))
    return _back(request, recording_id, "Note saved.")


@require_POST
@access.signed_in
def lock(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    """Lock after a death or serious injury."""
    item, thing = facts(request, recording_id)
    access.require(request, Action.LOCK, thing)
    form = forms.LockForm(request.POST)
    if not form.is_valid():
        return show(request, item, thing, lock=form, status=422)
    services.lock(item, reason=form.cleaned_data["reason"], by=cast(Person, request.user))
    return _back(request, recording_id, "The recording is locked: nobody watches it until it is released.")


@require_POST
@access.signed_in
def unlock(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    """End the lock."""
    item, thing = facts(request, recording_id)
    access.require(request, Action.UNLOCK, thing)
    form = forms.UnlockForm(request.POST)
    if not form.is_valid():
        return show(request, item, thing, unlock=form, status=422)
    services.unlock(item, reason=form.cleaned_data["reason"], by=cast(Person, request.user))
    return _back(request, recording_id, "The lock was ended.")


@require_POST
@access.signed_in
def let_watch(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    """Let one person watch in spite of the lock."""
    item, thing = facts(request, recording_id)
    access.require(request, Action.UNLOCK, thing)
    form = forms.LetWatchForm(request.POST)
    if not form.is_valid():
        return show(request, item, thing, let_watch=form, status=422)
    person = form.cleaned_data["warrant_number"]
    services.let_watch(item, person=person, reason=form.cleaned_data["reason"], by=cast(Person, request.user))
    return _back(request, recording_id, f"{person} may watch this recording now.")


@require_POST
@access.signed_in
def try_again(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    """Prepare a failed recording once more."""
    item, thing = facts(request, recording_id)
    access.require(request, Action.NOTE, thing)
    processing.try_again(item, by=cast(Person, request.user))
    return _back(request, recording_id, "It is being prepared again.")


def _back(request: HttpRequest, recording_id: UUID, said: str) -> HttpResponse:
    messages.success(request, said)
    return redirect("footage:recording", recording_id)
