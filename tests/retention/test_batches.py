"""Many recordings are decided about for the price of one, and each as it would be alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bluelamp.cases import services as cases
from bluelamp.footage import services as footage
from bluelamp.footage.models import Incident, Recording
from bluelamp.kernel import clock
from bluelamp.people.policy import Role
from bluelamp.retention import queries, services
from bluelamp.retention.models import Hold
from tests import factories

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def officer():
    return factories.person(Role.INVESTIGATOR, unit=factories.unit())


def _kept_in_every_way(officer) -> list[Recording]:
    """Recordings that are flagged, held, extended, locked, in a case, and files of incidents beside each of them."""
    made = [factories.recording(officer) for _ in range(3)]
    kinds = ("nothing", "flag", "undecided", "hold", "extension", "lock", "case")
    for kind in kinds:
        incident = Incident.objects.create()
        kept, beside = (factories.recording(officer, incident=incident, part=part) for part in (1, 2))
        match kind:
            case "flag":
                footage.flag(kept, category=factories.category(), reason="Assault", by=officer)
            case "undecided":
                open_ended = factories.category("undecided", None)
                footage.flag(kept, category=open_ended, reason="To be decided", by=officer)
            case "hold":
                services.place_hold(kept, Hold.Kind.COMPLAINT, "Complaint", "", "person:9001")
            case "extension":
                services.extend(kept, until=clock.now() + 90 * DAY, reason="Needed", actor="person:9001")
            case "lock":
                footage.lock(kept, reason="A death", by=officer)
            case "case":
                opened = cases.open_case("Case", opened_by=officer)
                cases.add_recording(opened, kept, actor=officer, reason="Shows it")
        made += [kept, beside]
    return list(Recording.objects.filter(pk__in=[recording.pk for recording in made]))


def test_many_together_are_decided_about_as_each_alone(officer):
    recordings = _kept_in_every_way(officer)
    together = queries.decisions(recordings)
    assert len(together) == len(recordings) == 17
    for recording in recordings:
        assert together[recording.pk] == queries.decision(recording)
    rules = {decision.governing.code.partition(":")[0] for decision in together.values()}
    assert rules == {"default", "evidence", "hold", "extension", "lock", "case", "incident"}


def test_any_number_is_decided_about_with_the_same_questions(officer):
    recordings = [recording for recording in _kept_in_every_way(officer) if recording.incident_id is not None]
    counted = []
    for some in (recordings[:2], recordings):
        with CaptureQueriesContext(connection) as asked:
            queries.decisions(some)
        counted.append(len([each for each in asked if "kernel_clock_offset" not in each["sql"]]))
    assert counted[0] == counted[1] <= 15
