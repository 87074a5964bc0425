"""The roll-out: planned and issued by borough and unit, and when it will be complete."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from bluelamp.fleet import queries, services
from bluelamp.fleet.forms import PlanForm
from bluelamp.kernel.errors import BluelampError, NotFound
from bluelamp.people.access import allows, request_actor, require, signed_in
from bluelamp.people.models import Unit
from bluelamp.people.policy import Action
from bluelamp.people.queries import unit as unit_by_code
from bluelamp.web.responses import render


@signed_in
def rollout(request: HttpRequest) -> HttpResponse:
    """One unit of the tree and what stands directly below it; `?unit=` goes down."""
    require(request, Action.VIEW_FLEET)
    here, way, below = queries.rollout(request.GET.get("unit", ""))
    context = {"here": here, "way": way, "below": below, "may_manage": allows(request, Action.MANAGE_FLEET)}
    return render(request, "fleet/rollout.html", context)


@signed_in
def plan(request: HttpRequest, code: str) -> HttpResponse:
    """Change the plan of one unit."""
    require(request, Action.MANAGE_FLEET)
    unit = _unit(code)
    standing = queries.plan_of(unit)
    initial = {"planned": standing.planned, "due_on": standing.due_on} if standing else {}
    form = PlanForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            services.plan_rollout(unit, actor=request_actor(request).custody_id, **form.cleaned_data)
        except BluelampError as error:
            form.add_error(None, error.what_happened)
        else:
            messages.success(request, f"The plan for {unit.name} is as you said.")
            above = unit.parent.code if unit.parent else ""
            return redirect(f"{reverse('fleet:rollout')}?unit={above}" if above else reverse("fleet:rollout"))
    return render(request, "fleet/plan.html", {"form": form, "unit": unit}, status=422 if form.errors else 200)


def _unit(code: str) -> Unit:
    unit = unit_by_code(code)
    if unit is None:
        raise NotFound("There is no such unit.", "Nothing was changed.", "Start from the roll-out page.")
    return unit
