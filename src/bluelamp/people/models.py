"""The force as a tree of units, the people in it, and the organisations it shares footage with."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.crypto import salted_hmac

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

    @property
    def custody_id(self) -> str:
        """This unit in the ledger."""
        return f"unit:{self.pk}"


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

    @property
    def custody_id(self) -> str:
        """This organisation in the ledger."""
        return f"organisation:{self.pk}"


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
    password_is_temporary = models.BooleanField(default=False)
    session_epoch = models.PositiveIntegerField(default=0)

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

    def role_names(self) -> list[str]:
        """The roles in words, in the order in which the policy lists them."""
        return [role.words for role in Role if role.value in self.roles]

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        # Django compares this at every request: another password or another epoch ends all sessions of the person.
        return salted_hmac(
            "bluelamp.people.session", f"{self.session_epoch}:{self.password}", secret=secret, algorithm="sha256"
        ).hexdigest()
