"""The OpenAPI document of the docks' entrance describes what is there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import httpx
import pytest
import schemathesis
from django.test import Client

from bluelamp.ingest import errors, inventory, openapi
from bluelamp.ingest.asgi import routes
from bluelamp.kernel.errors import BluelampError
from tests.ingest.docks import TUS, Docking

DOCUMENT = openapi.document()
PAGE = (Path(__file__).parents[2] / "docs/protocols/docking.md").read_text()


def test_every_route_of_the_docks_is_described_and_no_other() -> None:
    paths = {route.path for route in routes}
    described = set(DOCUMENT["paths"])
    assert described <= paths
    axis = {path for path in paths if path.startswith(("/v1/", "/auth/"))}
    assert paths - described - axis == {openapi.PATH, "/dock/tus"}, "the second is /dock/tus/ without its slash"


def test_the_methods_of_each_address_are_those_that_it_speaks(docking: Docking) -> None:
    for path, item in DOCUMENT["paths"].items():
        address = re.sub(r"\{\w+\}", "1", path)
        answer = docking.client.request("PROPFIND", address, headers=TUS)
        if answer.status_code == 404:  # an upload that is none: asked for a method that is one, it says which
            continue
        assert answer.status_code == 405, (path, answer.text)
        assert answer.json()["detail"]
        spoken = {method.lower() for method in answer.headers["Allow"].split(", ")} - {"head"}
        assert spoken == {name for name in item if name != "parameters"} - {"head"}, path


def test_the_document_is_served_and_valid(entrance: str) -> None:
    answer = httpx.get(entrance + openapi.PATH)
    assert answer.json() == json.loads(json.dumps(DOCUMENT))
    schemathesis.openapi.from_dict(DOCUMENT).validate()


def test_every_status_that_intake_has_an_error_for_is_described() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, BluelampError)]
    statuses = {str(kind.status) for kind in kinds}
    assert statuses <= set(DOCUMENT["components"]["responses"])


def test_the_fields_of_a_docking_request_are_those_that_are_read() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    assert set(schemas["DockingRequest"]["properties"]) == inventory._FIELDS


@pytest.mark.django_db
def test_the_page_names_every_operation_and_needs_no_sign_in(client: Client) -> None:
    page = client.get(openapi.DOCS_PATH)
    assert page.status_code == 200
    text = page.content.decode()
    for path, item in DOCUMENT["paths"].items():
        for method in item.keys() - {"parameters"}:
            assert f"{method.upper()} {path}" in text
    assert openapi.PATH in text
    assert client.post(openapi.DOCS_PATH).status_code == 405


def test_the_protocol_s_page_says_where_the_document_is() -> None:
    assert f"`{openapi.PATH}`" in PAGE
    assert f"`{openapi.DOCS_PATH}`" in PAGE
