from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django import forms

from bluelamp.footage.models import Recording
from bluelamp.sharing.packages import rules
from bluelamp.sharing.packages.models import Package
from bluelamp.web.forms import NamedErrors


class PackageForm(NamedErrors):
    """Whom a package is for, and the exhibit reference of each recording; a recording without one stays out."""

    recipient = forms.CharField(
        label="Who it is for",
        max_length=rules.LONGEST_LINE,
        help_text="The person and the organisation, such as: Jo Reid, Crown Prosecution Service.",
    )
    purpose = forms.ChoiceField(
        label="What it is for", choices=Package.Purpose.choices, widget=forms.RadioSelect, initial="prosecution"
    )

    def __init__(self, recordings: Sequence[Recording], exhibits: Mapping[UUID, str], data: Any = None) -> None:
        super().__init__(data)
        self.rows = []
        for recording in recordings:
            chosen, reference = f"take_{recording.pk}", f"exhibit_{recording.pk}"
            self.fields[chosen] = forms.BooleanField(
                label=f"Recording of {recording.started_at:%d %b %Y, %H:%M:%S} UTC",
                required=False,
                initial=len(recordings) == 1,
            )
            self.fields[reference] = forms.CharField(
                label="Exhibit reference", max_length=16, required=False, initial=exhibits.get(recording.pk, "")
            )
            self.rows.append((recording, chosen, reference))

    def bound_rows(self) -> list[tuple[Recording, Any, Any]]:
        """Each recording with its two bound fields."""
        return [(recording, self[chosen], self[reference]) for recording, chosen, reference in self.rows]

    def exhibits(self) -> dict[UUID, str]:
        """The exhibit reference of each chosen recording, in the order of the page."""
        return {
            recording.pk: self.cleaned_data[reference]
            for recording, chosen, reference in self.rows
            if self.cleaned_data[chosen]
        }

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if self.rows and not any(cleaned.get(chosen) for _, chosen, _ in self.rows):
            self.add_error(self.rows[0][1], "Choose at least one recording.")
        for _, chosen, reference in self.rows:
            if cleaned.get(chosen) and not rules.exhibit_fits(rules.line(cleaned.get(reference, "")).upper()):
                self.add_error(reference, "Give an exhibit reference such as ABC/1: initials, a stroke and a number.")
        return cleaned


class _OfTwo(NamedErrors):
    """One of two forms on a page that ask for a reason: their fields have ids of their own."""

    name = ""

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, auto_id=f"{self.name}_%s")


class DownloadForm(_OfTwo):
    name = "download"
    reason = forms.CharField(
        label="Why you download it", max_length=500, help_text="For example: to hand it to the court."
    )


class WithdrawForm(_OfTwo):
    name = "withdraw"
    reason = forms.CharField(label="Why it is withdrawn", max_length=500)
