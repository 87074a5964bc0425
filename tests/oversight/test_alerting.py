"""A check that fails is told by e-mail: once, again when more is found, once more at its end; and it names nobody."""

from __future__ import annotations

import dataclasses
import os
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings as django_settings
from django.core import mail
from django.db import connection
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from bluelamp.custody import outside, sequencer
from bluelamp.custody import queries as ledger
from bluelamp.custody.models import CustodyCheckpoint, CustodyCosignature
from bluelamp.formats.add_checkpoint import WitnessAddress
from bluelamp.formats.cosignature import WitnessKey
from bluelamp.kernel import clock
from bluelamp.oversight import metrics, services
from bluelamp.oversight.models import Check, CheckRun, Failure
from bluelamp.oversight.queries import outside as queries
from bluelamp.people.policy import Role
from tests import factories

pytestmark = pytest.mark.django_db

ADDRESSES = ("night-desk@force.example", "isu@force.example")
WITNESS = WitnessAddress(
    "http://127.0.0.1:9", WitnessKey("mopac.example", Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key())
)


@pytest.fixture(autouse=True)
def _set(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.BLUELAMP = dataclasses.replace(settings.BLUELAMP, alert_email=ADDRESSES)


@pytest.fixture
def wearer():
    return factories.person(Role.OFFICER, name="Wendy Arkwright", unit=factories.unit())


def kept(wearer):
    received = clock.now() - timedelta(days=20)
    return factories.recording(wearer, content=b"film" * 500, sealed=True, started_at=received, received_at=received)


def flip(recording):
    path = django_settings.BLUELAMP.data / "store" / recording.original
    os.chmod(path, 0o600)
    content = bytearray(path.read_bytes())
    content[50] ^= 1
    path.write_bytes(content)


def read_again():
    services.check_fixity(everything=True, pause=lambda _: None)


def post() -> list:
    """Does the jobs that send, as the worker would; what left by them."""
    mail.outbox.clear()
    for job in ProcrastinateJob.objects.filter(task_name="oversight.send_alert", status="todo").order_by("id"):
        app.tasks[job.task_name].func(**job.args)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs WHERE task_name = 'oversight.send_alert'")
    return list(mail.outbox)


def test_a_failure_is_told_once_to_each_address_and_not_at_each_turn(wearer):
    flip(kept(wearer))
    read_again()
    services.tell_failures()
    sent = post()
    assert [letter.to for letter in sent] == [[address] for address in ADDRESSES]
    assert sent[0].subject.startswith("Bluelamp: 1 check fails")
    assert "1 recording not as sealed" in sent[0].body
    read_again()
    services.tell_failures()
    services.tell_failures()
    assert post() == []


def test_what_passes_again_is_told_once_as_well(wearer):
    bad = kept(wearer)
    flip(bad)
    read_again()
    services.tell_failures()
    post()
    flip(bad)
    read_again()
    services.tell_failures()
    (letter, _) = post()
    assert "1 check is well again" in letter.subject
    assert "WELL AGAIN" in letter.body
    assert "FAILS" not in letter.body
    services.tell_failures()
    assert post() == []
    assert not Failure.objects.filter(ended_at=None).exists()


def test_more_that_is_found_while_it_fails_is_told_again(wearer):
    flip(kept(wearer))
    read_again()
    services.tell_failures()
    post()
    flip(kept(wearer))
    read_again()
    services.tell_failures()
    (letter, _) = post()
    assert "MORE WAS FOUND" in letter.body
    assert "2 recordings not as sealed" in letter.body


def test_another_failure_after_the_first_was_mended_is_told_though_they_are_as_many(wearer):
    first, second = kept(wearer), kept(wearer)
    flip(first)
    read_again()
    services.tell_failures()
    post()
    flip(first)
    flip(second)
    read_again()
    services.tell_failures()
    assert len(post()) == 2


def test_an_address_that_is_set_while_something_fails_is_told_of_it_and_nobody_else_again(wearer, settings):
    flip(kept(wearer))
    read_again()
    services.tell_failures()
    post()
    settings.BLUELAMP = dataclasses.replace(settings.BLUELAMP, alert_email=(*ADDRESSES, "new@force.example"))
    services.tell_failures()
    (letter,) = post()
    assert letter.to == ["new@force.example"]
    assert letter.subject.startswith("Bluelamp: 1 check fails")
    assert "FAILED BEFORE YOU WERE TO BE TOLD, AND STILL DOES" in letter.body
    assert "1 recording not as sealed" in letter.body
    services.tell_failures()
    assert post() == []


def test_an_address_that_is_set_while_all_is_well_gets_nothing():
    services.tell_failures()
    assert post() == []


def test_an_address_that_was_taken_out_and_is_set_again_is_told_of_what_stands(wearer, settings):
    flip(kept(wearer))
    read_again()
    services.tell_failures()
    post()
    settings.BLUELAMP = dataclasses.replace(settings.BLUELAMP, alert_email=ADDRESSES[:1])
    services.tell_failures()
    settings.BLUELAMP = dataclasses.replace(settings.BLUELAMP, alert_email=ADDRESSES)
    services.tell_failures()
    assert [letter.to for letter in post()] == [[ADDRESSES[1]]]


def test_a_message_names_no_person_no_recording_and_no_object(wearer):
    bad = kept(wearer)
    flip(bad)
    read_again()
    services.tell_failures()
    for letter in post():
        said = f"{letter.subject}\n{letter.body}"
        for word in (str(bad.pk), bad.original, wearer.name, bad.sha256):
            assert word not in said


def test_a_check_that_did_not_run_for_two_days_is_a_failure(wearer):
    kept(wearer)
    services.check_presence()
    CheckRun.objects.filter(kind=Check.PRESENCE).update(finished_at=clock.now() - timedelta(days=3))
    services.tell_failures()
    assert "has not run for two days" in post()[0].body


def test_what_is_told_stands_in_the_ledger_with_the_number_of_addresses_and_not_with_them(wearer):
    flip(kept(wearer))
    read_again()
    services.tell_failures()
    (event,) = ledger.search(tag="check.failing")
    assert event.details == {"what": "Recordings against the store", "told": 2}
    assert not any(address in str(event) for address in ADDRESSES)


def test_where_nobody_is_set_the_failure_is_noted_all_the_same(wearer, settings):
    settings.BLUELAMP = dataclasses.replace(settings.BLUELAMP, alert_email=())
    flip(kept(wearer))
    read_again()
    services.tell_failures()
    assert post() == []
    assert Failure.objects.get(ended_at=None).what == "fixity"


def test_a_mail_server_that_refuses_leaves_the_message_to_be_tried_again(settings):
    settings.EMAIL_BACKEND = "tests.sharing.post.RefusingServer"
    with pytest.raises(ConnectionRefusedError):
        services.send_alert(ADDRESSES[0], "subject", "body")


def test_nothing_that_was_never_run_is_told():
    services.tell_failures()
    assert post() == []


@pytest.fixture
def witnessed(settings, wearer):
    """A log with a checkpoint, and a witness that is configured for it."""
    settings.BLUELAMP = dataclasses.replace(settings.BLUELAMP, witnesses=(WITNESS,))
    kept(wearer)
    services.note_consultation(actor="person:1", page="ledger", shown=1)
    sequencer.drain()
    return CustodyCheckpoint.objects.get()


def vouched(checkpoint):
    CustodyCosignature.objects.create(
        size=checkpoint.size, witness=str(WITNESS.key), line="cosigned\n", at=checkpoint.created_at
    )


def the_witness(**later):
    (found,) = queries.witnesses(clock.now() + timedelta(**later))
    return found


def test_a_witness_that_has_cosigned_the_latest_checkpoint_is_well_however_long_ago_that_was(witnessed):
    vouched(witnessed)
    found = the_witness(days=3)
    assert (found.good, found.size) == (True, witnessed.size)


def test_a_witness_that_is_asked_for_the_first_time_is_not_called_bad(witnessed):
    assert the_witness(minutes=1).good is None


@pytest.mark.parametrize(("minutes", "good"), [(14, None), (16, False)])
def test_a_witness_that_lets_a_checkpoint_wait_is_behind_after_a_quarter_of_an_hour(witnessed, minutes, good):
    found = the_witness(minutes=minutes)
    assert found.good is good
    assert ("without its signature" in found.note) is (good is False)


def test_a_witness_that_refuses_is_told_at_once_and_its_own_words_stay_on_the_page(witnessed):
    vouched(witnessed)
    outside.failed(str(WITNESS.key), refused=True, reason="It answers 422: <b>not your history</b>")
    services.tell_failures()
    letter = post()[0]
    assert "Witness mopac.example" in letter.body
    assert "somebody must look" in letter.body
    assert "not your history" not in letter.body
    outside.answered(str(WITNESS.key))
    services.tell_failures()
    assert "WELL AGAIN" in post()[0].body


def test_a_witness_that_is_behind_and_then_refuses_is_told_of_twice(witnessed, monkeypatch):
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(minutes=20))
    services.tell_failures()
    assert "has been behind" in post()[0].body
    outside.failed(str(WITNESS.key), refused=True, reason="no")
    services.tell_failures()
    assert "MORE WAS FOUND" in post()[0].body


def test_a_witness_that_only_does_not_answer_is_not_bad_before_it_is_behind(witnessed):
    vouched(witnessed)
    outside.failed(str(WITNESS.key), refused=False, reason="cannot be reached")
    found = the_witness(minutes=1)
    assert found.good is True
    assert "has not answered since" in found.note


def test_a_witness_that_is_no_longer_configured_ends_its_failure_without_being_called_well(witnessed, settings):
    outside.failed(str(WITNESS.key), refused=True, reason="no")
    services.tell_failures()
    post()
    settings.BLUELAMP = dataclasses.replace(settings.BLUELAMP, witnesses=())
    services.tell_failures()
    letter = post()[0]
    assert "NOT WATCHED ANY MORE" in letter.body
    assert "WELL AGAIN" not in letter.body
    assert ledger.search(tag="check.well_again")[0].details["well"] is False


def test_the_page_shows_the_witness_and_its_words_as_text(witnessed, signed_in):
    outside.failed(str(WITNESS.key), refused=True, reason="It answers 422: <b>not your history</b>")
    said = signed_in(factories.person(Role.OPERATOR)).get("/oversight/").content.decode()
    assert "Witness mopac.example" in said
    assert "&lt;b&gt;not your history&lt;/b&gt;" in said


def test_nobody_else_sees_who_vouches_for_the_ledger(witnessed, signed_in):
    for role in (Role.OFFICER, Role.INVESTIGATOR, Role.POST_INCIDENT_MANAGER):
        assert signed_in(factories.person(role)).get("/oversight/").status_code == 403


def test_the_metrics_count_a_witness_that_refuses_and_the_failures_that_stand(witnessed):
    vouched(witnessed)
    outside.failed(str(WITNESS.key), refused=True, reason="no")
    services.tell_failures()
    said = {
        (sample.name, *sample.labels.values()): sample.value
        for family in metrics._families(clock.now())
        for sample in family.samples
    }
    assert said["bluelamp_outside_good", "Witness mopac.example"] == 0
    assert said["bluelamp_outside_size", "Witness mopac.example"] == witnessed.size
    assert said["bluelamp_failures_open",] == 1


def test_the_page_says_how_many_are_told_and_warns_where_nobody_is(as_auditor, settings):
    assert "2 e-mail addresses are told" in as_auditor.get("/oversight/").content.decode()
    settings.BLUELAMP = dataclasses.replace(settings.BLUELAMP, alert_email=())
    assert "Nobody is told by e-mail" in as_auditor.get("/oversight/").content.decode()
