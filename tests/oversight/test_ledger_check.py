"""The nightly check of the ledger: in a process of its own, on one snapshot, with a result that is kept and told."""

from __future__ import annotations

import threading
from datetime import timedelta

import psycopg
import pytest
from django.conf import settings as django_settings
from django.db import connections
from procrastinate.contrib.django import app
from psycopg.conninfo import make_conninfo

from bluelamp import custody
from bluelamp.custody import queries as custody_queries
from bluelamp.custody import sequencer
from bluelamp.kernel import clock
from bluelamp.kernel.transaction import atomic
from bluelamp.oversight import apart, services
from bluelamp.oversight.models import Check, CheckRun
from bluelamp.oversight.queries import checks
from bluelamp.people.events import SignedIn
from bluelamp.project import worker

CHECKS = tuple(f"oversight.check_{name}" for name in ("ledger", "presence", "fixity", "keys"))


def events(count):
    with atomic():
        return custody.record_all(
            [
                SignedIn(actor=f"person:{number}", subject=f"person:{number}", address="::1", second_factor=True)
                for number in range(count)
            ]
        )


def standing(at=None):
    return {item.kind: item for item in checks.standing(at or clock.now())[0]}[Check.LEDGER]


@pytest.mark.django_db
def test_an_untouched_ledger_is_good_and_the_run_is_kept_and_told():
    assert services.check_ledger(in_process=True) is None, "there is no checkpoint yet"
    events(20)
    sequencer.drain()
    run = services.check_ledger(in_process=True)
    assert (run.outcome, run.checked, run.found) == (CheckRun.Outcome.GOOD, 20, 0)
    (said,) = custody_queries.search(tag="ledger.verified")
    assert (said.actor, said.details) == ("system:checks", {"size": 20, "remembered": None, "problems": 0})
    assert standing().good
    assert standing(clock.now() + timedelta(days=3)).good is False, "two days without a run are not good"


def tamper(committed_db, postgres, sql, *values):
    url = make_conninfo(postgres.url("admin"), dbname=psycopg.conninfo.conninfo_to_dict(committed_db)["dbname"])
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(sql, values)


def test_a_process_of_its_own_finds_what_was_changed_and_the_next_good_run_ends_the_alarm(
    committed_db, postgres, settings
):
    import dataclasses

    settings.BLUELAMP = dataclasses.replace(django_settings.BLUELAMP, database_url=committed_db)
    made = events(6)
    sequencer.drain()
    flip = "UPDATE custody_detail SET stored = set_byte(stored, 20, get_byte(stored, 20) # 1) WHERE event_id = %s"
    tamper(committed_db, postgres, flip, made[3].id)
    run = services.check_ledger()
    assert (run.outcome, run.found) == (CheckRun.Outcome.BAD, 1)
    assert f"event {made[3].id}" in run.problems[0]
    assert standing().good is False
    tamper(committed_db, postgres, flip, made[3].id)
    assert services.check_ledger().outcome == CheckRun.Outcome.GOOD
    assert standing().good


def test_what_is_sequenced_while_the_check_reads_raises_no_false_alarm(committed_db, monkeypatch):
    events(5)
    sequencer.drain()
    from bluelamp.custody import verification

    read = verification.check_from

    def meanwhile():
        try:
            events(7)
            sequencer.drain()
        finally:
            connections.close_all()

    def slowly(*arguments):
        found = read(*arguments)
        other = threading.Thread(target=meanwhile)
        other.start()
        other.join()
        return found

    monkeypatch.setattr(verification, "check_from", slowly)
    assert apart.verify_here() == (5, ())


@pytest.mark.django_db
def test_only_one_check_runs_at_a_time(postgres):
    events(1)
    sequencer.drain()
    with psycopg.connect(postgres.url("app"), autocommit=True) as other:
        for name in CHECKS:
            other.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [name])
        assert services.check_ledger(in_process=True) is None
        assert services.check_fixity(everything=True) is None
        assert services.check_presence() is None
        assert services.check_keys() is None
    assert not CheckRun.objects.exists()


def test_checks_have_a_queue_of_their_own_that_a_worker_serves():
    for name in CHECKS:
        assert app.tasks[name].queue in worker.CHECK_QUEUES
        assert app.tasks[name].queueing_lock == name
    periodic = {task.task.name for task in app.periodic_registry.periodic_tasks.values()}
    assert set(CHECKS) <= periodic


@pytest.mark.django_db
def test_runs_of_more_than_a_year_ago_are_let_go():
    events(1)
    sequencer.drain()
    first = services.check_ledger(in_process=True)
    CheckRun.objects.filter(pk=first.pk).update(finished_at=clock.now() - timedelta(days=401))
    second = services.check_ledger(in_process=True)
    assert list(CheckRun.objects.values_list("pk", flat=True)) == [second.pk]
