"""Pages of packages for those who hand them out."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bluelamp.cases import queries as cases
from bluelamp.cases.models import Case
from bluelamp.custody import queries as custody_queries
from bluelamp.footage import queries as footage_queries
from bluelamp.footage import services as footage
from bluelamp.footage.models import Recording
from bluelamp.kernel.errors import Invalid, NotAllowed, NotFound
from bluelamp.people import access
from bluelamp.people.models import Person
from bluelamp.people.policy import Action, Thing
from bluelamp.sharing.packages import queries, services
from bluelamp.sharing.packages.addresses import download_url
from bluelamp.sharing.packages.forms import DownloadForm, PackageForm, WithdrawForm
from bluelamp.sharing.packages.models import Package
from bluelamp.sharing.packages.rules import Standing
from bluelamp.web.responses import render


@access.signed_in
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    packages = list(queries.visible_to(access.request_actor(request))[:200])
    listed = Recording.objects.filter(package_items__package__in=packages).distinct()
    footage.log_listing(cast(Person, request.user), listed, {"page": "packages"})
    context = {"packages": [(package, queries.standing(package).value) for package in packages]}
    return render(request, "sharing/packages/index.html", context)


@access.signed_in
@require_http_methods(["GET", "POST"])
def make(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Choose recordings of a case and say for whom the package is."""
    case, user = _case(request, case_id), cast(Person, request.user)
    recordings = queries.shareable(case, access.request_actor(request))
    footage.log_listing(user, recordings, {"page": f"package of {case.custody_id}"})
    exhibits = queries.exhibits_for(case, recordings, user.name)
    form = PackageForm(recordings, exhibits, request.POST or None)
    if request.method == "POST" and form.is_valid():
        chosen = form.exhibits()
        for recording in recordings:
            if recording.pk in chosen:
                access.require(request, Action.SHARE, footage_queries.thing(recording))
        try:
            made = services.make(
                case,
                chosen,
                recipient=form.cleaned_data["recipient"],
                purpose=form.cleaned_data["purpose"],
                by=user,
            )
        except Invalid as error:
            form.add_error(None, str(error))
        else:
            return redirect("packages:package", made.pk)
    context = {"form": form, "case": case, "others": case.links.count() - len(recordings)}
    return render(request, "sharing/packages/make.html", context, status=422 if form.errors else 200)


@access.signed_in
@never_cache
@require_GET
def package(request: HttpRequest, package_id: UUID) -> HttpResponse:
    return _page(request, _visible(request, package_id), DownloadForm(), WithdrawForm())


@access.signed_in
@never_cache
@require_GET
def now(request: HttpRequest, package_id: UUID) -> HttpResponse:
    """How far a package is; the page asks for it while it is being made."""
    found = _visible(request, package_id)
    if queries.standing(found) is not Standing.MAKING:
        return HttpResponse(headers={"HX-Refresh": "true"})
    return render(request, "sharing/packages/_now.html", {"package": found, "poll": request.path})


@access.signed_in
@require_POST
def download(request: HttpRequest, package_id: UUID) -> HttpResponse:
    """Record who takes the package away and why, then send it."""
    found = _visible(request, package_id)
    _require_sharing(request, found)
    form = DownloadForm(request.POST)
    if not form.is_valid():
        return _page(request, found, form, WithdrawForm(), status=422)
    user = cast(Person, request.user)
    opened = services.open_download(
        found,
        who=user.custody_id,
        who_name=str(user),
        reason=form.cleaned_data["reason"],
        session_key=request.session.session_key or "",
    )
    return redirect(download_url(opened))


@access.signed_in
@require_POST
def withdraw(request: HttpRequest, package_id: UUID) -> HttpResponse:
    found = _visible(request, package_id)
    access.require(request, Action.REVOKE_SHARE, queries.thing(found))
    form = WithdrawForm(request.POST)
    if not form.is_valid():
        return _page(request, found, DownloadForm(), form, status=422)
    services.withdraw(found, by=cast(Person, request.user), reason=form.cleaned_data["reason"])
    messages.success(request, "Withdrawn. Not one more byte of it leaves; what was downloaded before is out of reach.")
    return redirect("packages:package", found.pk)


def _page(
    request: HttpRequest, found: Package, download_form: DownloadForm, withdraw_form: WithdrawForm, status: int = 200
) -> HttpResponse:
    items = list(found.items.select_related("recording__camera", "recording__wearer"))
    footage.log_listing(cast(Person, request.user), [item.recording for item in items], {"page": found.custody_id})
    where, actor = queries.standing(found), access.request_actor(request)
    context = {
        "package": found,
        "items": items,
        "standing": where.value,
        "words": services.ended_words(where) if where is not Standing.READY else None,
        "download_form": download_form,
        "withdraw_form": withdraw_form,
        "why_not": queries.why_not(actor, found) if where is Standing.READY else "",
        "may_withdraw": found.withdrawn_at is None
        and where is not Standing.DELETED
        and access.allows(request, Action.REVOKE_SHARE, queries.thing(found)),
        "history": custody_queries.history(found.custody_id),
    }
    return render(request, "sharing/packages/package.html", context, status=status)


def _require_sharing(request: HttpRequest, found: Package) -> None:
    for item in found.items.select_related("recording"):
        access.require(request, Action.SHARE, footage_queries.thing(item.recording))


def _visible(request: HttpRequest, package_id: UUID) -> Package:
    actor = access.request_actor(request)
    found = queries.visible_to(actor).filter(pk=package_id).first()
    if found is not None:
        return found
    if not Package.objects.filter(pk=package_id).exists():
        raise NotFound("There is no such package.", "", "Look for it on the case's page.")
    why = "You did not make this package and have no role in its case."
    access.refuse(actor, Action.SHARE, Thing(subject=f"package:{package_id}"), request.path, why)
    raise NotAllowed(why, "The attempt was logged, as every refusal is.", "Ask the officer in the case.")


def _case(request: HttpRequest, case_id: UUID) -> Case:
    """A case that the asker has a role in, or whose footage they may share by their own role."""
    actor = access.request_actor(request)
    found = Case.objects.filter(pk=case_id).first()
    if found is None:
        raise NotFound("There is no such case.", "", "Look for it in your list of cases.")
    if not (cases.is_member(found, actor) or access.allows(request, Action.MANAGE_FLEET)):
        why = "Only people with a role in this case make packages of it."
        access.refuse(actor, Action.SHARE, Thing(subject=found.custody_id), request.path, why)
        raise NotAllowed(why, "Nothing was made. The attempt was logged.", "Ask the officer in the case.")
    return found
