"""The body-worn systems' pages, and who gets to them."""

from __future__ import annotations

import html
import json
import re
from uuid import UUID, uuid4

import pytest
from django.test import Client

from bluelamp.custody import queries as ledger
from bluelamp.ingest.axis import services
from bluelamp.ingest.axis.services.connections import Wanted
from bluelamp.ingest.models import AxisAlert, AxisConnection, AxisContainer, AxisUser
from bluelamp.kernel import clock
from bluelamp.people.policy import Role
from tests import factories, signin

pytestmark = pytest.mark.django_db


@pytest.fixture
def unit():
    return factories.unit("Northgate")


@pytest.fixture
def connection(unit) -> AxisConnection:
    made = services.issue(Wanted(name="Northgate, Axis", unit=unit), actor="person:1").connection
    services.announce_user(made, "5c1e1a7e-0000-4000-8000-000000000001", {"name": "PC Nobody", "userid": ""})
    services.announce_device(made, "B8A44F000001", {"model": "W102", "name": "Camera 1"})
    services.raise_alert(made, AxisAlert.Kind.DEVICE, "NOSUCH", "A recording names an unknown camera.")
    return made


@pytest.fixture
def rejected(connection) -> AxisContainer:
    return AxisContainer.objects.create(
        connection=connection, name=f"RejectedContent_{uuid4()}", kind="rejected", created_at=clock.now()
    )


@pytest.fixture
def manager(client: Client, unit) -> Client:
    signin.quickly(client, factories.person(Role.BWV_MANAGER, unit=unit))
    return client


def _addresses(connection: AxisConnection, rejected: AxisContainer) -> tuple[list[str], list[str]]:
    """What readers of the fleet see, and what only its manager does."""
    user, alert = AxisUser.objects.get(), AxisAlert.objects.get()
    read = ["/fleet/axis/", f"/fleet/axis/{connection.pk}/"]
    manage = [
        "/fleet/axis/new/",
        f"/fleet/axis/{connection.pk}/file/",
        f"/fleet/axis/{connection.pk}/revoke/",
        f"/fleet/axis/users/{user.pk}/",
        f"/fleet/axis/alerts/{alert.pk}/",
        "/fleet/axis/rejected/",
        f"/fleet/axis/rejected/{rejected.pk}/",
    ]
    return read, manage


def test_strangers_are_sent_to_sign_in_and_officers_refused(client: Client, connection, rejected, unit) -> None:
    read, manage = _addresses(connection, rejected)
    for address in read + manage:
        assert client.get(address)["Location"].startswith("/account/login/"), address
    signin.quickly(client, factories.person(Role.OFFICER, unit=unit))
    for address in read + manage:
        assert client.get(address).status_code == 403, address
        assert client.post(address, {"reason": "x", "name": "x"}).status_code == 403, address


def test_a_supervisor_reads_and_changes_nothing(client: Client, connection, rejected, unit) -> None:
    read, manage = _addresses(connection, rejected)
    signin.quickly(client, factories.person(Role.SUPERVISOR, unit=unit))
    for address in read:
        assert client.get(address).status_code == 200, address
    for address in manage:
        assert client.post(address, {"reason": "x", "name": "x"}).status_code == 403, address
    connection.refresh_from_db()
    assert connection.active


def test_the_manager_sees_every_page(manager: Client, connection, rejected) -> None:
    for address in [page for pages in _addresses(connection, rejected) for page in pages]:
        assert manager.get(address).status_code == 200, address
    home = manager.get("/").content.decode()
    assert "1 rejected container waits" in home
    assert "1 user is no officer yet" in home


@pytest.mark.parametrize("path", ["7/", "7/file/", "7/revoke/", "users/7/", "alerts/7/", f"rejected/{UUID(int=7)}/"])
def test_what_is_not_there_is_not_found(manager: Client, path: str) -> None:
    assert manager.get(f"/fleet/axis/{path}").status_code == 404


def test_a_connection_file_is_made_on_the_page_and_shown_once(manager: Client, unit) -> None:
    form = {"name": "Southbank", "unit": unit.code, "container_type": "mkv", "want_encryption": "on"}
    answer = manager.post("/fleet/axis/new/", form)
    assert answer.status_code == 200
    page = answer.content.decode()
    said = json.loads(html.unescape(re.search(r'id="connection-file"[^>]*>(.*?)</pre>', page, re.DOTALL)[1]))
    assert said["WantEncryption"] is True
    assert "no-store" in answer["Cache-Control"]
    made = AxisConnection.objects.get(name="Southbank")
    assert said["BlobAPIKey"] not in manager.get(f"/fleet/axis/{made.pk}/").content.decode()
    again = manager.post(f"/fleet/axis/{made.pk}/file/", {"site": ""}).content.decode()
    assert "&#34;WantEncryption&#34;: true" in again, "an empty box turns nothing off"
    assert said["BlobAPIKey"] not in again


def test_a_page_that_is_sent_again_ends_no_connection_file(manager: Client, unit) -> None:
    form = {"name": "Southbank", "unit": unit.code, "container_type": "mkv"}
    assert manager.post("/fleet/axis/new/", form).status_code == 200
    made = AxisConnection.objects.get()
    twice = manager.post("/fleet/axis/new/", {**form, "name": "Southbank "})
    assert twice.status_code == 422
    assert "A system of this name is connected, and keeps its connection file" in twice.content.decode()
    shown = manager.get(f"/fleet/axis/{made.pk}/file/").content.decode()
    after = html.unescape(re.search(r'name="after" value="([^"]+)"', shown)[1])
    assert manager.post(f"/fleet/axis/{made.pk}/file/", {"after": after}).status_code == 200
    second = AxisConnection.objects.get().key_sha256
    assert second != made.key_sha256
    reloaded = manager.post(f"/fleet/axis/{made.pk}/file/", {"after": after})
    assert reloaded.status_code == 422
    assert "its password is the one that holds" in reloaded.content.decode()
    assert AxisConnection.objects.get().key_sha256 == second
    AxisConnection.objects.update(active=False)
    assert manager.post("/fleet/axis/new/", form).status_code == 200, "a revoked one may be connected anew"


def test_a_form_that_does_not_pass_says_why(manager: Client, unit) -> None:
    form = {"name": "Southbank", "unit": unit.code, "container_type": "mkv", "certificates": "nothing of the kind"}
    answer = manager.post("/fleet/axis/new/", form)
    assert answer.status_code == 422
    assert "Paste each certificate whole" in answer.content.decode()
    answer = manager.post("/fleet/axis/new/", {**form, "certificates": "", "uris": "https://x/auth/v1.0"})
    assert "do not fit" in answer.content.decode()
    assert not AxisConnection.objects.exists()


def test_a_user_is_linked_an_alert_settled_and_access_revoked(manager: Client, connection, unit) -> None:
    officer = factories.person(Role.OFFICER, unit=unit)
    user, alert = AxisUser.objects.get(), AxisAlert.objects.get()
    wrong = manager.post(f"/fleet/axis/users/{user.pk}/", {"person": "nobody at all", "reason": "x"})
    assert wrong.status_code == 422
    given = {"person": officer.warrant_number, "reason": "She said so."}
    assert manager.post(f"/fleet/axis/users/{user.pk}/", given).status_code == 302
    user.refresh_from_db()
    assert user.person == officer
    assert manager.post(f"/fleet/axis/alerts/{alert.pk}/", {"reason": ""}).status_code == 422
    assert manager.post(f"/fleet/axis/alerts/{alert.pk}/", {"reason": "A loan."}).status_code == 302
    assert manager.post(f"/fleet/axis/{connection.pk}/revoke/", {"reason": "Moved."}).status_code == 302
    connection.refresh_from_db()
    assert not connection.active
    tags = [item.tag for item in ledger.history(connection.custody_id)]
    assert {"axis.user_linked", "axis.alert_settled", "axis.connection_revoked"} <= set(tags)


def test_an_alert_is_raised_once_and_again_after_it_was_settled(connection, unit) -> None:
    raised = ("NOSUCH", "A recording names an unknown camera.")
    services.raise_alert(connection, AxisAlert.Kind.DEVICE, *raised)
    assert AxisAlert.objects.count() == 1
    services.settle_alert(AxisAlert.objects.get(), by=factories.person(unit=unit), reason="Seen.")
    services.raise_alert(connection, AxisAlert.Kind.DEVICE, *raised)
    assert AxisAlert.objects.count() == 2


def test_an_empty_form_names_what_is_wanted(manager: Client, connection, rejected) -> None:
    user = AxisUser.objects.get()
    for address, labels in (
        ("/fleet/axis/new/", ["Name of the system", "Unit that its cameras belong to"]),
        (f"/fleet/axis/users/{user.pk}/", ["Officer", "How do you know?"]),
        (f"/fleet/axis/rejected/{rejected.pk}/", ["What is it?", "Why?"]),
    ):
        page = manager.post(address, {"container_type": "mkv"}).content.decode()
        assert [label for label in labels if f"“{label}”." in page] == labels, address
        assert "This field is required" not in page, address


@pytest.mark.parametrize("address", ["ftp://x/auth/v1.0", "https://x", "http://[/auth/v1.0"])
def test_a_wrong_address_and_a_wrong_certificate_are_told_at_once(manager: Client, unit, address: str) -> None:
    form = {"name": "Southbank", "unit": unit.code, "container_type": "mkv"}
    answer = manager.post("/fleet/axis/new/", {**form, "uris": address, "certificates": "nothing of the kind"})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert 'href="#id_uris"' in page
    assert 'href="#id_certificates"' in page
    assert not AxisConnection.objects.exists()
