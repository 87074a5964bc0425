"""Reasons to keep footage, and the record of its going."""

from __future__ import annotations

from django.db import models

from bluelamp.footage.models import Recording
from bluelamp.kernel.ids import new_id


class Hold(models.Model):
    """A standing reason not to delete: a request, a complaint, a case, a decision. `source` names what placed it."""

    class Kind(models.TextChoices):
        SUBJECT_ACCESS = "subject_access", "Request by a member of the public"
        FOI = "foi", "Freedom of information request"
        COMPLAINT = "complaint", "Complaint or misconduct"
        INCIDENT_LOCK = "incident_lock", "Incident lock"
        CASE = "case", "Case"
        SHARE = "share", "Shared with a partner"
        OTHER = "other", "Other"

    recording = models.ForeignKey(Recording, models.PROTECT, related_name="holds")
    kind = models.TextField(choices=Kind.choices)
    reason = models.TextField()
    source = models.TextField(blank=True)
    placed_by = models.TextField()
    placed_at = models.DateTimeField()
    released_by = models.TextField(blank=True)
    released_at = models.DateTimeField(null=True)
    release_reason = models.TextField(blank=True)

    class Meta:
        db_table = "retention_hold"
        indexes = [models.Index(fields=["source"], name="retention_hold_source")]
        constraints = [
            models.UniqueConstraint(
                fields=["recording", "kind", "source"],
                condition=models.Q(released_at=None) & ~models.Q(source=""),
                name="retention_one_hold_a_source",
            )
        ]


class Extension(models.Model):
    """A decision by a person to keep a recording at least until a given time."""

    recording = models.ForeignKey(Recording, models.PROTECT, related_name="extensions")
    until = models.DateTimeField()
    reason = models.TextField()
    made_by = models.TextField()
    made_at = models.DateTimeField()

    class Meta:
        db_table = "retention_extension"


class Certificate(models.Model):
    """Proof that a recording is gone: signed JSON without anything of its content."""

    id = models.UUIDField(primary_key=True, default=new_id)
    recording = models.OneToOneField(Recording, models.PROTECT, related_name="certificate")
    issued_at = models.DateTimeField()
    body = models.JSONField()

    class Meta:
        db_table = "retention_certificate"
