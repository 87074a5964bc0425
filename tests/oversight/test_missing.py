"""What cameras recorded and the server does not have, as oversight shows it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from bluelamp.ingest import services as ingest
from bluelamp.ingest.models import Discrepancy
from bluelamp.kernel import clock
from bluelamp.oversight import queries
from bluelamp.people.policy import Role
from tests import factories, signin

pytestmark = pytest.mark.django_db


@pytest.fixture
def gap() -> Discrepancy:
    at = clock.now() - timedelta(hours=1)
    return Discrepancy.objects.create(
        camera=factories.camera(factories.unit(), serial="BL-7"), kind="gap", first=3, last=7, missing=5,
        first_seen_at=at, last_seen_at=at, found_at=at, detail="The camera never offered recordings 3 to 7.",
    )  # fmt: skip


def test_they_are_counted_until_somebody_answers_for_them(gap: Discrepancy) -> None:
    figures = queries.figures()
    assert (figures.missing, figures.discrepancies, figures.missing_since) == (5, 1, gap.first_seen_at)
    ingest.close_discrepancy(gap.pk, by=factories.person(Role.BWV_MANAGER), reason="The former system has them")
    figures = queries.figures()
    assert (figures.missing, figures.discrepancies, figures.missing_since) == (0, 0, None)


def test_a_wrong_clock_is_a_discrepancy_and_misses_no_recording(gap: Discrepancy) -> None:
    Discrepancy.objects.filter(pk=gap.pk).update(kind="clock_unset", first=None, last=None, missing=0)
    figures = queries.figures()
    assert (figures.missing, figures.discrepancies, figures.missing_since) == (0, 1, None)


def test_the_page_leads_those_who_may_see_the_fleet_to_each(client: Client, gap: Discrepancy) -> None:
    signin.quickly(client, factories.person(Role.SUPERVISOR))
    page = client.get("/oversight/").content.decode()
    assert "Recordings that cameras say they made and we do not have" in page
    assert f"/fleet/docking/missing/{gap.pk}/" in page


def test_who_may_not_see_the_fleet_sees_the_count_alone(client: Client, gap: Discrepancy) -> None:
    signin.quickly(client, factories.person(Role.RIGHTS_OFFICER))
    page = client.get("/oversight/").content.decode()
    assert "Recordings that cameras say they made and we do not have" in page
    assert "BL-7" not in page
