from __future__ import annotations

import pytest
from django.test import Client, RequestFactory

from bluelamp.custody import queries as custody
from bluelamp.people import services
from bluelamp.people.access import ANYBODY, allows, request_actor
from bluelamp.people.models import Organisation, Person, Unit
from bluelamp.people.policy import Action, Role
from tests import factories, signin

pytestmark = pytest.mark.django_db

READ = ["/people/", "/people/organisations/", "/people/{id}/"]
CHANGE = [
    ("/people/new/", {"username": "x.y", "name": "X", "reason": "r"}),
    ("/people/units/new/", {"name": "X", "code": "X", "kind": "force"}),
    ("/people/organisations/new/", {"name": "X", "kind": "cps"}),
    ("/people/{id}/edit/", {"name": "X", "reason": "r", "roles": ["auditor"]}),
    *(
        (f"/people/{{id}}/{step}/", {"reason": "r"})
        for step in ("close", "reopen", "password", "second-factor", "lockout")
    ),
]


@pytest.fixture
def unit() -> Unit:
    return factories.unit("Northgate Response", parent=factories.unit("Force", kind=Unit.Kind.FORCE))


@pytest.fixture
def amara(unit: Unit) -> Person:
    return factories.person(Role.OFFICER, unit=unit, name="Amara Okafor")


@pytest.fixture
def manager(client: Client, unit: Unit) -> Client:
    signin.quickly(client, factories.person(Role.BWV_MANAGER, unit=unit, name="Max Manager"))
    return client


@pytest.mark.parametrize("address", READ + [address for address, _ in CHANGE])
def test_nobody_sees_people_without_signing_in(client: Client, amara: Person, address: str) -> None:
    response = client.get(address.format(id=amara.pk))
    assert response.status_code == 302
    assert response["Location"].startswith("/account/login/")


@pytest.mark.parametrize("address", READ)
@pytest.mark.parametrize("role", [Role.OFFICER, Role.INVESTIGATOR, Role.RIGHTS_OFFICER, Role.POST_INCIDENT_MANAGER])
def test_whose_role_does_not_include_it_is_refused_on_the_record(
    client: Client, amara: Person, role: Role, address: str
) -> None:
    who = factories.person(role)
    signin.quickly(client, who)
    response = client.get(address.format(id=amara.pk))
    assert response.status_code == 403
    assert b"Your role does not include this." in response.content
    assert custody.search(tag="access.refused")[0].actor == who.custody_id


@pytest.mark.parametrize(("address", "form"), CHANGE)
@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.AUDITOR, Role.OPERATOR, Role.PROFESSIONAL_STANDARDS])
def test_who_may_only_look_changes_nothing(
    client: Client, amara: Person, role: Role, address: str, form: dict[str, object]
) -> None:
    signin.quickly(client, factories.person(role))
    before = (Person.objects.count(), Unit.objects.count(), Organisation.objects.count(), amara.password)
    assert client.post(address.format(id=amara.pk), form).status_code == 403
    amara.refresh_from_db()
    assert before == (Person.objects.count(), Unit.objects.count(), Organisation.objects.count(), amara.password)
    assert (amara.is_active, amara.roles, amara.name) == (True, ["officer"], "Amara Okafor")


def test_the_list_is_narrowed_by_words_unit_role_and_state(manager: Client, amara: Person, unit: Unit) -> None:
    other = factories.person(Role.AUDITOR, unit=factories.unit(), name="Ben Closed")
    services.deactivate(other, actor="person:99", reason="Left")
    for query in ("q=okaf+amara", f"q={amara.warrant_number}", f"unit={unit.parent.code}", "role=officer"):
        page = manager.get(f"/people/?{query}").content.decode()
        assert "Amara Okafor" in page, query
        assert "Ben Closed" not in page, query
    assert "Ben Closed" in manager.get("/people/?state=closed").content.decode()
    assert "Ben Closed" in manager.get("/people/?state=all").content.decode()
    assert "Nobody is like that" in manager.get("/people/?q=zzz").content.decode()


def test_the_list_goes_page_by_page(manager: Client, unit: Unit) -> None:
    Person.objects.bulk_create(Person(username=f"u{n}", name=f"Zed {n:03}", unit=unit) for n in range(60))
    assert b"Zed 059" not in manager.get("/people/").content
    assert b"Zed 059" in manager.get("/people/?page=2").content


def test_adding_a_person_shows_the_temporary_password_once(manager: Client, unit: Unit) -> None:
    form = {"name": "New One", "username": "n.one", "unit": unit.code, "roles": ["officer"], "reason": "Joined"}
    page = manager.post("/people/new/", form)
    password = page.content.decode().split('id="temporary-password">')[1].split("<")[0]
    made = Person.objects.get(username="n.one")
    assert made.check_password(password)
    assert made.unit == unit
    assert page["Cache-Control"] == "no-store"
    assert password not in manager.get(f"/people/{made.pk}/").content.decode()
    again = manager.post("/people/new/", form)
    assert again.status_code == 422
    assert b"Somebody has the username n.one already." in again.content


def test_a_persons_page_tells_the_accounts_story(manager: Client, amara: Person) -> None:
    services.set_roles(amara, ["officer", "supervisor"], actor="person:99", reason="Promoted to sergeant")
    page = manager.get(f"/people/{amara.pk}/").content.decode()
    for words in ("Front-line officer, Supervisor", "Northgate Response", "Set up", "Promoted to sergeant"):
        assert words in page, words


def test_changing_roles_needs_a_reason_and_is_for_others_only(manager: Client, amara: Person) -> None:
    form = {"name": "Amara Okafor", "roles": ["supervisor"], "reason": ""}
    assert manager.post(f"/people/{amara.pk}/edit/", form).status_code == 422
    response = manager.post(f"/people/{amara.pk}/edit/", {**form, "reason": "Promoted"})
    assert response.status_code == 302
    amara.refresh_from_db()
    assert amara.roles == ["supervisor"]
    me = Person.objects.get(name="Max Manager")
    own = manager.post(f"/people/{me.pk}/edit/", {"name": "Max Manager", "roles": list(Role), "reason": "Ambition"})
    assert own.status_code == 422
    assert b"Nobody changes the own roles." in own.content
    me.refresh_from_db()
    assert me.roles == ["bwv_manager"]


@pytest.mark.parametrize("step", ["close", "reopen", "password", "second-factor", "lockout"])
def test_each_step_asks_for_a_reason_first(manager: Client, amara: Person, step: str) -> None:
    address = f"/people/{amara.pk}/{step}/"
    assert b"Reason" in manager.get(address).content
    assert manager.post(address, {"reason": "  "}).status_code == 422
    assert manager.post(address, {"reason": "Asked in person"}).status_code in (200, 302)


def test_closing_an_account_and_a_step_that_does_not_exist(manager: Client, amara: Person) -> None:
    manager.post(f"/people/{amara.pk}/close/", {"reason": "Left the force"})
    amara.refresh_from_db()
    assert not amara.is_active
    assert manager.get(f"/people/{amara.pk}/promote/").status_code == 404
    assert manager.get("/people/999999/").status_code == 404


def test_nobody_closes_the_own_account_by_the_address_bar(manager: Client) -> None:
    me = Person.objects.get(name="Max Manager")
    assert manager.post(f"/people/{me.pk}/close/", {"reason": "x"}).status_code == 403
    assert b"/close/" not in manager.get(f"/people/{me.pk}/").content


def test_units_and_organisations_are_added(manager: Client, unit: Unit) -> None:
    form = {"name": "Dog Support", "code": "DOG", "kind": "unit", "parent": unit.parent.code}
    assert manager.post("/people/units/new/", form).status_code == 302
    assert b"Dog Support" in manager.get("/people/").content
    assert manager.post("/people/units/new/", {**form, "code": "D2", "parent": ""}).status_code == 422
    cps = {"name": "CPS London", "kind": "cps", "email_domains": "cps.gov.uk\ncjsm.net"}
    assert manager.post("/people/organisations/new/", cps).status_code == 302
    assert b"cps.gov.uk, cjsm.net" in manager.get("/people/organisations/").content
    assert (
        manager.post("/people/organisations/new/", {**cps, "name": "Y", "email_domains": "nonsense"}).status_code == 422
    )


def test_names_are_shown_as_text_whatever_they_contain(manager: Client) -> None:
    odd = factories.person(Role.OFFICER, name="<script>alert(1)</script>")
    for address in ("/people/", f"/people/{odd.pk}/", f"/people/{odd.pk}/edit/", f"/people/{odd.pk}/close/"):
        assert b"<script>alert" not in manager.get(address).content


def test_the_start_page_greets_by_role_and_says_what_is_waiting(manager: Client, amara: Person) -> None:
    services.reset_second_factor(amara, actor="person:99", reason="Phone lost")
    page = manager.get("/").content.decode()
    assert "Body-worn video manager" in page
    assert "1 person has not set up an authenticator app yet" in page


def test_an_account_without_a_role_is_told_whom_to_ask(client: Client) -> None:
    signin.quickly(client, factories.person())
    page = client.get("/").content
    assert b"Your account has no role yet" in page
    assert b"/people/" not in page


def test_the_navigation_shows_what_a_person_may_open(client: Client, manager: Client) -> None:
    assert b'href="/people/"' in manager.get("/").content
    officer = Client()
    signin.quickly(officer, factories.person(Role.OFFICER))
    page = officer.get("/").content
    assert b'href="/people/"' not in page
    assert b'href="/fleet/"' not in page
    assert b'href="/account/2fa/"' in page


def test_a_request_for_another_host_is_answered_in_words(client: Client) -> None:
    response = client.get("/", headers={"Host": "elsewhere.example"})
    assert response.status_code == 400
    assert b"That request could not be understood" in response.content


def test_a_request_of_which_nobody_asked_who_sent_it_is_the_publics() -> None:
    request = RequestFactory().get("/")
    assert request_actor(request) == ANYBODY
    assert not allows(request, Action.VIEW_PEOPLE)


@pytest.mark.parametrize("step", ["close", "password", "second-factor", "lockout"])
def test_a_reason_is_short_and_of_characters_that_can_be_kept(manager: Client, amara: Person, step: str) -> None:
    before = len(custody.history(amara.custody_id))
    for reason in ("x" * 501, "nul\0byte", "   "):
        response = manager.post(f"/people/{amara.pk}/{step}/", {"reason": reason})
        assert response.status_code == 422
        assert b"govuk-error-message" in response.content
    assert len(custody.history(amara.custody_id)) == before


def test_what_was_typed_as_a_reason_is_still_there_to_be_shortened(manager: Client, amara: Person) -> None:
    response = manager.post(f"/people/{amara.pk}/close/", {"reason": "so long a story " * 40})
    assert b"Say it in 500 characters or fewer." in response.content
    assert b"so long a story" in response.content
