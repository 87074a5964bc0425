"""Requests that are nearly right: what hypothesis draws, and the bytes that it becomes.

A plan is plain data and names uploads by number, so that it can be drawn before there are any; `World` knows what the
numbers stand for.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from tests.campaigns.rawhttp import Sent, chunked, head

Header = tuple[bytes, bytes]


@dataclass
class World:
    """What requests are about. Paths of uploads in every state; what a dock and a body-worn system send."""

    host: str
    token: str
    session: str
    uploads: list[str]
    docking: dict[str, Any]
    axis_token: str = ""
    axis: list[tuple[str, list[Header]]] = field(default_factory=list)
    strange: str = "/dock/tus/00000000-0000-7000-8000-000000000000"

    def upload(self, number: int) -> str:
        known = [*self.uploads, self.strange]
        return known[number % len(known)]


# One value of a header: numbers that are none, text that is no ASCII, what is too long, and what is nearly right.
_NUMBERS = st.one_of(
    st.integers(-(2**70), 2**70).map(lambda number: b"%d" % number),
    st.integers(0, 5000).map(lambda number: b"%d" % number),
    st.sampled_from([b"", b"-1", b"+5", b"1.0", b"0x10", b"1e3", b"9" * 16, b"9" * 400, "٣".encode(), b"1_0", b"5, 5"]),
)
_BYTES = st.binary(max_size=60).map(lambda raw: bytes(byte for byte in raw if byte >= 32 and byte != 127))
_LONG = st.integers(1, 40_000).map(lambda count: b"a" * count)
_PAIRS = st.lists(
    st.tuples(
        st.sampled_from([b"session", b"sequence", b"filename", b"addition", b"mark", b"\xff", b"", b"is_confidential"]),
        st.one_of(st.binary(max_size=30).map(base64.b64encode), _BYTES, _NUMBERS.map(base64.b64encode)),
    ),
    max_size=5,
).map(lambda pairs: b",".join(key + b" " + value for key, value in pairs))
_DIGESTS = st.builds(
    lambda name, digest: name + b" " + base64.b64encode(digest),
    st.sampled_from([b"sha1", b"sha256", b"md5", b"SHA1", b"", b"sha512"]),
    st.binary(max_size=40) | st.binary(min_size=20, max_size=20) | st.binary(min_size=32, max_size=32),
)
_WORDS = st.sampled_from(
    (
        b"partial|final|final;|final;/dock/tus/x|partial;x|1|2|chunked|100-continue|Upload-Checksum|upload-checksum, x"
        b"|PATCH|DELETE|HEAD|POST|TRACE|OPTIONS|application/json|application/offset+octet-stream|text/plain"
        b"|application/json; charset=utf-16|1.0.0|0.2.2|Bearer|Bearer x|Basic eDp5|bluelamp=x; bluelamp=y"
        b'|bluelamp="\\000abcdefgh"|gzip|bytes=0-5|*|localhost|[|evil.example|http://evil.example/|null|websocket'
        b"|upgrade|close|keep-alive|h2c|127.0.0.1, 1.2.3.4|https|%00|%ff%fe|%"
    ).split(b"|")
)
VALUES = st.one_of(_NUMBERS, _BYTES, _PAIRS, _DIGESTS, _WORDS, _LONG)

_NAMES = st.sampled_from(
    (
        b"Upload-Length Upload-Offset Upload-Metadata Upload-Concat Upload-Checksum Trailer Upload-Defer-Length "
        b"Tus-Resumable Content-Type Authorization X-HTTP-Method-Override Expect Cookie Origin Host Connection Upgrade "
        b"Content-Encoding Range If-Match X-Forwarded-For X-Forwarded-Proto Accept Etag X-Auth-Token X-Auth-User "
        b"X-Auth-Key X-Object-Meta-Starttime X-Container-Meta-Status X-Container-Meta-Bwcserialnumber Destination"
    ).split()
)


@dataclass(frozen=True)
class Plan:
    """One request: which, of what, and how it is spoilt."""

    kind: str
    target: int
    size: int
    changes: tuple[tuple[str, bytes, bytes], ...]  # set, add or drop; name; value
    method: str | None
    tail: bytes | None
    framing: str  # length, chunked, trailer
    document: tuple[tuple[int, Any], ...]  # where in the JSON, and what is put there


# Everything that JSON can say, as it is hostile to a reader of numbers, times and short words.
_SCALARS: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers(-(2**80), 2**80)
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.sampled_from(["\ud800", "\x00", "9" * 300, "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z", "BL-1", ""])
    | st.sampled_from([2**53 - 1, 2**53, 2**63, -1, 1.0, [[[[[[]]]]]], {"": {}}])
)
JSON_VALUES = (
    _SCALARS
    | _SCALARS
    | st.lists(_SCALARS, min_size=1, max_size=3)
    | st.dictionaries(st.text(max_size=5), _SCALARS, min_size=1, max_size=3)
)

KINDS = ("docking", "receipt", "unavailable", "options", "create", "part", "whole", "head", "patch", "delete")
AXIS_KINDS = ("axis", "axis-token")

PLANS = st.builds(
    Plan,
    kind=st.sampled_from(KINDS + KINDS + AXIS_KINDS),
    target=st.integers(0, 30),
    size=st.sampled_from([0, 1, 5, 100, 3000, 70_000]),
    changes=st.lists(
        st.tuples(st.sampled_from(["set", "add", "drop", "set"]), _NAMES, VALUES), min_size=0, max_size=4
    ).map(tuple),
    method=st.none()
    | st.none()
    | st.sampled_from(["GET", "PUT", "POST", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "COPY", "PROPFIND"]),
    tail=st.none()
    | st.none()
    | st.sampled_from([b"/", b"%00", b"%2f..%2f..", b"?x=%00", b"?" + b"a" * 3000, b"%ff", b";x", b"//", b"/../.."])
    | st.binary(max_size=8).map(lambda raw: b"%" + raw.hex().encode()[:6]),
    framing=st.sampled_from(["length", "length", "chunked", "trailer"]),
    document=st.lists(st.tuples(st.integers(0, 400), JSON_VALUES), max_size=3).map(tuple),
)


def sent_of(plan: Plan, world: World) -> tuple[Sent, str]:
    """The bytes of a plan and, for whoever looks at the answer, the path without its query."""
    method, path, headers, body = _right(plan, world)
    headers = _changed(headers, plan.changes)
    method = plan.method or method
    target = path.encode("latin-1") + (plan.tail or b"")
    trailers: list[Header] = []
    if plan.framing == "length" or (not body and plan.framing == "chunked"):
        framed = body
        if body or method in {"POST", "PUT", "PATCH"}:
            headers.append((b"Content-Length", b"%d" % len(body)))
    else:
        if plan.framing == "trailer":
            good = base64.b64encode(hashlib.sha1(body, usedforsecurity=False).digest())
            trailers = [(b"Upload-Checksum", b"sha1 " + good)] * (1 + plan.target % 2)
            headers.append((b"Trailer", b"Upload-Checksum"))
        headers.append((b"Transfer-Encoding", b"chunked"))
        framed = chunked(body, max(1, plan.size // 3), trailers)
    sent = Sent((head(method, target, headers) + framed,), bodiless=method == "HEAD")
    return sent, target.partition(b"?")[0].decode("latin-1")


def _right(plan: Plan, world: World) -> tuple[str, str, list[Header], bytes]:
    """The request as it ought to be."""
    body = bytes(plan.size)
    if plan.kind.startswith("axis") and world.axis:
        path, headers = world.axis[plan.target % len(world.axis)]
        method = ("PUT", "POST", "HEAD", "GET", "DELETE")[plan.target % 5]
        if plan.kind == "axis-token":
            method, path, body = "GET", "/auth/v1.0", b""
        token = world.axis_token.encode()
        return method, path, [(b"Host", world.host.encode()), (b"X-Auth-Token", token), *headers], body
    common = [
        (b"Host", world.host.encode()),
        (b"Authorization", b"Bearer " + world.token.encode()),
    ]
    tus = [*common, (b"Tus-Resumable", b"1.0.0")]
    octets = (b"Content-Type", b"application/offset+octet-stream")
    upload = world.upload(plan.target)
    if plan.kind == "docking":
        told = mutated(world.docking, plan.document)
        return "POST", "/api/v1/docking", [*common, (b"Content-Type", b"application/json")], told
    if plan.kind == "receipt":
        return "GET", f"/api/v1/docking/{world.session}/receipts/{plan.target}", common, b""
    if plan.kind == "unavailable":
        told = mutated({"why": "gone"}, plan.document)
        path = f"/api/v1/docking/{world.session}/unavailable/{plan.target}"
        return "POST", path, [*common, (b"Content-Type", b"application/json")], told
    if plan.kind == "options":
        return "OPTIONS", upload, common[:1], b""
    if plan.kind in {"create", "part", "whole"}:
        named = f"session {_base64(world.session)},sequence {_base64(str(plan.target % 12))}"
        headers = [*tus, octets, (b"Upload-Metadata", named.encode())]
        if plan.kind == "part":
            headers += [(b"Upload-Concat", b"partial"), (b"Upload-Length", b"%d" % plan.size)]
        elif plan.kind == "whole":
            parts = " ".join(world.upload(plan.target + number) for number in range(1 + plan.size % 3))
            headers += [(b"Upload-Concat", b"final;" + parts.encode())]
        else:
            headers += [(b"Upload-Length", b"3000")]
        return "POST", "/dock/tus/", headers, b"" if plan.kind == "whole" else body
    if plan.kind == "patch":
        return "PATCH", upload, [*tus, octets, (b"Upload-Offset", b"0")], body
    return plan.kind.upper(), upload, tus, b""


def _changed(headers: list[Header], changes: tuple[tuple[str, bytes, bytes], ...]) -> list[Header]:
    headers = list(headers)
    for how, name, value in changes:
        if how != "add":
            headers = [each for each in headers if each[0].lower() != name.lower()]
        if how != "drop":
            headers.append((name, value))
    return headers


def mutated(document: Any, changes: tuple[tuple[int, Any], ...]) -> bytes:
    """The JSON of `document` with other values in it, at the places that the numbers hit; or left out, or repeated."""
    copy = json.loads(json.dumps(document))
    for number, value in changes:
        places = list(_places(copy))
        if not places:
            break
        holder, key = places[number % len(places)]
        if number % 7 == 0 and isinstance(holder, dict):
            del holder[key]
        elif number % 7 == 1 and isinstance(holder, dict):
            holder[str(value)[:50]] = value
        else:
            holder[key] = value
    text = json.dumps(copy)
    number = changes[0][0] if changes else 0
    if number % 11 == 5:
        text = text[: number * len(text) // 400]
    return text.replace('"serial"', '"serial": "x", "serial"', 1).encode() if number % 13 == 7 else text.encode()


def _places(value: Any) -> Any:
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from _places(value[key])


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


# What is nearly HTTP. Each is a request to an upload, torn, bent or followed by something that must not be obeyed.
_TRICKS = (
    b"Content-Length: %d\r\nTransfer-Encoding: chunked",
    b"Content-Length: %d\r\nContent-Length: 7",
    b"Content-Length: -%d",
    b"Content-Length: %d0",
    b"Content-Length: %d, 3",
    b"Content-Length: +%d",
    b"Content-Length: 1%025d",
    b"Content-Length : %d",
    b"Transfer-Encoding: chunked\r\nX-Ignored: %d",
    b"Transfer-Encoding: identity\r\nContent-Length: %d",
    b"Transfer-Encoding: gzip, chunked\r\nX-Ignored: %d",
    b"Transfer-Encoding: chunked, identity\r\nX-Ignored: %d",
    b"Transfer-Encoding:\x0bchunked\r\nContent-Length: %d",
    b"Transfer-Encoding: xchunked\r\nContent-Length: %d",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\nX-Ignored: %d",
    b"Expect: 100-continue\r\nContent-Length: %d",
    b"Upgrade: h2c\r\nConnection: Upgrade\r\nContent-Length: %d",
    b" folded: x\r\nContent-Length: %d",
    b"Content-Length: %d\nX-Bare: line feed",
    b"X-Null: a\x00b\r\nContent-Length: %d",
)
_BODIES = st.one_of(
    st.binary(max_size=200),
    st.binary(max_size=40).map(lambda raw: chunked(raw, 7)),
    st.sampled_from(
        [
            b"5\r\nhello\r\n",
            b"-5\r\nhello\r\n",
            b"5;ext=" + b"x" * 5000 + b"\r\nhello\r\n0\r\n\r\n",
            b"ffffffffffffffff\r\nx",
            b"5\nhello\n0\n\n",
            b"0x5\r\nhello\r\n0\r\n\r\n",
            b"5\r\nhello0\r\n\r\n",
            b"0\r\n" + b"X: y\r\n" * 500 + b"\r\n",
            b"0\r\n\r\nDELETE /dock/tus/x HTTP/1.1\r\n\r\n",
            b"0\r\nX: " + b"y" * 90_000,
            b"5 \r\nhello\r\n0\r\n\r\n",
        ]
    ),
)


@st.composite
def torn(draw: st.DrawFn) -> dict[str, Any]:
    """The parts of something that is nearly a request."""
    return {
        "line": draw(
            st.sampled_from(
                [
                    b"PATCH {path} HTTP/1.1",
                    b"POST /dock/tus/ HTTP/1.1",
                    b"POST /api/v1/docking HTTP/1.1",
                    b"PATCH http://evil.example{path} HTTP/1.1",
                    b"PATCH {path} HTTP/1.0",
                    b"PATCH {path} HTTP/2.0",
                    b"PATCH {path}",
                    b"PATCH  {path}  HTTP/1.1",
                    b"\r\n\r\nPATCH {path} HTTP/1.1",
                    b"OPTIONS * HTTP/1.1",
                    b"CONNECT localhost:1 HTTP/1.1",
                    b"PATCH {path}\xff\xfe HTTP/1.1",
                    b"PUT /v1/x/y/z HTTP/1.1",
                    b"HEAD {path} HTTP/1.1",
                    b"GET //[ HTTP/1.1",
                    b"DELETE {path} HTTP/1.1",
                    b"G\x00T / HTTP/1.1",
                    b"PRI * HTTP/2.0\r\n\r\nSM",
                    b"PATCH " + b"/" * 70_000 + b" HTTP/1.1",
                    b"\x16\x03\x01\x02\x00\x01\x00",
                ]
            )
        ),
        "trick": draw(st.sampled_from(_TRICKS)),
        "announced": draw(st.integers(0, 300)),
        "body": draw(_BODIES),
        "target": draw(st.integers(0, 30)),
        "behind": draw(st.sampled_from([b"", b"", b"HEAD", b"DELETE", b"garbage"])),
        "cut": draw(st.none() | st.floats(0.0, 1.0)),
        "pieces": draw(st.integers(1, 5)),
        "authorised": draw(st.booleans()),
    }


def torn_of(plan: dict[str, Any], world: World) -> Sent:
    """The bytes of what `torn` drew; the request behind it bears no token."""
    line = plan["line"].replace(b"{path}", world.upload(plan["target"]).encode())
    told = [b"Host: " + world.host.encode(), b"Tus-Resumable: 1.0.0", b"Upload-Offset: 0"]
    told += [b"Content-Type: application/offset+octet-stream"]
    if plan["authorised"]:
        told.append(b"Authorization: Bearer " + world.token.encode())
    raw = b"\r\n".join([line, *told, plan["trick"] % plan["announced"], b"", plan["body"]])
    if plan["behind"] == b"garbage":
        raw += bytes(range(256))
    elif plan["behind"]:
        behind = b"%b %b HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\n\r\n"
        raw += behind % (plan["behind"], world.upload(1).encode())
    if plan["cut"] is not None:
        raw = raw[: int(len(raw) * plan["cut"])]
    step = max(1, -(-len(raw) // plan["pieces"]))
    pieces = tuple(raw[at : at + step] for at in range(0, len(raw), step)) or (b"",)
    return Sent(pieces, whole=False, bodiless=line.startswith(b"HEAD"), pause=0.002, patience=0.03)
