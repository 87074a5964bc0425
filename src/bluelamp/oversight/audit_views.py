"""Pages under /audit/: the ledger, one event, who looked at a recording, the checkpoint. Each reading is recorded."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bluelamp.custody import keys, timestamping, words
from bluelamp.custody.queries import latest_checkpoint
from bluelamp.footage import queries as footage
from bluelamp.kernel import clock
from bluelamp.oversight import rules, services
from bluelamp.oversight.forms import ExportForm, KeptNoteForm, LedgerForm, group_label, tag_label
from bluelamp.oversight.queries import counting, ledger, looking, verification
from bluelamp.people import access
from bluelamp.people.policy import Action
from bluelamp.web.responses import render

_TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}


@access.signed_in
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """The ledger, newest first, filtered and page by page."""
    actor = _auditor(request)
    form = LedgerForm(request.GET)
    if not form.is_valid():
        return _ledger(request, form, None, ExportForm())
    page = ledger.page(form.wanted)
    services.note_consultation(actor=actor, page="ledger", shown=len(page.items), filters=form.filters)
    return _ledger(request, form, page, ExportForm())


@access.signed_in
@require_POST
def export(request: HttpRequest) -> HttpResponse:
    """The filtered stretch as a file."""
    actor = _auditor(request)
    form, given = LedgerForm(request.GET), ExportForm(request.POST)
    if not form.is_valid() or not given.is_valid():
        page = ledger.page(form.wanted) if form.is_valid() else None
        return _ledger(request, form, page, given, status=422)
    kind = given.cleaned_data["format"] or "csv"
    made = services.export(
        form.wanted, actor=actor, reason=given.cleaned_data["reason"], filters=form.filters, form=kind
    )
    response = HttpResponse(made.content, content_type=_TYPES[kind])
    name = f"ledger-{clock.now():%Y%m%dT%H%M%SZ}{'' if made.complete else '-newest-part'}.{kind}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@access.signed_in
@require_GET
def event(request: HttpRequest, event_id: int) -> HttpResponse:
    """One event in full, with what its leaf commits to."""
    actor = _auditor(request)
    entry = ledger.event(event_id)
    services.note_consultation(actor=actor, page="event", shown=1, filters={"event": str(event_id)})
    (told,) = words.tell([entry.item])
    around = ledger.around(entry.item)
    context = {
        "entry": entry,
        "told": told,
        "around": words.tell(around),
        "also": list(zip(entry.item.also, told.also, strict=True)),
    }
    context["may_erase"] = access.allows(request, Action.ERASE_DETAILS)
    return render(request, "oversight/audit/event.html", context)


@access.signed_in
@require_GET
def recording(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    """Who looked at one recording, how often, at what, and why."""
    actor = _auditor(request)
    found = footage.recording(recording_id)
    seen = looking.looking(found.custody_id)
    services.note_consultation(actor=actor, page="who looked", shown=len(seen.viewers), subject=found.custody_id)
    return render(request, "oversight/audit/recording.html", {"recording": found, "seen": seen})


@access.signed_in
@require_http_methods(["GET", "POST"])
def checkpoint(request: HttpRequest) -> HttpResponse:
    """The latest signed checkpoint; POST verifies the ledger against it and says what came of it."""
    actor = _auditor(request)
    posted = request.method == "POST"
    form, result = KeptNoteForm(request.POST if posted else None), None
    if form.is_valid():
        result = services.verify(actor=actor, kept_note=form.cleaned_data["note"])
    context = {
        "checkpoint": latest_checkpoint(),
        "verifier_key": keys.own_vkey(),
        "timestamp": timestamping.latest(),
        "most_leaves": verification.MOST_LEAVES,
        "form": form,
        "result": result,
    }
    return render(request, "oversight/audit/checkpoint.html", context, status=422 if form.errors else 200)


def _auditor(request: HttpRequest) -> str:
    """The custody id of somebody who may read the audit trail; a refusal is recorded."""
    access.require(request, Action.VIEW_AUDIT)
    return access.request_actor(request).custody_id


def _ledger(
    request: HttpRequest, form: LedgerForm, page: ledger.Page | None, given: ExportForm, status: int = 200
) -> HttpResponse:
    filters = form.filters if page else {}
    address = reverse("audit:index")

    def without(name: str) -> str:
        rest = {other: value for other, value in filters.items() if other != name}
        return f"{address}?{urlencode(rest)}" if rest else address

    def narrowed(**more: object) -> str:
        """The address of the same question, narrowed further."""
        return f"{address}?{urlencode({**filters, **more})}"

    context = {
        "form": form,
        "export_form": given,
        "asked": page is not None,
        "narrowed": narrowed,
        "summary": counting.summary(form.wanted, clock.now()) if page else None,
        "operations": rules.OPERATIONS,
        "tag_label": tag_label,
        "told": words.tell(page.items) if page else [],
        "applied": [(_filter_label(form, name, value), without(name)) for name, value in filters.items()],
        "query": urlencode(filters),
        "older": f"?{urlencode({**filters, 'before': page.older})}" if page and page.older else "",
        "is_first": not (page and form.cleaned_data.get("before")),
        "most_exported": services.MOST_EXPORTED,
    }
    return render(request, "oversight/audit/index.html", context, status=status if page else 422)


def _filter_label(form: LedgerForm, name: str, value: str) -> str:
    text = {"group": group_label, "tag": tag_label}.get(name, str)(value)
    return f"{form.fields[name].label}: {text}"
