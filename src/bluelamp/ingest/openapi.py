"""The docks' entrance as an OpenAPI 3.1 document, for whoever writes a dock's software.

docs/protocols/docking.md says what things mean; this says which requests there are and what each can be answered. A
test holds it against the routes, and a campaign of hostile requests holds the answers against it.
"""

from __future__ import annotations

from typing import Any

from bluelamp import __version__
from bluelamp.formats.fields import MAX_INTEGER
from bluelamp.ingest.discrepancies import UNAVAILABLE
from bluelamp.ingest.inventory import MAX_ENTRIES

PATH = "/api/v1/openapi.json"
DOCS_PATH = "/api/v1/docs"

_Object = dict[str, Any]

_NUMBER: _Object = {"type": "string", "pattern": "^[0-9]{1,16}$"}
_MOMENT: _Object = {"type": "string", "format": "date-time", "description": "ISO 8601 in UTC with a final Z."}

_PROBLEMS = {
    400: "A header or an address in it cannot be read, or the body was cut off.",
    401: "The token is missing, wrong or revoked, or the browser's sign-in has ended.",
    403: "The upload takes its bytes from its parts, or the person may not add footage.",
    404: "This dock has no such docking session, recording or upload.",
    405: "There is no such method at this address.",
    408: "The connection fell silent for a minute.",
    409: "It does not fit the present state: another offset or key, or what is complete or here.",
    410: "The upload was given up, has expired, was rejected or has become part of another.",
    412: "Another version of tus than 1.0.0.",
    413: "More bytes than announced, or than this server takes.",
    415: "A body of another kind than the protocol wants.",
    422: "What was sent is refused: it is not what the camera signed, or not this protocol.",
    423: "Another connection is writing the upload.",
    431: "The header is larger than this server reads.",
    460: "The checksum does not fit what arrived; the chunk was dropped.",
    500: "The server failed in a way it should not.",
    503: "Busy, or the database does not answer: try again.",
    507: "The disk is full; what arrived is kept.",
}
_WAITING = {423, 503, 507}
"""Answers that say in Retry-After how many seconds to wait."""


def document() -> _Object:
    """The document: plain dicts and lists."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Bluelamp docking",
            "version": __version__,
            "summary": "How a dock hands a camera's recordings over.",
            "description": (
                "A docking session (JSON) says what the camera holds and what is needed of it; tus 1.0.0 carries the "
                "bytes; a signed receipt says when the camera may erase its copy. Every error is a problem document; a "
                "method that an address does not have is answered 405. A client behind a proxy that knows only some "
                "methods sends POST to /dock/tus/{upload} and the method in X-HTTP-Method-Override."
            ),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"dock": []}],
        "paths": {
            "/api/v1/docking": {"post": _open_session()},
            "/api/v1/docking/{session}/receipts/{sequence}": {
                "parameters": [_path("session", "uuid"), _path("sequence")],
                "get": _receipt(),
            },
            "/api/v1/docking/{session}/unavailable/{sequence}": {
                "parameters": [_path("session", "uuid"), _path("sequence")],
                "post": _unavailable(),
            },
            "/dock/tus/": {"options": _options(), "post": _create()},
            "/dock/tus/{upload}": {
                "parameters": [_path("upload", "uuid")],
                "options": _options(),
                "head": _stand(),
                "patch": _more(),
                "delete": _terminate(),
            },
        },
        "components": {
            "securitySchemes": {
                "dock": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The token that `bluelamp docks add NAME` printed.",
                }
            },
            "schemas": _schemas(),
            "responses": {str(status): _problem(status) for status in _PROBLEMS},
        },
    }


def _open_session() -> _Object:
    return {
        "operationId": "openSession",
        "summary": "Open a docking session",
        "description": "Say what the camera holds, and hear which of it is needed, is here already, or is refused.",
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _ref("DockingRequest")}},
        },
        "responses": {
            "200": {
                "description": "The session, and what is to become of each recording.",
                "content": {"application/json": {"schema": _ref("DockingAnswer")}},
            },
            **_refusals(400, 401, 408, 409, 413, 415, 422),
        },
    }


def _receipt() -> _Object:
    return {
        "operationId": "fetchReceipt",
        "summary": "Fetch a recording's receipt",
        "description": "The camera may erase its copy after, and only after, the receipt is verified.",
        "responses": {
            "200": {
                "description": "The receipt, signed with the session's receipt_key.",
                "content": {"application/json": {"schema": _ref("Receipt")}},
            },
            "202": {
                "description": "Not yet: ask again.",
                "headers": {"Retry-After": _told("Seconds to wait.", {"type": "integer"})},
            },
            **_refusals(401, 404, 410, 422),
        },
    }


def _unavailable() -> _Object:
    return {
        "operationId": "reportUnavailable",
        "summary": "Say that a recording cannot be sent",
        "description": "The camera offered it, and its file cannot be had: the force is told at once.",
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _ref("Unavailable")}},
        },
        "responses": {
            "204": {"description": "Noted. Saying it again changes nothing."},
            **_refusals(400, 401, 404, 408, 409, 413, 415, 422),
        },
    }


def _options() -> _Object:
    return {
        "summary": "What this server can do",
        "security": [],
        "responses": {
            "204": {
                "description": "The version, the extensions and the limits.",
                "headers": {
                    **_TUS_ANSWER,
                    "Tus-Extension": _told("Names of the extensions, with commas between.", {"type": "string"}),
                    "Tus-Max-Size": _told("The longest upload in bytes.", {"type": "integer"}),
                    "Tus-Checksum-Algorithm": _told("Algorithms of Upload-Checksum.", {"type": "string"}),
                },
            },
            **_refusals(400, tus=True),
        },
    }


def _create() -> _Object:
    return {
        "operationId": "createUpload",
        "summary": "Create an upload",
        "description": (
            "For a recording that a docking session names as needed (creation); with the length told later "
            "(creation-defer-length), with the first bytes (creation-with-upload), or as a part of a recording or the "
            "whole of such parts (concatenation)."
        ),
        "parameters": [
            _VERSION,
            _header("Upload-Length", _NUMBER, "Bytes. Not beside Upload-Defer-Length, nor for a whole of parts."),
            _header("Upload-Defer-Length", {"const": "1"}, "The length is told with a PATCH."),
            _header(
                "Upload-Metadata",
                {"type": "string", "maxLength": 4096},
                "Pairs of a key and base64, with commas between. A dock names “session” and “sequence”.",
            ),
            _header(
                "Upload-Concat",
                {"type": "string", "pattern": "^(partial|final;.+)$"},
                "“partial”, or “final;” and the addresses of 1 to 64 complete parts with spaces between.",
            ),
            _CHECKSUM,
            _TRAILER,
        ],
        "requestBody": {"required": False, "content": _BYTES},
        "responses": {
            "201": {
                "description": "The upload's address.",
                "headers": {
                    **_TUS_ANSWER,
                    "Location": _told("The upload's address.", {"type": "string", "format": "uri"}, required=True),
                    **_STANDING,
                    **_RECEIPT,
                },
            },
            **_refusals(400, 401, 403, 404, 408, 409, 410, 412, 413, 422, 423, 460, tus=True),
        },
    }


def _stand() -> _Object:
    return {
        "operationId": "askOffset",
        "summary": "Ask where an upload stands",
        "parameters": [_VERSION],
        "responses": {
            "200": {
                "description": "What is hashed, sealed and on the disk.",
                "headers": {
                    **_TUS_ANSWER,
                    **_STANDING,
                    "Upload-Length": _told("Bytes, once somebody told.", {"type": "integer"}),
                    "Upload-Defer-Length": _told("Nobody told the length yet.", {"const": "1"}),
                    "Upload-Metadata": _told("As it was given.", {"type": "string"}),
                    "Upload-Concat": _told("That it is a part, or made of parts.", {"type": "string"}),
                },
            },
            **_refusals(401, 404, 410, 412, tus=True),
        },
    }


def _more() -> _Object:
    return {
        "operationId": "sendBytes",
        "summary": "Send bytes",
        "description": "From the offset that HEAD tells. With the last byte the recording is accepted, or rejected.",
        "parameters": [
            _VERSION,
            _header("Upload-Offset", _NUMBER, "Where these bytes begin.", required=True),
            _header("Upload-Length", _NUMBER, "The length of an upload that was created without one."),
            _CHECKSUM,
            _TRAILER,
        ],
        "requestBody": {"required": True, "content": _BYTES},
        "responses": {
            "204": {"description": "Acknowledged.", "headers": {**_TUS_ANSWER, **_STANDING, **_RECEIPT}},
            **_refusals(400, 401, 403, 404, 408, 409, 410, 412, 413, 415, 422, 423, 460, tus=True),
        },
    }


def _terminate() -> _Object:
    return {
        "operationId": "endUpload",
        "summary": "Give an upload up",
        "parameters": [_VERSION],
        "responses": {
            "204": {"description": "It has ended; its bytes and its key are destroyed.", "headers": _TUS_ANSWER},
            **_refusals(401, 404, 409, 410, 412, 423, tus=True),
        },
    }


def _refusals(*statuses: int, tus: bool = False) -> _Object:
    """References to the problems that an operation can be answered. What may befall any request is added."""
    everywhere = {431, 500, 503} | ({400, 507} if tus else set())
    return {str(status): {"$ref": f"#/components/responses/{status}"} for status in sorted({*statuses, *everywhere})}


def _problem(status: int) -> _Object:
    told: _Object = {
        "description": _PROBLEMS[status],
        "content": {"application/problem+json": {"schema": _ref("Problem")}},
    }
    if status in _WAITING:
        told["headers"] = {"Retry-After": _told("Seconds to wait.", {"type": "integer"})}
    if status == 401:
        told["headers"] = {"WWW-Authenticate": _told("That a bearer token is wanted.", {"type": "string"})}
    if status == 405:
        told["headers"] = {"Allow": _told("The methods there are.", {"type": "string"})}
    return told


def _schemas() -> _Object:
    text = {"type": "string"}
    number = {"type": "integer", "minimum": 0, "maximum": MAX_INTEGER}
    sha256 = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
    key = {"type": "string", "description": "Base64 of a 32-byte Ed25519 key.", "maxLength": 100}
    serial = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"}
    return {
        "DockingRequest": _fixed(
            serial=serial,
            model={"type": "string", "minLength": 1, "maxLength": 100},
            mount={"type": "string", "minLength": 1, "maxLength": 40},
            public_key=key,
            firmware={"type": "string", "maxLength": 100},
            device_clock=_MOMENT,
            clock_set={"type": "boolean"},
            battery_percent={"type": ["integer", "null"], "minimum": 0, "maximum": 100},
            storage=_fixed(capacity=number, free=number),
            inventory={"type": "array", "maxItems": MAX_ENTRIES, "items": _ref("SignedEntry")},
        ),
        "SignedEntry": {
            "type": "object",
            "description": "A signed manifest entry; one that cannot be read refuses only itself.",
            "properties": {
                "format": {"const": "bluelamp-manifest-1"},
                "entry": {"type": "object"},
                "signature": text,
                "public_key": text,
            },
        },
        "DockingAnswer": _fixed(
            session={"type": "string", "format": "uuid"},
            server_time=_MOMENT,
            clock_offset_ms={"type": "integer", "description": "Server minus device."},
            receipt_key=key,
            recordings={"type": "array", "items": _ref("Verdict")},
        ),
        "Verdict": _fixed(
            sequence={"type": ["integer", "null"]},
            state={"enum": ["needed", "have", "refused"]},
            upload_url={"type": ["string", "null"], "description": "Where to send it, where it is needed."},
            receipt={"oneOf": [_ref("Receipt"), {"type": "null"}]},
            why={"type": "string", "description": "Why it is refused, in a sentence."},
        ),
        "Unavailable": _fixed(why={"enum": list(UNAVAILABLE), "description": "What is the matter with its file."}),
        "Receipt": {
            "type": "object",
            "description": "docs/protocols/receipt.md says how it is verified.",
            "required": ["recording_id", "serial", "sequence", "sha256", "size", "signature"],
            "properties": {
                "recording_id": {"type": "string", "format": "uuid"},
                "serial": serial,
                "sequence": number,
                "sha256": sha256,
                "size": number,
                "signature": text,
            },
        },
        "Problem": {
            "type": "object",
            "description": "RFC 9457, with what it means for the footage and what to do.",
            "required": ["type", "title", "status", "detail"],
            "properties": {
                "type": text,
                "title": {"type": "string", "minLength": 1},
                "status": {"type": "integer"},
                "detail": {"type": "string", "minLength": 1},
                "meaning": text,
                "next_step": text,
            },
        },
    }


def _fixed(**properties: _Object) -> _Object:
    """An object in which no field may be missing and none may be added."""
    return {
        "type": "object",
        "required": list(properties),
        "additionalProperties": False,
        "properties": properties,
    }


def _ref(schema: str) -> _Object:
    return {"$ref": f"#/components/schemas/{schema}"}


def _path(name: str, form: str = "") -> _Object:
    schema = {"type": "string", "format": form} if form else {"type": "integer", "minimum": 1, "maximum": MAX_INTEGER}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _header(name: str, schema: _Object, description: str, *, required: bool = False) -> _Object:
    return {"name": name, "in": "header", "required": required, "description": description, "schema": schema}


def _told(description: str, schema: _Object, *, required: bool = False) -> _Object:
    return {"description": description, "schema": schema, "required": required}


_VERSION = _header("Tus-Resumable", {"const": "1.0.0"}, "The version of tus.", required=True)
_CHECKSUM = _header(
    "Upload-Checksum",
    {"type": "string", "pattern": "^(sha1|sha256) [A-Za-z0-9+/]+={0,2}$"},
    "The chunk counts only as a whole, and only if this is its checksum.",
)
_TRAILER = _header("Trailer", {"type": "string"}, "Names Upload-Checksum where it comes after a chunked body.")
_BYTES: _Object = {"application/offset+octet-stream": {"schema": {"type": "string", "format": "binary"}}}
_TUS_ANSWER: _Object = {
    "Tus-Resumable": _told("The version of tus.", {"const": "1.0.0"}, required=True),
    "Tus-Version": _told("Versions spoken here.", {"const": "1.0.0"}),
}
_STANDING: _Object = {
    "Upload-Offset": _told("Bytes acknowledged; absent while parts are joined.", {"type": "integer"}),
    "Upload-Expires": _told("When it ends unless more bytes come.", {"type": "string"}),
}
_RECEIPT: _Object = {
    "Bluelamp-Receipt": _told(
        "With the last byte of a camera's recording: its receipt, as base64 of its JSON.", {"type": "string"}
    )
}
