from __future__ import annotations

from django import forms

from bluelamp.people.models import Organisation
from bluelamp.sharing.rules import LONGEST_DAYS
from bluelamp.web.forms import NamedErrors


class ShareForm(NamedErrors):
    name = forms.CharField(label="Recipient's name", max_length=100)
    email = forms.EmailField(label="Recipient's e-mail address")
    organisation = forms.ModelChoiceField(Organisation.objects.all(), label="Organisation", empty_label=None)
    urn = forms.CharField(label="URN (optional)", max_length=20, required=False)
    summary = forms.CharField(
        label="What the footage shows",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="A sentence or two, so that the recipient finds the passage that matters.",
    )
    permission = forms.ChoiceField(
        label="The recipient may",
        choices=[("view", "Watch it"), ("download", "Watch and download it")],
        initial="view",
        widget=forms.RadioSelect,
    )
    days = forms.IntegerField(label="Days until it expires", min_value=1, max_value=LONGEST_DAYS, initial=90)


class RevokeForm(NamedErrors):
    reason = forms.CharField(label="Why it is revoked", max_length=500)


class EmailForm(NamedErrors):
    email = forms.EmailField(
        label="Your e-mail address", widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false"})
    )


class CodeForm(NamedErrors):
    code = forms.CharField(
        label="One-time code",
        max_length=12,
        help_text="Six figures, from the message that we sent you.",
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
    )
