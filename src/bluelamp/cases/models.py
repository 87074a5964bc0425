from __future__ import annotations

from django.db import models

from bluelamp.footage.models import Recording
from bluelamp.kernel.ids import new_id
from bluelamp.people.models import Person


class Case(models.Model):
    """One investigation. While it is open, every recording in it is kept (CPIA code of practice, para 5)."""

    id = models.UUIDField(primary_key=True, default=new_id)
    name = models.TextField()
    urn = models.TextField(blank=True)
    crime_reference = models.TextField(blank=True)
    opened_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    outcome = models.TextField(blank=True)
    recordings = models.ManyToManyField(Recording, through="CaseRecording", related_name="cases")

    class Meta:
        db_table = "cases_case"
        ordering = ["-opened_at"]
        indexes = [models.Index(fields=["urn"], name="cases_case_urn")]

    def __str__(self) -> str:
        return self.name

    @property
    def custody_id(self) -> str:
        """This case in the ledger."""
        return f"case:{self.pk}"


class CaseMember(models.Model):
    """Somebody's role in a case; it lets them watch its recordings without asking again."""

    class Role(models.TextChoices):
        OFFICER_IN_CASE = "officer_in_case", "Officer in the case"
        INVESTIGATOR = "investigator", "Investigator"
        DISCLOSURE = "disclosure", "Disclosure officer"

    case = models.ForeignKey(Case, models.PROTECT, related_name="members")
    person = models.ForeignKey(Person, models.PROTECT, related_name="case_roles")
    role = models.TextField(choices=Role.choices, default=Role.INVESTIGATOR)
    added_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "cases_member"
        constraints = [
            models.UniqueConstraint(
                fields=["case", "person"], condition=models.Q(left_at=None), name="cases_one_role_a_person"
            )
        ]


class CaseRecording(models.Model):
    """That a recording belongs to a case, since when, and on whose word."""

    case = models.ForeignKey(Case, models.PROTECT, related_name="links")
    recording = models.ForeignKey(Recording, models.PROTECT, related_name="case_links")
    added_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    added_at = models.DateTimeField()
    reason = models.TextField()

    class Meta:
        db_table = "cases_recording"
        constraints = [models.UniqueConstraint(fields=["case", "recording"], name="cases_recording_once")]
