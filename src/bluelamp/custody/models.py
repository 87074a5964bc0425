"""Append-only tables; triggers and the application's role both refuse UPDATE, DELETE and TRUNCATE (see migrations).

None has a foreign key in the database: each event would pay for checking what `bluelamp verify --database` proves, and
proves also against somebody who owns the tables.
"""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q


class CustodyEvent(models.Model):
    """One event: its 32-byte commitment and its type. What it says stands in `CustodyDetail`."""

    entry = models.BinaryField(max_length=32)
    tag = models.TextField()
    at = models.DateTimeField()

    class Meta:
        db_table = "custody_event"
        indexes = [models.Index(fields=["tag", "at"], name="custody_event_tag_at")]


class CustodyDetail(models.Model):
    """What an event says: the preimages of its commitments, verbatim (`formats.leaf`), and what it is found by.

    A value can be erased lawfully, by `custody_erase` in the database alone; its commitment stays.
    """

    event = models.OneToOneField(
        CustodyEvent, models.PROTECT, primary_key=True, related_name="detail", db_constraint=False
    )
    actor = models.TextField()
    subject = models.TextField()
    also = ArrayField(models.TextField(), default=list)
    stored = models.BinaryField()

    class Meta:
        db_table = "custody_detail"
        indexes = [
            models.Index(fields=["subject"], name="custody_detail_subject"),
            models.Index(fields=["actor"], name="custody_detail_actor"),
            GinIndex(fields=["also"], name="custody_detail_also", condition=~Q(also=[])),
        ]


class CustodyPending(models.Model):
    """Events committed but not yet in the tree; filled in the event's transaction, drained by the sequencer."""

    event = models.OneToOneField(
        CustodyEvent, models.PROTECT, primary_key=True, related_name="pending", db_constraint=False
    )

    class Meta:
        db_table = "custody_pending"


class CustodyLeaf(models.Model):
    """Which event is which leaf of the tree."""

    index = models.BigIntegerField(primary_key=True)
    event = models.OneToOneField(CustodyEvent, models.PROTECT, related_name="leaf", db_constraint=False)

    class Meta:
        db_table = "custody_leaf"


class CustodyTile(models.Model):
    """A full tile of the tree (C2SP tlog-tiles): 256 hashes, and the root over them, which is a hash one level up."""

    pk = models.CompositePrimaryKey("level", "index")
    level = models.SmallIntegerField()
    index = models.BigIntegerField()
    hashes = models.BinaryField(max_length=8192)
    root = models.BinaryField(max_length=32)

    class Meta:
        db_table = "custody_tile"


class CustodyCheckpoint(models.Model):
    """A signed statement of the tree's size and root, with the frontier from which the tree is continued.

    `previous` is the size of the checkpoint before it, 0 for the first.
    """

    size = models.BigIntegerField(primary_key=True)
    previous = models.BigIntegerField()
    root = models.BinaryField(max_length=32)
    frontier = models.BinaryField()
    note = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "custody_checkpoint"


class CustodyCosignature(models.Model):
    """A signature line on a checkpoint (C2SP tlog-cosignature), as a witness, named by its vkey, sent it."""

    pk = models.CompositePrimaryKey("size", "witness")
    size = models.BigIntegerField()
    witness = models.TextField()
    line = models.TextField()
    at = models.DateTimeField()

    class Meta:
        db_table = "custody_cosignature"


class CustodyTimestamp(models.Model):
    """What an outside authority answered (RFC 3161 TimeStampResp, DER) for the text of the checkpoint of this size.

    `at` is the time that the authority states, not ours.
    """

    size = models.BigIntegerField(primary_key=True)
    response = models.BinaryField()
    at = models.DateTimeField()

    class Meta:
        db_table = "custody_timestamp"


class CustodyOutside(models.Model):
    """How an outside party that is asked about checkpoints, a witness (its vkey) or an authority, answers of late.

    `failing_since` None: its last answer was good. `refused`: it answered, and would not. Not part of the ledger.
    """

    party = models.TextField(primary_key=True)
    failing_since = models.DateTimeField(null=True)
    refused = models.BooleanField(default=False)
    reason = models.TextField(blank=True)

    class Meta:
        db_table = "custody_outside"


class CustodyLogKey(models.Model):
    """A key that signs, or signed, the log's checkpoints: its vkey, and the size of the first checkpoint it signed."""

    vkey = models.TextField(primary_key=True)
    since_size = models.BigIntegerField()
    since = models.DateTimeField()

    class Meta:
        db_table = "custody_log_key"


class CustodyOrigin(models.Model):
    """A name that the log took on when its database was restored from a backup, and the size that it had then.

    Checkpoints beyond that size may have been shown under the former name; none is ever signed under it again.
    """

    origin = models.TextField(primary_key=True)
    since_size = models.BigIntegerField()
    since = models.DateTimeField()

    class Meta:
        db_table = "custody_origin"


APPEND_ONLY = (
    "custody_event",
    "custody_detail",
    "custody_leaf",
    "custody_tile",
    "custody_checkpoint",
    "custody_cosignature",
    "custody_timestamp",
    "custody_log_key",
    "custody_origin",
)
"""Tables that the application may only read and insert into."""
