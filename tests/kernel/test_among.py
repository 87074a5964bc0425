"""Many ids in one condition find what a list of them would."""

from __future__ import annotations

import pytest

from bluelamp.footage.models import Incident
from bluelamp.kernel.among import among
from bluelamp.kernel.ids import new_id

pytestmark = pytest.mark.django_db


def test_the_rows_of_those_ids_are_found_and_no_others():
    made = [Incident.objects.create() for _ in range(5)]
    wanted = [incident.pk for incident in made[:3]]
    assert set(Incident.objects.filter(pk__in=among([*wanted, new_id()]))) == set(made[:3])
    assert set(Incident.objects.exclude(pk__in=among(each for each in wanted))) == set(made[3:])


def test_among_none_is_nothing():
    Incident.objects.create()
    assert not Incident.objects.filter(pk__in=among([])).exists()
