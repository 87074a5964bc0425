"""The page that describes the docks' entrance, for whoever writes a dock's software."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from bluelamp.ingest import openapi
from bluelamp.people import access
from bluelamp.web.responses import render

_METHODS = ("options", "head", "get", "post", "patch", "delete")


@access.public
@require_GET
def docs(request: HttpRequest) -> HttpResponse:
    """Each operation: what it is for, what it wants, and what it can be answered."""
    document = openapi.document()
    context = {"info": document["info"], "document_url": openapi.PATH, "operations": _operations(document)}
    return render(request, "ingest/api.html", context)


def _operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "method": method.upper(),
            "path": path,
            "summary": item[method]["summary"],
            "description": item[method].get("description", ""),
            "wants": _wants(item, item[method]),
            "answers": [
                (f"{status} {_phrase(int(status))}".strip(), _resolved(document, answer)["description"])
                for status, answer in item[method]["responses"].items()
            ],
        }
        for path, item in document["paths"].items()
        for method in _METHODS
        if method in item
    ]


def _wants(item: dict[str, Any], operation: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Name, where it stands, what it means."""
    wants = [
        (
            each["name"],
            f"{'address' if each['in'] == 'path' else each['in']}{', required' if each['required'] else ''}",
            each.get("description", ""),
        )
        for each in [*item.get("parameters", []), *operation.get("parameters", [])]
    ]
    for kind in operation.get("requestBody", {}).get("content", {}):
        wants.append((kind, "body", ""))
    return wants


def _resolved(document: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    name = answer.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = document["components"]["responses"][name] if name else answer
    return found


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Checksum Mismatch" if status == 460 else ""
