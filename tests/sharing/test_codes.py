"""One-time codes against a real database: what opens, what does not, and what a stranger learns."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bluelamp.custody import queries as ledger
from bluelamp.kernel import clock
from bluelamp.sharing import services, tasks
from bluelamp.sharing.models import SignInCode
from tests.sharing import post

pytestmark = pytest.mark.django_db

EMAIL = "jo@cps.example"


def _ask(email: str = EMAIL) -> str:
    ticket = services.ask_for_code(email)
    post.deliver()
    return ticket


def _tags(recipient) -> list[str]:
    return [item.tag for item in ledger.history(recipient.custody_id)]


def test_a_code_works_once(shared):
    recipient = shared().recipient
    ticket = _ask()
    code = post.code()
    assert services.check_code(ticket, f" {code[:3]} {code[3:]} ") == recipient
    assert services.check_code(ticket, code) is None


def test_five_wrong_tries_use_a_code_up(shared):
    shared()
    ticket = _ask()
    code = post.code()
    assert not any(services.check_code(ticket, post.wrong(code)) for _ in range(5))
    assert services.check_code(ticket, code) is None


def test_a_code_opens_only_the_session_that_asked_for_it(shared):
    shared()
    mine = Client()
    mine.post(reverse("share:sign_in"), {"email": EMAIL})
    post.deliver()
    code = post.code()
    other = Client()
    other.post(reverse("share:sign_in"), {"email": "nobody@else.example"})
    assert other.post(reverse("share:code"), {"code": code}).status_code == 422
    assert mine.post(reverse("share:code"), {"code": code}).status_code == 302


def test_a_new_code_voids_the_earlier_one_and_a_spent_one_revives_none(shared):
    shared()
    first = _ask()
    first_code = post.code()
    second = _ask()
    second_code = post.code()
    assert services.check_code(first, first_code) is None
    for _ in range(5):
        services.check_code(second, post.wrong(second_code))
    assert services.check_code(second, second_code) is None
    assert services.check_code(first, first_code) is None


def test_an_earlier_request_that_is_delivered_late_does_not_void_the_newer_code(shared):
    recipient = shared().recipient
    asked = clock.real_now()
    ticket = _ask()
    sent = len(mail.outbox)
    services.send_code(EMAIL, "earlier", asked)
    assert len(mail.outbox) == sent
    assert services.check_code(ticket, post.code()) == recipient


def test_ten_wrong_tries_within_a_day_stop_codes_and_tell_the_sharer_once(story, shared):
    recipient = shared().recipient
    for _ in range(2):
        ticket = _ask()
        code = post.code()
        for _ in range(5):
            services.check_code(ticket, post.wrong(code))
    assert post.waiting() == ["sharing.warn_sharer"]
    mail.outbox.clear()
    post.deliver()
    (warning,) = mail.outbox
    assert warning.to == [story[2].email]
    assert "Jo Reid" in warning.body
    assert _tags(recipient).count("recipient.codes_stopped") == 1
    ticket = _ask()
    assert len(mail.outbox) == 1
    assert services.check_code(ticket, "000000") is None
    SignInCode.objects.update(sent_at=clock.real_now() - timedelta(hours=25))
    _ask()
    assert mail.outbox[-1].to == [EMAIL]


def test_no_more_than_six_codes_an_hour_leave(shared):
    shared()
    post.deliver()
    mail.outbox.clear()
    for _ in range(8):
        _ask()
    assert len(mail.outbox) == 6


def test_a_mail_server_that_refuses_loses_no_code(client, shared, settings):
    shared()
    post.deliver()
    settings.EMAIL_BACKEND = post.REFUSES
    assert client.post(reverse("share:sign_in"), {"email": EMAIL}).status_code == 302
    with pytest.raises(ConnectionRefusedError):
        post.deliver()
    settings.EMAIL_BACKEND = post.WORKS
    post.deliver()
    assert client.post(reverse("share:code"), {"code": post.code()}).status_code == 302
    assert tasks.send_code.retry_strategy is not None


def test_asking_for_a_code_does_the_same_and_answers_the_same_for_a_stranger(shared):
    shared()
    post.deliver()
    answers, work = [], []
    for email in (EMAIL, "no@cps.example"):
        client = Client()
        with CaptureQueriesContext(connection) as done:
            answer = client.post(reverse("share:sign_in"), {"email": email})
        work.append([query["sql"].split()[0] for query in done.captured_queries])
        assert post.waiting() == ["sharing.send_code"]
        post.deliver()
        page = client.get(reverse("share:code")).content.decode()
        answers.append((answer.status_code, answer.url, re.sub(r'value="[^"]{20,}"|nonce="[^"]+"|\d', "", page)))
    assert answers[0] == answers[1]
    assert work[0] == work[1]


def test_after_five_wrong_codes_a_session_is_refused_without_an_event_each_time(client, shared):
    recipient = shared().recipient
    client.post(reverse("share:sign_in"), {"email": EMAIL})
    post.deliver()
    code = post.code()
    for _ in range(12):
        page = client.post(reverse("share:code"), {"code": post.wrong(code)})
    assert page.status_code == 422
    assert "Too many wrong codes" in page.content.decode()
    assert _tags(recipient).count("recipient.code_refused") == 5
    assert client.post(reverse("share:code"), {"code": code}).status_code == 422


def test_wrong_codes_for_an_unknown_address_leave_nothing_in_the_ledger(client):
    client.post(reverse("share:sign_in"), {"email": "nobody@else.example"})
    post.deliver()
    for _ in range(5):
        page = client.post(reverse("share:code"), {"code": "000000"})
    assert "That code is not right" in page.content.decode()
    assert ledger.count("recipient.code_refused") == 0


def test_codes_are_forgotten_when_they_count_for_nothing(shared):
    shared()
    _ask()
    services.forget_old_codes()
    assert SignInCode.objects.count() == 1
    SignInCode.objects.update(sent_at=clock.real_now() - timedelta(days=3))
    services.forget_old_codes()
    assert SignInCode.objects.count() == 0


def test_one_address_on_the_network_has_ten_codes_looked_for_in_ten_minutes_and_no_more(shared, client):
    share = shared()
    asked = [client.post(reverse("share:sign_in"), {"email": f"x{n}@cps.example"}).status_code for n in range(10)]
    assert asked == [302] * 10
    waiting = len(post.waiting())
    refused = client.post(reverse("share:sign_in"), {"email": EMAIL})
    assert refused.status_code == 429
    assert "Wait ten minutes" in refused.content.decode()
    assert len(post.waiting()) == waiting
    assert share.recipient.codes.count() == 0
    other = client.post(reverse("share:sign_in"), {"email": EMAIL}, REMOTE_ADDR="10.0.0.2")
    assert other.status_code == 302
