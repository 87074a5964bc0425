"""What is said of a recording: each form posts to one service and comes back to the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from django import forms as django_forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from bluelamp.footage import forms, services
from bluelamp.footage.models import Recording
from bluelamp.footage.services import processing
from bluelamp.footage.views.showing import facts, show
from bluelamp.kernel.errors import Invalid
from bluelamp.people import access
from bluelamp.people.models import Person
from bluelamp.people.policy import Action

_FORMS: dict[str, type[django_forms.Form]] = {
    "flag": forms.FlagForm,
    "release": forms.ReleaseForm,
    "category": forms.CategoryForm,
    "reference": forms.ReferenceForm,
    "note": forms.NoteForm,
    "lock": forms.LockForm,
    "unlock": forms.UnlockForm,
    "let_watch": forms.LetWatchForm,
    "try_again": django_forms.Form,  # nothing is asked
}


@require_POST
@access.signed_in
def flag(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    """Flag as evidence, with a reference where one is given."""

    def act(item: Recording, by: Person, given: dict[str, Any]) -> str:
        reference = (given["reference_kind"], given["reference"]) if given["reference"] else None
        services.flag(item, category=given["category"], reason=given["reason"], by=by, reference=reference)
        return f"Flagged as evidence: {given['category'].name}."

    return _act(request, recording_id, Action.FLAG, "flag", act)


@require_POST
@access.signed_in
def release(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    """Release the evidence flag, with a reason."""

    def act(item: Recording, by: Person, given: dict[str, Any]) -> str:
        services.release_flag(item, reason=given["reason"], by=by)
        return "The evidence flag was released."

    return _act(request, recording_id, Action.RELEASE, "release", act)


@require_POST
@access.signed_in
def categorise(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    """Say what the recording is about."""

    def act(item: Recording, by: Person, given: dict[str, Any]) -> str:
        services.categorise(item, category=given["category"], by=by)
        return f"Category: {given['category'].name}."

    return _act(request, recording_id, Action.FLAG, "category", act)


@require_POST
@access.signed_in
def add_reference(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    """Add a CAD, crime or other number."""

    def act(item: Recording, by: Person, given: dict[str, Any]) -> str:
        return f"Reference added: {services.add_reference(item, **given, by=by).value}."

    return _act(request, recording_id, Action.NOTE, "reference", act)


@require_POST
@access.signed_in
def add_note(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    """Write a note, at a moment or about all of it."""

    def act(item: Recording, by: Person, given: dict[str, Any]) -> str:
        services.add_note(item, text=given["text"], at_ms=given["at"], by=by)
        return "Note saved."

    return _act(request, recording_id, Action.NOTE, "note", act)


@require_POST
@access.signed_in
def lock(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    """Lock after a death or serious injury."""

    def act(item: Recording, by: Person, given: dict[str, Any]) -> str:
        services.lock(item, reason=given["reason"], by=by)
        return "The recording is locked: nobody watches it until it is released."

    return _act(request, recording_id, Action.LOCK, "lock", act)


@require_POST
@access.signed_in
def unlock(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    """End the lock."""

    def act(item: Recording, by: Person, given: dict[str, Any]) -> str:
        services.unlock(item, reason=given["reason"], by=by)
        return "The lock was ended."

    return _act(request, recording_id, Action.UNLOCK, "unlock", act)


@require_POST
@access.signed_in
def let_watch(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    """Let one person watch in spite of the lock."""

    def act(item: Recording, by: Person, given: dict[str, Any]) -> str:
        person = given["warrant_number"]
        services.let_watch(item, person=person, reason=given["reason"], by=by)
        return f"{person} may watch this recording now."

    return _act(request, recording_id, Action.UNLOCK, "let_watch", act)


@require_POST
@access.signed_in
def try_again(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    """Prepare a failed recording once more."""

    def act(item: Recording, by: Person, given: dict[str, Any]) -> str:
        processing.try_again(item, by=by)
        return "It is being prepared again."

    return _act(request, recording_id, Action.NOTE, "try_again", act)


def _act(
    request: HttpRequest,
    recording_id: UUID,
    action: Action,
    name: str,
    act: Callable[[Recording, Person, dict[str, Any]], str],
) -> HttpResponse:
    """Do `act` with what the form `name` gave and say what it returns; a form that did not pass shows the page."""
    item, thing = facts(request, recording_id)
    access.require(request, action, thing)
    form = _FORMS[name](request.POST)
    if not form.is_valid():
        return show(request, item, thing, 422, **{name: form})
    try:
        messages.success(request, act(item, cast(Person, request.user), form.cleaned_data))
    except Invalid as error:
        # What was typed stays in the form.
        form.add_error(None, str(error))
        return show(request, item, thing, 422, **{name: form})
    return redirect("footage:recording", recording_id)
