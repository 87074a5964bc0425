"""Axis body-worn systems: their connections, what they announced, and the containers and objects that they sent.

Objects here are names, hashes and what a system said of them. Video stands in the vault as recordings; what a bookmark
or a track says is kept here only until it stands with its recording (`content`), and never longer than that recording.
"""

from __future__ import annotations

from django.db import models

from bluelamp.fleet.models import Camera
from bluelamp.kernel.ids import new_id
from bluelamp.people.models import Person, Unit


class AxisConnection(models.Model):
    """One body-worn system's right to send. Of its password only the SHA-256 is kept; the RSA key is in the keyring.

    `unit` gets the cameras that the system announces and the force did not know yet. The four columns from
    `container_type` on say what the last connection file said, since a system does not take every change.
    """

    class ContainerType(models.TextChoices):
        MKV = "mkv", "Matroska (mkv)"
        MP4 = "mp4", "MP4"

    name = models.TextField(unique=True)
    user = models.TextField(unique=True)
    key_sha256 = models.TextField()
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    active = models.BooleanField(default=True)
    container_type = models.TextField(choices=ContainerType.choices, default=ContainerType.MKV)
    full_store_and_read = models.BooleanField(default=False)
    want_encryption = models.BooleanField(default=False)
    public_key_id = models.TextField(blank=True)
    issued_at = models.DateTimeField()
    last_seen_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "ingest_axis_connection"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def custody_id(self) -> str:
        """This system in the ledger."""
        return f"axis:{self.pk}"


class AxisUser(models.Model):
    """Somebody whom a body-worn system knows, and the officer that this is."""

    connection = models.ForeignKey(AxisConnection, models.PROTECT, related_name="users")
    uuid = models.TextField()
    name = models.TextField(blank=True)
    user_id = models.TextField(blank=True)
    active = models.BooleanField(default=True)
    person = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")

    class Meta:
        db_table = "ingest_axis_user"
        constraints = [models.UniqueConstraint(fields=["connection", "uuid"], name="ingest_axis_user_once")]
        indexes = [models.Index(fields=["connection", "user_id"], name="ingest_axis_user_number")]

    def __str__(self) -> str:
        return f"{self.name} ({self.user_id})" if self.user_id else self.name or self.uuid


class AxisDevice(models.Model):
    """A camera that a body-worn system announced."""

    connection = models.ForeignKey(AxisConnection, models.PROTECT, related_name="devices")
    serial = models.TextField()
    name = models.TextField(blank=True)
    model = models.TextField(blank=True)
    active = models.BooleanField(default=True)
    camera = models.ForeignKey(Camera, models.PROTECT, related_name="+")

    class Meta:
        db_table = "ingest_axis_device"
        constraints = [models.UniqueConstraint(fields=["connection", "serial"], name="ingest_axis_device_once")]


class AxisContainer(models.Model):
    """A container in the sense of the protocol. One of kind `recording` is one recording of one or more clips.

    `metadata` has lower-case keys. `incident` groups the clips. `decided_*` are about rejected content.
    """

    class Kind(models.TextChoices):
        SYSTEM = "system", "Systems"
        USERS = "users", "Users"
        DEVICES = "devices", "Devices"
        RECORDING = "recording", "Recording"
        REJECTED = "rejected", "Rejected content"

    id = models.UUIDField(primary_key=True, default=new_id)
    connection = models.ForeignKey(AxisConnection, models.PROTECT, related_name="containers")
    name = models.TextField()
    kind = models.TextField(choices=Kind.choices)
    metadata = models.JSONField(default=dict)
    incident = models.UUIDField(unique=True, default=new_id)
    user = models.ForeignKey(AxisUser, models.PROTECT, null=True, related_name="containers")
    device = models.ForeignKey(AxisDevice, models.PROTECT, null=True, related_name="containers")
    created_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    decision = models.TextField(blank=True)
    cleared = models.BooleanField(default=False)
    """Whether all that it said of content has gone, with its recordings."""

    class Meta:
        db_table = "ingest_axis_container"
        constraints = [models.UniqueConstraint(fields=["connection", "name"], name="ingest_axis_container_once")]
        indexes = [
            models.Index(
                fields=["created_at"],
                condition=models.Q(kind="rejected", decided_at=None),
                name="ingest_axis_undecided",
            ),
            models.Index(
                fields=["created_at"],
                condition=models.Q(kind__in=["recording", "rejected"], cleared=False),
                name="ingest_axis_uncleared",
            ),
        ]


class AxisObject(models.Model):
    """An object in the sense of the protocol. `version` above 1: the name came again with other bytes.

    A clip's `recording` (id) is chosen before its bytes come; `stored_at` is set with the acceptance. `sha256`, `md5`
    and `size` are of the bytes as they were received. `disputed`: the SHA-256 of other bytes that were offered
    under this name, to be taken as a recording of their own when they come again. `received_object` names the sealed
    received form of an unwrapped clip until it is removed. `applied`: what it says stands with its recordings.
    """

    class Kind(models.TextChoices):
        CLIP = "clip", "Clip"
        KEY = "key", "Key"
        BOOKMARK = "bookmark", "Bookmark"
        TRACK = "track", "Track"
        OTHER = "other", "Other"

    id = models.UUIDField(primary_key=True, default=new_id)
    container = models.ForeignKey(AxisContainer, models.PROTECT, related_name="objects_sent")
    name = models.TextField()
    version = models.PositiveIntegerField(default=1)
    kind = models.TextField(choices=Kind.choices)
    metadata = models.JSONField(default=dict)
    content = models.BinaryField(null=True)
    size = models.BigIntegerField(default=0)
    sha256 = models.TextField(blank=True)
    md5 = models.TextField(blank=True)
    upload = models.UUIDField(null=True)
    recording = models.UUIDField(null=True, unique=True)
    starts_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    stored_at = models.DateTimeField(null=True)
    disputed = models.TextField(blank=True)
    encrypted = models.BooleanField(default=False)
    unwrap_failed = models.TextField(blank=True)
    received_object = models.TextField(blank=True)
    applied = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "ingest_axis_object"
        constraints = [models.UniqueConstraint(fields=["container", "name", "version"], name="ingest_axis_object_once")]
        indexes = [
            models.Index(fields=["stored_at"], condition=models.Q(encrypted=True), name="ingest_axis_encrypted"),
            models.Index(fields=["stored_at"], condition=~models.Q(received_object=""), name="ingest_axis_leftover"),
        ]


class AxisAlert(models.Model):
    """Something about a body-worn system that a person must look at, until somebody says that it is settled."""

    class Kind(models.TextChoices):
        DEVICE = "device", "Unknown camera"
        USER = "user", "Unknown user"
        KEY = "key", "Cannot be decrypted"
        DISPUTED = "disputed", "Same name, other bytes"
        REJECTED = "rejected", "Rejected content"

    connection = models.ForeignKey(AxisConnection, models.PROTECT, related_name="alerts")
    kind = models.TextField(choices=Kind.choices)
    about = models.TextField(help_text="What it is about; raised once while it stands.")
    text = models.TextField()
    recording = models.UUIDField(null=True)
    raised_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")

    class Meta:
        db_table = "ingest_axis_alert"
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "kind", "about"],
                condition=models.Q(settled_at=None),
                name="ingest_axis_one_alert",
            )
        ]
