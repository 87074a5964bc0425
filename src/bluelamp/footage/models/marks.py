from __future__ import annotations

from django.db import models

from bluelamp.footage.models.recording import Recording
from bluelamp.people.models import Person


class Category(models.Model):
    """What a recording is about, which decides how long it is kept. `keep_days` None: until somebody decides.

    `special_days` takes the place of the default for recordings of this category that nothing keeps; None: the default.
    Both are the retention policy's: a trigger refuses to shorten them but by an approved version of it.
    """

    code = models.TextField(unique=True)
    name = models.TextField()
    keep_days = models.PositiveIntegerField(null=True)
    special_days = models.PositiveIntegerField(null=True)
    basis = models.TextField(help_text="The law or policy that the period comes from.")
    evidential = models.BooleanField(default=True)
    order = models.PositiveSmallIntegerField(default=0)

    class Meta:
        db_table = "footage_category"
        ordering = ["order", "name"]

    def __str__(self) -> str:
        return self.name


class EvidenceFlag(models.Model):
    """That somebody decided a recording is evidence, why, and until when that stood."""

    recording = models.ForeignKey(Recording, models.PROTECT, related_name="flags")
    category = models.ForeignKey(Category, models.PROTECT, related_name="+")
    reason = models.TextField()
    flagged_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    flagged_at = models.DateTimeField()
    released_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    released_at = models.DateTimeField(null=True)
    release_reason = models.TextField(blank=True)

    class Meta:
        db_table = "footage_evidence_flag"
        constraints = [
            models.UniqueConstraint(
                fields=["recording"], condition=models.Q(released_at=None), name="footage_one_standing_flag"
            )
        ]


class Reference(models.Model):
    """A number that ties a recording to another system."""

    class Kind(models.TextChoices):
        CAD = "cad", "CAD"
        CRIME = "crime", "Crime reference"
        URN = "urn", "URN"
        CUSTODY = "custody", "Custody number"
        STOP_SEARCH = "stop_search", "Stop and search"
        USE_OF_FORCE = "use_of_force", "Use of force"

    recording = models.ForeignKey(Recording, models.PROTECT, related_name="references")
    kind = models.TextField(choices=Kind.choices)
    value = models.TextField()
    added_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    added_at = models.DateTimeField()

    class Meta:
        db_table = "footage_reference"
        constraints = [
            models.UniqueConstraint(fields=["recording", "kind", "value"], name="footage_reference_once"),
        ]
        # By its beginning, under whatever collation the database has.
        indexes = [models.Index(fields=["value"], opclasses=["text_pattern_ops"], name="footage_reference_value")]


class Note(models.Model):
    """A remark on a recording, optionally at a moment in it (`at_ms` from its start)."""

    recording = models.ForeignKey(Recording, models.PROTECT, related_name="notes")
    text = models.TextField()
    at_ms = models.PositiveBigIntegerField(null=True)
    written_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    written_at = models.DateTimeField()

    class Meta:
        db_table = "footage_note"
        ordering = ["written_at"]
