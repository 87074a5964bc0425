"""The checks' results for Prometheus, read from the database at each scrape, so that any web process can answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

from django.db import DatabaseError
from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bluelamp.kernel import clock
from bluelamp.oversight.models import Failure, Fixity
from bluelamp.oversight.queries import checks, losses, outside, working

_registered = False


class Checks(Collector):
    """One figure a check; nothing while the database does not answer, which /readyz tells."""

    def describe(self) -> list[Metric]:
        """Asked when it is registered: before there is a database."""
        return []

    def collect(self) -> Iterator[Metric]:
        with suppress(DatabaseError):
            yield from _families(clock.now())


def register() -> None:
    """Called once when Django is ready."""
    global _registered
    if not _registered:
        REGISTRY.register(Checks())
        _registered = True


def _families(now: datetime) -> list[Metric]:
    good = GaugeMetricFamily(
        "bluelamp_check_good", "1: the check found all well; 0: it did not, or is late", None, ["check"]
    )
    last = GaugeMetricFamily(
        "bluelamp_check_last_run_timestamp_seconds", "When the check last came to its end", None, ["check"]
    )
    checked = GaugeMetricFamily(
        "bluelamp_check_last_run_checked", "Events, recordings or keys that the last run looked at", None, ["check"]
    )
    found = GaugeMetricFamily("bluelamp_check_last_run_problems", "What the last run found wrong", None, ["check"])
    standing, _ = checks.standing(now)
    for item in standing:
        if item.good is not None:
            good.add_metric([item.kind.value], float(item.good))
        if item.last is not None:
            last.add_metric([item.kind.value], item.last.finished_at.timestamp())
            checked.add_metric([item.kind.value], item.last.checked)
            found.add_metric([item.kind.value], item.last.found)
    vouched = [*outside.witnesses(now), *outside.authorities(now)]
    well = GaugeMetricFamily(
        "bluelamp_outside_good",
        "1: the witness or time-stamping authority vouches for the ledger; 0: it refuses, or is behind",
        None,
        ["party"],
    )
    size = GaugeMetricFamily(
        "bluelamp_outside_size", "Events in the last checkpoint that the party vouched for", None, ["party"]
    )
    when = GaugeMetricFamily(
        "bluelamp_outside_last_timestamp_seconds", "When the party last vouched for a checkpoint", None, ["party"]
    )
    for party in vouched:
        if party.good is not None:
            well.add_metric([party.title], float(party.good))
        if party.size is not None and party.at is not None:
            size.add_metric([party.title], party.size)
            when.add_metric([party.title], party.at.timestamp())
    failing = GaugeMetricFamily(
        "bluelamp_failures_open",
        "What is watched by itself and fails, as it was told by e-mail where that is set",
        value=Failure.objects.filter(ended_at=None).count(),
    )
    worker = GaugeMetricFamily(
        "bluelamp_worker_alive",
        "1: a worker gave a sign of life within a minute; 0: none runs, and nothing is deleted, checked or sent",
        value=float(working.standing().alive),
    )
    oldest = Fixity.objects.order_by("checked_at").values_list("checked_at", flat=True).first()
    age = GaugeMetricFamily(
        "bluelamp_fixity_oldest_seconds",
        "How long ago the footage that waits longest was last read and authenticated",
        value=(now - oldest).total_seconds() if oldest else 0.0,
    )
    lost = GaugeMetricFamily(
        "bluelamp_losses",
        "Recordings of which a stored file or key is, or was, lost, by where they stand",
        None,
        ["state"],
    )
    where = losses.standing()
    for state in ("lost", "accepted", "recovered", "deleted"):
        lost.add_metric([state], getattr(where, state))
    return [good, last, checked, found, well, size, when, failing, worker, age, lost]
