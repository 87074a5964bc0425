"""The policy's one row cannot be shortened by a simple edit."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, ProgrammingError, transaction

from bluelamp.retention import queries
from bluelamp.retention.models import RetentionPolicy

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("change", [{"default_days": 30}, {"review_grace_days": 6}, {"margin_minutes": 16}])
def test_an_edit_that_shortens_is_refused_by_the_database(change):
    with pytest.raises(ProgrammingError, match="not shortened by editing"), transaction.atomic():
        RetentionPolicy.objects.update(**change)


def test_the_policy_cannot_be_deleted():
    with pytest.raises(ProgrammingError, match="not shortened by editing"), transaction.atomic():
        RetentionPolicy.objects.all().delete()


@pytest.mark.parametrize("change", [{"quarantine_days": 31}, {"quarantine_days": 7}, {"quarantine_days": 0}])
def test_quarantine_ends_inside_the_limit_and_leaves_time_for_review(change):
    with pytest.raises(IntegrityError), transaction.atomic():
        RetentionPolicy.objects.update(**change)


def test_a_longer_default_is_allowed_and_read_at_once():
    RetentionPolicy.objects.update(default_days=40)
    assert queries.policy().default.days == 40
