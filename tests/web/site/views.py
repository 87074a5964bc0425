import json
from datetime import UTC, date, datetime

from django import forms
from django.contrib import messages
from django.contrib.messages.storage.base import Message
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST
from markupsafe import Markup

from bluelamp.kernel.errors import Busy, Conflict, Invalid, NotAllowed, NotFound, NotSignedIn, StorageFull
from bluelamp.web import navigation, slots
from bluelamp.web.responses import render

navigation.register("Requests", "requests", lambda request: request.user.is_authenticated, order=30)
navigation.register("Footage", "footage", lambda request: request.user.is_authenticated, order=10)
navigation.register("Cases", "cases", lambda request: request.user.is_authenticated, order=20)
navigation.register("Search", "search", lambda request: request.user.is_authenticated, order=15)
navigation.register("Secret", "secret", lambda request: False, order=1)

slots.register_panel("header.person", lambda request: Markup("Supervisor, Lambeth"))
slots.register_panel(
    "recording.facts", lambda request, recording: Markup("<p>Third: {}</p>").format(recording), order=9
)
slots.register_panel("recording.facts", lambda request, recording: None, order=5)
slots.register_panel("recording.facts", lambda request, recording: "<b>first</b>", order=1)

ERRORS = {
    "busy": Busy,
    "conflict": Conflict,
    "full": StorageFull,
    "invalid": Invalid,
    "not-allowed": NotAllowed,
    "not-found": NotFound,
    "not-signed-in": NotSignedIn,
}


class ExampleForm(forms.Form):
    reference = forms.CharField(
        label="CAD reference",
        help_text="For example, 4412/22NOV26",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Enter the CAD reference, as it stands in the log"},
    )
    category = forms.ChoiceField(
        label="Category",
        choices=[("", "Choose"), ("arrest", "Arrest"), ("search", "Stop and search")],
        initial="search",
    )
    on = forms.DateField(label="Date", widget=forms.DateInput(attrs={"type": "date"}), initial=date(2026, 11, 22))
    evidence = forms.ChoiceField(
        label="Is this evidence?",
        choices=[("yes", "Yes"), ("no", "No")],
        widget=forms.RadioSelect,
        initial="yes",
        error_messages={"invalid_choice": "Say whether this is evidence"},
    )
    shown = forms.MultipleChoiceField(
        label="What does it show?",
        choices=[("force", "Use of force"), ("search", "A search"), ("statement", "A first account")],
        widget=forms.CheckboxSelectMultiple,
        initial=["search"],
    )
    told = forms.BooleanField(label="People were told that they were being recorded", initial=True)
    note = forms.CharField(label="Note", widget=forms.Textarea(attrs={"rows": 3}), required=False)
    password = forms.CharField(label="Password", widget=forms.PasswordInput)
    paper = forms.FileField(label="Authority", required=False)
    token = forms.CharField(widget=forms.HiddenInput, initial="t")


def kitchen_sink(request):
    form = ExampleForm() if request.method == "GET" else ExampleForm(request.POST)
    given = {
        "reference": "",
        "category": "arrest",
        "on": "2026-11-22",
        "evidence": "maybe",
        "note": "Two people",
        "token": "t",
    }
    wrong = ExampleForm(given, auto_id="wrong_%s")
    said = [
        Message(messages.INFO, "The camera's clock was 4 s behind when it was docked."),
        Message(messages.SUCCESS, "AB/1 is kept as evidence until the decision on proceedings."),
    ]
    context = {
        "form": form,
        "wrong": wrong,
        "said": said,
        "at": datetime(2026, 7, 1, 6, 19, 30, tzinfo=UTC),
        "page": Paginator(range(1, 4_213), 25).page(7),
        "boroughs": [
            ("Lambeth", 820, 640),
            ("Croydon", 700, 700),
            ("City of Westminster", 1150, 480),
            ("Bexley", 0, 0),
        ],
        "now_on": datetime(2026, 11, 22, 7, 19, 30, tzinfo=UTC),
    }
    return render(request, "kitchen_sink.html", context)


def plain(request, token=""):
    return render(request, "plain.html")


@require_POST
def post_only(request):
    return HttpResponse("done")


def say(request, level):
    getattr(messages, level)(request, "The recording <AB/1> is kept as evidence.")
    return redirect("footage")


def progress_stream(request):
    steps = [(40, "running", "40 of 100 MB"), (100, "done", "Everything is here.")]
    lines = [
        f"data: {json.dumps({'value': value, 'maximum': 100, 'state': state, 'text': text})}\n\n"
        for value, state, text in steps
    ]
    return StreamingHttpResponse(lines, content_type="text/event-stream")


def progress_poll(request):
    return render(request, "polled.html")


def fail(request, kind):
    if kind == "crash":
        raise RuntimeError("password=hunter2 must not reach the page")
    if kind == "http404":
        raise Http404
    if kind == "http403":
        raise PermissionDenied
    raise ERRORS[kind](
        "Only the wearer and the officer in the case may watch this recording now.",
        "The recording is safe and nothing about it changed.",
        "Ask the post-incident manager, who decides when it is released.",
    )
