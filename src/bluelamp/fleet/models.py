"""Cameras, docks, who carries which camera, and the plan of the roll-out."""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import Func, Value

from bluelamp.people.models import Person, Unit


class Camera(models.Model):
    """A body-worn camera. Its public key is pinned at its first docking; every manifest entry must be signed by it."""

    class Mount(models.TextChoices):
        CHEST = "chest", "Chest"
        CAP = "cap", "Cap"
        BALLISTIC_HELMET = "ballistic helmet", "Ballistic helmet"

    class State(models.TextChoices):
        STOCK = "stock", "In stock"
        SERVICE = "service", "In service"
        REPAIR = "repair", "In repair"
        LOST = "lost", "Lost"
        RETIRED = "retired", "Retired"

    serial = models.TextField(unique=True)
    model = models.TextField()
    mount = models.TextField(choices=Mount.choices, default=Mount.CHEST)
    state = models.TextField(choices=State.choices, default=State.STOCK)
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="cameras")
    public_key = models.TextField(blank=True)
    firmware = models.TextField(blank=True)
    battery_percent = models.SmallIntegerField(null=True)
    storage_capacity = models.BigIntegerField(null=True)
    storage_free = models.BigIntegerField(null=True)
    clock_offset_ms = models.BigIntegerField(null=True)
    last_docked_at = models.DateTimeField(null=True)
    first_issued_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "fleet_camera"
        ordering = ["serial"]

    def __str__(self) -> str:
        return self.serial

    @property
    def custody_id(self) -> str:
        """This camera in the ledger."""
        return f"camera:{self.serial}"


class Dock(models.Model):
    """A docking station, known by a secret token of which only the SHA-256 is kept."""

    name = models.TextField(unique=True)
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, related_name="docks")
    token_sha256 = models.TextField(unique=True)
    active = models.BooleanField(default=True)
    last_seen_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "fleet_dock"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def custody_id(self) -> str:
        """This dock in the ledger."""
        return f"dock:{self.pk}"


def _one(column: str) -> Func:
    # btree_gist is not everywhere: a one-element range makes a bigint comparable in a GiST exclusion constraint.
    return Func(models.F(column), models.F(column), Value("[]"), function="int8range")


class Assignment(models.Model):
    """Who carries a camera, from issue to return. The database refuses overlaps for a camera and for a person."""

    camera = models.ForeignKey(Camera, models.PROTECT, related_name="assignments")
    person = models.ForeignKey(Person, models.PROTECT, related_name="assignments")
    period = DateTimeRangeField()

    class Meta:
        db_table = "fleet_assignment"
        constraints = [
            ExclusionConstraint(
                name="fleet_one_wearer_a_camera",
                expressions=[(_one("camera"), RangeOperators.OVERLAPS), ("period", RangeOperators.OVERLAPS)],
            ),
            ExclusionConstraint(
                name="fleet_one_camera_a_wearer",
                expressions=[(_one("person"), RangeOperators.OVERLAPS), ("period", RangeOperators.OVERLAPS)],
            ),
        ]


class RolloutPlan(models.Model):
    """How many cameras a borough or unit is to have, and by when."""

    unit = models.OneToOneField(Unit, models.PROTECT, related_name="rollout_plan")
    planned = models.PositiveIntegerField()
    due_on = models.DateField(null=True)

    class Meta:
        db_table = "fleet_rollout_plan"
