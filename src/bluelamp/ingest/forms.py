"""The forms of intake's pages."""

from __future__ import annotations

from django import forms

from bluelamp.ingest.models import Discrepancy
from bluelamp.people.forms import UnitField


class MissingFilter(forms.Form):
    """What to look for among the discrepancies."""

    kind = forms.ChoiceField(label="What", required=False, choices=[("", "Everything"), *Discrepancy.Kind.choices])
    unit = UnitField("All units", label="Camera’s unit and below", required=False)
    age = forms.ChoiceField(
        label="Age",
        required=False,
        choices=[("", "Any"), ("day", "Over a day"), ("week", "Over a week"), ("month", "Over a month")],
    )
    state = forms.ChoiceField(
        label="State",
        required=False,
        choices=[("", "Open"), *Discrepancy.State.choices[1:], ("all", "All")],
    )
