"""What is on its way in: docking sessions, and uploads until their recordings are accepted.

Nothing here outlives its recording's content: manifests, file names and client metadata are cleared when an upload
ends, so that deleting a recording leaves no copy of its facts behind.
"""

from __future__ import annotations

from django.db import models

from bluelamp.fleet.models import Camera, Dock
from bluelamp.kernel.ids import new_id


class DockingSession(models.Model):
    """One camera in one dock: what it said of itself, and what the server answered for each of its recordings.

    `clock_offset_ms` is the server's time minus the device's. `inventory` lists, for each recording offered, its
    sequence number, SHA-256, size, state (needed, have, refused) and why.
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    dock = models.ForeignKey(Dock, models.PROTECT, related_name="sessions")
    camera = models.ForeignKey(Camera, models.PROTECT, related_name="sessions")
    opened_at = models.DateTimeField()
    device_clock = models.DateTimeField()
    clock_offset_ms = models.BigIntegerField()
    clock_set = models.BooleanField()
    battery = models.SmallIntegerField(null=True)
    storage = models.JSONField(default=dict)
    inventory = models.JSONField(default=list)
    firmware = models.TextField(blank=True)

    class Meta:
        db_table = "ingest_docking_session"
        indexes = [models.Index(fields=["camera", "-opened_at"], name="ingest_session_camera")]


class Upload(models.Model):
    """One file on its way from a dock. `recording_id` is chosen at the start: its data key and object carry it.

    `offset` is how many plaintext bytes were last acknowledged; while bytes arrive, the staging folder's own record
    is ahead of it and decides. The clock facts are those of the first session that offered the recording: a dock may
    set the camera's clock afterwards, and a later offset would not fit.
    """

    class State(models.TextChoices):
        RECEIVING = "receiving", "Arriving"
        RECEIVED = "received", "Complete and sealed; being accepted"
        ACCEPTED = "accepted", "Accepted"
        REJECTED = "rejected", "Rejected"
        ABANDONED = "abandoned", "Given up"

    LIVE = (State.RECEIVING, State.RECEIVED)

    id = models.UUIDField(primary_key=True, default=new_id)
    session = models.ForeignKey(DockingSession, models.PROTECT, related_name="uploads")
    camera = models.ForeignKey(Camera, models.PROTECT, related_name="uploads")
    sequence = models.BigIntegerField()
    filename = models.TextField(blank=True)
    length = models.BigIntegerField()
    offset = models.BigIntegerField(default=0)
    metadata = models.TextField(blank=True)
    manifest = models.JSONField(default=dict)
    sha256 = models.TextField()
    recording_id = models.UUIDField(unique=True, default=new_id)
    object_name = models.TextField(unique=True)
    state = models.TextField(choices=State.choices, default=State.RECEIVING)
    problem = models.JSONField(default=dict)
    receipt = models.JSONField(default=dict)
    docked_at = models.DateTimeField()
    clock_offset_ms = models.BigIntegerField()
    clock_set = models.BooleanField()
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    cleared = models.BooleanField(default=False)
    """Whether nothing of an ended upload is left in staging, and of a failed one no key."""

    class Meta:
        db_table = "ingest_upload"
        constraints = [
            models.UniqueConstraint(
                fields=["camera", "sequence"],
                condition=models.Q(state__in=["receiving", "received"]),
                name="ingest_one_live_upload",
            )
        ]
        indexes = [
            models.Index(fields=["camera", "sequence", "created_at"], name="ingest_upload_camera"),
            models.Index(fields=["state"], condition=~models.Q(cleared=True), name="ingest_upload_open"),
        ]

    @property
    def is_live(self) -> bool:
        """Whether it may still become a recording."""
        return self.state in self.LIVE

    @property
    def key_id(self) -> str:
        """The id of the data key that seals it, from the first byte on."""
        return str(self.recording_id)
