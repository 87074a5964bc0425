"""Ways that a recording's page offers: back to the list, and to a moment."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from bluelamp.footage.models import Recording

pytestmark = pytest.mark.django_db


def _page(client, recording, **query):
    return client.get(reverse("footage:recording", args=[recording.pk]), query)


def test_an_auditor_is_not_sent_where_the_page_is_shut_nor_told_to_ask_for_a_role(sign_in, auditor, recording):
    client = sign_in(auditor)
    page = _page(client, recording).content.decode()
    assert "facts and the history" in page
    assert "give you a role" not in page
    assert f'href="{reverse("footage:index")}"' not in page
    assert 'aria-current="page">Ada Okafor' in page


def test_a_camera_event_leads_to_its_moment_without_javascript(sign_in, officer, recording):
    events = [{"at": recording.device_started_at.isoformat(), "kind": "marker", "note": ""}]
    Recording.objects.filter(pk=recording.pk).update(events=events)
    client = sign_in(officer)
    assert 'href="?t=0.0"' in _page(client, recording).content.decode()
    page = _page(client, recording, t="2.5").content.decode()
    assert re.search(r'<video [^>]*src="/media/[^"]+#t=2\.5"', page)
    assert "#t=" not in _page(client, recording, t='1"><script>').content.decode()


def test_an_officer_finds_the_way_back_to_the_list(sign_in, officer, recording):
    crumbs = _page(sign_in(officer), recording).content.decode().partition('aria-label="Breadcrumb"')[2]
    assert f'href="{reverse("footage:index")}"' in crumbs.partition("</nav>")[0]
