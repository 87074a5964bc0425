from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from bluelamp.fleet.models import Camera
from bluelamp.kernel.ids import new_id
from bluelamp.people.models import Person, Unit

if TYPE_CHECKING:
    from bluelamp.custody import CustodyRecord


class Incident(models.Model):
    """Files that belong together: the parts of one split recording, or several officers' recordings."""

    id = models.UUIDField(primary_key=True, default=new_id)
    name = models.TextField(blank=True)

    class Meta:
        db_table = "footage_incident"


class Recording(models.Model):
    """One file from a camera, or from elsewhere: the master, what the device said about it, and where it stands.

    `started_at` and `ended_at` are corrected UTC (device time plus the offset measured at docking); the device's own
    values stay beside them. `original` is the name of the sealed object; its data key has the recording's id.
    `added_by` is who added footage from elsewhere, which nobody wore.
    `collected` is the custody record of its acceptance, on the object that `services.accept` returns.
    """

    collected: CustodyRecord

    class State(models.TextChoices):
        LIVE = "live", "Kept for now"
        QUARANTINED = "quarantined", "Leaving: in quarantine"
        DELETED = "deleted", "Deleted"

    class Processing(models.TextChoices):
        WAITING = "waiting", "Waiting to be prepared"
        READY = "ready", "Ready"
        FAILED = "failed", "Could not be prepared for viewing; the original is safe"
        KEYLESS = "keyless", "Encrypted by its device, and not opened yet; the received bytes are safe"

    class ClockStatus(models.TextChoices):
        GOOD = "good", "Clock agreed with the dock"
        DRIFTING = "drifting", "Clock differed from the dock; times are corrected"
        UNSET = "unset", "Clock was not set, or plainly wrong; the time of arrival is used"
        STATED = "stated", "No dock compared the clock; the times are those that came with it"
        DOUBTFUL = "doubtful", "Not compared with the right time; the times may be wrong"

    id = models.UUIDField(primary_key=True, default=new_id)
    camera = models.ForeignKey(Camera, models.PROTECT, null=True, related_name="recordings")
    sequence = models.BigIntegerField(null=True)
    filename = models.TextField()
    wearer = models.ForeignKey(Person, models.PROTECT, null=True, related_name="recordings")
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, related_name="recordings")
    added_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    incident = models.ForeignKey(Incident, models.PROTECT, null=True, related_name="recordings")
    part = models.PositiveIntegerField(default=1)

    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    device_started_at = models.DateTimeField(null=True)
    device_ended_at = models.DateTimeField(null=True)
    clock_offset_ms = models.BigIntegerField(default=0)
    clock_status = models.TextField(choices=ClockStatus.choices, default=ClockStatus.GOOD)
    received_at = models.DateTimeField()

    sha256 = models.TextField()
    size = models.BigIntegerField()
    original = models.TextField(unique=True)
    manifest = models.JSONField(default=dict)
    events = models.JSONField(default=list)
    track = models.JSONField(default=list)
    mount = models.TextField(blank=True)
    told = models.BooleanField(null=True)
    pre_event_seconds = models.PositiveIntegerField(default=0)
    place = models.TextField(blank=True)

    state = models.TextField(choices=State.choices, default=State.LIVE)
    processing = models.TextField(choices=Processing.choices, default=Processing.WAITING)
    processing_error = models.TextField(blank=True)
    processing_attempts = models.PositiveSmallIntegerField(default=0)
    duration_ms = models.BigIntegerField(null=True)
    media = models.JSONField(default=dict)
    waveform = models.JSONField(default=list)
    storyboard = models.JSONField(default=dict)

    category = models.ForeignKey("footage.Category", models.PROTECT, null=True, related_name="recordings")
    due_at = models.DateTimeField(null=True)
    due_rule = models.TextField(blank=True)
    review_until = models.DateTimeField(null=True)

    locked_at = models.DateTimeField(null=True)
    lock_reason = models.TextField(blank=True)
    locked_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    released_to = models.ManyToManyField(Person, related_name="+", db_table="footage_recording_released_to")

    search = SearchVectorField(null=True)

    class Meta:
        db_table = "footage_recording"
        ordering = ["-started_at"]
        constraints = [
            models.UniqueConstraint(fields=["camera", "sequence"], name="footage_once_a_camera_sequence"),
        ]
        indexes = [
            models.Index(fields=["-started_at", "-id"], name="footage_recording_started"),
            models.Index(fields=["wearer", "-started_at", "-id"], name="footage_recording_wearer"),
            models.Index(fields=["unit", "-started_at", "-id"], name="footage_recording_unit"),
            models.Index(fields=["category", "-started_at", "-id"], name="footage_recording_category"),
            models.Index(
                fields=["locked_at"], condition=models.Q(locked_at__isnull=False), name="footage_recording_locked"
            ),
            GinIndex(fields=["search"], name="footage_recording_search"),
            GinIndex(fields=["events"], opclasses=["jsonb_path_ops"], name="footage_recording_events"),
            models.Index(fields=["state", "due_at"], name="footage_recording_due"),
            # Each sweep asks for them, and there are hardly ever any.
            models.Index(fields=["due_at"], condition=models.Q(due_rule=""), name="footage_recording_undecided"),
            models.Index(fields=["received_at"], name="footage_recording_received"),
            models.Index(fields=["sha256"], name="footage_recording_sha256"),
        ]

    @property
    def custody_id(self) -> str:
        """This recording in the ledger."""
        return f"recording:{self.pk}"

    @property
    def key_id(self) -> str:
        """The id of its data key in the keyring."""
        return str(self.pk)

    @property
    def is_signed(self) -> bool:
        """Whether its camera signed what it recorded. What came another way keeps other facts in `manifest`."""
        return "signature" in self.manifest


class Derivative(models.Model):
    """An object made from a recording and sealed under its key: poster, storyboard, viewing copy."""

    class Kind(models.TextChoices):
        POSTER = "poster", "Poster"
        STORYBOARD = "storyboard", "Storyboard"
        VIEWING = "viewing", "Viewing copy"

    recording = models.ForeignKey(Recording, models.PROTECT, related_name="derivatives")
    kind = models.TextField(choices=Kind.choices)
    object_name = models.TextField(unique=True)
    content_type = models.TextField()
    size = models.BigIntegerField()

    class Meta:
        db_table = "footage_derivative"
        constraints = [
            models.UniqueConstraint(fields=["recording", "kind"], name="footage_one_derivative_a_kind"),
        ]
