from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django import forms

from bluelamp.rights import queries, rules, wording
from bluelamp.rights.models import Request
from bluelamp.rights.queries import LONDON
from bluelamp.rights.services import Particulars
from bluelamp.web.forms import NamedErrors


def _long(rows: int = 2) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows})


_WINDOW = ("day", "from_time", "until_time")
_ONLY_FOR_ONESELF = ("borough", "place", *_WINDOW, "role", "proof_photo", "proof_other")


class AskForm(NamedErrors):
    """What a force needs to find somebody in its footage; for freedom of information what FOIA 2000 s.8 asks for."""

    # As the page asks, so that the summary of what is wrong follows it.
    field_order = (
        *("kind", "borough", "place", "day", "from_time", "until_time", "role", "clothing", "vehicle"),
        *("officer_number", "incident_reference", "details", "name", "email", "phone", "on_behalf_of", "authority"),
        *("proof_photo", "proof_other"),
    )

    kind = forms.ChoiceField(label="What do you ask for?", choices=Request.Kind.choices, widget=forms.RadioSelect)
    name = forms.CharField(
        label="Your full name", max_length=100, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    email = forms.EmailField(
        label="Your e-mail address",
        help_text="We send a link to it, which you open to confirm your request.",
        widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false"}),
    )
    phone = forms.CharField(
        label="Your telephone number (optional)",
        max_length=30,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "tel", "inputmode": "tel"}),
    )
    on_behalf_of = forms.CharField(
        label="If you ask for somebody else, their full name (optional)", max_length=100, required=False
    )
    authority = forms.CharField(
        label="By what authority you ask for them (optional)",
        max_length=300,
        required=False,
        help_text="For example: their solicitor, parent of a child, power of attorney. We will ask to see it.",
    )
    proof_photo = forms.ChoiceField(
        label="Proof of identity with a photograph",
        choices=wording.WITH_PHOTOGRAPH,
        widget=forms.RadioSelect,
        help_text="Do not send it now. We tell you how to show it safely.",
    )
    proof_other = forms.ChoiceField(label="A second proof", choices=wording.SECOND_PROOF, widget=forms.RadioSelect)
    borough = forms.ModelChoiceField(queryset=None, label="Borough or command", empty_label="Choose one")
    place = forms.CharField(
        label="Where it happened", max_length=300, help_text="Street, station, shop, or the nearest landmark."
    )
    day = forms.DateField(label="On which day", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    from_time = forms.TimeField(label="From about", widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))
    until_time = forms.TimeField(
        label="Until about",
        help_text="At most six hours. A time before the first one means the next morning.",
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )
    role = forms.ChoiceField(label="What was your part in it?", choices=Request.Role.choices, widget=forms.RadioSelect)
    officer_number = forms.CharField(label="Officer’s number (optional)", max_length=20, required=False)
    incident_reference = forms.CharField(
        label="A reference you were given (optional)",
        max_length=60,
        required=False,
        help_text="An incident (CAD) number, or the number on a stop and search slip.",
    )
    clothing = forms.CharField(label="What you were wearing (optional)", max_length=300, required=False)
    vehicle = forms.CharField(label="Your vehicle (optional)", max_length=100, required=False)
    details = forms.CharField(
        label="Anything else that helps us find it",
        max_length=2000,
        required=False,
        help_text="For freedom of information, describe here what you ask for. For footage of yourself it is optional.",
        widget=_long(4),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["borough"].queryset = queries.boroughs()
        today = queries.today()
        self.fields["day"].widget.attrs |= {"min": f"{rules.earliest_day(today)}", "max": f"{today}"}
        if self.data.get("kind") == Request.Kind.FOI:
            for name in _ONLY_FOR_ONESELF:
                self.fields[name].required = False
            self.fields["details"].required = True
            self.fields["details"].error_messages["required"] = "Describe what you ask for."

    def clean_day(self) -> date | None:
        """A day of the last months: what is older, and still there, is asked for in writing."""
        day: date | None = self.cleaned_data["day"]
        today = queries.today()
        if day is None:
            return None
        if day > today:
            raise forms.ValidationError("The day you give lies in the future. Check the date.")
        if day < rules.earliest_day(today):
            raise forms.ValidationError(
                f"You can ask here for footage of the last {rules.FURTHEST_BACK_MONTHS} months. Most of what is older "
                f"has been deleted. If yours may be kept as evidence, {wording.another_way()}."
            )
        return day

    def clean(self) -> None:
        """For freedom of information the day and its times may be left out, together."""
        super().clean()
        if self.errors:
            return
        missing = [name for name in _WINDOW if self.cleaned_data[name] is None]
        if 0 < len(missing) < len(_WINDOW):
            self.add_error(missing[0], "Give the day and both times, or leave out all three.")

    def particulars(self) -> Particulars:
        """What was filled in; times are London times of the day given."""
        given = dict(self.cleaned_data)
        day, first, last = given.pop("day"), given.pop("from_time"), given.pop("until_time")
        if day is None:
            return Particulars(from_at=None, until_at=None, **given)
        from_at = datetime.combine(day, first, LONDON)
        until_at = datetime.combine(day + timedelta(days=1) if last <= first else day, last, LONDON)
        return Particulars(from_at=from_at, until_at=until_at, **given)


class FollowForm(NamedErrors):
    reference = forms.CharField(label="Your reference", max_length=30, help_text="It looks like BL-2K7M-9QRT-4XYZ.")
    email = forms.EmailField(
        label="Your e-mail address", widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false"})
    )


class ProofsForm(NamedErrors):
    proofs = forms.CharField(label="Which proofs you saw", max_length=300, help_text="Two, one with a photograph.")


class QuestionForm(NamedErrors):
    question = forms.CharField(label="What you need to know", max_length=2000, widget=_long(3))


class ExtendForm(NamedErrors):
    reason = forms.CharField(label="Reason, as the requester will read it", max_length=1000, widget=_long())


class CloseForm(NamedErrors):
    state = forms.ChoiceField(
        label="The request was",
        choices=[(Request.State.ANSWERED, "Answered"), (Request.State.REFUSED, "Refused")],
        widget=forms.RadioSelect,
    )
    outcome = forms.CharField(label="What the requester was told", max_length=2000, widget=_long(3))
    release = forms.BooleanField(
        label="Stop holding the footage for this request",
        required=False,
        help_text="Leave it held while a complaint to the Information Commissioner is possible.",
    )


class StopHoldingForm(NamedErrors):
    reason = forms.CharField(label="Why it need not be held any longer", max_length=500, widget=_long())
