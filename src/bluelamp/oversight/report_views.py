"""/audit/operations/ and /audit/report/: section 62 of the Data Protection Act 2018, and what the Commissioner asks."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET, require_http_methods

from bluelamp.custody.event import Operation
from bluelamp.kernel import clock
from bluelamp.oversight import exports, report_pdf, services
from bluelamp.oversight.forms import PeriodForm, ReportForm
from bluelamp.oversight.queries import report as reports
from bluelamp.oversight.rules import LONDON
from bluelamp.people import access
from bluelamp.people.policy import Action
from bluelamp.web.responses import render

_TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json", "pdf": "application/pdf"}
_COLUMNS = ("operation", "event", "at (UTC)", "actor", "who", "subject", "about", "what", "justification", "recipients")


@access.signed_in
@require_GET
def operations(request: HttpRequest) -> HttpResponse:
    """The six operations of DPA 2018 s.62, and how often each happened in a period, type by type."""
    access.require(request, Action.VIEW_AUDIT)
    form = _period(request)
    found = None
    if form.is_valid():
        since, until = form.period
        found = reports.operations(since, until)
    context = {"form": form, "operations": found, "query": _query(form)}
    return render(request, "oversight/audit/operations.html", context, status=200 if found else 422)


@access.signed_in
@require_http_methods(["GET", "POST"])
def report(request: HttpRequest) -> HttpResponse:
    """The report of a period for the Commissioner; POST takes it away as a file with every row, for a stated reason."""
    access.require(request, Action.VIEW_AUDIT)
    reader = access.request_actor(request).custody_id
    form = _period(request)
    given = ReportForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        context = {"form": form, "given": given, "report": None}
        return render(request, "oversight/audit/report.html", context, status=422)
    since, until = form.period
    found = reports.report(since, until, clock.now())
    if request.method == "POST" and given.is_valid():
        kind = given.cleaned_data["format"] or "json"
        content = _file(found, kind)
        services.take_report(
            actor=reader,
            reason=given.cleaned_data["reason"],
            since=since,
            until=until,
            events=found.events,
            content=content,
            form=kind,
        )
        response = HttpResponse(content, content_type=_TYPES[kind])
        days = f"{since.astimezone(LONDON):%Y%m%d}-{found.last_day.astimezone(LONDON):%Y%m%d}"
        response["Content-Disposition"] = f'attachment; filename="section-62-{days}.{kind}"'
        return response
    services.note_consultation(
        actor=reader,
        page="report",
        shown=found.events,
        filters={"since": since.isoformat(), "until": until.isoformat()},
    )
    context = {"form": form, "given": given, "report": found, "query": _query(form), "most": reports.MOST_LISTED}
    return render(request, "oversight/audit/report.html", context, status=422 if given.errors else 200)


def _period(request: HttpRequest) -> PeriodForm:
    """What the address asks for; the last thirty days where it asks for nothing."""
    today = clock.now().astimezone(LONDON).date()
    asked = {name: request.GET[name] for name in ("since", "until") if request.GET.get(name)}
    return PeriodForm({"since": str(today - timedelta(days=29)), "until": str(today), **asked})


def _query(form: PeriodForm) -> str:
    return f"since={form.cleaned_data['since']}&until={form.cleaned_data['until']}" if form.is_valid() else ""


def _file(found: reports.Report, kind: str) -> bytes:
    if kind == "pdf":
        return report_pdf.pdf(found, settings.BLUELAMP.force)
    consulted, disclosed = (
        reports.rows(operation, found.since, found.until, reports.MOST_TAKEN)
        for operation in (Operation.CONSULTATION, Operation.DISCLOSURE)
    )
    if kind == "json":
        document = reports.document(found, consulted, disclosed, settings.BLUELAMP.force)
        return json.dumps(document, ensure_ascii=False, indent=1).encode()
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(_COLUMNS)
    for row in (*consulted, *disclosed):
        writer.writerow(exports.harmless(str(cell)) for cell in vars(row).values())
    return b"\xef\xbb\xbf" + file.getvalue().encode()
