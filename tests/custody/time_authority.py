"""A time-stamping authority that nobody here wrote: `openssl ts` behind a small web server on the loopback address."""

from __future__ import annotations

import contextlib
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_CONFIG = """
[tsa]
default_tsa = one
[one]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
certs = {folder}/ca.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.3.6.1.4.1.99999.1
digests = {digests}
accuracy = secs:1
ordering = no
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""
_FOR = "extendedKeyUsage = critical,timeStamping\nkeyUsage = critical,digitalSignature\n"
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


class Authority:
    """Its key, certificate (below a root of its own) and settings, in a folder."""

    def __init__(self, folder: Path, name: str = "Independent Time", digests: str = "sha256, sha512") -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        self.root = folder / "ca.pem"
        openssl(
            *("req", "-x509", *_KEY, "-keyout", folder / "ca.key", "-out", self.root, "-days", "3650"),
            *("-subj", f"/O={name}/CN=Root"),
        )
        (folder / "for").write_text(_FOR)
        openssl("req", *_KEY, "-keyout", folder / "tsa.key", "-out", folder / "csr", "-subj", f"/O={name}/CN=Stamp 1")
        openssl(
            *("x509", "-req", "-in", folder / "csr", "-CA", self.root, "-CAkey", folder / "ca.key"),
            *("-CAcreateserial", "-extfile", folder / "for", "-days", "3650", "-out", folder / "tsa.pem"),
        )
        (folder / "serial").write_text("01\n")
        (folder / "tsa.cnf").write_text(_CONFIG.format(folder=folder, digests=digests))

    def reply(self, query: bytes) -> bytes:
        """The answer (TimeStampResp, DER) to a query."""
        asked, answer = self._folder / "query.tsq", self._folder / "answer.tsr"
        asked.write_bytes(query)
        config = ("-config", self._folder / "tsa.cnf", "-section", "one")
        openssl("ts", "-reply", *config, "-queryfile", asked, "-out", answer)
        return answer.read_bytes()


def verified(response: bytes, text: str, root: Path, folder: Path) -> bool:
    """Whether `openssl ts -verify` takes the response for a timestamp of the text."""
    (folder / "checked.tsr").write_bytes(response)
    (folder / "checked.txt").write_text(text)
    found = subprocess.run(
        ["openssl", "ts", "-verify", "-in", folder / "checked.tsr", "-data", folder / "checked.txt", "-CAfile", root],
        capture_output=True,
        check=False,
    )
    return found.returncode == 0


def openssl(*arguments: object) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


@contextlib.contextmanager
def serving(answer) -> Iterator[tuple[str, list[bytes]]]:
    """A web server that gives `answer(query, handler)`, bytes or None where it answered itself; and all queries."""
    queries: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            query = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.headers["Content-Type"] == "application/timestamp-query"
            queries.append(query)
            said = answer(query, self)
            if said is not None:
                self.send_response(200)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/tsr", queries
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
