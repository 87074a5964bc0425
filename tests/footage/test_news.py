"""A list learns of recordings that came in since it was shown, and of no others."""

from __future__ import annotations

import html
import re

import pytest
from django.urls import reverse

from bluelamp.custody import queries as ledger
from bluelamp.people.policy import Role
from tests import factories

pytestmark = pytest.mark.django_db


def _line(page) -> str:
    """The address at which the page asks for news."""
    return html.unescape(re.search(r'id="news"[^>]*hx-get="([^"]+)"', page.content.decode())[1])


def test_a_list_says_how_many_recordings_came_since_and_leads_to_them(sign_in, officer):
    factories.recording(officer)
    client = sign_in(officer)
    ask = _line(client.get(reverse("footage:index"), {"officer": "Okafor"}))
    assert "new recording" not in client.get(ask).content.decode()
    for _ in range(3):
        factories.recording(officer)
    answer = client.get(ask)
    assert "3 new recordings – show" in answer.content.decode()
    assert f'href="{reverse("footage:index")}?officer=Okafor"' in answer.content.decode()
    assert _line(answer) == ask


def test_an_empty_list_learns_of_the_first_recording(sign_in, officer):
    client = sign_in(officer)
    ask = _line(client.get(reverse("footage:index")))
    factories.recording(officer)
    assert "1 new recording – show" in client.get(ask).content.decode()


def test_what_one_may_not_see_or_did_not_ask_for_is_no_news(sign_in, officer, stranger):
    client = sign_in(officer)
    everything = _line(client.get(reverse("footage:index")))
    of_another = _line(client.get(reverse("footage:index"), {"officer": "Nobody"}))
    factories.recording(stranger)
    assert "new recording" not in client.get(everything).content.decode()
    factories.recording(officer)
    assert "new recording" not in client.get(of_another).content.decode()


def test_asking_for_news_shows_nothing_that_the_ledger_would_have_to_know(sign_in, officer, colleague):
    client = sign_in(officer)
    ask = _line(client.get(reverse("footage:index")))
    factories.recording(colleague, place="Harbour Street")
    said = client.get(ask).content.decode()
    assert "1 new recording" in said
    assert "Harbour" not in said
    assert ledger.count("footage.listed") == 0


def test_only_the_first_page_asks(sign_in, officer):
    for _ in range(26):
        factories.recording(officer)
    first = sign_in(officer).get(reverse("footage:index")).content.decode()
    earlier = html.unescape(re.search(r'href="(\?before=[^"]+)"', first)[1])
    assert 'id="news"' not in sign_in(officer).get(reverse("footage:index") + earlier).content.decode()


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.OPERATOR])
def test_who_may_not_search_hears_no_news(client, sign_in, role):
    address = reverse("footage:new")
    assert client.get(address).status_code == 302
    assert sign_in(factories.person(role)).get(address).status_code == 403


@pytest.mark.parametrize("query", ["", "shown_at=yesterday&known=0", "shown_at=2026-01-01T00:00:00%2B00:00&known=-1"])
def test_a_damaged_question_is_refused_in_words(sign_in, officer, query):
    answer = sign_in(officer).get(f"{reverse('footage:new')}?{query}")
    assert answer.status_code == 422
