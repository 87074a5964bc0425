"""Append-only tables; triggers and the application's role both refuse UPDATE, DELETE and TRUNCATE (see migrations)."""

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.fields.json import KeyTextTransform, KeyTransform


class CustodyEvent(models.Model):
    """One event: its 32-byte commitment and its type. What it says stands in `CustodyDetail`."""

    entry = models.BinaryField(max_length=32)
    tag = models.TextField()
    at = models.DateTimeField()

    class Meta:
        db_table = "custody_event"
        indexes = [models.Index(fields=["tag", "at"], name="custody_event_tag_at")]


class CustodyDetail(models.Model):
    """The values of an event's fields and the salt of each; a value can be erased lawfully, its commitment stays."""

    event = models.OneToOneField(CustodyEvent, models.PROTECT, primary_key=True, related_name="detail")
    fields = models.JSONField()
    salts = models.JSONField()

    class Meta:
        db_table = "custody_detail"
        indexes = [
            models.Index(KeyTextTransform("subject", "fields"), name="custody_detail_subject"),
            models.Index(KeyTextTransform("actor", "fields"), name="custody_detail_actor"),
            GinIndex(KeyTransform("also", "fields"), name="custody_detail_also"),
        ]


class CustodyPending(models.Model):
    """Events committed but not yet in the tree; filled in the event's transaction, drained by the sequencer."""

    event = models.OneToOneField(CustodyEvent, models.PROTECT, primary_key=True, related_name="pending")

    class Meta:
        db_table = "custody_pending"


class CustodyLeaf(models.Model):
    """Which event is which leaf of the tree."""

    index = models.BigIntegerField(primary_key=True)
    event = models.OneToOneField(CustodyEvent, models.PROTECT, related_name="leaf")

    class Meta:
        db_table = "custody_leaf"


class CustodyCheckpoint(models.Model):
    """A signed statement of the tree's size and root, with the frontier from which the tree is continued."""

    size = models.BigIntegerField(primary_key=True)
    root = models.BinaryField(max_length=32)
    frontier = models.BinaryField()
    note = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "custody_checkpoint"


APPEND_ONLY = ("custody_event", "custody_detail", "custody_leaf", "custody_checkpoint")
"""Tables that the application may only read and insert into."""
