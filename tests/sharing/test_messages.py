"""Invitations: they leave in a job, or are waited for, and the share's page says which."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from django.core import mail
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob

from bluelamp.custody import queries as ledger
from bluelamp.kernel.transaction import atomic
from bluelamp.sharing import queries, services, tasks
from bluelamp.sharing.models import Share
from tests import signin
from tests.sharing import post

pytestmark = pytest.mark.django_db


def _token() -> str:
    return re.search(r"/share/invitation/([^/]+)/", mail.outbox[-1].body)[1]


def _page(client, share) -> str:
    return client.get(reverse("shares:share", args=[share.pk])).content.decode()


def test_a_refusing_mail_server_loses_no_invitation_and_the_page_says_that_it_waits(client, story, shared, settings):
    settings.EMAIL_BACKEND = post.REFUSES
    share = shared()
    with pytest.raises(ConnectionRefusedError):
        post.deliver()
    signin.quickly(client, story[2])
    assert "has not left yet" in _page(client, share)
    settings.EMAIL_BACKEND = post.WORKS
    post.deliver()
    assert queries.by_token(_token()) == share
    assert "has not left yet" not in _page(client, share)
    assert "share.invitation_sent" in [item.tag for item in ledger.history(share.custody_id)]


def test_the_job_is_tried_again_with_growing_waits_for_more_than_a_day(shared):
    shared()
    job = ProcrastinateJob.objects.get(task_name="sharing.send_invitation").procrastinate_job
    waits = []
    for attempts in range(16):
        decision = tasks.send_invitation.retry_strategy.get_retry_decision(
            exception=ConnectionRefusedError(), job=job.evolve(attempts=attempts)
        )
        waits.append((decision.retry_at - datetime.now(UTC)).total_seconds())
    assert waits == sorted(waits)
    assert sum(waits) > 86_400


def test_a_share_that_is_rolled_back_sends_nothing(shared):
    with pytest.raises(ZeroDivisionError), atomic():
        shared()
        raise ZeroDivisionError
    assert post.waiting() == []


def test_a_share_revoked_before_its_message_left_sends_nothing(story, shared):
    share = shared()
    services.revoke(share, by=story[2], reason="Mistake")
    post.deliver()
    assert mail.outbox == []


def test_a_new_link_replaces_the_earlier_one_from_the_moment_it_is_asked_for(story, shared):
    share = shared()
    post.deliver()
    first = _token()
    share.refresh_from_db()
    services.send_again(share, by=story[2])
    assert queries.by_token(first) is None
    post.deliver()
    assert queries.by_token(_token()) == share
    assert _token() != first


def test_the_message_names_the_expiry_in_london_time(shared):
    share = shared()
    Share.objects.filter(pk=share.pk).update(expires_at=datetime(2027, 6, 30, 23, 30, tzinfo=UTC))
    post.deliver()
    assert "until 1 Jul 2027, 00:30, London time" in mail.outbox[-1].body
