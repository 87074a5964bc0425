"""Uploads: files on their way in, from whatever source."""

from __future__ import annotations

from django.db import models

from bluelamp.fleet.models import Camera
from bluelamp.ingest.models.docking import DockingSession
from bluelamp.kernel.ids import new_id


class Upload(models.Model):
    """One file on its way. `recording_id` is chosen at the start: its data key and object carry it.

    `owner` is the custody id of who sends it, and alone may. A dock's upload has a session, a camera, a sequence number
    and the camera's signed entry (`manifest`); of any other, `arrival` tells what the recording will be.
    `length` is None, and `sha256` empty, while nobody has said them yet.

    `offset` is how many plaintext bytes were last acknowledged; while bytes arrive, the staging folder's own record
    is ahead of it and decides. The clock facts are those of the first session that offered the recording: a dock may
    set the camera's clock afterwards, and a later offset would not fit.

    A `concat` "partial" never becomes a recording itself: a "final" one takes the bytes of its `parts` (upload ids).
    """

    class Origin(models.TextChoices):
        DOCK = "dock", "A camera in its dock"
        BROWSER = "browser", "Added on a page"
        IMPORT = "import", "Imported"
        AXIS = "axis", "An Axis body-worn system"

    class State(models.TextChoices):
        RECEIVING = "receiving", "Arriving"
        RECEIVED = "received", "Complete and sealed; being accepted"
        ACCEPTED = "accepted", "Accepted"
        REJECTED = "rejected", "Rejected"
        ABANDONED = "abandoned", "Given up"
        JOINED = "joined", "Its bytes are part of another upload"

    class Concat(models.TextChoices):
        WHOLE = "", "By itself"
        PARTIAL = "partial", "A part of another"
        FINAL = "final", "Made of parts"

    LIVE = (State.RECEIVING, State.RECEIVED)

    id = models.UUIDField(primary_key=True, default=new_id)
    origin = models.TextField(choices=Origin.choices, default=Origin.DOCK)
    owner = models.TextField()
    session = models.ForeignKey(DockingSession, models.PROTECT, null=True, related_name="uploads")
    camera = models.ForeignKey(Camera, models.PROTECT, null=True, related_name="uploads")
    sequence = models.BigIntegerField(null=True)
    filename = models.TextField(blank=True)
    length = models.BigIntegerField(null=True)
    offset = models.BigIntegerField(default=0)
    metadata = models.TextField(blank=True)
    manifest = models.JSONField(default=dict)
    arrival = models.JSONField(default=dict)
    concat = models.TextField(choices=Concat.choices, default=Concat.WHOLE, blank=True)
    parts = models.JSONField(default=list)
    sha256 = models.TextField(blank=True)
    recording_id = models.UUIDField(unique=True, default=new_id)
    object_name = models.TextField(unique=True)
    state = models.TextField(choices=State.choices, default=State.RECEIVING)
    problem = models.JSONField(default=dict)
    receipt = models.JSONField(default=dict)
    docked_at = models.DateTimeField(null=True)
    clock_offset_ms = models.BigIntegerField(default=0)
    clock_set = models.BooleanField(default=True)
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
            models.Index(fields=["owner", "created_at"], name="ingest_upload_owner"),
        ]

    @property
    def is_live(self) -> bool:
        """Whether it may still become a recording."""
        return self.state in self.LIVE

    @property
    def is_part(self) -> bool:
        """Whether it is only a part of another upload."""
        return self.concat == self.Concat.PARTIAL

    @property
    def key_id(self) -> str:
        """The id of the data key that seals it, from the first byte on."""
        return str(self.recording_id)

    @property
    def subject(self) -> str:
        """What events about it are about: its camera in the ledger, else the recording that it would become."""
        return self.camera.custody_id if self.camera else f"recording:{self.recording_id}"
