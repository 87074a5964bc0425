"""What a dock is told when the server cannot: come again where the database is away, and no such promise for a fault."""

from __future__ import annotations

import pytest
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from bluelamp.ingest.answers import answering


def asked(error: Exception):
    async def handler(request):
        raise error

    return TestClient(Starlette(routes=[Route("/", answering(handler, {"Tus-Resumable": "1.0.0"}))])).get("/")


@pytest.mark.parametrize("error", [OperationalError("gone"), InterfaceError("the connection is closed")])
def test_a_database_that_is_away_is_worth_another_try(error):
    answer = asked(error)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.headers["Tus-Resumable"] == "1.0.0"
    assert "What was acknowledged is safe" in answer.text


@pytest.mark.parametrize("error", [IntegrityError("twice"), DataError("out of range"), ZeroDivisionError()])
def test_a_fault_of_ours_is_not_called_the_databases_absence(error):
    answer = asked(error)
    assert answer.status_code == 500
    assert "Retry-After" not in answer.headers
    assert str(error) not in answer.text or not str(error)
