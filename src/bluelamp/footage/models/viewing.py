from __future__ import annotations

from django.db import models

from bluelamp.footage.models.recording import Recording
from bluelamp.kernel.ids import new_id


class Viewing(models.Model):
    """One person's access to one recording's bytes: opened with a reason, checked again at every request.

    `viewer` is a custody id (`person:7`, `recipient:<uuid>`); `grant` names what allows it (`person`, `share:<uuid>`)
    and is asked again at each range. `expires_at` is real time.
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    recording = models.ForeignKey(Recording, models.PROTECT, related_name="viewings")
    viewer = models.TextField()
    viewer_name = models.TextField(blank=True)
    grant = models.TextField()
    purpose = models.TextField(default="view")
    reason = models.TextField(blank=True)
    session_sha256 = models.TextField()
    opened_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "footage_viewing"
        indexes = [models.Index(fields=["recording", "viewer"], name="footage_viewing_who")]


class ServedRange(models.Model):
    """Bytes that really left the server for a viewing, and the stretch of time they stand for."""

    viewing = models.ForeignKey(Viewing, models.PROTECT, related_name="ranges")
    variant = models.TextField()
    first_byte = models.BigIntegerField()
    last_byte = models.BigIntegerField()
    from_ms = models.BigIntegerField(null=True)
    to_ms = models.BigIntegerField(null=True)
    served_at = models.DateTimeField()

    class Meta:
        db_table = "footage_served_range"
