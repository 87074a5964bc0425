"""The force as a tree of units, the people in it, and the organisations it shares footage with."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models

from bluelamp.people.policy import Role


class Unit(models.Model):
    """A node of the force's tree: the force itself, a borough or command, or a unit or team in it."""

    class Kind(models.TextChoices):
        FORCE = "force", "Force"
        BOROUGH = "borough", "Borough or command"
        UNIT = "unit", "Unit"

    name = models.TextField()
    code = models.TextField(unique=True)
    kind = models.TextField(choices=Kind.choices)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")

    class Meta:
        db_table = "people_unit"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Organisation(models.Model):
    """Who the force shares with: the Crown Prosecution Service, a defence firm, a court, a scrutiny panel."""

    class Kind(models.TextChoices):
        CPS = "cps", "Crown Prosecution Service"
        DEFENCE = "defence", "Defence"
        COURT = "court", "Court"
        SCRUTINY = "scrutiny", "Scrutiny panel"
        OTHER = "other", "Other"

    name = models.TextField(unique=True)
    kind = models.TextField(choices=Kind.choices)
    email_domains = ArrayField(models.TextField(), default=list, blank=True)

    class Meta:
        db_table = "people_organisation"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class PersonManager(BaseUserManager["Person"]):
    def get_by_natural_key(self, username: str) -> Person:
        return self.get(username__iexact=username)


class Person(AbstractBaseUser):
    """Somebody with an account: an officer or a member of police staff, with a warrant or staff number."""

    username = models.TextField(unique=True)
    name = models.TextField()
    warrant_number = models.TextField(unique=True, null=True, blank=True)
    email = models.EmailField(blank=True)
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, blank=True, related_name="people")
    roles = ArrayField(models.TextField(choices=[(role.value, role.name) for role in Role]), default=list)
    is_active = models.BooleanField(default=True)

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    objects = PersonManager()

    class Meta:
        db_table = "people_person"
        ordering = ["name"]

    def __str__(self) -> str:
        return f"{self.name} ({self.warrant_number})" if self.warrant_number else self.name

    @property
    def custody_id(self) -> str:
        """This person in the ledger."""
        return f"person:{self.pk}"
