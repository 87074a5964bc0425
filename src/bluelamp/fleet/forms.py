"""The forms of the Fleet pages. What they accept is checked again by the services."""

from __future__ import annotations

from django import forms

from bluelamp.fleet import queries
from bluelamp.fleet.models import Camera
from bluelamp.kernel.errors import Invalid
from bluelamp.people.forms import UnitField
from bluelamp.people.models import Person
from bluelamp.web.forms import NamedErrors

_RESTING = [choice for choice in Camera.State.choices if choice[0] != Camera.State.SERVICE]


class CameraFilter(forms.Form):
    """What to look for in the list of cameras."""

    q = forms.CharField(label="Serial, or wearer’s name or number", required=False)
    model = forms.ChoiceField(
        label="Model",
        required=False,
        choices=lambda: [("", "All models"), *((name, name) for name in queries.models())],
    )
    mount = forms.ChoiceField(label="Mount", required=False, choices=[("", "All mounts"), *Camera.Mount.choices])
    unit = UnitField("All units", label="Unit and below", required=False)
    state = forms.ChoiceField(label="State", required=False, choices=[("", "All states"), *Camera.State.choices])


class CameraForm(NamedErrors):
    """A camera that the force has bought."""

    serial = forms.CharField(label="Serial", max_length=64, help_text="As on the camera’s label.")
    model = forms.CharField(label="Model", max_length=80)
    mount = forms.ChoiceField(label="Worn on", choices=Camera.Mount.choices, widget=forms.RadioSelect)
    unit = UnitField("Choose a unit", label="Unit that it belongs to")


class IssueForm(NamedErrors):
    """To whom a camera goes."""

    person = forms.CharField(label="Officer", max_length=120, help_text="Warrant number, username or full name.")

    def clean_person(self) -> Person:
        """The one whom the text means."""
        try:
            return queries.person_by(self.cleaned_data["person"])
        except Invalid as error:
            raise forms.ValidationError(f"{error.what_happened} {error.next_step}") from None


class ReturnForm(NamedErrors):
    """In which state a camera comes back."""

    state = forms.ChoiceField(
        label="The camera is now", choices=_RESTING, widget=forms.RadioSelect, initial=Camera.State.STOCK
    )
    reason = forms.CharField(label="Remark", max_length=500, required=False)


class StateForm(NamedErrors):
    """Repair, loss, retirement, or back to stock, of a camera that nobody has."""

    state = forms.ChoiceField(label="The camera is", choices=_RESTING, widget=forms.RadioSelect)
    reason = forms.CharField(label="Reason", max_length=500, help_text="Kept in the ledger with your name.")


class DockForm(NamedErrors):
    """A docking station."""

    name = forms.CharField(label="Name", max_length=120, help_text="Where it stands, for instance: Northgate, room 1.")
    unit = UnitField("No unit", label="Unit", required=False)


class PlanForm(NamedErrors):
    """How many cameras, and by when."""

    planned = forms.IntegerField(
        label="Cameras planned", min_value=0, max_value=1_000_000, help_text="For this unit and everything below it."
    )
    due_on = forms.DateField(
        label="Complete by",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="Leave empty where no date is agreed.",
    )
