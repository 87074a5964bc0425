"""The form of an import's page."""

from __future__ import annotations

from django import forms

from bluelamp.ingest.models import ImportItem


class ItemFilter(forms.Form):
    """Which files of an import to list."""

    state = forms.ChoiceField(
        label="State",
        required=False,
        choices=[
            ("", "What keeps it from being complete"),
            ("all", "All files"),
            ("nothing", "Here, but shows nothing"),
            ("unused", "Here, but the list could not be used in full"),
            *ImportItem.State.choices,
        ],
    )
    words = forms.CharField(label="Part of its name, or its SHA-256", required=False, max_length=200)
