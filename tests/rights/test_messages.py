"""Messages leave by jobs: a mail server that refuses delays a message and costs nobody footage or time."""

from __future__ import annotations

import re
import smtplib
from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob

from bluelamp.custody import queries as ledger
from bluelamp.kernel import clock
from bluelamp.rights import queries, rules, services
from bluelamp.rights.models import Message, Request
from tests import factories, signin
from tests.rights.given import ask, deliver, form

pytestmark = pytest.mark.django_db


@pytest.fixture
def server_refuses(settings):
    """A mail server that nobody can reach: nothing listens on this port."""

    def now(refuses=True):
        settings.EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if refuses else 'locmem'}.EmailBackend"

    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    now()
    return now


def _fails_to_deliver():
    with pytest.raises((OSError, smtplib.SMTPException)):
        deliver()


def _link():
    return re.search(r"(/public/confirm/\S+)", mail.outbox[-1].body)[1]


@pytest.mark.usefixtures("server_refuses")
def test_who_asks_while_the_mail_server_refuses_gets_a_reference(client, borough, at):
    answer = client.post(reverse("public:ask"), form(borough, at))
    assert answer.status_code == 302
    job = ProcrastinateJob.objects.get(task_name="rights.send_message")
    assert job.args == {"message_id": Message.objects.get().pk}
    assert job.queue_name == "housekeeping"


def test_a_link_that_could_be_sent_only_on_the_fourth_day_still_works(client, borough, wearer, at, server_refuses):
    recording = factories.recording(wearer, started_at=at)
    request = ask(borough, at)
    for _ in range(4):
        _fails_to_deliver()
        clock.advance(timedelta(days=1))
        assert services.lapse_unconfirmed() == 0
    assert queries.retention_reasons([recording])[recording.pk]
    server_refuses(False)
    deliver()
    clock.advance(timedelta(hours=70))
    assert services.lapse_unconfirmed() == 0
    client.post(_link())
    request.refresh_from_db()
    assert request.state == Request.State.OPEN
    assert recording.holds.get().source == request.custody_id


@pytest.mark.usefixtures("server_refuses")
def test_a_request_whose_link_is_never_sent_lapses_after_a_week(borough, wearer, at):
    recording = factories.recording(wearer, started_at=at)
    ask(borough, at)
    clock.advance(rules.LONGEST_UNCONFIRMED)
    assert services.lapse_unconfirmed() == 1
    assert not queries.retention_reasons([recording])
    deliver()
    assert Message.objects.get().sent_at is None, "a message about a lapsed request is not sent any more"


def test_the_days_to_confirm_begin_when_the_link_is_sent(borough, wearer, at):
    factories.recording(wearer, started_at=at)
    request = ask(borough, at)
    clock.advance(timedelta(hours=10))
    deliver()
    request.refresh_from_db()
    sent = Message.objects.get().sent_at
    assert request.lapses_at == request.matches.get().provisional_until == sent + rules.PROVISIONAL
    assert [item.details["kind"] for item in ledger.history(request.custody_id) if item.tag == "request.message_sent"]


def test_only_the_newest_link_works_and_a_message_is_not_sent_twice(client, borough, at):
    ask(borough, at)
    deliver()
    first = _link()
    Message.objects.update(sent_at=None)  # as if the worker had died between the sending and its record
    deliver()
    assert client.get(first).status_code == 404
    assert client.get(_link()).status_code == 200
    services.send(Message.objects.get().pk)
    assert len(mail.outbox) == 2


def test_the_message_to_an_unconfirmed_address_carries_nothing_that_the_sender_wrote(borough, at):
    ask(borough, at, name="Win a prize at http://evil.example", place="Evil Street", details="Evil details")
    deliver()
    assert "evil" not in (mail.outbox[-1].subject + mail.outbox[-1].body).lower()


def test_the_clock_stands_only_from_the_sending_of_the_question(borough, at, officer, server_refuses):
    request = ask(borough, at, kind="foi")
    services.confirm_email(request)
    services.ask_clarification(request, by=officer, question="Which entrance?")
    message = Message.objects.get(kind=Message.Kind.QUESTION)
    with pytest.raises(OSError, match="refused"):
        services.send(message.pk)
    assert queries.due(request).on is not None
    server_refuses(False)
    services.send(message.pk)
    assert "Which entrance?" in mail.outbox[-1].body
    assert queries.due(Request.objects.get()).on is None


def test_a_question_that_was_answered_before_it_was_sent_is_not_sent(borough, at, officer):
    request = ask(borough, at)
    services.confirm_email(request)
    services.ask_clarification(request, by=officer, question="Which entrance?")
    services.clarified(request, by=officer)
    deliver()
    assert not [letter for letter in mail.outbox if "Which entrance?" in letter.body]


def test_the_notice_of_an_extension_gives_its_reason(borough, at, officer):
    request = ask(borough, at)
    services.confirm_email(request)
    services.prove_identity(request, by=officer, proofs="Passport and bill")
    services.extend(request, by=officer, reason="Forty recordings to look through")
    deliver()
    assert "Forty recordings to look through" in mail.outbox[-1].body


def test_the_desk_says_which_message_is_not_delivered_yet(client, borough, at, officer):
    request = ask(borough, at)
    signin.quickly(client, officer)
    pages = [reverse("requests:index"), reverse("requests:request", args=[request.pk])]
    for page in pages:
        assert "message not delivered yet" in client.get(page).content.decode().lower()
    deliver()
    for page in pages:
        assert "message not delivered yet" not in client.get(page).content.decode().lower()


def test_the_worker_tries_again_sooner_at_first_and_within_the_hour_later(borough, at):
    ask(borough, at)
    job = ProcrastinateJob.objects.get(task_name="rights.send_message").procrastinate_job
    from bluelamp.rights.tasks import send_message

    waits = []
    for attempts in (0, 3, 50, 5000):
        retry = send_message.get_retry_exception(OSError(), job.evolve(attempts=attempts))
        waits.append((retry.retry_decision.retry_at - clock.real_now()).total_seconds())
    assert waits == sorted(waits)
    assert waits[0] < 10
    assert waits[-1] <= 3600
