"""A throwaway S3 service for tests: Ceph's own gateway (RGW) over one monitor and one object daemon in memory.

It listens on free ports of the loopback address, writes into one folder, and its processes end with the one that
started it, however that ends. `python -m tests.s3.rgw FOLDER` runs one until Ctrl+C.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PROGRAMS = ("ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "ceph", "ceph-authtool", "monmaptool")
PACKAGES = "ceph-mon ceph-osd radosgw ceph-common"
REGION = "us-east-1"

_STEP_SECONDS = 60
_READY_SECONDS = 60
_PR_SET_PDEATHSIG = 1
_MEMORY_BYTES = 8 * 1024**3  # a bound, not taken; deleted objects are freed only hours later

_CONFIGURATION = """
[global]
fsid = {fsid}
mon_host = v2:127.0.0.1:{mon_port}
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
auth_cluster_required = cephx
auth_service_required = cephx
auth_client_required = cephx
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 1
osd_pool_default_pgp_num = 1
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_data_avail_crit = 1
mon_data_avail_warn = 2
osd_objectstore = memstore
memstore_device_bytes = {memory}
run_dir = {folder}/run
admin_socket =
log_file = {folder}/log/$name.log
keyring = {folder}/keyring
paxos_propose_interval = 0.05
paxos_min_wait = 0.01
[mon.a]
mon_data = {folder}/mon/a
[osd.0]
osd_data = {folder}/osd/0
keyring = {folder}/osd/0/keyring
[client]
rgw_frontends = beast endpoint=127.0.0.1:{port} {tls} tcp_nodelay=1
rgw_data = {folder}/rgw
rgw_run_sync_thread = false
rgw_enable_usage_log = false
rgw_bucket_quota_ttl = 0
rgw_user_quota_bucket_sync_interval = 0
"""


class RgwMissing(Exception):
    """Ceph's programs are not installed."""


class Rgw:
    """One S3 service. `start` returns when it answers; `stop` ends every process that `start` began."""

    access_key, secret_key = "test", "testing"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, tls_port, mon_port = _free_ports(3)
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.tls_endpoint = f"https://localhost:{tls_port}"
        self.certificate = folder / "certificate.pem"
        self._conf = folder / "ceph.conf"
        self._children: list[subprocess.Popen[bytes]] = []
        self._gateway: subprocess.Popen[bytes] | None = None
        for name in ("mon", "osd/0", "rgw", "run", "log"):
            (folder / name).mkdir(parents=True)
        self._fsid = str(uuid.uuid4())
        self._mon = f"[v2:127.0.0.1:{mon_port}]"
        self._conf.write_text(
            _CONFIGURATION.format(
                fsid=self._fsid,
                mon_port=mon_port,
                port=self.port,
                tls=f"ssl_endpoint=127.0.0.1:{tls_port} ssl_certificate={folder}/tls.pem",
                folder=folder,
                memory=_MEMORY_BYTES,
            )
        )
        _write_certificate(self.certificate, folder / "tls.pem")

    def start(self) -> Rgw:
        missing = [name for name in PROGRAMS if shutil.which(name) is None]
        if missing:
            raise RgwMissing(f"{', '.join(missing)} not found: install the packages {PACKAGES}")
        try:
            self._start_monitor()
            self._start_object_daemon()
            self.admin("user", "create", "--uid=test", "--display-name=test",
                       f"--access-key={self.access_key}", f"--secret-key={self.secret_key}")  # fmt: skip
            self.start_gateway()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """All data is gone with it."""
        if self._gateway is not None:
            _end(self._gateway)
            self._gateway = None
        while self._children:
            _end(self._children.pop())

    def start_gateway(self) -> None:
        """The S3 port alone; also after `stop_gateway`, with all data as it was."""
        shutil.copy(self.folder / "keyring", self.folder / "rgw" / "keyring")
        self._gateway = self._spawn("radosgw", "-n", "client.admin", "--keyring", str(self.folder / "keyring"), "-f")
        until = time.monotonic() + _READY_SECONDS
        while not self._answers():
            if self._gateway.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"radosgw did not become ready: {self._log('radosgw')}")
            time.sleep(0.05)

    def stop_gateway(self) -> None:
        """Connections are refused until `start_gateway`."""
        if self._gateway is not None:
            # In order: the others would wait half a minute for one that vanished.
            self._gateway.terminate()
            try:
                self._gateway.wait(_STEP_SECONDS)
            except subprocess.TimeoutExpired:
                _end(self._gateway)
            self._gateway = None

    def freeze(self) -> None:
        """Connections are accepted and never answered, until `thaw`."""
        assert self._gateway is not None
        self._gateway.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._gateway is not None
        self._gateway.send_signal(signal.SIGCONT)

    def admin(self, *arguments: str) -> None:
        """radosgw-admin."""
        self._run("radosgw-admin", *arguments)

    def client(self) -> Any:
        """A client that Bluelamp has no hand in, to look from outside."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name=REGION,
            config=Config(
                s3={"addressing_style": "path"},
                retries={"max_attempts": 1},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def environment(self) -> dict[str, str]:
        """What tells a program where it is and who may use it."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": REGION,
        }

    def _start_monitor(self) -> None:
        keyring, monmap = self.folder / "keyring", self.folder / "monmap"
        self._run("ceph-authtool", "-C", str(keyring), "--gen-key", "-n", "mon.", "--cap", "mon", "allow *")
        self._run("ceph-authtool", str(keyring), "--gen-key", "-n", "client.admin",
                  "--cap", "mon", "allow *", "--cap", "osd", "allow *", "--cap", "mgr", "allow *")  # fmt: skip
        self._run("monmaptool", "--create", "--clobber", "--fsid", self._fsid, "--addv", "a", self._mon, str(monmap))
        self._run("ceph-mon", "-i", "a", "--mkfs", "--monmap", str(monmap), "--keyring", str(keyring))
        self._children.append(self._spawn("ceph-mon", "-i", "a", "-f"))

    def _start_object_daemon(self) -> None:
        identity = str(uuid.uuid4())
        self._run("ceph", "osd", "new", identity, "0")
        key = self._run(
            "ceph", "auth", "get-or-create", "osd.0",
            "mon", "allow profile osd", "mgr", "allow profile osd", "osd", "allow *",
        )  # fmt: skip
        (self.folder / "osd" / "0" / "keyring").write_bytes(key)
        self._run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", identity)
        self._children.append(self._spawn("ceph-osd", "-i", "0", "-f"))

    def _run(self, program: str, *arguments: str) -> bytes:
        command = [program, "-c", str(self._conf), *arguments]
        done = subprocess.run(
            command, capture_output=True, timeout=_STEP_SECONDS, env=self._environment(), cwd=self.folder
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.decode(errors='replace')[-2000:]}")
        return done.stdout

    def _spawn(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        with open(self.folder / "log" / f"{program}.out", "ab") as output:
            return subprocess.Popen(
                [program, "-c", str(self._conf), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self._environment(),
                cwd=self.folder,
                preexec_fn=_end_with_parent,
            )

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "CEPH_CONF": str(self._conf)}

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return True
        except OSError:
            return False

    def _log(self, program: str) -> str:
        return (self.folder / "log" / f"{program}.out").read_text(errors="replace")[-2000:]


_libc = ctypes.CDLL(None, use_errno=True)


def _end_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _end(process: subprocess.Popen[bytes]) -> None:
    # Nothing of it is kept, so there is nothing to shut down in order.
    process.kill()
    process.wait()


def _write_certificate(certificate: Path, with_key: Path) -> None:
    """For localhost, signed by itself, as a force's own authority would be unknown to the world."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    ).public_bytes(serialization.Encoding.PEM)
    certificate.write_bytes(made)
    with_key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made
    )


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


if __name__ == "__main__":
    _folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp(prefix="bluelamp-rgw-"))
    _server = Rgw(_folder.resolve()).start()
    sys.stdout.write("".join(f"export {name}={value}\n" for name, value in _server.environment().items()))
    sys.stdout.flush()
    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))
    try:
        signal.pause()
    except KeyboardInterrupt:
        pass
    finally:
        _server.stop()
