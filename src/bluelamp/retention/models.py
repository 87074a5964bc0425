"""Reasons to keep footage, the policy in its versions, and the record of what has gone."""

from __future__ import annotations

from django.db import models

from bluelamp.footage.models import Recording
from bluelamp.kernel.ids import new_id


class Hold(models.Model):
    """A standing reason not to delete: a request, a complaint, a case, a decision. `source` names what placed it.

    `owner` answers for it: a person (`person:7`) or everybody of a role (`role:rights_officer`). From `review_at` on
    somebody is asked whether it is still needed; None: it ends with its source, and nobody is asked.
    """

    class Kind(models.TextChoices):
        SUBJECT_ACCESS = "subject_access", "Request by a member of the public"
        FOI = "foi", "Freedom of information request"
        COMPLAINT = "complaint", "Complaint or misconduct"
        INCIDENT_LOCK = "incident_lock", "Incident lock"
        CASE = "case", "Case"
        SHARE = "share", "Shared with a partner"
        LEGAL = "legal", "Legal hold: litigation, inquest or inquiry"
        OTHER = "other", "Other"

    recording = models.ForeignKey(Recording, models.PROTECT, related_name="holds")
    kind = models.TextField(choices=Kind.choices)
    reason = models.TextField()
    source = models.TextField(blank=True)
    owner = models.TextField(blank=True)
    review_at = models.DateTimeField(null=True)
    placed_by = models.TextField()
    placed_at = models.DateTimeField()
    released_by = models.TextField(blank=True)
    released_at = models.DateTimeField(null=True)
    release_reason = models.TextField(blank=True)

    class Meta:
        db_table = "retention_hold"
        indexes = [
            models.Index(fields=["source"], name="retention_hold_source"),
            models.Index(
                fields=["review_at", "id"], condition=models.Q(released_at=None), name="retention_hold_review"
            ),
        ]
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


class Shortening(models.Model):
    """An edit that would have shortened retention, held back until a second person has looked at it.

    While it waits, and where it is refused, the recording is kept until `former_due_at` (None: without end). Once it
    is approved the recording is kept until `not_before` at the latest, the end of the cooling period, and never longer
    than until `former_due_at`. `would_be_due_at` is what the edit gave when it was made.

    `source` names the promise that was edited (`evidence:<recording>`, `mopi:<person>`, `default`): of one recording
    and source a single edit is undecided at a time, which stands for all that were made and not approved. It is undone
    when the promise is given back, and when it has ended lawfully. `before`, `after` and `edit_reason` are for whoever
    decides: what was recorded, what is now, and the editor's words.
    """

    class Cause(models.TextChoices):
        FLAG = "flag", "Another category of evidence"
        CATEGORY = "category", "Another category, with a period of its own"
        DATE = "date", "Recorded time"
        CASE = "case", "What a case has recorded"
        OTHER = "other", "Something it is reckoned from"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        APPROVED = "approved", "Approved"
        REFUSED = "refused", "Refused"
        UNDONE = "undone", "Nothing left to decide"

    recording = models.ForeignKey(Recording, models.PROTECT, related_name="shortenings")
    cause = models.TextField(choices=Cause.choices)
    source = models.TextField(blank=True)
    before = models.TextField(blank=True)
    after = models.TextField(blank=True)
    edit_reason = models.TextField(blank=True)
    former_due_at = models.DateTimeField(null=True)
    would_be_due_at = models.DateTimeField()
    edited_by = models.TextField(blank=True)
    edited_at = models.DateTimeField()
    state = models.TextField(choices=State.choices, default=State.WAITING)
    decided_by = models.TextField(blank=True)
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.TextField(blank=True)
    not_before = models.DateTimeField(null=True)

    class Meta:
        db_table = "retention_shortening"
        ordering = ["edited_at", "id"]
        indexes = [
            models.Index(
                fields=["edited_at", "id"], condition=models.Q(state="waiting"), name="retention_shortening_waiting"
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["recording", "source"],
                condition=models.Q(state__in=["waiting", "refused"]) & ~models.Q(source=""),
                name="retention_shortening_one_undecided",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="approved")
                | models.Q(not_before__isnull=False)
                & ~models.Q(decided_by="")
                & ~models.Q(decided_by=models.F("edited_by")),
                name="retention_shortening_second_person",
            ),
        ]


class Look(models.Model):
    """That somebody opened one of a sample (`shortening:7`, `hold:7`), before many are decided together."""

    subject = models.TextField()
    by = models.TextField()
    at = models.DateTimeField()

    class Meta:
        db_table = "retention_look"
        constraints = [models.UniqueConstraint(fields=["subject", "by"], name="retention_look_once")]


class RetentionPolicy(models.Model):
    """The force's periods now: one row, which is the policy's version in force.

    A trigger refuses every change that would shorten what is kept, but one that an approved version says.
    `recomputing_after`: how far the dates of what is kept have been brought into line with `version`, by the
    recordings' ids; None: all of them.
    """

    version = models.PositiveIntegerField(default=1)
    default_days = models.PositiveIntegerField(default=31)
    quarantine_days = models.PositiveIntegerField(default=3)
    review_grace_days = models.PositiveIntegerField(default=7)
    margin_minutes = models.PositiveIntegerField(default=15)
    longest_extension_days = models.PositiveIntegerField(default=2557)  # seven years
    cooling_days = models.PositiveIntegerField(default=7)
    hold_review_days = models.PositiveIntegerField(default=90)
    mopi_age = models.PositiveIntegerField(default=100)
    mopi_serious_years = models.PositiveIntegerField(default=10)
    mopi_other_years = models.PositiveIntegerField(default=6)
    mopi_review_years = models.PositiveIntegerField(default=10)
    mopi_review_again_years = models.PositiveIntegerField(default=5)
    recomputing_after = models.UUIDField(null=True)

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
            models.CheckConstraint(
                condition=models.Q(cooling_days__gt=models.F("quarantine_days")),
                name="retention_policy_time_to_cool",
            ),
        ]


class PolicyProposal(models.Model):
    """A change of the policy that somebody proposes: the whole policy as it would be, against version `based_on`.

    `terms` is `terms.Terms` as JSON. It takes effect at `effective_at`, or when it is decided where that is later.
    `dry_run` is what it would do (`queries.DryRun` as JSON), as reckoned at `reckoned_at`.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        APPROVED = "approved", "Approved"
        REFUSED = "refused", "Refused"
        WITHDRAWN = "withdrawn", "Withdrawn"

    based_on = models.PositiveIntegerField()
    terms = models.JSONField()
    effective_at = models.DateTimeField()
    reason = models.TextField()
    proposed_by = models.TextField()
    proposed_at = models.DateTimeField()
    state = models.TextField(choices=State.choices, default=State.WAITING)
    decided_by = models.TextField(blank=True)
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.TextField(blank=True)
    dry_run = models.JSONField(null=True)
    reckoned_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "retention_policy_proposal"
        ordering = ["-proposed_at", "-id"]


class PolicyVersion(models.Model):
    """One version of the policy, whole, and who made it so. Append-only: a trigger refuses every change.

    `terms` is `terms.Terms` as JSON. `approved_by` is "" where nothing was shortened, which its author alone may do.
    Where it `shortens`, nothing that it makes due goes before `not_before`. `event` is the ledger's.
    """

    number = models.PositiveIntegerField(primary_key=True)
    terms = models.JSONField()
    effective_at = models.DateTimeField()
    reason = models.TextField()
    proposed_by = models.TextField()
    proposed_at = models.DateTimeField()
    approved_by = models.TextField(blank=True)
    approved_at = models.DateTimeField()
    approval_reason = models.TextField(blank=True)
    shortens = models.BooleanField()
    not_before = models.DateTimeField(null=True)
    event = models.BigIntegerField()

    class Meta:
        db_table = "retention_policy_version"
        ordering = ["-number"]


class VersionInForce(models.Model):
    """Since when a version has really been in force, which an outage delays. Append-only: a trigger refuses changes.

    The cooling period of a version that shortens counts from here, and is over at `cooled_at`; None: it shortens
    nothing.
    """

    version = models.OneToOneField(PolicyVersion, models.PROTECT, primary_key=True, related_name="in_force")
    at = models.DateTimeField()
    cooled_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "retention_version_in_force"
