"""A small docking server for the tests of the dock: tus 1.0 with creation, kept in memory, with faults on demand."""

import base64
import hashlib
import json
import re
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bluelamp.formats.ed25519 import public_key_text
from bluelamp.formats.receipt import Receipt, sign_receipt

TOKEN = "dock-token"


@dataclass
class Upload:
    length: int
    metadata: dict[str, str]
    data: bytes = b""


@dataclass
class Faults:
    """What goes wrong. Counters are used up."""

    session_busy: int = 0
    other_key: bool = False
    drop_patches: int = 0  # takes half of a chunk, then closes the connection
    locked_patches: int = 0
    receipts_later: int = 0
    receipt_with_bytes: bool = False
    bend_header: str = ""  # comes instead of the receipt with the bytes
    refuse_create: int = 0  # a status
    bend_receipt: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    reject: dict[int, str] = field(default_factory=dict)  # 422 at the receipt
    states: dict[int, dict[str, Any]] = field(default_factory=dict)
    foreign_location: str = ""
    forget_uploads: bool = False
    broken_session: bool = False
    unavailable_status: int = 204
    receive_on_report: dict[int, bytes] = field(default_factory=dict)


class DockingServer:
    """Serves on a port of its own until closed."""

    def __init__(self) -> None:
        self.key = Ed25519PrivateKey.generate()
        self.faults = Faults()
        self.sessions: list[dict[str, Any]] = []
        self.uploads: dict[str, Upload] = {}
        self.received: dict[int, bytes] = {}
        self.requests: list[str] = []
        self.unavailable: dict[int, str] = {}
        self.receipts_asked = 0
        self.guard = threading.Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def answer(self, entry: dict[str, Any]) -> dict[str, Any]:
        sequence = entry["sequence"]
        if sequence in self.faults.states:
            return {
                "sequence": sequence,
                "upload_url": None,
                "receipt": None,
                "why": "",
                **self.faults.states[sequence],
            }
        if sequence in self.received:
            return {"sequence": sequence, "state": "have", "upload_url": None, "receipt": self.receipt(sequence)}
        return {"sequence": sequence, "state": "needed", "upload_url": None, "receipt": None, "why": ""}

    def receipt(self, sequence: int) -> dict[str, Any]:
        data = self.received[sequence]
        receipt = Receipt(
            recording_id=str(uuid.uuid5(uuid.NAMESPACE_OID, str(sequence))),
            serial="BL-3",
            sequence=sequence,
            sha256=hashlib.sha256(data).hexdigest(),
            size=len(data),
            leaf_entry="ab" * 32,
            received_at="2026-11-22T09:00:00Z",
            max_merge_delay_seconds=60,
        )
        signed = sign_receipt(receipt, self.key, "receipts")
        return self.faults.bend_receipt(signed) if self.faults.bend_receipt else signed


def _handler(server: DockingServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: object) -> None:
            pass

        def reply(self, status: int, body: Any = None, **headers: str) -> None:
            content = json.dumps(body).encode() if body is not None else b""
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def let_in(self) -> bool:
            server.requests.append(f"{self.command} {self.path}")
            if self.headers.get("Authorization") == f"Bearer {TOKEN}":
                return True
            self.close_connection = True
            self.reply(401, {"title": "Unknown dock"})
            return False

        def do_POST(self) -> None:
            if not self.let_in():
                return
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.path == "/api/v1/docking":
                self.open_session(json.loads(body))
            elif "/unavailable/" in self.path:
                server.unavailable[int(self.path.rpartition("/")[2])] = json.loads(body)["why"]
                server.received |= server.faults.receive_on_report
                self.reply(server.faults.unavailable_status)
            else:
                self.create()

        def open_session(self, body: dict[str, Any]) -> None:
            if server.faults.session_busy:
                server.faults.session_busy -= 1
                self.reply(503, {"title": "Busy"}, Retry_After="0")
                return
            if server.faults.other_key:
                self.reply(409, {"detail": "It signs with another key.", "next_step": "Ask the manager."})
                return
            if server.faults.broken_session:
                self.reply(200, {"hello": "world"})
                return
            server.sessions.append(body)
            recordings = [server.answer(signed["entry"]) for signed in body["inventory"]]
            self.reply(
                200,
                {
                    "session": "s1",
                    "server_time": "2026-11-22T09:00:00Z",
                    "clock_offset_ms": 1500,
                    "receipt_key": public_key_text(server.key),
                    "recordings": recordings,
                },
            )

        def create(self) -> None:
            if server.faults.refuse_create:
                self.reply(server.faults.refuse_create, {"title": "No", "detail": "The store is being moved."})
                return
            pairs = (pair.split(" ") for pair in self.headers["Upload-Metadata"].split(","))
            metadata = {name: base64.b64decode(value).decode() for name, value in pairs}
            name = uuid.uuid4().hex
            with server.guard:
                server.uploads[name] = Upload(int(self.headers["Upload-Length"]), metadata)
            self.reply(201, Location=f"{server.faults.foreign_location}/dock/tus/{name}", Tus_Resumable="1.0.0")

        def upload(self) -> Upload | None:
            name = self.path.rsplit("/", 1)[-1]
            if server.faults.forget_uploads:
                server.uploads.clear()
                server.faults.forget_uploads = False
            return server.uploads.get(name)

        def do_HEAD(self) -> None:
            if not self.let_in():
                return
            upload = self.upload()
            if upload is None:
                self.reply(404)
            else:
                self.reply(200, Upload_Offset=str(len(upload.data)), Upload_Length=str(upload.length))

        def do_PATCH(self) -> None:
            if not self.let_in():
                return
            upload = self.upload()
            assert upload is not None
            data = self.rfile.read(int(self.headers["Content-Length"]))
            if server.faults.drop_patches:
                server.faults.drop_patches -= 1
                upload.data += data[: len(data) // 2]
                self.close_connection = True
                self.connection.close()
                return
            if server.faults.locked_patches:
                server.faults.locked_patches -= 1
                self.reply(423, Retry_After="0")
                return
            if int(self.headers["Upload-Offset"]) != len(upload.data):
                self.reply(409)
                return
            upload.data += data
            if len(upload.data) == upload.length:
                server.received[int(upload.metadata["sequence"])] = upload.data
            self.reply(204, Upload_Offset=str(len(upload.data)), Tus_Resumable="1.0.0", **self.receipt_of(upload))

        def receipt_of(self, upload: Upload) -> dict[str, str]:
            if not server.faults.receipt_with_bytes or len(upload.data) < upload.length:
                return {}
            receipt = json.dumps(server.receipt(int(upload.metadata["sequence"])))
            return {"Bluelamp_Receipt": server.faults.bend_header or base64.b64encode(receipt.encode()).decode()}

        def do_GET(self) -> None:
            if not self.let_in():
                return
            server.receipts_asked += 1
            found = re.fullmatch(r"/api/v1/docking/s1/receipts/(\d+)", self.path)
            assert found
            sequence = int(found[1])
            if server.faults.receipts_later:
                server.faults.receipts_later -= 1
                self.reply(202, {}, Retry_After="0")
            elif sequence in server.faults.reject:
                self.reply(422, {"title": "Not accepted", "detail": server.faults.reject[sequence]})
            else:
                self.reply(200, server.receipt(sequence))

    return Handler
