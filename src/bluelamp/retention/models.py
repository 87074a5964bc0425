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
    """A decision to keep a recording at least until a given time; made by a person, never taken back."""

    recording = models.ForeignKey(Recording, models.PROTECT, related_name="extensions")
    until = models.DateTimeField()
    reason = models.TextField()
    made_by = models.TextField()
    made_at = models.DateTimeField()

    class Meta:
        db_table = "retention_extension"


class Deletion(models.Model):
    """A recording on its way out for good. Committed together with the closing of its row, before anything is erased.

    From here there is no way back; an interrupted deletion is resumed from this row until `finished_at` is set.
    `objects_found` names what the store held under the recording. `checked_at`: when the store was looked at once more.
    """

    recording = models.OneToOneField(Recording, models.PROTECT, related_name="deletion")
    rule = models.TextField()
    basis = models.TextField()
    due_at = models.DateTimeField()
    objects_found = models.JSONField(default=list)
    closed_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "retention_deletion"
        indexes = [
            models.Index(
                fields=["closed_at"],
                condition=models.Q(checked_at=None),
                name="retention_deletion_open",
            )
        ]


class Certificate(models.Model):
    """Proof that a recording is gone: signed JSON without anything of its content (docs/protocols)."""

    id = models.UUIDField(primary_key=True, default=new_id)
    recording = models.OneToOneField(Recording, models.PROTECT, related_name="certificate")
    issued_at = models.DateTimeField()
    body = models.JSONField()

    class Meta:
        db_table = "retention_certificate"
        ordering = ["-issued_at", "-id"]
        indexes = [models.Index(fields=["-issued_at", "-id"], name="retention_certificate_issued")]


class RetentionPolicy(models.Model):
    """The force's periods: one row. A trigger refuses every change that would shorten what is kept."""

    default_days = models.PositiveIntegerField(default=31)
    quarantine_days = models.PositiveIntegerField(default=3)
    review_grace_days = models.PositiveIntegerField(default=7)
    margin_minutes = models.PositiveIntegerField(default=15)
    longest_extension_days = models.PositiveIntegerField(default=2557)  # seven years

    class Meta:
        db_table = "retention_policy"
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="retention_policy_one_row"),
            models.CheckConstraint(
                condition=models.Q(quarantine_days__gte=1, quarantine_days__lt=models.F("default_days")),
                name="retention_policy_quarantine_inside",
            ),
            models.CheckConstraint(
                condition=models.Q(review_grace_days__gt=models.F("quarantine_days")),
                name="retention_policy_time_to_review",
            ),
            models.CheckConstraint(
                condition=models.Q(margin_minutes__gte=2, margin_minutes__lte=1440),
                name="retention_policy_margin",
            ),
        ]
