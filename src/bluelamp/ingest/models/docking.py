"""Docking sessions: what a camera said of itself, and what it was answered."""

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
