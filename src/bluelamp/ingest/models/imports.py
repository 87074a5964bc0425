"""Imports: footage taken from folders, cameras and other systems' exports, and the account of every file of theirs."""

from __future__ import annotations

from django.db import models

_HERE = ("imported", "duplicate")


class ImportRun(models.Model):
    """One import of one source, however often it was interrupted.

    `identity` tells sources apart: the same command on the same source goes on with the same run until it is complete.
    `options` are those that it was begun with; `described` is what the source says of itself, `notes` are sentences
    about what is wrong with it as a whole. `attempt` counts how often its files were listed.
    """

    class Kind(models.TextChoices):
        FOLDER = "folder", "A folder of files"
        CAMERA = "camera", "A camera"
        CSV = "csv", "Another system’s export with a list of its files"
        BAGIT = "bagit", "A BagIt bag"

    class State(models.TextChoices):
        LISTING = "listing", "Listing the source"
        TAKING = "taking", "Taking files"
        CHECKING = "checking", "Comparing what is here with the source"
        INCOMPLETE = "incomplete", "Incomplete"
        COMPLETE = "complete", "Complete"

    RUNNING = (State.LISTING, State.TAKING, State.CHECKING)

    kind = models.TextField(choices=Kind.choices)
    source = models.TextField()
    machine = models.TextField()
    identity = models.TextField()
    manifest_sha256 = models.TextField(blank=True)
    described = models.JSONField(default=dict)
    notes = models.JSONField(default=list)
    options = models.JSONField(default=dict)
    started_by = models.TextField()
    attempt = models.PositiveIntegerField(default=0)
    state = models.TextField(choices=State.choices, default=State.LISTING)
    started_at = models.DateTimeField()
    moved_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    report = models.JSONField(default=dict)

    class Meta:
        db_table = "ingest_import_run"
        ordering = ["-started_at", "-id"]
        indexes = [models.Index(fields=["identity", "-id"], name="ingest_import_identity")]

    @property
    def custody_id(self) -> str:
        """This run in the ledger, and as the owner of its uploads."""
        return f"import:{self.pk}"

    @property
    def has_manifest(self) -> bool:
        """Whether the source itself says which files it should have."""
        return self.kind != self.Kind.FOLDER


class ImportItem(models.Model):
    """One file of a source: what the manifest claims of it, what was found at the source, what is here.

    `key` is the SHA-256 of the path, which stays when the path is forgotten with its recording; `raw` holds the bytes
    of a path that is no UTF-8. `claimed` maps hash algorithms to hexadecimal; `facts` are what the manifest says
    besides. `source_*` is what the last listing saw, `taken_*` the same at the moment the bytes were read.
    `recording` is the id chosen before the bytes are taken; a recording has it once the state is imported.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        IMPORTED = "imported", "Imported"
        DUPLICATE = "duplicate", "Already here"
        MISSING = "missing", "Missing"
        CORRUPT = "corrupt", "Corrupt"
        UNREADABLE = "unreadable", "Unreadable"
        EXTRA = "extra", "Not in the manifest"
        REFUSED = "refused", "Refused"
        CHANGED = "changed", "Changed since"
        IGNORED = "ignored", "System file"

    HERE = _HERE
    PROBLEMS = (State.MISSING, State.CORRUPT, State.UNREADABLE, State.EXTRA, State.REFUSED, State.CHANGED)

    run = models.ForeignKey(ImportRun, models.PROTECT, related_name="items")
    key = models.TextField()
    path = models.TextField(blank=True)
    raw = models.BinaryField(null=True)
    in_manifest = models.BooleanField(default=False)
    claimed_size = models.BigIntegerField(null=True)
    claimed = models.JSONField(default=dict)
    facts = models.JSONField(default=dict)
    seen = models.PositiveIntegerField(default=0)
    source_size = models.BigIntegerField(null=True)
    source_mtime_ns = models.BigIntegerField(null=True)
    taken_size = models.BigIntegerField(null=True)
    taken_mtime_ns = models.BigIntegerField(null=True)
    sha256 = models.TextField(blank=True)
    state = models.TextField(choices=State.choices, default=State.WAITING)
    sentence = models.TextField(blank=True)
    recording = models.UUIDField(null=True)
    here_sha256 = models.TextField(blank=True)
    here_size = models.BigIntegerField(null=True)
    checked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "ingest_import_item"
        constraints = [models.UniqueConstraint(fields=["run", "key"], name="ingest_import_item_once")]
        indexes = [
            models.Index(fields=["run", "state", "id"], name="ingest_import_item_state"),
            models.Index(fields=["recording"], name="ingest_import_item_recording"),
        ]

    @property
    def is_here(self) -> bool:
        """Whether its bytes are said to be here; `checked_at` tells whether that was proven."""
        return self.state in self.HERE
