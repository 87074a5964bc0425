from __future__ import annotations

from django.db import models

from bluelamp.cases.rules import Known
from bluelamp.footage.models import Recording
from bluelamp.kernel.ids import new_id
from bluelamp.people.models import Person
from bluelamp.retention.rules import Appeal, Mopi, MopiGroup, MopiReview, Proceedings, Stage


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


class Subject(models.Model):
    """A person whom a case is about, as far as the law's clocks need to know: proceedings and the MoPI review group.

    `label` is what the team calls the person (a custody number, initials, "unknown"). `stage_on` is the date of the
    charge or of the outcome. The date of birth is known in review group 1 only, since nothing else needs it.
    `corrected`: something that had been recorded was taken back, so that what shortens waits for a second person.
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    case = models.ForeignKey(Case, models.PROTECT, related_name="subjects")
    label = models.TextField()
    added_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    added_at = models.DateTimeField()

    stage = models.TextField(choices=[(stage.value, stage.words) for stage in Stage], default=Stage.UNDECIDED.value)
    stage_on = models.DateField(null=True)
    custodial = models.BooleanField(default=False)
    released_on = models.DateField(null=True)

    group = models.PositiveSmallIntegerField(choices=[(group.value, group.words) for group in MopiGroup], null=True)
    group_reason = models.TextField(blank=True)
    group_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    clear_from = models.DateField(null=True)
    born = models.DateField(null=True)
    years = models.PositiveSmallIntegerField(null=True)

    corrected = models.BooleanField(default=False)

    class Meta:
        db_table = "cases_subject"
        ordering = ["added_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(stage=Stage.UNDECIDED.value, stage_on=None)
                | ~models.Q(stage=Stage.UNDECIDED.value) & models.Q(stage_on__isnull=False),
                name="cases_subject_stage_has_its_date",
            ),
            models.CheckConstraint(
                condition=models.Q(custodial=False) | models.Q(stage=Stage.CONVICTED.value),
                name="cases_subject_sentence_follows_conviction",
            ),
            models.CheckConstraint(
                condition=models.Q(released_on=None) | models.Q(custodial=True),
                name="cases_subject_release_from_custody",
            ),
            models.CheckConstraint(
                condition=models.Q(group=None, clear_from=None)
                | models.Q(group__isnull=False, clear_from__isnull=False),
                name="cases_subject_group_counts_from_a_day",
            ),
            models.CheckConstraint(
                condition=models.Q(born=None) | models.Q(group__isnull=False, group=MopiGroup.PUBLIC_PROTECTION.value),
                name="cases_subject_birth_only_where_needed",
            ),
            models.CheckConstraint(
                condition=models.Q(years=None) | models.Q(group__isnull=False, group=MopiGroup.UNRESOLVED.value),
                name="cases_subject_years_only_in_group_4",
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def known(self) -> Known:
        """What the law's clocks are told of this person; reads appeals and reviews."""
        proceedings = Proceedings(
            code=str(self.pk),
            stage=Stage(self.stage),
            on=self.stage_on,
            custodial=self.custodial,
            released_on=self.released_on,
            appeals=tuple(Appeal(one.opened_on, one.closed_on, one.ccrc) for one in self.appeals.all()),
        )
        if self.group is None or self.clear_from is None:
            return Known(proceedings)
        reviews = tuple(MopiReview(one.on, one.keep, one.next) for one in self.reviews.all())
        mopi = Mopi(str(self.pk), MopiGroup(self.group), self.clear_from, self.born, self.years, reviews)
        return Known(proceedings, mopi)


class SubjectAppeal(models.Model):
    """An appeal against conviction, or an application to the Criminal Cases Review Commission."""

    subject = models.ForeignKey(Subject, models.PROTECT, related_name="appeals")
    ccrc = models.BooleanField(default=False)
    opened_on = models.DateField()
    closed_on = models.DateField(null=True)

    class Meta:
        db_table = "cases_appeal"
        ordering = ["opened_on", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(closed_on=None) | models.Q(closed_on__gte=models.F("opened_on")),
                name="cases_appeal_closes_after_it_opened",
            )
        ]


class GroupReview(models.Model):
    """A review of a person's MoPI group: whether what belongs to the person is still needed. Never changed."""

    subject = models.ForeignKey(Subject, models.PROTECT, related_name="reviews")
    on = models.DateField()
    keep = models.BooleanField()
    next = models.DateField(null=True)
    reason = models.TextField()
    reviewed_by = models.ForeignKey(Person, models.PROTECT, related_name="+")

    class Meta:
        db_table = "cases_group_review"
        ordering = ["on", "id"]
