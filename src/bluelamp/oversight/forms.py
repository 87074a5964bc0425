"""What an auditor asks of the ledger: read from the address of the page, understood as people and things."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms

from bluelamp.custody.event import registered_types
from bluelamp.oversight.queries import finding, ledger
from bluelamp.oversight.rules import LONDON, OPERATIONS
from bluelamp.oversight.services import LONGEST_REASON

LONGEST_PERIOD = 366
"""Days that one report covers."""

_GROUPS = {
    "access": "Refusals",
    "axis": "Body-worn systems",
    "custody": "Erasures from the ledger",
    "database": "The database",
    "discrepancy": "Discrepancies",
    "docking": "Docking",
    "fixity": "Footage read again",
    "footage": "Searches",
    "keyring": "The keyring",
    "keys": "Keys looked for",
    "ledger": "The ledger itself",
    "loss": "Losses",
    "person": "Accounts",
    "policy": "The retention policy",
    "retention": "Retention",
    "rollout": "Roll-out",
    "session": "Sign-in",
    "store": "The store looked through",
}


def group_label(group: str) -> str:
    """What the events of a group are about, in words."""
    return _GROUPS.get(group, f"{group.capitalize()}s")


def tag_label(tag: str) -> str:
    """A type of event in words: "Recording: range served"."""
    subject, _, verb = tag.partition(".")
    return f"{subject.replace('_', ' ').capitalize()}: {verb.replace('_', ' ')}"


class _Day(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class LedgerForm(forms.Form):
    group = forms.ChoiceField(label="About", required=False)
    operation = forms.ChoiceField(
        label="Operation of s.62",
        required=False,
        choices=[("", "All six"), *((item.code, f"({item.letter}) {item.code.capitalize()}") for item in OPERATIONS)],
    )
    tag = forms.ChoiceField(label="Type of event", required=False)
    actor = forms.CharField(
        label="Who",
        required=False,
        max_length=200,
        help_text="Name, warrant number or id",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    subject = forms.CharField(
        label="What it was done to",
        required=False,
        max_length=500,
        help_text="Id, reference, or a page's address",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    since = forms.DateField(
        label="From", required=False, widget=_Day(), error_messages={"invalid": "Enter a first day that exists"}
    )
    until = forms.DateField(
        label="To", required=False, widget=_Day(), error_messages={"invalid": "Enter a last day that exists"}
    )
    before = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = sorted((group_label(group), group) for group in ledger.groups())
        self.fields["group"].choices = [("", "Everything"), *((value, text) for text, value in choices)]
        tags = sorted((tag_label(tag), tag) for tag in registered_types())
        self.fields["tag"].choices = [("", "Every type"), *((value, text) for text, value in tags)]

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        since, until = given.get("since"), given.get("until")
        if since and until and until < since:
            self.add_error("until", "The last day must not be before the first")
        for name, find, problem in (
            ("actor", finding.actors, "Nobody is known by that name, number or id"),
            ("subject", finding.subjects, "Nothing is known by that id, reference or address"),
        ):
            text = given.get(name, "").strip()
            given[f"{name}s"] = find(text) if text else None
            if text and not given[f"{name}s"]:
                self.add_error(name, problem)
        return given

    @property
    def wanted(self) -> ledger.Wanted:
        """The question, of a valid form. Days are London's, the last one included."""
        given = self.cleaned_data
        return ledger.Wanted(
            group=given["group"],
            tag=given["tag"],
            operation=given["operation"],
            actors=given["actors"],
            subjects=given["subjects"],
            since=_begins(given["since"]) if given["since"] else None,
            until=_begins(given["until"] + timedelta(days=1)) if given["until"] else None,
            before=given["before"],
        )

    @property
    def filters(self) -> dict[str, str]:
        """What was asked for, as the ledger keeps it and as the page's address carries it."""
        names = ("group", "tag", "operation", "actor", "subject", "since", "until")
        return {name: str(self.cleaned_data[name]) for name in names if self.cleaned_data.get(name)}


def _why(help_text: str) -> forms.CharField:
    """The reason of somebody who takes a file away."""
    return forms.CharField(
        label="Why do you take this away?",
        max_length=LONGEST_REASON,
        help_text=help_text,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={
            "required": "Say why you take this away",
            "max_length": "Shorten the reason to %(limit_value)d characters",
        },
    )


class ExportForm(forms.Form):
    format = forms.ChoiceField(
        label="Form of the file",
        choices=[
            ("csv", "CSV, for a spreadsheet"),
            ("json", "JSON, with every event’s salts, so that each can be proven against the public log"),
        ],
        initial="csv",
        required=False,
        widget=forms.RadioSelect,
    )
    reason = _why("The ledger keeps the reason, what was taken, and the file's SHA-256.")


class PeriodForm(forms.Form):
    since = forms.DateField(
        label="From",
        widget=_Day(),
        error_messages={"invalid": "Enter a first day that exists", "required": "Enter the first day"},
    )
    until = forms.DateField(
        label="To",
        widget=_Day(),
        error_messages={"invalid": "Enter a last day that exists", "required": "Enter the last day"},
    )

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        since, until = given.get("since"), given.get("until")
        if since and until and until < since:
            self.add_error("until", "The last day must not be before the first")
        elif since and until and (until - since).days > LONGEST_PERIOD:
            self.add_error("until", f"Choose at most {LONGEST_PERIOD} days")
        return given

    @property
    def period(self) -> tuple[datetime, datetime]:
        """The instants at which the period of London days begins and, excluded, ends; of a valid form."""
        return _begins(self.cleaned_data["since"]), _begins(self.cleaned_data["until"] + timedelta(days=1))


class ReportForm(forms.Form):
    format = forms.ChoiceField(
        label="Form of the file",
        choices=[
            ("json", "JSON: the whole report, with every consultation and disclosure"),
            ("csv", "CSV: every consultation and disclosure, for a spreadsheet"),
            ("pdf", "PDF: what this page shows, on paper"),
        ],
        initial="json",
        required=False,
        widget=forms.RadioSelect,
    )
    reason = _why("Such as the Commissioner’s reference. The ledger keeps it, with the file’s SHA-256.")


class KeptNoteForm(forms.Form):
    note = forms.CharField(
        label="A signed note that you kept (optional)",
        required=False,
        max_length=10_000,
        help_text="Paste it whole, with its last line. The ledger must still contain exactly what it signed.",
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false", "autocomplete": "off"}),
    )


def _begins(day: date) -> datetime:
    return datetime.combine(day, time(), LONDON).astimezone(UTC)
