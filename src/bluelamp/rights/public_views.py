"""The public's pages: ask, confirm, follow. They never tell whether footage exists."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from bluelamp.kernel.errors import Busy, Invalid, NotFound
from bluelamp.people.access import public
from bluelamp.rights import queries, services, wording
from bluelamp.rights.forms import AskForm, FollowForm
from bluelamp.rights.models import Request
from bluelamp.web.responses import render

_ASKED = "rights_asked"


@public
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    return render(request, "rights/public/index.html", {"contact": wording.contact()})


@public
@never_cache
@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    form = AskForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                made = services.receive_request(form.particulars(), peer=request.META.get("REMOTE_ADDR", ""))
            except (Invalid, Busy) as error:
                form.add_error("from_time" if isinstance(error, Invalid) else None, str(error))
                status = error.status
            else:
                request.session[_ASKED] = {"reference": made.reference, "kind": made.kind, "keeps": made.finds_footage}
                return redirect("public:asked")
    return render(request, "rights/public/ask.html", {"form": form, "contact": wording.contact()}, status=status)


@public
@never_cache
@require_GET
def asked(request: HttpRequest) -> HttpResponse:
    made = request.session.get(_ASKED)
    if not made:
        return redirect("public:ask")
    return render(request, "rights/public/asked.html", {"keeps": True, **made})


@public
@never_cache
@require_http_methods(["GET", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """The link of the confirmation message. It confirms on a press of a button, since mail filters open links."""
    found = queries.by_confirm_token(token)
    if found is None:
        raise NotFound("This link does not work.", "", "Open the newest link that we sent you, or ask again.")
    if found.state == found.State.LAPSED:
        raise NotFound(
            "This link was valid for three days, which have passed.",
            "Nothing is kept on account of that request any more.",
            "Ask again: footage is deleted within 31 days unless somebody asks for it.",
        )
    if request.method == "POST":
        services.confirm_email(found)
        return redirect("public:confirm", token)
    return render(request, "rights/public/confirm.html", {"found": found})


@public
@never_cache
@require_http_methods(["GET", "POST"])
def follow(request: HttpRequest) -> HttpResponse:
    form = FollowForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        found = queries.followed(form.cleaned_data["reference"], form.cleaned_data["email"])
        if found is not None:
            return _status(request, found)
        form.add_error(None, "There is no request with this reference and e-mail address. Check both.")
    return render(
        request,
        "rights/public/follow.html",
        {"form": form, "contact": wording.contact()},
        status=422 if form.errors else 200,
    )


def _status(request: HttpRequest, found: Request) -> HttpResponse:
    return render(
        request,
        "rights/public/status.html",
        {
            "found": found,
            "due": queries.due(found),
            "question": queries.open_question(found),
            "answering": wording.how_to_answer(found),
            "proving": wording.how_to_prove(found),
            "contact": wording.contact(),
        },
    )
