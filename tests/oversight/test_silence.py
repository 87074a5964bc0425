"""No worker runs: the web server notices, tells it itself, and it is well again when one comes."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import OperationalError, ProgrammingError, connection
from procrastinate.contrib.django.models import ProcrastinateJob

from bluelamp.custody import queries as ledger
from bluelamp.oversight import metrics, services
from bluelamp.oversight.models import Failure
from bluelamp.oversight.queries import working
from bluelamp.oversight.silence import Patience, Watch
from bluelamp.people.policy import Role
from tests import factories

pytestmark = pytest.mark.django_db

ADDRESSES = ("night-desk@force.example", "isu@force.example")


class Refusing(EmailBackend):
    """A mail server that is away."""

    def send_messages(self, messages):
        raise ConnectionRefusedError("nobody listens")


@pytest.fixture(autouse=True)
def _set(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.BLUELAMP = dataclasses.replace(settings.BLUELAMP, alert_email=ADDRESSES)


def heard_of(*ago: timedelta):
    """Workers, each with its last sign of life."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_workers")
        for each in ago:
            cursor.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - %s)", [each])


class Clock:
    def __init__(self):
        self.at = 0.0

    def __call__(self):
        return self.at


def waiting() -> list[dict]:
    return [job.args for job in ProcrastinateJob.objects.filter(task_name="oversight.send_alert", status="todo")]


@pytest.mark.parametrize(
    ("ago", "alive"),
    [
        ([], False),
        ([timedelta(seconds=5)], True),
        ([timedelta(minutes=2)], False),
        ([timedelta(days=1), timedelta(seconds=30)], True),
    ],
)
def test_a_worker_lives_while_it_shows_itself(ago, alive):
    heard_of(*ago)
    assert working.standing().alive is alive


def test_a_short_silence_such_as_an_upgrade_is_not_told():
    patience = Patience(300)
    assert not patience.ended(False, 0)
    assert not patience.ended(False, 299)
    assert not patience.ended(True, 300)
    assert not patience.ended(False, 310)
    assert not patience.ended(False, 600)
    assert patience.ended(False, 610)


def test_after_five_minutes_each_address_is_told_once_by_the_web_server():
    heard_of(timedelta(minutes=12))
    clock = Clock()
    watch = Watch(clock)
    for clock.at in (0, 30, 299):
        watch.look()
    assert mail.outbox == []
    for clock.at in (300, 330, 360):
        watch.look()
    assert [letter.to for letter in mail.outbox] == [[address] for address in ADDRESSES]
    assert "Bad. No worker runs. The last one was heard of 12 min" in mail.outbox[0].body
    assert "Nothing is lost." in mail.outbox[0].body
    assert waiting() == []
    assert Failure.objects.get(ended_at=None).what == "worker"
    assert ledger.count("check.failing") == 1


def test_two_web_servers_tell_it_once():
    heard_of()
    for _ in range(2):
        services.tell_silence()
        services.send_waiting()
    assert len(mail.outbox) == len(ADDRESSES)


def test_a_worker_that_came_just_now_is_not_called_silent():
    heard_of(timedelta(seconds=1))
    assert not services.tell_silence()
    assert not Failure.objects.exists()


def test_a_worker_that_works_without_showing_itself_is_not_contradicted_at_each_look():
    heard_of()
    clock = Clock()
    watch = Watch(clock)
    for clock.at in range(0, 331, 30):
        watch.look()
    services.tell_failures()  # as that worker does
    mail.outbox.clear()
    for clock.at in range(360, 600, 30):
        watch.look()
    assert all("WELL AGAIN" in letter.body for letter in mail.outbox)
    assert not Failure.objects.filter(ended_at=None).exists()


def test_when_a_worker_comes_it_says_that_all_is_well_again():
    heard_of()
    services.tell_silence()
    services.send_waiting()
    assert waiting() == []
    services.tell_failures()
    (said, other) = waiting()
    assert {said["to"], other["to"]} == set(ADDRESSES)
    assert "WELL AGAIN" in said["body"]
    assert "a worker runs again" in said["body"]
    assert not Failure.objects.filter(ended_at=None).exists()
    services.tell_failures()
    assert len(waiting()) == 2


def test_silence_ends_no_other_failure():
    Failure.objects.create(what="fixity", title="Footage", began_at=_now(), told_at=_now())
    heard_of()
    services.tell_silence()
    assert set(Failure.objects.filter(ended_at=None).values_list("what", flat=True)) == {"fixity", "worker"}


def test_what_the_mail_server_does_not_take_is_tried_again_at_each_look(settings):
    heard_of()
    clock = Clock()
    watch = Watch(clock)
    taking, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, f"{__name__}.Refusing"
    for clock.at in (0, 300, 330):
        watch.look()
    assert {job["to"] for job in waiting()} == set(ADDRESSES)
    settings.EMAIL_BACKEND = taking
    for clock.at in (360, 390):
        watch.look()
    assert [letter.to for letter in mail.outbox] == [[address] for address in ADDRESSES]
    assert waiting() == []


def test_what_waits_when_a_worker_lives_again_is_left_to_it(settings):
    heard_of()
    clock = Clock()
    watch = Watch(clock)
    settings.EMAIL_BACKEND = f"{__name__}.Refusing"
    for clock.at in (0, 300):
        watch.look()
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    heard_of(timedelta(seconds=1))
    clock.at = 330
    watch.look()
    assert mail.outbox == []
    assert len(waiting()) == 2


def test_a_fault_in_telling_is_not_taken_for_a_database_that_is_away(monkeypatch):
    heard_of()
    clock = Clock()
    watch = Watch(clock)
    watch.look()
    monkeypatch.setattr(services, "tell_silence", _wrong)
    clock.at = 300
    with pytest.raises(ProgrammingError):
        watch.look()
    monkeypatch.undo()
    clock.at = 330
    watch.look()
    assert Failure.objects.get(ended_at=None).what == "worker"


def test_a_database_that_does_not_answer_is_no_silence_of_a_worker(monkeypatch):
    heard_of()
    clock = Clock()
    watch = Watch(clock)
    watch.look()
    with monkeypatch.context() as broken:
        broken.setattr(working, "standing", _raise)
        clock.at = 200
        watch.look()
    for clock.at in (310, 600):
        watch.look()
    assert mail.outbox == []
    clock.at = 611
    watch.look()
    assert len(mail.outbox) == 2


def test_the_oversight_page_warns_and_the_metrics_say_it(signed_in):
    heard_of(timedelta(minutes=3))
    page = signed_in(factories.person(Role.AUDITOR)).get("/oversight/").content.decode()
    assert "No worker runs. The last one was heard of 3 min 00 s ago." in " ".join(page.split())
    assert _alive() == 0
    heard_of(timedelta(seconds=3))
    page = signed_in(factories.person(Role.AUDITOR)).get("/oversight/").content.decode()
    assert "No worker runs" not in page
    assert _alive() == 1


def _alive() -> float:
    (found,) = [family for family in metrics.Checks().collect() if family.name == "bluelamp_worker_alive"]
    return found.samples[0].value


def _now():
    from bluelamp.kernel import clock

    return clock.now()


def _wrong():
    raise ProgrammingError("no such table")


def _raise():
    raise OperationalError("gone")
