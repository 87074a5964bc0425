"""What the checks that run by themselves looked at, when, and what they found."""

from __future__ import annotations

from django.db import models

from bluelamp.footage.models import Recording


class Check(models.TextChoices):
    """What is checked without anybody asking."""

    LEDGER = "ledger", "Ledger against tree and checkpoints"
    PRESENCE = "presence", "Every stored file is there"
    FIXITY = "fixity", "Recordings against the store"
    KEYS = "keys", "Keys against due dates"


class CheckRun(models.Model):
    """One run of a check that came to an end. `checked`: events, objects, recordings or keys; `bytes`: those re-read.

    `found` counts what was wrong; `problems` has the first of it in words.
    """

    class Outcome(models.TextChoices):
        GOOD = "good", "Good"
        BAD = "bad", "Something is wrong"
        INTERRUPTED = "interrupted", "Could not be done"

    kind = models.TextField(choices=Check.choices)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    outcome = models.TextField(choices=Outcome.choices)
    checked = models.BigIntegerField(default=0)
    bytes = models.BigIntegerField(default=0)
    found = models.PositiveIntegerField(default=0)
    problems = models.JSONField(default=list)
    note = models.TextField(blank=True)

    class Meta:
        db_table = "oversight_check_run"
        indexes = [models.Index(fields=["kind", "-finished_at"], name="oversight_check_run_latest")]


class Fixity(models.Model):
    """When all sealed objects of a recording were last read and authenticated; at first, when they were received."""

    recording = models.OneToOneField(Recording, models.PROTECT, primary_key=True, related_name="fixity")
    checked_at = models.DateTimeField()

    class Meta:
        db_table = "oversight_fixity"
        indexes = [models.Index(fields=["checked_at", "recording"], name="oversight_fixity_oldest")]


class Finding(models.Model):
    """Something wrong with a recording's stored bytes or its key, until a later check finds it mended."""

    class Problem(models.TextChoices):
        MISSING = "missing", "Not in the store"
        SIZE = "size", "Wrong size"
        DAMAGED = "damaged", "Damaged"
        CONTENT = "content", "Another content"
        UNREADABLE = "unreadable", "Cannot be read"
        NO_KEY = "no_key", "Its key is missing"
        KEY_LEFT = "key_left", "Its key should be gone"
        OVERDUE = "overdue", "Should have been deleted"
        PAPERS = "papers", "A package's papers are not as sealed"

    kind = models.TextField(choices=Check.choices)
    recording = models.ForeignKey(Recording, models.PROTECT, related_name="findings")
    object_name = models.TextField(blank=True)
    problem = models.TextField(choices=Problem.choices)
    detail = models.TextField()
    found_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_because = models.TextField(blank=True)

    class Meta:
        db_table = "oversight_finding"
        ordering = ["-found_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["recording", "kind", "object_name", "problem"],
                condition=models.Q(ended_at=None),
                name="oversight_finding_once",
            )
        ]


class Failure(models.Model):
    """Something that is watched by itself and fails, from when that was noticed until it is well again.

    `what`: a `Check`, or which outside party. `mark` grows with what is found: people are told once of what they know.
    """

    what = models.TextField()
    title = models.TextField()
    mark = models.BigIntegerField(default=0)
    began_at = models.DateTimeField()
    told_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "oversight_failure"
        constraints = [
            models.UniqueConstraint(fields=["what"], condition=models.Q(ended_at=None), name="oversight_failure_once")
        ]


class Told(models.Model):
    """An address that is told of failures: one that is new is told of those, too, that stood before."""

    address = models.TextField(primary_key=True)
    since = models.DateTimeField()

    class Meta:
        db_table = "oversight_told"


class Loss(models.Model):
    """A recording of which a stored file, or its key, is missing or not as sealed: from when it was found to its end.

    `good_until`: the last time at which it was known to be well. `files`: how many were wrong at most. One person
    proposes to accept it as lost, another accepts it; a copy may still be found afterwards.
    """

    class State(models.TextChoices):
        LOST = "lost", "Lost"
        ACCEPTED = "accepted", "Accepted as lost"
        RECOVERED = "recovered", "Recovered"
        DELETED = "deleted", "Deleted under policy while lost"

    OPEN = (State.LOST, State.ACCEPTED)

    recording = models.ForeignKey(Recording, models.PROTECT, related_name="losses")
    state = models.TextField(choices=State.choices, default=State.LOST)
    good_until = models.DateTimeField()
    found_at = models.DateTimeField()
    files = models.PositiveIntegerField(default=1)
    ended_at = models.DateTimeField(null=True)
    recovered_from = models.TextField(blank=True)
    proposed_by = models.TextField(blank=True)
    proposed_at = models.DateTimeField(null=True)
    proposal_reason = models.TextField(blank=True)
    accepted_by = models.TextField(blank=True)
    accepted_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "oversight_loss"
        ordering = ["-found_at", "-id"]
        indexes = [models.Index(fields=["state", "-found_at", "-id"], name="oversight_loss_state")]
        constraints = [
            models.UniqueConstraint(
                fields=["recording"], condition=models.Q(ended_at=None), name="oversight_one_open_loss"
            ),
            models.CheckConstraint(
                condition=~models.Q(state="accepted")
                | ~models.Q(accepted_by="") & ~models.Q(accepted_by=models.F("proposed_by")),
                name="oversight_loss_two_people",
            ),
        ]
