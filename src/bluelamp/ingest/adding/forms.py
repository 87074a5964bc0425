"""What is asked of footage from elsewhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator

from bluelamp.footage import queries as footage
from bluelamp.footage.filters import FIRST_DAY, LAST_DAY, LONDON
from bluelamp.footage.models import Category, Reference
from bluelamp.footage.services.marks import LONGEST_REASON, LONGEST_REFERENCE
from bluelamp.ingest.models import Addition
from bluelamp.ingest.services.adding import Said
from bluelamp.kernel import clock
from bluelamp.web.forms import NamedErrors

_SLACK = timedelta(minutes=5)
_MOST_MINUTES = 60 * 24 * 366
_PLACE, _TEXT, _EXHIBIT = 200, 1000, 60


class AdditionForm(NamedErrors):
    """What one lot of files is. The date and time are those that the footage shows, read as London's."""

    kind = forms.ChoiceField(label="What is it?", choices=Addition.Kind.choices, widget=forms.RadioSelect)
    place = forms.CharField(
        label="Where was it recorded?", max_length=_PLACE, help_text="Such as 14 High Street, camera above the till"
    )
    day = forms.DateField(
        label="Date on which it begins",
        widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"),
        validators=[MinValueValidator(FIRST_DAY, f"Enter a day from {FIRST_DAY.year} on.")],
    )
    time = forms.TimeField(
        label="Time at which it begins",
        help_text="As the footage’s own clock shows it, right or wrong; London time. As near as you know it.",
        input_formats=["%H:%M:%S", "%H:%M"],
        widget=forms.TimeInput({"type": "time", "step": "1"}, "%H:%M:%S"),
    )
    clock = forms.ChoiceField(
        label="How was that clock, compared with the right time?",
        choices=Addition.Clock.choices,
        widget=forms.RadioSelect,
    )
    off_minutes = forms.IntegerField(
        label="Off by: minutes",
        required=False,
        validators=[MinValueValidator(0), MaxValueValidator(_MOST_MINUTES, "Enter a year at most.")],
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
    )
    off_seconds = forms.IntegerField(
        label="Off by: seconds",
        required=False,
        validators=[MinValueValidator(0), MaxValueValidator(59, "Enter up to 59 seconds.")],
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
    )
    handed_over = forms.CharField(
        label="Who handed it over, and how?",
        max_length=_TEXT,
        widget=forms.Textarea({"rows": 3}),
        help_text="Such as: J. Brook, the shop’s manager, on a USB stick",
    )
    exhibit = forms.CharField(label="Exhibit reference, if it has one", required=False, max_length=_EXHIBIT)
    reference_kind = forms.ChoiceField(
        label="Kind of reference", required=False, choices=[("", "No reference yet"), *Reference.Kind.choices]
    )
    reference = forms.CharField(label="Reference", required=False, max_length=LONGEST_REFERENCE)
    category = forms.ChoiceField(label="Category", required=False)
    is_evidence = forms.BooleanField(
        label="It is evidence",
        required=False,
        help_text="Then it is kept for its category’s time. Otherwise it goes 31 days after it was recorded, or after "
        "a week for review where it is older already.",
    )
    reason = forms.CharField(
        label="Why is it evidence?", required=False, max_length=LONGEST_REASON, widget=forms.Textarea({"rows": 2})
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self._categories = {str(found.pk): found for found in footage.categories()}
        choices = [("", "No category yet"), *((key, found.name) for key, found in self._categories.items())]
        self.fields["category"].choices = choices

    def clean_category(self) -> Category | None:
        return self._categories.get(self.cleaned_data["category"])

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        self._check_clock(given)
        self._check_begin(given)
        if given.get("reference") and not given.get("reference_kind"):
            self.add_error("reference_kind", "Choose what kind of reference it is.")
        if given.get("reference_kind") and not given.get("reference") and "reference" not in self.errors:
            self.add_error("reference", "Enter the reference, or choose “No reference yet”.")
        if given.get("is_evidence"):
            category = given.get("category")
            if "category" not in self.errors and (category is None or not category.evidential):
                self.add_error("category", "Choose the category of evidence that it is.")
            if not given.get("reason") and "reason" not in self.errors:
                self.add_error("reason", "Say why it is evidence.")
        elif given.get("reason"):
            self.add_error("is_evidence", "You said why it is evidence: mark it as evidence, or leave the reason out.")
        return given

    def _check_clock(self, given: dict[str, Any]) -> None:
        by = timedelta(minutes=given.get("off_minutes") or 0, seconds=given.get("off_seconds") or 0)
        wrong = {"off_minutes", "off_seconds"} & set(self.errors)
        if given.get("clock") in (Addition.Clock.FAST, Addition.Clock.SLOW):
            if not by and not wrong:
                self.add_error("off_minutes", "Enter by how much the clock was wrong.")
        elif by:
            self.add_error("clock", "Choose “fast” or “slow”, or leave out by how much.")
        given["offset"] = -by if given.get("clock") == Addition.Clock.FAST else by

    def _check_begin(self, given: dict[str, Any]) -> None:
        day, at = given.get("day"), given.get("time")
        if day is None or at is None:
            return
        if day > LAST_DAY:
            self.add_error("day", "It cannot begin after now.")
            return
        local = datetime.combine(day, at, LONDON)
        shown = local.astimezone(UTC)
        if shown.astimezone(LONDON).replace(tzinfo=None) != local.replace(tzinfo=None):
            self.add_error("time", "London’s clocks skipped that hour. Enter the time with the hour added.")
        elif shown + given["offset"] > clock.now() + _SLACK:
            self.add_error("day", "It cannot begin after now. Check date, time, and whether the clock was fast.")
        given["shown_at"] = shown

    def said(self) -> Said:
        """What was said. Call it on a valid form only."""
        given = self.cleaned_data
        return Said(
            kind=given["kind"],
            place=" ".join(given["place"].split()),
            shown_at=given["shown_at"],
            clock=given["clock"],
            offset=given["offset"],
            handed_over=given["handed_over"].strip(),
            exhibit=" ".join(given["exhibit"].split()),
            reference=(given["reference_kind"], given["reference"]) if given["reference"] else None,
            category=given["category"],
            is_evidence=given["is_evidence"],
            reason=given["reason"].strip(),
        )
