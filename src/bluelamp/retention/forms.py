"""What people fill in to hold, extend or release."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms

from bluelamp.footage.services.marks import LONGEST_REASON
from bluelamp.retention.models import Hold
from bluelamp.retention.rules import LONDON
from bluelamp.retention.terms import PERIOD_NAMES, PERIODS, Terms

# Holds that people place by hand; the other kinds belong to what places them: an incident lock, a share.
BY_HAND = (
    Hold.Kind.COMPLAINT,
    Hold.Kind.SUBJECT_ACCESS,
    Hold.Kind.FOI,
    Hold.Kind.LEGAL,
    Hold.Kind.CASE,
    Hold.Kind.OTHER,
)

# Where nothing can be reckoned any more; how far ahead an extension may lie is retention's policy.
_END_OF_TIME = date(9000, 1, 1)
_LONGEST_PERIOD = 36_600  # days: a century


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


def _review_on() -> forms.DateField:
    return forms.DateField(
        label="Look at it again on",
        required=False,
        help_text="A day in London; left empty, after the policy’s period.",
        widget=_Day(),
        error_messages={"invalid": "Enter a day that exists"},
    )


def _start_of(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(min(day, _END_OF_TIME), time(), LONDON)


def _of(label: str) -> dict[str, str]:
    return {
        "invalid": f"Enter a whole number for “{label}”",
        "min_value": f"“{label}” must be at least %(limit_value)d",
        "max_value": f"“{label}” must be at most %(limit_value)d",
    }


def _days(label: str, now: int | None, least: int = 0) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        required=False,
        initial=now,
        min_value=least,
        max_value=_LONGEST_PERIOD,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
        error_messages=_of(label),
    )


class HoldForm(forms.Form):
    kind = forms.ChoiceField(
        label="What is the hold for?",
        choices=[(kind.value, kind.label) for kind in BY_HAND],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what the hold is for"},
    )
    reason = _reason("It goes into the custody record. The wearer does not see it.")
    owner = forms.ChoiceField(
        label="Who answers for it?",
        required=False,
        help_text="Whom to ask whether it is still needed.",
        widget=forms.Select,
    )
    review_on = _review_on()

    def __init__(self, data: Any, owners: list[tuple[str, str]]) -> None:
        super().__init__(data)
        self.fields["owner"].choices = [("", "Me"), *owners]

    @property
    def review_at(self) -> datetime | None:
        """The beginning of the day of review in London; None: after the policy's period."""
        return _start_of(self.cleaned_data["review_on"])


class ReviewForm(forms.Form):
    """What somebody found on looking at a hold, or at several."""

    decision = forms.ChoiceField(
        label="Is it still needed?",
        choices=[("keep", "Yes, keep it until the next review"), ("release", "No, release it")],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose whether it is still needed"},
    )
    reason = _reason("It goes into the custody record. The wearer does not see it.")
    review_on = _review_on()

    @property
    def review_at(self) -> datetime | None:
        """As in HoldForm."""
        return _start_of(self.cleaned_data["review_on"])


class ShorteningForm(forms.Form):
    """A second person's word on an edit that shortens, or on several."""

    decision = forms.ChoiceField(
        label="May it go earlier?",
        choices=[("approve", "Yes, approve the edit"), ("refuse", "No, keep the former date")],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose whether it may go earlier"},
    )
    reason = _reason("It goes into the custody record.")


class DecisionForm(forms.Form):
    """A reason for approving, refusing or withdrawing a proposal."""

    reason = _reason("It goes into the ledger with your name.")


class HoldsFilter(forms.Form):
    """What the list of holds is narrowed by, read from its address."""

    state = forms.ChoiceField(
        label="State",
        required=False,
        choices=[
            ("standing", "Standing"),
            ("due", "Due for review"),
            ("without_review", "Without a review date"),
            ("released", "Released"),
        ],
    )
    kind = forms.ChoiceField(label="Kind", required=False, choices=[("", "Every kind"), *Hold.Kind.choices])
    owner = forms.ChoiceField(label="Answers for it", required=False)
    words = forms.CharField(label="Reason contains", required=False, max_length=100)

    def __init__(self, data: Any, owners: list[tuple[str, str]]) -> None:
        super().__init__(data)
        self.fields["owner"].choices = [("", "Everybody"), *owners]


class PolicyForm(forms.Form):
    """The whole policy as somebody would have it. The fields of categories are `keep_<code>` and `special_<code>`."""

    effective_on = forms.DateField(
        label="From which day?",
        help_text="It takes effect at the beginning of the day in London, or, today, as soon as it is decided.",
        widget=_Day(),
        error_messages={"required": "Enter the day", "invalid": "Enter a day that exists"},
    )
    reason = _reason("Why the policy changes, and on whose decision. It goes into the ledger.")

    def __init__(self, data: Any, now: Terms, names: Mapping[str, str], today: date) -> None:
        super().__init__(data)
        self.names = dict(names)
        self.today = today
        self.fields["effective_on"].initial = today
        periods: dict[str, forms.Field] = {}
        for period in PERIODS:
            periods[period.name] = forms.IntegerField(
                label=f"{period.label}, {period.unit}s" if period.name != "mopi_age" else period.label,
                help_text=period.help,
                initial=getattr(now, period.name),
                min_value=1,
                max_value=_LONGEST_PERIOD,
                widget=forms.TextInput(attrs={"inputmode": "numeric"}),
                error_messages={"required": f"Enter a number for “{period.label}”", **_of(period.label)},
            )
        for code, name in self.names.items():
            periods[f"keep_{code}"] = _days(f"{name}: kept for, days", now.keep.get(code))
            periods[f"special_{code}"] = _days(f"{name}: in place of the default, days", now.special.get(code), 1)
        self.fields = {**periods, **self.fields}

    def clean_effective_on(self) -> date:
        day: date = self.cleaned_data["effective_on"]
        if day < self.today:
            raise forms.ValidationError("Choose today or a later day")
        return day

    @property
    def effective_at(self) -> datetime:
        """The beginning of the day in London."""
        return datetime.combine(self.cleaned_data["effective_on"], time(), LONDON)

    @property
    def terms(self) -> Terms:
        """What was filled in."""
        given = self.cleaned_data
        return Terms(
            **{name: given[name] for name in PERIOD_NAMES},
            keep={code: given[f"keep_{code}"] for code in self.names},
            special={code: given[f"special_{code}"] for code in self.names if given[f"special_{code}"] is not None},
        )

    def period_fields(self) -> list[forms.BoundField]:
        """The fields of periods that apply to everything."""
        return [self[name] for name in PERIOD_NAMES]

    def category_rows(self) -> list[tuple[str, forms.BoundField, forms.BoundField]]:
        """A category's name with its two fields, in order."""
        return [(name, self[f"keep_{code}"], self[f"special_{code}"]) for code, name in self.names.items()]


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
