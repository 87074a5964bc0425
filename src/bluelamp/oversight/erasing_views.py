"""/audit/erasures/: values that the law takes out of the ledger. One person asks, another decides."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bluelamp.custody import erasing, words
from bluelamp.custody.queries import search
from bluelamp.kernel.errors import BluelampError, NotFound
from bluelamp.oversight import services
from bluelamp.oversight.queries import ledger
from bluelamp.people import access
from bluelamp.people.policy import Action
from bluelamp.web.responses import render

_SHOWN = 50
_DECIDED = (erasing.DetailErased.tag, erasing.ErasureRefused.tag)


class AskForm(forms.Form):
    """Which values of one event, and why. The choices are what the event still has and may lose."""

    fields_ = forms.MultipleChoiceField(
        label="Which values?",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one value."},
    )
    reason = forms.CharField(
        label="Why must they go?",
        max_length=erasing.LONGEST_REASON,
        help_text="Name the request or the law. The ledger keeps what you write: do not repeat what is to be erased.",
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say why."},
    )

    def __init__(self, data: Any, names: list[str]) -> None:
        super().__init__(data)
        self.fields["fields_"].choices = [(name, _label(name)) for name in names]


class DecisionForm(forms.Form):
    """The second person's word."""

    reason = forms.CharField(
        label="Reason for your decision",
        max_length=erasing.LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "Give a reason for your decision."},
    )


@access.signed_in
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """What waits for a second person, and what was decided lately."""
    access.require(request, Action.ERASE_DETAILS)
    return _page(request, DecisionForm(), None)


@access.signed_in
@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest, event_id: int) -> HttpResponse:
    """Choose what of one event is to be erased."""
    access.require(request, Action.ERASE_DETAILS)
    entry = ledger.event(event_id)
    names = [field.name for field in entry.fields if field.erased_by is None and field.name not in erasing.NEVER]
    form = AskForm(request.POST if request.method == "POST" else None, names)
    if form.is_valid():
        try:
            erasing.ask(
                event_id,
                form.cleaned_data["fields_"],
                reason=form.cleaned_data["reason"],
                actor=access.request_actor(request).custody_id,
            )
        except BluelampError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "Asked. Another person has to decide; until then nothing is erased.")
            return redirect("audit:erasures")
    services.note_consultation(
        actor=access.request_actor(request).custody_id, page="erasure", shown=1, filters={"event": str(event_id)}
    )
    (told,) = words.tell([entry.item])
    return render(
        request,
        "oversight/audit/erasure_ask.html",
        {"form": form, "told": told, "entry": entry},
        status=422 if form.errors else 200,
    )


@access.signed_in
@require_POST
def decide(request: HttpRequest, ask_id: int) -> HttpResponse:
    """Erase, or refuse to."""
    access.require(request, Action.ERASE_DETAILS)
    form = DecisionForm(request.POST)
    if form.is_valid():
        act = erasing.erase if request.POST.get("decision") == "erase" else erasing.refuse
        try:
            act(ask_id, reason=form.cleaned_data["reason"], actor=access.request_actor(request).custody_id)
        except NotFound:
            raise
        except BluelampError as error:
            form.add_error(None, str(error))
        else:
            done = "Erased. Every proof of the event stays valid." if act is erasing.erase else "Refused."
            messages.success(request, done)
            return redirect("audit:erasures")
    return _page(request, form, ask_id, status=422)


def _page(request: HttpRequest, form: DecisionForm, decided: int | None, status: int = 200) -> HttpResponse:
    waiting = erasing.waiting()
    services.note_consultation(actor=access.request_actor(request).custody_id, page="erasures", shown=len(waiting))
    names = words.names({asked.asked_by for asked in waiting})
    done = [
        item for tag in ("custody.detail_erased", "custody.erasure_refused") for item in search(tag=tag, limit=_SHOWN)
    ]
    context = {
        "form": form,
        "decided": decided,
        "waiting": [
            {
                "asked": asked,
                "by": names[asked.asked_by],
                "mine": asked.asked_by == access.request_actor(request).custody_id,
                "values": [_label(name) for name in asked.fields],
                "what": words.describe(ledger.event(asked.event).item),
            }
            for asked in waiting
        ],
        "done": words.tell(sorted(done, key=lambda item: item.id, reverse=True)[:_SHOWN]),
    }
    return render(request, "oversight/audit/erasures.html", context, status=status)


def _label(name: str) -> str:
    plain = {"actor": "Who did it", "reason": "The reason given", "also": "Further things it was about"}
    return plain.get(name) or name.removeprefix("detail.").replace("_", " ").capitalize()
