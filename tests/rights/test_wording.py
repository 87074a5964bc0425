"""What the public is told: how to reach the force, prove who one is, answer. No way is promised that does not exist."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse

from bluelamp.project import configuration
from bluelamp.rights import services
from bluelamp.rights.models import Message
from tests import signin
from tests.rights.given import ask, deliver, form

pytestmark = pytest.mark.django_db

HEADING = "Write, call or come"


@pytest.fixture(autouse=True)
def reached_by(settings):
    """Sets the lines by which the public reaches the force."""

    def lines(*given):
        settings.BLUELAMP = dataclasses.replace(settings.BLUELAMP, public_contact=given)

    lines("1 Lantern <b>Street</b>", "0100 555 0199")
    return lines


def _confirmed(borough, at, **more):
    request = ask(borough, at, **{"proof_photo": "passport", "proof_other": "utility bill", **more})
    services.confirm_email(request)
    deliver()
    return request


def _followed(client, request):
    given = {"reference": request.reference, "email": request.email}
    return client.post(reverse("public:follow"), given).content.decode()


def test_a_contact_is_lines_and_only_a_demonstration_has_one_by_itself(tmp_path):
    given = {"BLUELAMP_DATA": str(tmp_path)}
    assert configuration.load(given).public_contact == ()
    named = configuration.load({**given, "BLUELAMP_PUBLIC_CONTACT": " 1 Lantern Street || 0100 555 0199 |"})
    assert named.public_contact == ("1 Lantern Street", "0100 555 0199")
    (tmp_path / "instance.json").write_text('{"demonstration": true}')
    assert "1 Lantern Street" in configuration.load(given).public_contact


@pytest.mark.parametrize("name", ["index", "ask", "follow"])
def test_each_page_of_the_public_says_how_to_reach_the_force(client, name, reached_by):
    page = client.get(reverse(f"public:{name}")).content.decode()
    assert HEADING in page
    assert "1 Lantern &lt;b&gt;Street&lt;/b&gt;<br>0100 555 0199" in page
    reached_by()
    assert HEADING not in client.get(reverse(f"public:{name}")).content.decode()


def test_each_letter_ends_with_how_to_reach_the_force(borough, at, officer, reached_by):
    for lines in (["1 Lantern Street"], []):
        reached_by(*lines)
        request = _confirmed(borough, at)
        services.ask_clarification(request, by=officer, question="Which entrance?")
        services.prove_identity(request, by=officer, proofs="Passport and bill")
        services.clarified(request, by=officer)
        services.extend(request, by=officer, reason="Forty recordings")
        services.ask_clarification(request, by=officer, question="Which door?")
        deliver()
    ends = [letter.body.endswith(f"{HEADING}:\n1 Lantern Street\n") for letter in mail.outbox]
    assert ends == [True] * 3 + [False] * 3
    assert not [letter for letter in mail.outbox[3:] if HEADING in letter.body or "below" in letter.body]


def test_old_footage_and_too_many_requests_point_to_a_way_that_exists(client, borough, at, reached_by):
    for number in range(5):
        ask(borough, at, email="mary@mail.example", place=f"Street {number}")
    old = form(borough, at - timedelta(days=900))
    for lines, words in ((["1 Lantern Street"], "write to us, call or come"), ([], "contact the force")):
        reached_by(*lines)
        for given in (old, form(borough, at)):
            page = client.post(reverse("public:ask"), given).content.decode()
            assert words in page
            assert "by post" not in page


def test_a_confirmed_request_is_told_how_to_prove_who_asks(client, borough, at):
    request = _confirmed(borough, at, on_behalf_of="Tom Whitfield")
    letter = mail.outbox[-1].body
    for told in (letter, _followed(client, request)):
        assert "photocard driving licence" in told
        assert "council tax bill" in told
        assert "You said you have this: passport." in told
        assert "send us copies, in one of the ways below" in told
        assert "Do not send originals" in told
        assert "The month begins when we have seen both proofs." in told
        assert "by what authority you ask for Tom Whitfield" in told
        assert request.reference in told


def test_without_a_contact_the_force_will_write_how_to_show_the_proofs(client, borough, at, reached_by):
    reached_by()
    request = _confirmed(borough, at)
    for told in (mail.outbox[-1].body, _followed(client, request)):
        assert "We will write to you how to show them." in told
        assert "below" not in told


def test_who_has_proved_it_or_need_not_is_not_asked_for_proofs(client, borough, at, officer):
    proved = ask(borough, at)
    services.confirm_email(proved)
    services.prove_identity(proved, by=officer, proofs="Passport and bill")
    deliver()
    foi = _confirmed(borough, at, kind="foi")
    assert not mail.outbox
    for request in (proved, foi):
        assert "How to prove who you are" not in _followed(client, request)


def test_the_desk_names_a_letter_about_proofs_that_has_not_left(client, borough, at, officer):
    request = ask(borough, at)
    deliver()
    services.confirm_email(request)
    signin.quickly(client, officer)
    page = client.get(reverse("requests:request", args=[request.pk])).content.decode()
    assert "how to prove identity, written" in page
    assert Message.objects.get(sent_at=None).kind == Message.Kind.PROOFS


def test_an_open_question_is_shown_with_how_to_answer_it_until_it_is_answered(client, borough, at, officer, reached_by):
    request = _confirmed(borough, at)
    services.ask_clarification(request, by=officer, question="Which entrance?\nNorth or <i>south</i>?")
    assert "Which entrance?" not in _followed(client, request), "the clock stands only from the sending"
    deliver()
    assert "Give us your answer in one of the ways below" in mail.outbox[-1].body
    page = _followed(client, request)
    assert "Which entrance?<br>North or &lt;i&gt;south&lt;/i&gt;?" in page
    assert f"one of the ways below, with your reference {request.reference}" in page
    reached_by()
    assert "Contact the force with your answer" in _followed(client, request)
    services.clarified(request, by=officer)
    assert "Which entrance?" not in _followed(client, request)
