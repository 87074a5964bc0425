"""What a dock is told when the server cannot: to come again where the database is away, not where the fault is ours."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from django.db import DataError, IntegrityError, InterfaceError, InternalError, OperationalError
from starlette.applications import Starlette
from starlette.routing import Route

from bluelamp.ingest.answers import answering


def asked(error: Exception):
    async def handler(request):
        raise error

    app = Starlette(routes=[Route("/", answering(handler, {"Tus-Resumable": "1.0.0"}))])

    async def ask():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://dock") as client:
            return await client.get("/")

    return asyncio.run(ask())


@pytest.mark.parametrize("error", [OperationalError("gone"), InterfaceError("closed"), InternalError("read-only")])
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
