"""What is asked about a person whom a case is about, in the words of the people who know it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from django import forms

from bluelamp.cases.rules import FEWEST_YEARS, MOST_YEARS, Known, with_appeal, with_appeal_closed, with_review
from bluelamp.footage.services.marks import LONGEST_REASON
from bluelamp.retention.rules import Appeal, Mopi, MopiGroup, MopiReview, Stage
from bluelamp.web.forms import NamedErrors

_NO_DAY = "Enter a day that exists."


class _Day(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


def _day(label: str, help_text: str = "", required: bool = True) -> forms.DateField:
    return forms.DateField(
        label=label, help_text=help_text, required=required, widget=_Day(), error_messages={"invalid": _NO_DAY}
    )


def _reason(label: str, help_text: str, required: bool = True) -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=help_text,
        required=required,
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class AddSubjectForm(NamedErrors):
    label = forms.CharField(
        label="What the team calls this person",
        max_length=100,
        help_text="A custody number, initials, or “unknown” where nobody has been identified. Not more than it takes "
        "to tell the persons of this case apart.",
    )


class KnowingForm(NamedErrors):
    """A form whose answer is something more that is known of a person."""

    def change(self, known: Known, today: date) -> Known:
        """What is known once this is recorded. Only for a valid form."""
        raise NotImplementedError

    @property
    def reason(self) -> str:
        """Why, where the form asks it."""
        return str(self.cleaned_data.get("reason", ""))


class ProceedingsForm(KnowingForm):
    stage = forms.ChoiceField(
        label="Where do the proceedings stand?",
        choices=[(stage.value, stage.words) for stage in Stage],
        widget=forms.RadioSelect,
    )
    on = _day("When was that?", "The day of the charge, the decision or the verdict.", required=False)
    custodial = forms.ChoiceField(
        label="If convicted: was custody or a hospital order imposed?",
        choices=[("no", "No"), ("yes", "Yes")],
        required=False,
        widget=forms.RadioSelect,
    )
    released_on = _day(
        "If in custody or hospital: the day of release",
        "Known or expected. Leave it empty while nobody knows: the footage is kept until somebody does.",
        required=False,
    )
    reason = _reason(
        "If this corrects what was recorded before: why was it wrong?",
        "It goes into the custody record.",
        required=False,
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        stage = Stage(given["stage"]) if "stage" in given else None
        if stage is None:
            return given
        if stage is not Stage.UNDECIDED and given.get("on") is None and "on" not in self.errors:
            self.add_error("on", "Enter the day: without it no time can be counted.")
        if stage is Stage.CONVICTED and not given.get("custodial"):
            self.add_error("custodial", "Say whether custody or a hospital order was imposed.")
        if stage is not Stage.CONVICTED and given.get("custodial") == "yes":
            self.add_error("custodial", "Only somebody who was convicted is sentenced.")
        if given.get("released_on") is not None and given.get("custodial") != "yes":
            self.add_error("released_on", "Only somebody in custody or hospital is released.")
        return given

    def change(self, known: Known, today: date) -> Known:
        given = self.cleaned_data
        stage = Stage(given["stage"])
        return replace(
            known,
            proceedings=replace(
                known.proceedings,
                stage=stage,
                on=None if stage is Stage.UNDECIDED else given["on"],
                custodial=given["custodial"] == "yes",
                released_on=given["released_on"],
            ),
        )


class OpenAppealForm(KnowingForm):
    kind = forms.ChoiceField(
        label="What was opened?",
        choices=[
            ("appeal", "An appeal against the conviction"),
            ("ccrc", "An application to the Criminal Cases Review Commission"),
        ],
        widget=forms.RadioSelect,
    )
    opened_on = _day("On which day?")

    def change(self, known: Known, today: date) -> Known:
        return with_appeal(known, Appeal(self.cleaned_data["opened_on"], ccrc=self.cleaned_data["kind"] == "ccrc"))


class CloseAppealForm(KnowingForm):
    closed_on = _day("On which day was it decided?", "If the conviction was quashed, record the acquittal as well.")

    def __init__(self, *args: Any, number: int = 0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.number = number

    def change(self, known: Known, today: date) -> Known:
        return with_appeal_closed(known, self.number, self.cleaned_data["closed_on"])


class GroupForm(KnowingForm):
    group = forms.TypedChoiceField(
        label="Which review group?",
        choices=[(group.value, group.words) for group in MopiGroup],
        coerce=int,
        widget=forms.RadioSelect,
    )
    clear_from = _day("When did the person last come to notice?", "The clear period counts from this day.")
    born = _day(
        "Group 1 only: the date of birth",
        "The footage is kept to the end of the year in which the person would be 100.",
        required=False,
    )
    years = forms.IntegerField(
        label="Group 4 only: for how many years?",
        help_text=f"{FEWEST_YEARS} to {MOST_YEARS}, as the force's schedule says. Leave it empty until it is resolved.",
        required=False,
        min_value=FEWEST_YEARS,
        max_value=MOST_YEARS,
    )
    reason = _reason("Why this group?", "For example the offence. It goes into the custody record.")

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        group = given.get("group")
        if given.get("born") is not None and group != MopiGroup.PUBLIC_PROTECTION:
            self.add_error("born", "The date of birth is kept in group 1 only: leave it empty.")
        if given.get("years") is not None and group != MopiGroup.UNRESOLVED:
            self.add_error("years", "Years are for group 4 only: leave it empty.")
        return given

    def change(self, known: Known, today: date) -> Known:
        given = self.cleaned_data
        return replace(
            known,
            mopi=Mopi(
                code=known.proceedings.code,
                group=MopiGroup(given["group"]),
                clear_from=given["clear_from"],
                born=given["born"],
                years=given["years"],
                reviews=known.mopi.reviews if known.mopi is not None else (),
            ),
        )


class ReviewGroupForm(KnowingForm):
    keep = forms.ChoiceField(
        label="Is what belongs to this person still needed for a policing purpose?",
        choices=[("yes", "Yes: keep it until the next review"), ("no", "No: it may go")],
        widget=forms.RadioSelect,
    )
    following = _day("If kept: the next review", "Leave it empty for the group's usual years.", required=False)
    reason = _reason("Why?", "What was looked at, and the risk that was found. It goes into the custody record.")

    def change(self, known: Known, today: date) -> Known:
        keep = self.cleaned_data["keep"] == "yes"
        return with_review(known, MopiReview(today, keep, self.cleaned_data["following"] if keep else None))
