from __future__ import annotations

import re
import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from axes.models import AccessAttempt
from django.test import Client

from bluelamp.custody import queries as custody
from bluelamp.people import services, sessions
from bluelamp.people.models import Person
from bluelamp.people.policy import Role
from tests import factories, signin

pytestmark = pytest.mark.django_db


@pytest.fixture
def amara() -> Person:
    person, _ = services.create_person(
        username="a.okafor",
        name="Amara Okafor",
        roles=[Role.OFFICER],
        password=signin.PASSWORD,
        actor="system:test",
    )
    return person


@pytest.fixture
def secret(amara: Person) -> str:
    return signin.second_factor(amara)


def tags(person: Person) -> list[str]:
    return [item.tag for item in custody.history(person.custody_id)]


def last(subject: str) -> Any:
    return custody.history(subject)[-1]


def wrong_password(client: Client, username: str = "a.okafor", **more: Any) -> Any:
    return client.post("/account/login/", {"login": username, "password": "not this one"}, **more)


def test_password_and_code_open_the_start_page(client: Client, amara: Person, secret: str) -> None:
    response = signin.through_pages(client, "a.okafor", signin.PASSWORD, secret)
    assert (response.status_code, response["Location"]) == (302, "/")
    page = client.get("/")
    assert page.status_code == 200
    assert b"Amara Okafor" in page.content
    event = last(amara.custody_id)
    assert (event.tag, event.details["second_factor"]) == ("session.started", True)


def test_the_password_alone_opens_nothing(client: Client, amara: Person, secret: str) -> None:
    signin.through_pages(client, "a.okafor", signin.PASSWORD)
    response = client.get("/")
    assert response.status_code == 302
    assert response["Location"].startswith("/account/login/")
    assert "session.started" not in tags(amara)


def test_the_way_back_leads_to_the_page_that_was_asked_for(client: Client, amara: Person, secret: str) -> None:
    asked = client.get("/people/?q=smith")
    assert asked["Location"] == "/account/login/?next=/people/%3Fq%3Dsmith"
    form = {"login": "a.okafor", "password": signin.PASSWORD, "next": "/people/?q=smith"}
    code_page = client.post("/account/login/", form)
    response = client.post(code_page["Location"], {"code": signin.fresh_code(secret)})
    assert response["Location"] == "/people/?q=smith"


def test_the_way_back_never_leads_to_another_site(client: Client, amara: Person, secret: str) -> None:
    form = {"login": "a.okafor", "password": signin.PASSWORD, "next": "https://elsewhere.example/"}
    code_page = client.post("/account/login/", form)
    response = client.post(code_page["Location"], {"code": signin.fresh_code(secret)})
    assert response["Location"] == "/"


def test_the_session_is_another_one_after_sign_in(client: Client, amara: Person, secret: str) -> None:
    client.get("/account/login/")
    signin.through_pages(client, "a.okafor", signin.PASSWORD)
    before = client.session.session_key
    client.post("/account/2fa/authenticate/", {"code": signin.fresh_code(secret)})
    assert before
    assert client.session.session_key != before


def test_a_username_counts_in_any_case(client: Client, amara: Person, secret: str) -> None:
    assert signin.through_pages(client, " A.Okafor ", signin.PASSWORD, secret).status_code == 302
    assert client.get("/").status_code == 200


def test_a_person_without_a_second_factor_is_led_to_it_and_reaches_nothing_else(client: Client, amara: Person) -> None:
    signin.through_pages(client, "a.okafor", signin.PASSWORD)
    for address in ("/", "/people/", "/account/2fa/", "/account/2fa/recovery-codes/"):
        response = client.get(address)
        assert (response.status_code, response["Location"]) == (302, "/account/2fa/totp/activate/"), address


def test_setting_up_the_app_shows_recovery_codes_and_opens_the_rest(client: Client, amara: Person) -> None:
    signin.through_pages(client, "a.okafor", signin.PASSWORD)
    page = client.get("/account/2fa/totp/activate/")
    secret = page.context["form"].secret if page.context else client.session["mfa.totp.secret"]
    assert secret.encode() in page.content
    assert b"data:image/svg+xml;base64," in page.content
    response = client.post("/account/2fa/totp/activate/", {"code": signin.code(secret)})
    assert response["Location"] == "/account/2fa/recovery-codes/"
    codes = client.get(response["Location"])
    assert codes.content.count(b"<li><code>") == 10
    assert client.get("/").status_code == 200
    assert tags(amara)[-1] == "person.second_factor_set"
    assert client.get("/account/2fa/totp/activate/")["Location"] == "/account/2fa/"


def test_a_wrong_first_code_sets_up_nothing(client: Client, amara: Person) -> None:
    signin.through_pages(client, "a.okafor", signin.PASSWORD)
    page = client.get("/account/2fa/totp/activate/")
    assert page.status_code == 200
    response = client.post("/account/2fa/totp/activate/", {"code": "000000"})
    assert b"That code is not right" in response.content
    assert not Authenticator.objects.exists()
    assert client.get("/").status_code == 302


def test_a_recovery_code_opens_the_account_once(client: Client, amara: Person, secret: str) -> None:
    from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes

    code = RecoveryCodes.activate(amara).generate_codes()[0]
    signin.through_pages(client, "a.okafor", signin.PASSWORD)
    assert client.post("/account/2fa/authenticate/", {"code": code})["Location"] == "/"
    other = Client()
    signin.through_pages(other, "a.okafor", signin.PASSWORD)
    assert other.post("/account/2fa/authenticate/", {"code": code}).status_code == 200
    assert other.get("/").status_code == 302


def test_a_code_is_good_once(client: Client, amara: Person, secret: str) -> None:
    signin.through_pages(client, "a.okafor", signin.PASSWORD)
    code = signin.fresh_code(secret)
    assert client.post("/account/2fa/authenticate/", {"code": code}).status_code == 302
    overseer = Client()
    signin.through_pages(overseer, "a.okafor", signin.PASSWORD)
    response = overseer.post("/account/2fa/authenticate/", {"code": code})
    assert b"was used already" in response.content
    assert overseer.get("/").status_code == 302


def test_secrets_and_recovery_codes_are_sealed_in_the_database(amara: Person, secret: str) -> None:
    from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes

    codes = RecoveryCodes.activate(amara)
    stored = {row.type: row.data for row in Authenticator.objects.all()}
    assert stored["totp"]["secret"].startswith("v1:")
    assert stored["recovery_codes"]["seed"].startswith("v1:")
    assert secret not in str(stored)
    assert not any(code in str(stored) for code in codes.generate_codes())
    assert signin.secret_of(amara) == secret


def test_a_failed_sign_in_is_in_the_ledger_without_the_password(client: Client, amara: Person) -> None:
    response = wrong_password(client)
    assert b"do not belong together" in response.content
    event = last(amara.custody_id)
    assert (event.tag, event.actor, event.details["username"]) == ("session.refused", "public", "a.okafor")
    assert event.details["step"] == "password"
    assert "not this one" not in str(event)


def test_what_is_nobodys_username_is_not_kept_since_it_may_be_a_password(client: Client, amara: Person) -> None:
    wrong_password(client, username="hunter2-my-password")
    event = last("system:sign-in")
    assert (event.tag, event.details["username"]) == ("session.refused", "")
    assert "hunter2" not in str(event)


def test_both_kinds_of_failure_answer_alike(client: Client, amara: Person) -> None:
    known, unknown = wrong_password(client), wrong_password(Client(), username="nobody.there")
    differing = re.compile(rb'value="[A-Za-z0-9]{64}"|a\.okafor|nobody\.there')
    shown = [differing.sub(b"", page.content.split(b"<main")[1].split(b"<footer")[0]) for page in (known, unknown)]
    assert shown[0] == shown[1]


def test_five_failures_close_the_door_in_words_and_even_the_right_password_waits(
    client: Client, amara: Person, secret: str
) -> None:
    for _ in range(4):
        assert wrong_password(client).status_code == 200
    response = wrong_password(client)
    assert response.status_code == 429
    assert b"Sign-in is closed for a while" in response.content
    assert b"15 minutes" in response.content
    assert response["Retry-After"] == "900"
    right = client.post("/account/login/", {"login": "A.OKAFOR", "password": signin.PASSWORD})
    assert right.status_code == 429
    assert tags(amara).count("session.locked_out") == 1


def test_a_lock_out_is_of_one_username_from_one_place(client: Client, amara: Person, secret: str) -> None:
    for _ in range(5):
        wrong_password(client, REMOTE_ADDR="192.0.2.7")
    elsewhere = signin.through_pages(Client(REMOTE_ADDR="192.0.2.8"), "a.okafor", signin.PASSWORD)
    assert elsewhere.status_code == 302
    assert wrong_password(client, username="another", REMOTE_ADDR="192.0.2.7").status_code == 200


def test_wrong_codes_count_like_wrong_passwords(client: Client, amara: Person, secret: str) -> None:
    signin.through_pages(client, "a.okafor", signin.PASSWORD)
    wrong = "000000" if signin.code(secret) != "000000" else "111111"
    answers = [client.post("/account/2fa/authenticate/", {"code": wrong}).status_code for _ in range(5)]
    assert answers == [200, 200, 200, 200, 429]
    assert tags(amara).count("session.locked_out") == 1
    right = client.post("/account/2fa/authenticate/", {"code": signin.code(secret)})
    assert right.status_code == 429
    assert client.get("/").status_code == 302
    steps = [item.details["step"] for item in custody.history(amara.custody_id) if item.tag == "session.refused"]
    assert set(steps) == {"code"}


def test_the_manager_opens_the_door_again(client: Client, amara: Person, secret: str) -> None:
    for _ in range(5):
        wrong_password(client)
    services.end_lockout(amara, actor="person:99", reason="Known person on the telephone")
    assert not AccessAttempt.objects.exists()
    assert signin.through_pages(client, "a.okafor", signin.PASSWORD, secret).status_code == 302
    assert client.get("/").status_code == 200


def test_a_username_of_any_length_or_with_odd_characters_is_answered(client: Client) -> None:
    for username in ("x" * 5000, "nul\0byte", "‮", "' or 1=1 --"):
        assert wrong_password(client, username=username).status_code == 200, username[:20]


def test_signing_out_ends_the_session_and_is_in_the_ledger(client: Client) -> None:
    person = factories.person(Role.OFFICER)
    signin.quickly(client, person)
    assert client.get("/account/logout/").status_code == 200
    assert client.get("/").status_code == 200
    client.post("/account/logout/")
    assert client.get("/").status_code == 302
    event = last(person.custody_id)
    assert (event.tag, event.details["how"]) == ("session.ended", "signed out")


@pytest.mark.parametrize(
    ("after", "stamp", "how"), [(1801, "seen_at", "idle"), (8 * 3600 + 1, "signed_in_at", "too long")]
)
def test_a_session_ends_when_idle_and_after_a_shift(client: Client, after: int, stamp: str, how: str) -> None:
    person = factories.person(Role.OFFICER)
    signin.quickly(client, person)
    session = client.session
    session[f"bluelamp.{stamp}"] = time.time() - after
    session.save()
    response = client.get("/people/")
    assert response["Location"].startswith("/account/login/?next=/people/")
    assert b"You were signed out" in client.get(response["Location"]).content
    event = last(person.custody_id)
    assert (event.tag, event.details["how"]) == ("session.ended", how)
    assert tags(person).count("session.ended") == 1


def test_work_keeps_a_session_alive_until_the_shift_is_over(client: Client) -> None:
    signin.quickly(client, factories.person(Role.OFFICER))
    session = client.session
    session[sessions.SEEN_AT] = time.time() - 1700
    session.save()
    assert client.get("/").status_code == 200
    assert time.time() - client.session[sessions.SEEN_AT] < 60


def test_a_session_without_stamps_is_over(client: Client) -> None:
    signin.quickly(client, factories.person(Role.OFFICER))
    session = client.session
    del session[sessions.SIGNED_IN_AT]
    session.save()
    assert client.get("/").status_code == 302


def test_traffic_beside_the_pages_asks_by_session_key(client: Client) -> None:
    person = factories.person(Role.OFFICER)
    signin.quickly(client, person)
    key = client.session.session_key
    assert key
    assert sessions.person_of_session(key) == person
    assert sessions.person_of_session("made-up") is None
    services.deactivate(person, actor="person:99", reason="Left the force")
    assert sessions.person_of_session(key) is None


def test_a_fragment_is_not_replaced_by_the_sign_in_page(client: Client) -> None:
    response = client.get("/people/", headers={"HX-Request": "true"})
    assert response.status_code == 200
    assert response["HX-Redirect"].startswith("/account/login/")


def test_a_temporary_password_is_changed_before_anything_else(client: Client) -> None:
    person, password = services.create_person(username="new.one", name="New One", roles=["officer"], actor="person:1")
    signin.through_pages(client, "new.one", password)
    assert client.get("/")["Location"] == "/account/password/"
    assert client.get("/account/2fa/totp/activate/")["Location"] == "/account/password/"
    form = {"oldpassword": password, "password1": signin.PASSWORD, "password2": signin.PASSWORD}
    assert client.post("/account/password/", form).status_code == 302
    assert client.get("/")["Location"] == "/account/2fa/totp/activate/"
    person.refresh_from_db()
    assert not person.password_is_temporary
    assert tags(person)[-1] == "person.password_changed"


def test_a_weak_password_is_refused_in_words(client: Client) -> None:
    person = factories.person(Role.OFFICER)
    person.set_password(signin.PASSWORD)
    person.save()
    signin.quickly(client, person)
    form = {"oldpassword": signin.PASSWORD, "password1": "password123", "password2": "password123"}
    response = client.post("/account/password/", form)
    assert b"too short" in response.content
    assert b"too common" in response.content or b"too short" in response.content


def test_a_changed_password_ends_the_other_sessions(client: Client) -> None:
    person = factories.person(Role.OFFICER)
    person.set_password(signin.PASSWORD)
    person.save()
    other = Client()
    signin.quickly(client, person)
    signin.quickly(other, person)
    new = "entirely different words here"
    response = client.post("/account/password/", {"oldpassword": signin.PASSWORD, "password1": new, "password2": new})
    assert response.status_code == 302
    assert client.get("/").status_code == 200
    assert other.get("/").status_code == 302


def test_a_closed_account_is_told_so_and_stays_out(client: Client, amara: Person, secret: str) -> None:
    services.deactivate(amara, actor="person:99", reason="Left the force")
    response = signin.through_pages(client, "a.okafor", signin.PASSWORD)
    assert response["Location"] == "/account/inactive/"
    assert b"Your account is closed" in client.get("/account/inactive/").content
    assert client.get("/").status_code == 302


@pytest.mark.parametrize(
    "address",
    [
        "/account/signup/",
        "/account/email/",
        "/account/confirm-email/",
        "/account/password/reset/",
        "/account/password/set/",
        "/account/login/code/",
        "/account/2fa/totp/deactivate/",
        "/account/2fa/recovery-codes/download/",
        "/account/2fa/webauthn/",
        "/account/",
    ],
)
def test_other_pages_of_allauth_do_not_exist(client: Client, address: str) -> None:
    assert client.get(address).status_code == 404
    signin.quickly(client, factories.person(Role.OPERATOR))
    assert client.get(address).status_code == 404


def test_own_account_shows_what_is_set_up_and_new_recovery_codes_are_recorded(client: Client) -> None:
    person = factories.person(Role.OFFICER)
    person.set_password(signin.PASSWORD)
    person.save()
    signin.quickly(client, person)
    assert b"Authenticator app" in client.get("/account/2fa/").content
    assert client.get("/account/2fa/recovery-codes/generate/")["Location"].startswith("/account/reauthenticate/")
    again = client.post(
        "/account/reauthenticate/?next=/account/2fa/recovery-codes/generate/", {"password": signin.PASSWORD}
    )
    assert again["Location"] == "/account/2fa/recovery-codes/generate/"
    assert client.get("/account/2fa/recovery-codes/generate/").status_code == 200
    client.post("/account/2fa/recovery-codes/generate/")
    assert tags(person)[-1] == "person.recovery_codes_made"
    assert client.get("/account/2fa/recovery-codes/").content.count(b"<li><code>") == 10
