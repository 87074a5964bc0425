"""The docks' entrance: lean routes beside Django's pages."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from bluelamp.ingest import docking_api
from bluelamp.ingest.answers import answering
from bluelamp.ingest.axis.asgi import routes as axis_routes
from bluelamp.ingest.tus import endpoint
from bluelamp.ingest.tus.headers import VERSION

_TUS_METHODS = ["OPTIONS", "HEAD", "GET", "POST", "PUT", "PATCH", "DELETE"]
_TUS = {"Tus-Resumable": VERSION, "Tus-Version": VERSION, "X-Content-Type-Options": "nosniff"}

_collection = answering(endpoint.collection, _TUS)
_resource = answering(endpoint.resource, _TUS)

routes: list[BaseRoute] = [
    Route("/api/v1/docking", answering(docking_api.open_session), methods=["POST"]),
    Route("/api/v1/docking/{session}/receipts/{sequence}", answering(docking_api.receipt), methods=["GET"]),
    Route("/dock/tus", _collection, methods=_TUS_METHODS),
    Route(endpoint.PATH, _collection, methods=_TUS_METHODS),
    Route(endpoint.PATH + "{upload}", _resource, methods=_TUS_METHODS),
    *axis_routes,
]
"""Mounted before Django by project/asgi.py."""
