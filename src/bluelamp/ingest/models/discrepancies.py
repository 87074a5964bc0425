"""What cameras said that they recorded, and where it does not agree with what arrived."""

from __future__ import annotations

from django.db import models

from bluelamp.fleet.models import Camera
from bluelamp.ingest import discrepancies
from bluelamp.ingest.models.docking import DockingSession
from bluelamp.kernel.ids import new_id
from bluelamp.people.models import Person


class Offer(models.Model):
    """One manifest entry that a camera showed at a docking: number and hashes, nothing of what was recorded.

    It outlives the recording, so that the camera's chain can be followed past footage that was deleted on time.
    `signed`: the signature was good. An entry that could not be read has no hashes. `unavailable`: why the dock cannot
    send it, as it said since it was last offered.
    """

    class State(models.TextChoices):
        NEEDED = "needed", "Offered; not here yet"
        ARRIVED = "arrived", "Here, or deleted on time"
        REFUSED = "refused", "Refused when it was offered"

    camera = models.ForeignKey(Camera, models.PROTECT, related_name="offers")
    sequence = models.BigIntegerField()
    entry_hash = models.TextField(blank=True)
    previous = models.TextField(blank=True)
    sha256 = models.TextField(blank=True)
    signed = models.BooleanField()
    state = models.TextField(choices=State.choices)
    why = models.TextField(blank=True)
    unavailable = models.TextField(blank=True, choices=[(why, why) for why in discrepancies.UNAVAILABLE])
    first_session = models.ForeignKey(DockingSession, models.PROTECT, related_name="+")
    first_at = models.DateTimeField()
    last_session = models.ForeignKey(DockingSession, models.PROTECT, related_name="+")
    last_at = models.DateTimeField()

    class Meta:
        db_table = "ingest_offer"
        constraints = [
            models.UniqueConstraint(fields=["camera", "sequence", "entry_hash"], name="ingest_one_offer_an_entry")
        ]
        indexes = [
            models.Index(fields=["camera"], condition=~models.Q(state="arrived"), name="ingest_offer_outstanding")
        ]


class Reconciliation(models.Model):
    """Where the comparison stands for one camera. `due`: it was docked, and has not been compared since.

    `docking` is another at each docking, so that one that comes while a comparison runs is not taken for compared.
    """

    camera = models.OneToOneField(Camera, models.PROTECT, related_name="reconciliation")
    docking = models.UUIDField(default=new_id)
    due = models.BooleanField(default=True)

    class Meta:
        db_table = "ingest_reconciliation"
        indexes = [models.Index(fields=["due"], condition=models.Q(due=True), name="ingest_reconciliation_due")]


class Discrepancy(models.Model):
    """Something in which camera and server do not agree, until it is put right or a person answers for it.

    `first` and `last` are the numbers that it is about, none where it is about the camera itself; `missing` of these
    recordings are not here. `session` is the docking that revealed it.
    """

    class Kind(models.TextChoices):
        GAP = discrepancies.GAP, "Never offered"
        NEVER_ARRIVED = discrepancies.NEVER_ARRIVED, "Offered, not arrived"
        REFUSED = discrepancies.REFUSED, "Refused"
        REJECTED = discrepancies.REJECTED, "Rejected"
        CHAIN = discrepancies.CHAIN, "Chain broken"
        CAMERA_REFUSED = discrepancies.CAMERA_REFUSED, "Camera turned away"
        CLOCK_UNSET = discrepancies.CLOCK_UNSET, "Clock not set"
        CLOCK_DRIFTING = discrepancies.CLOCK_DRIFTING, "Clock differs"

    class State(models.TextChoices):
        OPEN = "open", "Open"
        RESOLVED = "resolved", "Resolved by itself"
        CLOSED = "closed", "Closed"

    id = models.UUIDField(primary_key=True, default=new_id)
    camera = models.ForeignKey(Camera, models.PROTECT, related_name="discrepancies")
    kind = models.TextField(choices=Kind.choices)
    first = models.BigIntegerField(null=True)
    last = models.BigIntegerField(null=True)
    missing = models.BigIntegerField(default=0)
    session = models.ForeignKey(DockingSession, models.PROTECT, null=True, related_name="+")
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    found_at = models.DateTimeField()
    detail = models.TextField()
    state = models.TextField(choices=State.choices, default=State.OPEN)
    ended_at = models.DateTimeField(null=True)
    ended_because = models.TextField(blank=True)
    closed_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")

    class Meta:
        db_table = "ingest_discrepancy"
        ordering = ["-first_seen_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["camera", "kind", "first"],
                condition=models.Q(state="open"),
                nulls_distinct=False,
                name="ingest_discrepancy_once",
            )
        ]
        indexes = [
            models.Index(
                fields=["-first_seen_at", "-id"], condition=models.Q(state="open"), name="ingest_discrepancy_open"
            ),
            models.Index(fields=["camera", "-first_seen_at"], name="ingest_discrepancy_camera"),
        ]

    @property
    def custody_id(self) -> str:
        """This discrepancy in the ledger."""
        return f"discrepancy:{self.pk}"

    @property
    def is_open(self) -> bool:
        """Whether it waits for an answer."""
        return self.state == self.State.OPEN

    @property
    def arrived(self) -> int:
        """How many of what was missing have come since."""
        if self.first is None or self.last is None or self.kind not in discrepancies.MISSING:
            return 0
        return self.last - self.first + 1 - self.missing

    @property
    def numbers(self) -> str:
        """The numbers that it is about: "3", "3 to 7", or nothing."""
        if self.first is None or self.last is None:
            return ""
        return f"{self.first:,}" if self.first == self.last else f"{self.first:,} to {self.last:,}"
