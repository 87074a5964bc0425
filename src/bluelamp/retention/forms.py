"""What people fill in to hold, extend or release."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from django import forms

from bluelamp.footage.services.marks import LONGEST_REASON
from bluelamp.retention.models import Hold
from bluelamp.retention.rules import LONDON

# Holds that people place by hand; the other kinds belong to what places them: an incident lock, a share.
BY_HAND = (Hold.Kind.COMPLAINT, Hold.Kind.SUBJECT_ACCESS, Hold.Kind.FOI, Hold.Kind.CASE, Hold.Kind.OTHER)

# Where nothing can be reckoned any more; how far ahead an extension may lie is retention's policy.
_END_OF_TIME = date(9000, 1, 1)


def _reason(help_text: str) -> forms.CharField:
    return forms.CharField(
        label="Reason",
        help_text=help_text,
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Enter a reason", "max_length": "Shorten the reason to %(limit_value)d characters"},
    )


class _Day(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class HoldForm(forms.Form):
    kind = forms.ChoiceField(
        label="What is the hold for?",
        choices=[(kind.value, kind.label) for kind in BY_HAND],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what the hold is for"},
    )
    reason = _reason("It goes into the custody record. The wearer does not see it.")


class ReleaseForm(forms.Form):
    reason = _reason("Say why nothing depends on this hold any more. It goes into the custody record.")


class ExtendForm(forms.Form):
    last_day = forms.DateField(
        label="Keep in use until the end of",
        help_text="A day in London; quarantine follows it. An extension cannot be taken back.",
        widget=_Day(),
        error_messages={"required": "Enter the last day", "invalid": "Enter a day that exists"},
    )
    reason = _reason("It goes into the custody record.")

    def clean_last_day(self) -> date:
        day: date = self.cleaned_data["last_day"]
        if day >= _END_OF_TIME:
            raise forms.ValidationError("Choose an earlier day")
        return day

    @property
    def until(self) -> datetime:
        """The instant at which the last day ends in London."""
        day = self.cleaned_data["last_day"] + timedelta(days=1)
        return datetime.combine(day, time(), LONDON)
