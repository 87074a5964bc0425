"""Pages about a person whom a case is about. What a change does to footage is shown before it is saved."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_http_methods

from bluelamp.cases import doors, queries, services, subjects
from bluelamp.cases.models import Case, Subject
from bluelamp.cases.rules import Known, is_correction, problems
from bluelamp.cases.services.subjects import today
from bluelamp.cases.subject_forms import (
    AddSubjectForm,
    CloseAppealForm,
    GroupForm,
    KnowingForm,
    OpenAppealForm,
    ProceedingsForm,
    ReviewGroupForm,
)
from bluelamp.kernel.errors import BluelampError, NotFound
from bluelamp.people import access
from bluelamp.people.models import Person
from bluelamp.web.responses import render


@access.signed_in
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Add a person whom the case is about."""
    case = doors.own(request, case_id)
    form = AddSubjectForm(_sent(request))
    if request.method == "POST" and form.is_valid():
        try:
            made = services.add_subject(case, form.cleaned_data["label"], actor=request.user)
        except BluelampError as refusal:
            form.add_error("label", str(refusal))
        else:
            messages.success(request, "Added. The case's footage is kept until it is recorded how proceedings ended.")
            return redirect("cases:subject", case.pk, made.pk)
    return render(request, "cases/add_subject.html", {"case": case, "form": form}, status=422 if form.errors else 200)


@access.signed_in
@require_GET
def subject(request: HttpRequest, case_id: UUID, subject_id: UUID) -> HttpResponse:
    """What is known of a person, and what it means for footage."""
    case = doors.visible(request, case_id)
    found = doors.subject_of(case, subject_id)
    services.log_consultation([found], actor=cast(Person, request.user))
    context = {
        "case": case,
        "line": subjects.line(found),
        "appeals": list(found.appeals.all()),
        "reviews": found.reviews.select_related("reviewed_by"),
        "own": queries.is_member(case, access.request_actor(request)),
        "today": today(),
    }
    return render(request, "cases/subject.html", context)


@access.signed_in
@require_http_methods(["GET", "POST"])
def proceedings(request: HttpRequest, case_id: UUID, subject_id: UUID) -> HttpResponse:
    """Record where proceedings stand."""
    case, found = _of(request, case_id, subject_id)
    known = found.known.proceedings
    initial = {
        "stage": known.stage.value,
        "on": known.on,
        "custodial": "yes" if known.custodial else "no" if known.stage.is_final else "",
        "released_on": known.released_on,
    }
    form = ProceedingsForm(_sent(request), initial=initial)
    return _ask(request, case, found, form, "What happened in the proceedings", _recording(request, found, form))


@access.signed_in
@require_http_methods(["GET", "POST"])
def open_appeal(request: HttpRequest, case_id: UUID, subject_id: UUID) -> HttpResponse:
    """Record that an appeal or an application was opened."""
    case, found = _of(request, case_id, subject_id)
    form = OpenAppealForm(_sent(request))
    return _ask(request, case, found, form, "An appeal was opened", _recording(request, found, form))


@access.signed_in
@require_http_methods(["GET", "POST"])
def close_appeal(request: HttpRequest, case_id: UUID, subject_id: UUID, number: int) -> HttpResponse:
    """Record that the appeal at place `number` was decided."""
    case, found = _of(request, case_id, subject_id)
    appeals = found.known.proceedings.appeals
    if number >= len(appeals) or appeals[number].closed_on is not None:
        raise NotFound("There is no open appeal at this address.", "", "Look at the person's page.")
    form = CloseAppealForm(_sent(request), number=number)
    return _ask(request, case, found, form, "An appeal was decided", _recording(request, found, form))


@access.signed_in
@require_http_methods(["GET", "POST"])
def group(request: HttpRequest, case_id: UUID, subject_id: UUID) -> HttpResponse:
    """Set or change a person's MoPI review group."""
    case, found = _of(request, case_id, subject_id)
    initial = {
        "group": found.group,
        "clear_from": found.clear_from or today(),
        "born": found.born,
        "years": found.years,
        "reason": found.group_reason,
    }
    form = GroupForm(_sent(request), initial=initial)
    return _ask(request, case, found, form, "MoPI review group", _recording(request, found, form))


@access.signed_in
@require_http_methods(["GET", "POST"])
def review_group(request: HttpRequest, case_id: UUID, subject_id: UUID) -> HttpResponse:
    """Review whether what belongs to a person is still needed."""
    case, found = _of(request, case_id, subject_id)
    if found.group is None:
        raise NotFound("No review group is set for this person.", "", "Set the group on the person's page.")
    form = ReviewGroupForm(_sent(request))

    def save(_: Known) -> None:
        given = form.cleaned_data
        services.review_group(
            found,
            keep=given["keep"] == "yes",
            following=given["following"],
            reason=form.reason,
            actor=request.user,
        )

    return _ask(request, case, found, form, "Review of the MoPI group", save)


def _sent(request: HttpRequest) -> QueryDict | None:
    """What was answered; None where the page is only looked at."""
    return request.POST if request.method == "POST" else None


def _of(request: HttpRequest, case_id: UUID, subject_id: UUID) -> tuple[Case, Subject]:
    case = doors.own(request, case_id)
    return case, doors.subject_of(case, subject_id)


def _recording(request: HttpRequest, found: Subject, form: KnowingForm) -> Callable[[Known], None]:
    def save(after: Known) -> None:
        services.record_known(found, after, actor=request.user, reason=form.reason)

    return save


def _ask(
    request: HttpRequest, case: Case, found: Subject, form: KnowingForm, title: str, save: Callable[[Known], None]
) -> HttpResponse:
    """Ask; show what the answer does to footage; save it once that has been seen, and it is still so.

    The question stands beside what is recorded of the person, so that asking it is reading that.
    """
    if request.method != "POST":
        services.log_consultation([found], actor=cast(Person, request.user))
    context: dict[str, Any] = {
        "case": case,
        "subject": found,
        "form": form,
        "title": title,
        "line": subjects.line(found),
    }
    if request.method != "POST" or not _is_sound(form, found.known, today()):
        return render(request, "cases/knowing.html", context, status=422 if form.errors else 200)
    if "again" in request.POST:
        return render(request, "cases/knowing.html", context)
    after = form.change(found.known, today())
    effect = queries.effect_of_knowing(found, after)
    if request.POST.get("seen") == effect.digest:
        try:
            save(after)
        except BluelampError as refusal:
            form.add_error(None, str(refusal))
            return render(request, "cases/knowing.html", context, status=refusal.status)
        messages.success(request, "Recorded. The footage of the case is kept as you were shown.")
        return redirect("cases:subject", case.pk, found.pk)
    is_open = case.closed_at is None
    context["once_closed"] = queries.effect_of_knowing(found, after, closing=True) if is_open else None
    context |= {"effect": effect, "changed": "seen" in request.POST}
    return render(request, "cases/effect.html", context)


def _is_sound(form: KnowingForm, known: Known, day: date) -> bool:
    """Whether the answer can be recorded; what is wrong with it stands in the form."""
    if not form.is_valid():
        return False
    after = form.change(known, day)
    for wrong in problems(after, day):
        form.add_error(None, wrong)
    if after == known:
        form.add_error(None, "That is what is recorded already.")
    if is_correction(known, after) and "reason" in form.fields and not form.reason.strip():
        form.add_error("reason", "This changes what was recorded before: say why it was wrong.")
    return not form.errors
