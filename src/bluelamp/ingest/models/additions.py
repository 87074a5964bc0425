"""Footage from elsewhere that people add on a page: what they say of it, and its files."""

from __future__ import annotations

from django.db import models

from bluelamp.footage.models import Category
from bluelamp.ingest.models.uploads import Upload
from bluelamp.kernel.ids import new_id
from bluelamp.people.models import Person, Unit


class Addition(models.Model):
    """What one person says of one or more files that no camera of the force recorded, before they send them.

    `shown_at` is the beginning by the clock that the footage shows, read as London's; `clock_offset_ms` is what must be
    added to come to the right time. What it says of the content is emptied (`forgotten`) with the last of its
    recordings.
    """

    class Kind(models.TextChoices):
        CCTV = "cctv", "CCTV"
        PHONE = "phone", "A member of the public’s phone"
        CAMERA = "camera", "Another camera: dashboard, doorbell, drone"
        OTHER = "other", "Something else"

    class Clock(models.TextChoices):
        RIGHT = "right", "It was right"
        FAST = "fast", "It was fast: it showed a later time"
        SLOW = "slow", "It was slow: it showed an earlier time"
        UNKNOWN = "unknown", "Nobody has compared it"

    id = models.UUIDField(primary_key=True, default=new_id)
    kind = models.TextField(choices=Kind.choices)
    place = models.TextField(blank=True)
    shown_at = models.DateTimeField()
    clock = models.TextField(choices=Clock.choices)
    clock_offset_ms = models.BigIntegerField(default=0)
    handed_over = models.TextField(blank=True)
    exhibit = models.TextField(blank=True)
    reference_kind = models.TextField(blank=True)
    reference = models.TextField(blank=True)
    category = models.ForeignKey(Category, models.PROTECT, null=True, related_name="+")
    is_evidence = models.BooleanField(default=False)
    reason = models.TextField(blank=True)
    maker = models.ForeignKey(Person, models.PROTECT, related_name="+")
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, related_name="+")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    forgotten = models.BooleanField(default=False)

    class Meta:
        db_table = "ingest_addition"
        indexes = [
            models.Index(fields=["maker", "-opened_at"], name="ingest_addition_maker"),
            models.Index(fields=["opened_at"], condition=models.Q(forgotten=False), name="ingest_addition_open"),
        ]

    @property
    def custody_id(self) -> str:
        """This addition in the ledger."""
        return f"addition:{self.pk}"


class AddedFile(models.Model):
    """One file of an addition. `recording` is its upload's: a recording has that id once the file is accepted.

    `mark` is the SHA-256 of the file's beginning and end, by which a browser knows it again to go on with it.
    `twin` is the recording that was here with the same bytes already, so that this file was not stored.
    """

    addition = models.ForeignKey(Addition, models.PROTECT, related_name="files")
    upload = models.OneToOneField(Upload, models.PROTECT, related_name="added_file")
    recording = models.UUIDField(unique=True)
    mark = models.TextField(blank=True)
    twin = models.UUIDField(null=True)

    class Meta:
        db_table = "ingest_added_file"
