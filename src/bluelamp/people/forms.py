"""The forms of the People pages. What they accept is checked again by the services."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest

from bluelamp.people import queries
from bluelamp.people.models import Organisation, Unit
from bluelamp.people.policy import Role

ROLES = [(role.value, role.words) for role in Role]
_REASON_HELP = "Kept in the ledger with your name, for instance: joined the unit on 1 March."


class ReasonForm(forms.Form):
    """Why something is done, where nothing else is asked."""

    reason = forms.CharField(
        label="Reason",
        max_length=500,
        error_messages={"required": "Say why.", "max_length": "Say it in 500 characters or fewer."},
    )

    def __init__(self, request: HttpRequest, *, required: bool = True) -> None:
        super().__init__(request.POST if request.method == "POST" else None)
        self.fields["reason"].required = required

    @property
    def given(self) -> str:
        """The reason, of a form that is in order."""
        return str(self.cleaned_data["reason"])

    @property
    def typed(self) -> str:
        """What stands in the field, in order or not."""
        return str(self["reason"].value() or "")

    @property
    def problem(self) -> str:
        """What must be put right, or nothing."""
        return " ".join(str(error) for error in self.errors.get("reason", ()))


class UnitField(forms.ChoiceField):
    """A unit, chosen from the tree by its code; gives the unit or None."""

    def __init__(self, empty: str, **kwargs: Any) -> None:
        super().__init__(choices=lambda: [("", empty), *queries.unit_choices()], **kwargs)

    def clean(self, value: Any) -> Unit | None:
        return queries.unit(super().clean(value))


class PersonForm(forms.Form):
    """Who somebody is, and may do."""

    name = forms.CharField(label="Name", max_length=120, help_text="As it should stand beside recordings.")
    warrant_number = forms.CharField(label="Warrant or staff number", max_length=40, required=False)
    email = forms.EmailField(label="E-mail address", required=False)
    unit = UnitField("No unit", label="Unit", required=False)
    roles = forms.MultipleChoiceField(
        label="Roles",
        choices=ROLES,
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="Give only what the person’s duties need. A change of roles or unit signs the person out.",
    )
    reason = forms.CharField(label="Reason", max_length=500, help_text=_REASON_HELP)


class NewPersonForm(PersonForm):
    """The same for somebody without an account."""

    username = forms.CharField(
        label="Username", max_length=80, help_text="What the person types to sign in, for instance a.okafor."
    )
    field_order = ("name", "username", "warrant_number", "email", "unit", "roles", "reason")


class UnitForm(forms.Form):
    """A new node of the force's tree."""

    name = forms.CharField(label="Name", max_length=120)
    code = forms.CharField(label="Code", max_length=20, help_text="Short and unique, for instance NG-R1.")
    kind = forms.ChoiceField(label="Kind", choices=Unit.Kind.choices, widget=forms.RadioSelect)
    parent = UnitField("Nothing: it is the force itself", label="Belongs to", required=False)
    reason = forms.CharField(label="Reason", max_length=500, required=False)


class OrganisationForm(forms.Form):
    """Somebody to share with."""

    name = forms.CharField(label="Name", max_length=120)
    kind = forms.ChoiceField(label="Kind", choices=Organisation.Kind.choices, widget=forms.RadioSelect)
    email_domains = forms.CharField(
        label="E-mail domains",
        required=False,
        widget=forms.Textarea,
        help_text="One a line, for instance cps.gov.uk. Footage goes only to addresses in them; empty: to any address.",
    )

    def clean_email_domains(self) -> list[str]:
        return str(self.cleaned_data["email_domains"]).split()


class PeopleFilter(forms.Form):
    """What to look for in the list of people."""

    q = forms.CharField(label="Name, number or username", required=False)
    unit = UnitField("All units", label="Unit and below", required=False)
    role = forms.ChoiceField(label="Role", required=False, choices=[("", "All roles"), *ROLES])
    state = forms.ChoiceField(
        label="Accounts", required=False, choices=[("open", "Open"), ("closed", "Closed"), ("all", "All")]
    )
