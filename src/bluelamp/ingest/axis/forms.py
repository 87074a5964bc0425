"""The forms of the body-worn systems' pages. What they accept is checked again by the services."""

from __future__ import annotations

from typing import Any

from django import forms

from bluelamp.ingest.axis import connection_file
from bluelamp.ingest.axis.services.rejected import DECISIONS
from bluelamp.ingest.models import AxisConnection
from bluelamp.kernel.errors import Invalid
from bluelamp.people.forms import UnitField
from bluelamp.web.forms import NamedErrors

_END = "-----END CERTIFICATE-----"


class FileForm(NamedErrors):
    """What the next connection file of a system is to say."""

    site = forms.CharField(
        label="Site name", max_length=64, required=False, help_text="Shown in the body-worn manager; empty: the force."
    )
    uris = forms.CharField(
        label="Addresses of this server",
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        required=False,
        help_text="One a line, each ending in /auth/v1.0, as the system’s controller reaches them. "
        "Empty: this server’s own address.",
    )
    certificates = forms.CharField(
        label="Certificates of this server",
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        required=False,
        help_text="PEM, one after the other. With them the system uses HTTPS and nothing else; without, plain HTTP, "
        "which is for trying out only.",
    )
    ntp_server = forms.BooleanField(label="This server tells the time as well (NTP)", required=False)
    want_encryption = forms.BooleanField(
        label="Encrypt in the camera, from end to end",
        required=False,
        help_text="The key is made here and kept in the keyring. A system that has it can never turn it off again.",
    )

    def clean_uris(self) -> tuple[str, ...]:
        """Whether addresses and certificates fit each other is left to the service: either may be unreadable here."""
        uris = tuple(str(self.cleaned_data["uris"]).split())
        try:
            for uri in uris:
                connection_file.check_address(uri)
        except Invalid as error:
            raise forms.ValidationError(f"{error.what_happened} {error.next_step}") from error
        return uris

    def clean_certificates(self) -> tuple[str, ...]:
        given = str(self.cleaned_data["certificates"]).strip()
        if not given:
            return ()
        pieces = given.split(_END)
        if pieces[-1].strip() or len(pieces) < 2:
            raise forms.ValidationError("Paste each certificate whole, from BEGIN CERTIFICATE to END CERTIFICATE.")
        try:
            return tuple(connection_file.certificate(f"{piece.strip()}\n{_END}\n".encode()) for piece in pieces[:-1])
        except Invalid as error:
            raise forms.ValidationError(f"{error.what_happened} {error.next_step}") from error


class NextFileForm(FileForm):
    """The same for a system that has one. `after` tells which, so that a page sent again does not end the new one."""

    after = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, data: Any, *, connection: AxisConnection) -> None:
        self._present = connection.issued_at.isoformat()
        super().__init__(data, initial={"want_encryption": connection.want_encryption, "after": self._present})

    def clean(self) -> None:
        super().clean()
        after = self.cleaned_data.get("after")
        if after and after != self._present:
            raise forms.ValidationError(
                "A connection file was made since this page was opened, and its password is the one that holds. "
                "Nothing was made now. To make another one all the same, open this page anew."
            )


class NewSystemForm(FileForm):
    """The same for a system that has none yet."""

    name = forms.CharField(
        label="Name of the system", max_length=80, help_text="After where it stands, for instance: Northgate, Axis."
    )
    unit = UnitField("Choose a unit", label="Unit that its cameras belong to")
    container_type = forms.ChoiceField(
        label="Files",
        choices=AxisConnection.ContainerType.choices,
        initial=AxisConnection.ContainerType.MKV,
        widget=forms.RadioSelect,
        help_text="Cannot be changed for a system that is set up.",
    )

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"]).strip()
        if AxisConnection.objects.filter(name=name, active=True).exists():
            raise forms.ValidationError(
                "A system of this name is connected, and keeps its connection file. Choose another name, or make it a "
                "new file on its own page: the present one ends then."
            )
        return name

    field_order = ("name", "unit", "site", "uris", "certificates", "container_type", "ntp_server", "want_encryption")


class LinkForm(NamedErrors):
    """Who a user is."""

    person = forms.CharField(label="Officer", max_length=120, help_text="Warrant number, username or full name.")
    reason = forms.CharField(
        label="How do you know?", max_length=500, help_text="Kept in the ledger with your name.", required=True
    )


class DecideForm(NamedErrors):
    """What becomes of rejected content."""

    decision = forms.ChoiceField(label="What is it?", choices=list(DECISIONS.items()), widget=forms.RadioSelect)
    officer = forms.CharField(
        label="Officer",
        max_length=120,
        required=False,
        help_text="Warrant number, username or full name; where it is a recording like any other.",
    )
    reason = forms.CharField(label="Why?", max_length=500, help_text="Kept in the ledger with your name.")
