from __future__ import annotations

from django.db import models

from bluelamp.cases.models import Case
from bluelamp.footage.models import Recording
from bluelamp.kernel.ids import new_id
from bluelamp.people.models import Person


class Package(models.Model):
    """Recordings put together for one recipient and one purpose. What it holds is settled when it is sealed.

    `maker` and `maker_name` are a custody id and what it is called: an officer, or the recipient of `share`. `papers`
    names the sealed object with all its files but the media, one after the other; it lies with the first recording and
    under its key. `layout` says which file begins where; `seal` is the file that is added last.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting to be made"
        READING = "reading", "Reading the footage and checking it against its SHA-256"
        WRITING = "writing", "Writing the label, the report and the proofs"
        PROVING = "proving", "Sealed; waiting until the log can prove it"
        READY = "ready", "Ready"
        FAILED = "failed", "Could not be made"

    class Purpose(models.TextChoices):
        PROSECUTION = "prosecution", "Disclosure to the prosecution"
        DEFENCE = "defence", "Disclosure to the defence"
        COURT = "court", "Exhibit for the court"
        POLICE = "police", "Another police force or authority"
        SCRUTINY = "scrutiny", "Scrutiny or inspection"

    id = models.UUIDField(primary_key=True, default=new_id)
    case = models.ForeignKey(Case, models.PROTECT, null=True, related_name="packages")
    share = models.ForeignKey("sharing.Share", models.PROTECT, null=True, related_name="packages")
    purpose = models.TextField(choices=Purpose.choices)
    recipient = models.TextField()
    made_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="packages")
    maker = models.TextField()
    maker_name = models.TextField()
    made_at = models.DateTimeField()
    made_event = models.BigIntegerField(null=True)

    state = models.TextField(choices=State.choices, default=State.WAITING)
    failure = models.TextField(blank=True)
    done = models.BigIntegerField(default=0)  # bytes of footage read so far
    papers = models.TextField(blank=True)
    layout = models.JSONField(default=list)
    seal = models.TextField(blank=True)
    keys = models.JSONField(default=list)  # the vkeys that custody.json names: no other may sign the seal
    witnesses = models.JSONField(default=list)
    sealed_event = models.BigIntegerField(null=True)
    tag_manifest_sha256 = models.TextField(blank=True)
    size = models.BigIntegerField(null=True)  # bytes of the ZIP file
    events = models.IntegerField(default=0)
    withheld = models.IntegerField(default=0)  # fields of events that are given as commitments only

    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    withdraw_reason = models.TextField(blank=True)

    class Meta:
        db_table = "sharing_package"
        ordering = ["-made_at"]

    @property
    def custody_id(self) -> str:
        """This package in the ledger."""
        return f"package:{self.pk}"


class PackageItem(models.Model):
    """A recording in a package: its exhibit reference, the file it becomes, and the CRC-32 that ZIP files want."""

    package = models.ForeignKey(Package, models.PROTECT, related_name="items")
    recording = models.ForeignKey(Recording, models.PROTECT, related_name="package_items")
    position = models.PositiveSmallIntegerField()
    exhibit = models.TextField(blank=True)
    file = models.TextField(blank=True)
    crc32 = models.BigIntegerField(null=True)

    class Meta:
        db_table = "sharing_package_item"
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["package", "recording"], name="sharing_package_recording_once"),
        ]


class PackageDownload(models.Model):
    """Leave to fetch a package, in one sign-in, in as many pieces as it takes. `expires_at` is real time."""

    id = models.UUIDField(primary_key=True, default=new_id)
    package = models.ForeignKey(Package, models.PROTECT, related_name="downloads")
    who = models.TextField()
    who_name = models.TextField()
    reason = models.TextField()
    session_sha256 = models.TextField()
    opened_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    bytes_sent = models.BigIntegerField(default=0)

    class Meta:
        db_table = "sharing_package_download"
        ordering = ["-opened_at"]
