"""Pages of cases."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bluelamp.cases import doors, queries, services, subjects
from bluelamp.cases.events import SubjectConsulted
from bluelamp.cases.forms import AddMemberForm, AddRecordingForm, CloseCaseForm, EndRoleForm, OpenCaseForm
from bluelamp.cases.models import Case
from bluelamp.custody import queries as custody_queries
from bluelamp.footage import queries as footage_queries
from bluelamp.footage import services as footage
from bluelamp.footage.models import Recording
from bluelamp.kernel.errors import NotFound
from bluelamp.people import access
from bluelamp.people.models import Person
from bluelamp.people.policy import Action
from bluelamp.web.responses import render


@access.signed_in
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    actor = access.request_actor(request)
    cases = queries.visible_to(actor)
    return render(
        request,
        "cases/index.html",
        {
            "open_cases": cases.filter(closed_at=None),
            "closed_cases": cases.exclude(closed_at=None),
            "may_open": access.allows(request, Action.MANAGE_CASES),
        },
    )


@access.signed_in
@require_http_methods(["GET", "POST"])
def open_case(request: HttpRequest) -> HttpResponse:
    access.require(request, Action.MANAGE_CASES)
    form = OpenCaseForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        case = services.open_case(opened_by=request.user, **form.cleaned_data)
        messages.success(request, "The case is open. Find its footage and add it from each recording's page.")
        return redirect("cases:case", case.pk)
    return render(request, "cases/open.html", {"form": form}, status=422 if form.errors else 200)


@access.signed_in
@require_GET
def case(request: HttpRequest, case_id: UUID) -> HttpResponse:
    found = doors.visible(request, case_id)
    return _case_page(request, found, AddMemberForm(), CloseCaseForm())


@access.signed_in
@require_POST
def add_member(request: HttpRequest, case_id: UUID) -> HttpResponse:
    found = doors.own(request, case_id)
    form = AddMemberForm(request.POST)
    if not form.is_valid():
        return _case_page(request, found, form, CloseCaseForm(), status=422)
    person = form.cleaned_data["warrant_number"]
    services.add_member(found, person, role=form.cleaned_data["role"], actor=request.user)
    messages.success(request, f"{person.name} now has a role in this case and may watch its footage.")
    return redirect("cases:case", found.pk)


@access.signed_in
@require_http_methods(["GET", "POST"])
def end_role(request: HttpRequest, case_id: UUID, person_id: int) -> HttpResponse:
    """End somebody's role in the case; a member may end the own one."""
    found = doors.own(request, case_id)
    member = found.members.filter(person_id=person_id, left_at=None).select_related("person").first()
    if member is None:
        raise NotFound("This person has no role in the case.", "", "Look at the people on the case's page.")
    form = EndRoleForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        services.remove_member(found, member.person, actor=request.user, reason=form.cleaned_data["reason"])
        messages.success(request, f"{member.person.name} no longer has a role in {found.name}.")
        return redirect("cases:index") if member.person == request.user else redirect("cases:case", found.pk)
    context = {"case": found, "member": member, "form": form}
    return render(request, "cases/end_role.html", context, status=422 if form.errors else 200)


@access.signed_in
@require_POST
def close_case(request: HttpRequest, case_id: UUID) -> HttpResponse:
    found = doors.own(request, case_id)
    form = CloseCaseForm(request.POST)
    if not form.is_valid():
        return _case_page(request, found, AddMemberForm(), form, status=422)
    services.close_case(found, actor=request.user, outcome=form.cleaned_data["outcome"])
    kept = found.subjects.exists()
    why = "the law's clocks of its persons, or another rule, say" if kept else "another rule says"
    messages.success(request, f"The case is closed. Its footage is now kept only where {why} so.")
    return redirect("cases:case", found.pk)


@access.signed_in
@require_POST
def add_recording(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    recording = get_object_or_404(Recording, pk=recording_id)
    access.require(request, Action.VIEW_FACTS, footage_queries.thing(recording))
    actor = access.request_actor(request)
    form = AddRecordingForm(request.POST)
    form.fields["case"].queryset = Case.objects.filter(
        closed_at=None, members__person_id=actor.id, members__left_at=None
    )
    if form.is_valid():
        found = form.cleaned_data["case"]
        services.add_recording(found, recording, actor=request.user, reason=form.cleaned_data["reason"])
        messages.success(request, f"Added to {found.name}. It is kept for as long as the case is open.")
    else:
        messages.error(request, "Nothing was added: choose a case of yours and say why the recording belongs to it.")
    return redirect("footage:recording", recording.pk)


def _case_page(
    request: HttpRequest, found: Case, member_form: AddMemberForm, close_form: CloseCaseForm, status: int = 200
) -> HttpResponse:
    links = list(found.links.select_related("recording__wearer", "recording__category", "added_by"))
    footage.log_listing(cast(Person, request.user), [link.recording for link in links], {"page": found.custody_id})
    persons = list(found.subjects.select_related("case").prefetch_related("appeals", "reviews"))
    services.log_consultation(persons, actor=cast(Person, request.user))
    own = queries.is_member(found, access.request_actor(request))
    return render(
        request,
        "cases/case.html",
        {
            "case": found,
            "recordings": links,
            "members": found.members.filter(left_at=None).select_related("person"),
            # Who read what is in the audit trail; here it would hide what happened.
            "history": [item for item in custody_queries.history(found.custody_id) if item.tag != SubjectConsulted.tag],
            "member_form": member_form,
            "close_form": close_form,
            "own": own,
            "subjects": [subjects.line(one) for one in persons],
            "closing": queries.effect_of_closing(found) if own and found.closed_at is None else None,
        },
        status=status,
    )
