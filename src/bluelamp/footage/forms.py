"""What people fill in about recordings. Each checks its answers; services check them again."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator

from bluelamp.footage import queries
from bluelamp.footage.filters import FIRST_DAY, LAST_DAY, Filters, Position, instant
from bluelamp.footage.models import Category, Reference
from bluelamp.footage.services.marks import LONGEST_NOTE, LONGEST_REASON, LONGEST_REFERENCE
from bluelamp.people.models import Person, Unit
from bluelamp.web.forms import in_words

_MOMENT = re.compile(r"(?:(\d{1,2}):)?(\d{1,2}):([0-5]?\d)(?:\.(\d{1,3}))?")

_DAYS = (
    MinValueValidator(FIRST_DAY, f"Enter a day from {FIRST_DAY.year} on."),
    MaxValueValidator(LAST_DAY, f"Enter a day up to {LAST_DAY.year}."),
)


class NewsForm(forms.Form):
    """What the page of a list tells when it asks for news: since when, and how many of those it shows."""

    shown_at = forms.DateTimeField(input_formats=["%Y-%m-%dT%H:%M:%S.%f%z", "%Y-%m-%dT%H:%M:%S%z"])
    known = forms.IntegerField(min_value=0, max_value=1000)


class Choices(forms.ChoiceField):
    """A choice whose empty answer says what leaving it means."""

    def __init__(self, empty: str, choices: list[tuple[str, str]], **more: Any) -> None:
        super().__init__(choices=[("", empty), *choices], required=False, **more)


class SearchForm(forms.Form):
    """Filters, sent by GET. Dates and times are London's."""

    q = forms.CharField(label="Words", required=False, max_length=200, help_text="Name, reference, place or note")
    reference = forms.CharField(label="Reference", required=False, max_length=LONGEST_REFERENCE)
    officer = forms.CharField(label="Officer", required=False, max_length=100, help_text="Name or warrant number")
    unit = Choices("Every unit", [], label="Unit or borough")
    since = forms.DateField(
        label="From",
        required=False,
        widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"),
        validators=_DAYS,
    )
    since_time = forms.TimeField(label="From time", required=False, widget=forms.TimeInput({"type": "time"}, "%H:%M"))
    until = forms.DateField(
        label="To",
        required=False,
        widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"),
        validators=_DAYS,
    )
    until_time = forms.TimeField(label="To time", required=False, widget=forms.TimeInput({"type": "time"}, "%H:%M"))
    category = Choices("Every category", [], label="Category")
    flagged = Choices("Evidence or not", [("yes", "Flagged as evidence"), ("no", "Not flagged")], label="Flag")
    event = Choices(
        "Any",
        [
            ("marker", "Marker set"),
            ("mute", "Sound muted"),
            ("stealth", "Lights and beeps off"),
            ("power_loss", "Power lost"),
        ],
        label="Camera event",
    )
    state = Choices(
        "Not deleted",
        [("live", "In use"), ("quarantined", "In quarantine"), ("deleted", "Deleted"), ("locked", "Locked")],
        label="State",
    )

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        self.fields["unit"].choices = [("", "Every unit"), *unit_choices()]
        categories = [(str(category.pk), category.name) for category in queries.categories()]
        self.fields["category"].choices = [("", "Every category"), *categories]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        for which in ("since", "until"):
            if given.get(f"{which}_time") and not given.get(which) and which not in self.errors:
                self.add_error(which, "Enter the date that goes with the time.")
        since, until = given.get("since"), given.get("until")
        if since and until and until < since:
            self.add_error("until", "The last day must not lie before the first.")
        return given

    def filters(self) -> Filters:
        """What to search for. Call it on a valid form only."""
        given = self.cleaned_data
        state = given["state"]
        return Filters(
            text=given["q"].strip(),
            reference=given["reference"].strip(),
            officer=given["officer"].strip(),
            unit=int(given["unit"]) if given["unit"] else None,
            category=int(given["category"]) if given["category"] else None,
            flagged={"yes": True, "no": False}.get(given["flagged"]),
            locked=state == "locked",
            event=given["event"],
            state="" if state == "locked" else state,
            since=instant(given["since"], given["since_time"], end=False) if given["since"] else None,
            until=instant(given["until"], given["until_time"], end=True) if given["until"] else None,
            older_than=Position.parse(self.data.get("before", "")),
            newer_than=Position.parse(self.data.get("after", "")),
        )

    def applied(self) -> list[tuple[str, tuple[str, ...]]]:
        """Each filter in use in words, and the names of the fields to leave out to be rid of it."""
        found: list[tuple[str, tuple[str, ...]]] = []
        for name in ("q", "reference", "officer", "unit", "category", "flagged", "event", "state"):
            value = self.data.get(name, "")
            field = self.fields[name]
            if value:
                words = dict(field.choices).get(value, value) if isinstance(field, forms.ChoiceField) else value
                found.append((f"{field.label}: {words.strip()}", (name,)))
        for name, word in (("since", "From"), ("until", "To")):
            if self.data.get(name):
                at = self.data.get(f"{name}_time", "")
                found.append((f"{word} {self.data[name]}{' ' + at if at else ''}", (name, f"{name}_time")))
        return found


class PageForm(forms.Form):
    """One of several forms on the recording page: `name` keeps the ids of their fields apart."""

    name = ""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, auto_id=f"{self.name}-%s", **more)


class ReasonForm(PageForm):
    """Why, before anything that must be accounted for."""

    missing = "Say why."
    label = "Reason"
    hint = ""
    reason = forms.CharField(max_length=LONGEST_REASON, widget=forms.Textarea({"rows": 2}), validators=[in_words])

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        field = self.fields["reason"]
        field.label, field.help_text = self.label, self.hint
        field.error_messages["required"] = self.missing


class WatchForm(ReasonForm):
    name = "watch"
    missing = "Say why you need to watch this recording."
    label = "Why do you need to watch it?"
    hint = "Your answer is kept, with your name, in the recording’s custody history."


class DownloadForm(ReasonForm):
    name = "download"
    missing = "Say why you need the file, and where it goes."
    label = "Why do you need the file?"
    hint = "Say where it goes, too. A downloaded file leaves Bluelamp’s protection; the download is recorded."


class ReleaseForm(ReasonForm):
    name = "release"
    missing = "Say why it is evidence no longer."
    label = "Why is it evidence no longer?"
    hint = "After this the recording is deleted when no other rule keeps it."


class LockForm(ReasonForm):
    name = "lock"
    missing = "Say why the recording is to be locked."
    label = "Why is it to be locked?"
    hint = (
        "Nobody watches a locked recording, the wearer included, before the post-incident manager releases it. "
        "Every file of the same incident is locked with it."
    )


class UnlockForm(ReasonForm):
    name = "unlock"
    missing = "Say why the lock ends."
    label = "Why does the lock end?"


class FlagForm(PageForm):
    """Evidence: of what, why, and a number that ties it to the matter."""

    name = "flag"
    category = forms.ModelChoiceField(
        Category.objects.filter(evidential=True),
        label="What it is evidence of",
        empty_label="Choose a category",
        error_messages={"required": "Choose what it is evidence of."},
    )
    reason = forms.CharField(
        label="Why it is evidence",
        max_length=LONGEST_REASON,
        widget=forms.Textarea({"rows": 2}),
        error_messages={"required": "Say why it is evidence."},
        validators=[in_words],
    )
    reference_kind = Choices("No reference yet", list(Reference.Kind.choices), label="Kind of reference")
    reference = forms.CharField(label="Reference", required=False, max_length=LONGEST_REFERENCE)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("reference") and not given.get("reference_kind"):
            self.add_error("reference_kind", "Choose what kind of reference it is.")
        if given.get("reference_kind") and not given.get("reference") and "reference" not in self.errors:
            self.add_error("reference", "Enter the reference, or choose “No reference yet”.")
        return given


class ReferenceForm(PageForm):
    name = "reference"
    kind = forms.ChoiceField(label="Kind", choices=Reference.Kind.choices)
    value = forms.CharField(
        label="Reference", max_length=LONGEST_REFERENCE, error_messages={"required": "Enter the reference."}
    )


class CategoryForm(PageForm):
    name = "category"
    category = forms.ModelChoiceField(
        Category.objects.all(),
        label="Category",
        empty_label="Choose a category",
        error_messages={"required": "Choose a category."},
    )


class NoteForm(PageForm):
    name = "note"
    text = forms.CharField(
        label="Note",
        max_length=LONGEST_NOTE,
        widget=forms.Textarea({"rows": 3}),
        error_messages={"required": "Enter the note."},
    )
    at = forms.CharField(
        label="At the moment",
        required=False,
        max_length=12,
        help_text="Such as 1:05; leave it empty for a note on the whole recording",
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
    )

    def clean_at(self) -> int | None:
        """The moment in milliseconds from the start."""
        text = self.cleaned_data["at"].strip()
        if not text:
            return None
        match = _MOMENT.fullmatch(text)
        if match is None:
            raise forms.ValidationError("Enter a moment such as 1:05 or 1:02:05.")
        hours, minutes, seconds, fraction = match.groups()
        whole = (int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)
        return whole * 1000 + int((fraction or "0").ljust(3, "0"))


class LetWatchForm(PageForm):
    name = "let-watch"
    warrant_number = forms.CharField(
        label="Warrant number", max_length=40, error_messages={"required": "Enter a warrant number."}
    )
    reason = forms.CharField(
        label="Reason", max_length=LONGEST_REASON, error_messages={"required": "Say why they may watch it."}
    )

    def clean_warrant_number(self) -> Person:
        number = self.cleaned_data["warrant_number"].strip()
        person = Person.objects.filter(warrant_number__iexact=number, is_active=True).first()
        if person is None:
            raise forms.ValidationError("Nobody with an account has that warrant number.")
        return person


def unit_choices() -> list[tuple[str, str]]:
    """Every unit under its borough, set in by its depth."""
    below: dict[int | None, list[Unit]] = {}
    for unit in Unit.objects.order_by("name"):
        below.setdefault(unit.parent_id, []).append(unit)

    def walk(parent: int | None, depth: int) -> list[tuple[str, str]]:
        found = []
        for unit in below.get(parent, ()):
            found.append((str(unit.pk), "\u2003" * depth + unit.name))
            found += walk(unit.pk, depth + 1)
        return found

    return walk(None, 0)
