from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail

from bluelamp.custody import queries as custody
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Conflict, Invalid, NotAllowed
from bluelamp.people import second_factor, services
from bluelamp.people.access import actor
from bluelamp.people.models import Organisation, Person, Unit
from bluelamp.people.policy import Role
from bluelamp.people.queries import tree, unit_and_below, unit_choices
from tests import factories, signin

pytestmark = pytest.mark.django_db
MANAGER = "person:99"


def make(username: str = "a.okafor", **more: object) -> Person:
    given = {"username": username, "name": "Amara Okafor", "roles": [Role.OFFICER], "actor": MANAGER, **more}
    person, _ = services.create_person(**given)
    return person


def test_a_new_person_has_a_temporary_password_that_the_ledger_does_not_know() -> None:
    person, password = services.create_person(
        username="A.Okafor ", name="Amara Okafor", roles=["officer"], warrant_number="W1", actor=MANAGER
    )
    assert person.username == "a.okafor"
    assert person.check_password(password)
    assert person.password_is_temporary
    event = custody.history(person.custody_id)[-1]
    assert (event.tag, event.actor, event.details["roles"]) == ("person.created", MANAGER, ["officer"])
    assert password not in str(event)


def test_temporary_passwords_differ_and_are_long() -> None:
    passwords = {services.create_person(username=f"p{n}x", name="N", actor=MANAGER)[1] for n in range(20)}
    assert len(passwords) == 20
    assert all(len(password) == 19 for password in passwords)


@pytest.mark.parametrize(
    "wrong",
    [
        {"username": ""},
        {"username": "two words"},
        {"name": "  "},
        {"roles": ["emperor"]},
        {"email": "not an address"},
        {"password": "short"},
    ],
)
def test_an_account_with_wrong_values_is_not_made(wrong: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        make(**{"username": "a.okafor", **wrong})
    assert not Person.objects.exists()


def test_username_and_warrant_number_are_taken_once() -> None:
    make(warrant_number="W1")
    with pytest.raises(Conflict, match=r"username a\.okafor"):
        make()
    with pytest.raises(Conflict, match="warrant number W1"):
        make("another", warrant_number="W1")
    make("without", warrant_number="")
    make("numbers", warrant_number="")


def test_a_change_of_roles_ends_the_persons_sessions(client: object) -> None:
    from django.test import Client

    browser = Client()
    person = factories.person(Role.OFFICER)
    signin.quickly(browser, person)
    assert browser.get("/").status_code == 200
    services.set_roles(person, [Role.SUPERVISOR], actor=MANAGER, reason="Promoted")
    assert browser.get("/").status_code == 302
    event = custody.history(person.custody_id)[-1]
    assert (event.details["before"], event.details["after"], event.reason) == (["officer"], ["supervisor"], "Promoted")


def test_the_same_roles_again_say_nothing_and_end_nothing() -> None:
    person = make()
    services.set_roles(person, ["officer"], actor=MANAGER, reason="No change")
    assert custody.history(person.custody_id)[-1].tag == "person.created"
    assert person.session_epoch == 0


def test_nobody_changes_the_own_roles_closes_the_own_account_or_drops_the_own_second_factor() -> None:
    person = factories.person(Role.BWV_MANAGER)
    with pytest.raises(NotAllowed):
        services.set_roles(person, list(Role), actor=person.custody_id, reason="I want to")
    with pytest.raises(NotAllowed):
        services.deactivate(person, actor=person.custody_id, reason="I want to")
    with pytest.raises(NotAllowed):
        services.reset_second_factor(person, actor=person.custody_id, reason="I want to")
    person.refresh_from_db()
    assert (person.roles, person.is_active) == (["bwv_manager"], True)


def test_one_refusal_undoes_the_whole_change() -> None:
    person = factories.person(Role.BWV_MANAGER, name="Before")
    with pytest.raises(NotAllowed):
        services.update_person(
            person,
            actor=person.custody_id,
            reason="x",
            name="After",
            warrant_number="",
            email="",
            unit=None,
            roles=list(Role),
        )
    assert Person.objects.get().name == "Before"
    assert "person.changed" not in [item.tag for item in custody.history(person.custody_id)]


def test_changes_need_a_reason() -> None:
    person = make()
    for service in (services.deactivate, services.reactivate, services.reset_password, services.end_lockout):
        with pytest.raises(Invalid, match="Say why"):
            service(person, actor=MANAGER, reason=" ")
    with pytest.raises(Invalid, match="Say why"):
        services.set_roles(person, [], actor=MANAGER, reason="")


def test_another_unit_ends_the_sessions_and_another_name_does_not() -> None:
    person = make()
    given = {"warrant_number": "", "email": "", "roles": person.roles, "actor": MANAGER, "reason": "Moved"}
    services.update_person(person, name="Amara Okafor-Smith", unit=None, **given)
    assert person.session_epoch == 0
    unit = factories.unit()
    services.update_person(person, name="Amara Okafor-Smith", unit=unit, **given)
    assert person.session_epoch == 1
    event = custody.history(person.custody_id)[-1]
    assert event.details["changes"] == {"unit": ["", unit.code]}


def test_closing_and_reopening_an_account() -> None:
    person = make()
    services.deactivate(person, actor=MANAGER, reason="Left")
    assert actor(person).id is None
    services.deactivate(person, actor=MANAGER, reason="Left twice")
    services.reactivate(person, actor=MANAGER, reason="Back")
    assert actor(person).id == person.pk
    tags = [item.tag for item in custody.history(person.custody_id)]
    assert tags == ["person.created", "person.closed", "person.reopened"]


def test_a_reset_password_is_temporary_and_leaves_the_second_factor() -> None:
    person = factories.person(Role.OFFICER)
    password = services.reset_password(person, actor=MANAGER, reason="Forgotten")
    person.refresh_from_db()
    assert person.check_password(password)
    assert person.password_is_temporary
    assert Authenticator.objects.filter(user=person).exists()


def test_a_removed_second_factor_is_gone_with_its_recovery_codes() -> None:
    from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes

    person = factories.person(Role.OFFICER)
    RecoveryCodes.activate(person)
    services.reset_second_factor(person, actor=MANAGER, reason="Phone lost")
    assert not Authenticator.objects.filter(user=person).exists()
    assert custody.history(person.custody_id)[-1].tag == "person.second_factor_reset"


def test_the_tree_counts_open_accounts_below() -> None:
    force = services.create_unit(name="Force", code="F", kind="force", actor=MANAGER)
    borough = services.create_unit(name="Northgate", code="N", kind="borough", parent=force, actor=MANAGER)
    team = services.create_unit(name="Response", code="N1", kind="unit", parent=borough, actor=MANAGER)
    for where in (team, team, borough):
        factories.person(unit=where)
    closed = factories.person(unit=team)
    services.deactivate(closed, actor=MANAGER, reason="Left")
    (top,) = tree()
    assert (top.people, top.below[0].people, top.below[0].below[0].people) == (3, 3, 2)
    assert unit_and_below(borough.pk) == {borough.pk, team.pk}
    assert [code for code, _ in unit_choices()] == ["F", "N", "N1"]


@pytest.mark.parametrize(
    ("kind", "parent"), [("force", "team"), ("unit", None), ("borough", None), ("borough", "team"), ("castle", "force")]
)
def test_a_unit_stands_where_it_can_stand(kind: str, parent: str | None) -> None:
    force = factories.unit(kind=Unit.Kind.FORCE)
    places = {None: None, "force": force, "team": factories.unit(parent=force)}
    with pytest.raises(Invalid):
        services.create_unit(name="X", code="X", kind=kind, parent=places[parent], actor=MANAGER)


def test_a_units_code_is_taken_once() -> None:
    force = services.create_unit(name="Force", code="F", kind="force", actor=MANAGER)
    with pytest.raises(Conflict):
        services.create_unit(name="Other", code="F", kind="unit", parent=force, actor=MANAGER)


def test_an_organisation_keeps_its_domains_in_one_spelling() -> None:
    made = services.create_organisation(
        name="CPS London", kind="cps", email_domains=["@CPS.gov.uk", " cjsm.net ", ""], actor=MANAGER
    )
    assert made.email_domains == ["cps.gov.uk", "cjsm.net"]
    with pytest.raises(Invalid, match="not an e-mail domain"):
        services.create_organisation(name="X", kind="cps", email_domains=["a@b.example"], actor=MANAGER)
    with pytest.raises(Conflict):
        services.create_organisation(name="CPS London", kind="cps", actor=MANAGER)
    assert Organisation.objects.count() == 1


def test_a_sealed_secret_is_another_text_each_time_and_a_changed_one_is_refused() -> None:
    first, second = second_factor.seal("JBSWY3DP"), second_factor.seal("JBSWY3DP")
    assert first != second
    assert second_factor.unseal(first) == second_factor.unseal(second) == "JBSWY3DP"
    for wrong in ("JBSWY3DP", "v1:", first[:-6] + "AAAA==", first.replace("v1:", "v2:")):
        with pytest.raises(second_factor.SecondFactorUnreadable):
            second_factor.unseal(wrong)


def test_the_key_of_the_second_factor_is_in_a_file_of_its_own_closed_to_others() -> None:
    from django.conf import settings

    second_factor.seal("x")
    path = settings.BLUELAMP.keys / "second-factor.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(path.read_bytes()) == 32


def both(person: Person, first: str, second: str, *, by: str, then_by: str) -> None:
    """The two steps that open an account to whoever does both."""
    steps = {"password": services.reset_password, "second factor": services.reset_second_factor}
    steps[first](person, actor=by, reason="On the telephone")
    steps[second](person, actor=then_by, reason="On the telephone")


@pytest.mark.parametrize(("first", "second"), [("second factor", "password"), ("password", "second factor")])
def test_nobody_alone_resets_both_password_and_second_factor_within_a_day(first: str, second: str) -> None:
    person = factories.person(Role.PROFESSIONAL_STANDARDS)
    with pytest.raises(NotAllowed, match="not long ago"):
        both(person, first, second, by=MANAGER, then_by=MANAGER)
    before = person.password
    person.refresh_from_db()
    assert person.password == before
    assert len([item for item in custody.history(person.custody_id) if "reset" in item.tag]) == 1


@pytest.mark.parametrize(("first", "second"), [("second factor", "password"), ("password", "second factor")])
def test_two_managers_together_or_one_after_a_day_bring_a_person_back_in(first: str, second: str) -> None:
    both(factories.person(Role.OFFICER), first, second, by=MANAGER, then_by="person:98")
    person = factories.person(Role.OFFICER)
    steps = {"password": services.reset_password, "second factor": services.reset_second_factor}
    steps[first](person, actor=MANAGER, reason="On the telephone")
    clock.advance(timedelta(hours=24, seconds=1))
    steps[second](person, actor=MANAGER, reason="On the telephone")


def test_whose_password_or_second_factor_is_reset_is_told_by_mail(django_capture_on_commit_callbacks: Any) -> None:
    person = factories.person(Role.OFFICER)
    with django_capture_on_commit_callbacks(execute=True):
        both(person, "second factor", "password", by=MANAGER, then_by="person:98")
    first, second = mail.outbox
    assert first.to == second.to == [person.email]
    assert "authenticator app" in first.body
    assert "temporary password" in second.body
    assert "professional standards" in first.body


def test_a_mail_server_that_is_away_does_not_stop_a_reset(
    settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    person = factories.person(Role.OFFICER)
    with django_capture_on_commit_callbacks(execute=True):
        services.reset_password(person, actor=MANAGER, reason="Forgotten")
    person.refresh_from_db()
    assert person.password_is_temporary
