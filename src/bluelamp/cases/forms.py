from __future__ import annotations

from django import forms

from bluelamp.cases.models import Case, CaseMember
from bluelamp.people.models import Person
from bluelamp.web.forms import NamedErrors, in_words


class OpenCaseForm(NamedErrors):
    name = forms.CharField(label="Name", max_length=200, help_text="A name that your team will recognise.")
    urn = forms.CharField(
        label="URN (optional)",
        max_length=20,
        required=False,
        help_text="The unique reference number used with the CPS.",
    )
    crime_reference = forms.CharField(label="Crime reference (optional)", max_length=40, required=False)


class AddMemberForm(NamedErrors):
    warrant_number = forms.CharField(label="Warrant or staff number", max_length=20)
    role = forms.ChoiceField(label="Role in the case", choices=CaseMember.Role.choices, widget=forms.RadioSelect)

    def clean_warrant_number(self) -> Person:
        """The person with that number. Raises ValidationError where there is none."""
        number = self.cleaned_data["warrant_number"].strip()
        person = Person.objects.filter(warrant_number__iexact=number, is_active=True).first()
        if person is None:
            raise forms.ValidationError("Nobody with an account has that number.")
        return person


class EndRoleForm(NamedErrors):
    reason = forms.CharField(label="Why the role ends", max_length=500, help_text="For example: moved to another team.")


class AddRecordingForm(NamedErrors):
    case = forms.ModelChoiceField(queryset=Case.objects.none(), label="Case", empty_label="Choose a case")
    reason = forms.CharField(
        label="Why it belongs to the case",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        validators=[in_words],
    )


class CloseCaseForm(NamedErrors):
    outcome = forms.CharField(
        label="Outcome", max_length=500, help_text="For example: convicted, no further action, discontinued."
    )
