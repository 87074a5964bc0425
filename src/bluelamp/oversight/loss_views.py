"""/oversight/losses/: what of the stored footage is lost, what it touches, and what has come back."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from bluelamp.kernel import clock
from bluelamp.kernel.errors import BluelampError
from bluelamp.oversight import loss_list, services
from bluelamp.oversight.models import Loss
from bluelamp.oversight.queries import losses
from bluelamp.oversight.services import losses as services_of_losses
from bluelamp.people import access
from bluelamp.people.policy import Action
from bluelamp.web.responses import render

_PAGE = 100
_TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}


class DecisionForm(forms.Form):
    """Which losses, and why they are given up."""

    loss = forms.TypedMultipleChoiceField(coerce=int, required=False)
    everything = forms.BooleanField(required=False)
    reason = forms.CharField(
        label="Why is it accepted as lost?",
        max_length=services_of_losses.LONGEST_REASON,
        help_text="Say where copies were looked for. It goes into the custody record.",
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say why", "max_length": "Shorten the reason to %(limit_value)d characters"},
    )

    def __init__(self, data: object = None) -> None:
        super().__init__(data)
        ids = Loss.objects.filter(state=Loss.State.LOST).values_list("pk", flat=True)
        self.fields["loss"].choices = [(pk, pk) for pk in ids]

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if not given.get("everything") and not given.get("loss") and "loss" not in self.errors:
            self.add_error(None, "Choose at least one recording")
        return given

    def chosen(self, *, proposed: bool) -> list[int]:
        """The ids of the losses; of `everything`, all that are lost, or all that somebody proposed."""
        if not self.cleaned_data["everything"]:
            return list(self.cleaned_data["loss"])
        lost = Loss.objects.filter(state=Loss.State.LOST)
        return list((lost.exclude(proposed_by="") if proposed else lost).values_list("pk", flat=True))


@access.signed_in
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Every loss of a state, and how many there are of each."""
    access.require(request, Action.VIEW_OVERSIGHT)
    return _page(request, DecisionForm())


@access.signed_in
@require_GET
def taken(request: HttpRequest, form: str) -> HttpResponse:
    """The whole list as a file."""
    access.require(request, Action.VIEW_OVERSIGHT)
    content = services_of_losses.take_list(
        actor=access.request_actor(request).custody_id,
        form=form,
        with_names=access.allows(request, Action.VIEW_AUDIT),
    )
    response = HttpResponse(content, content_type=_TYPES[form])
    response["Content-Disposition"] = f'attachment; filename="losses-{clock.now():%Y%m%dT%H%M%SZ}.{form}"'
    return response


@access.signed_in
@require_POST
def decide(request: HttpRequest) -> HttpResponse:
    """Propose to accept losses, or accept what somebody else proposed."""
    access.require(request, Action.ACCEPT_LOSSES)
    form = DecisionForm(request.POST)
    status = 422
    if form.is_valid():
        accepting = request.POST.get("decision") == "accept"
        act = services_of_losses.accept if accepting else services_of_losses.propose_acceptance
        try:
            count = act(
                form.chosen(proposed=accepting),
                reason=form.cleaned_data["reason"],
                actor=access.request_actor(request).custody_id,
            )
        except BluelampError as error:
            form.add_error(None, str(error))
            status = error.status
        else:
            said = "Accepted as lost" if accepting else "Proposed; another person has to agree"
            messages.success(request, f"{said}: {count} recording{'s' if count != 1 else ''}.")
            return redirect("oversight:losses")
    return _page(request, form, status)


def _page(request: HttpRequest, form: DecisionForm, status: int = 200) -> HttpResponse:
    state = request.GET.get("state", Loss.State.LOST)
    if state not in {*Loss.State.values, "all"}:
        state = Loss.State.LOST
    page = Paginator(losses.all_of("" if state == "all" else state), _PAGE).get_page(request.GET.get("page"))
    lines = losses.listing(list(page.object_list))
    services.note_consultation(actor=access.request_actor(request).custody_id, page="losses", shown=len(lines))
    context = {
        "form": form,
        "state": state,
        "states": [*Loss.State.choices, ("all", "All")],
        "standing": losses.standing(),
        "page": page,
        "lines": lines,
        "made_at": clock.now(),
        "me": access.request_actor(request).custody_id,
        "may_audit": access.allows(request, Action.VIEW_AUDIT),
        "may_decide": access.allows(request, Action.ACCEPT_LOSSES) and state == Loss.State.LOST and bool(lines),
        "forms": loss_list.FORMS,
    }
    return render(request, "oversight/losses.html", context, status=status)
