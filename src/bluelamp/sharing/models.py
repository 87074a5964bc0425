from __future__ import annotations

from django.db import models
from django.db.models.functions import Lower

from bluelamp.cases.models import Case
from bluelamp.footage.models import Recording
from bluelamp.kernel.ids import new_id
from bluelamp.people.models import Organisation, Person
from bluelamp.sharing.packages.models import Package, PackageDownload, PackageItem

__all__ = ["Package", "PackageDownload", "PackageItem", "Recipient", "Share", "SignInCode"]


class Recipient(models.Model):
    """A named person outside the force. Signs in with a one-time code sent to this address, never with a password."""

    id = models.UUIDField(primary_key=True, default=new_id)
    name = models.TextField()
    email = models.EmailField()
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="recipients")

    class Meta:
        db_table = "sharing_recipient"
        constraints = [models.UniqueConstraint(Lower("email"), name="sharing_recipient_email_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def custody_id(self) -> str:
        """This recipient in the ledger."""
        return f"recipient:{self.pk}"


class Share(models.Model):
    """Leave for one recipient to watch, and perhaps download, one recording until a given time."""

    id = models.UUIDField(primary_key=True, default=new_id)
    recording = models.ForeignKey(Recording, models.PROTECT, related_name="shares")
    case = models.ForeignKey(Case, models.PROTECT, null=True, related_name="shares")
    recipient = models.ForeignKey(Recipient, models.PROTECT, related_name="shares")
    urn = models.TextField(blank=True)
    summary = models.TextField()
    may_download = models.BooleanField(default=False)
    token_sha256 = models.TextField(unique=True, null=True)  # null while the newest link has not left
    invited_at = models.DateTimeField(null=True)  # when the message with the newest link left
    created_by = models.ForeignKey(Person, models.PROTECT, related_name="shares")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    revoke_reason = models.TextField(blank=True)

    class Meta:
        db_table = "sharing_share"
        ordering = ["-created_at"]

    @property
    def custody_id(self) -> str:
        """This share in the ledger, and the grant of its viewings."""
        return f"share:{self.pk}"


class SignInCode(models.Model):
    """A one-time code sent to a recipient, for one session. Only a keyed hash is kept; times are real time."""

    recipient = models.ForeignKey(Recipient, models.PROTECT, related_name="codes")
    ticket_sha256 = models.TextField(db_index=True)
    code_hmac = models.TextField()
    sent_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "sharing_sign_in_code"
        indexes = [models.Index(fields=["recipient", "-sent_at"], name="sharing_code_recent")]
