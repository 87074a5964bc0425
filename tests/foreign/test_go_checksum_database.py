"""Logs, tiles, notes and proofs against an implementation that is not ours: Go's checksum database.

`proofs.txt` was printed by `reader.go`, so that proofs are compared where there is no Go, too. With Go (the Debian
packages golang-go and golang-golang-x-mod-dev; `make go` installs them as root) the file is printed again, and Go reads
logs that Bluelamp wrote and writes one that Bluelamp reads.
"""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bluelamp.formats import proofs
from bluelamp.formats.cosignature import WitnessKey, cosign
from bluelamp.formats.signed_note import VerifierKey
from bluelamp.formats.tiles import TileNodes
from bluelamp.verify.follow import Follower
from tests.verify.static_log import StaticLog, entry, serve

_HERE = Path(__file__).parent
_GOPATH = Path("/usr/share/gocode")
_LINES = (_HERE / "proofs.txt").read_text().splitlines()
_SIZES = (1, 2, 255, 256, 257, 70_000)


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """The Go program, built from Debian's packages alone; a function that runs it and returns what it prints."""
    if shutil.which("go") is None or not (_GOPATH / "src/golang.org/x/mod/sumdb/tlog").is_dir():
        pytest.skip("Go reads our logs where golang-go and golang-golang-x-mod-dev are installed (as root: make go).")
    folder = tmp_path_factory.mktemp("go")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GO111MODULE": "off",
        "GOPATH": str(_GOPATH),
        "GOPROXY": "off",
        "CGO_ENABLED": "0",
        "GOCACHE": str(folder / "cache"),
    }
    program = folder / "reader"
    build = ["go", "build", "-o", str(program), str(_HERE / "reader.go")]
    subprocess.run(build, env=environment, check=True, capture_output=True, text=True)

    def run(*arguments, fails=False):
        done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, timeout=120)
        assert bool(done.returncode) is fails, done.stderr
        return done.stderr if fails else done.stdout

    return run


def _log(folder, size):
    return StaticLog(folder).append(entry(number) for number in range(size))


@pytest.mark.parametrize("line", _LINES, ids=lambda line: line.split()[0])
def test_every_proof_of_a_tree_is_byte_for_byte_what_go_makes(line, tmp_path):
    size = int(line.split()[0])
    log = StaticLog(tmp_path).append(str(number).encode() for number in range(size))
    included, consistent = hashlib.sha256(), hashlib.sha256()
    for number in range(size):
        for digest, proof in (
            (included, proofs.prove_inclusion(number, size, log.nodes)),
            (consistent, proofs.prove_consistency(number + 1, size, log.nodes)),
        ):
            digest.update(b"".join(proof) + str(len(proof)).encode())
    assert line == f"{size} {log.root().hex()} {included.hexdigest()} {consistent.hexdigest()}"


def test_go_prints_the_recorded_proofs_again(reader):
    assert reader("proofs", *(line.split()[0] for line in _LINES)).splitlines() == _LINES


@pytest.mark.parametrize("size", _SIZES)
def test_go_verifies_checkpoint_tiles_bundles_and_proofs(reader, tmp_path, size):
    log = _log(tmp_path, size).publish()
    origin, told, signatures, entries, included, consistent = reader("log", tmp_path, log.vkey).split()
    assert (origin, int(told), int(signatures), int(entries)) == (log.origin, size, 1, size)
    assert int(included) == int(consistent) >= min(size, 2)


def test_go_verifies_a_cosignature(reader, tmp_path):
    log, witness = _log(tmp_path, 300), Ed25519PrivateKey.from_private_bytes(b"w" * 32)
    text = log.note().partition("\n\n")[0] + "\n"
    log.publish(lines=cosign(text, "witness.example/w1", witness, 1_795_000_000))
    vkey = WitnessKey("witness.example/w1", witness.public_key())
    assert reader("log", tmp_path, log.vkey, vkey).split()[2] == "2"
    other = WitnessKey("witness.example/w1", Ed25519PrivateKey.from_private_bytes(b"x" * 32).public_key())
    assert "1 of 2 signatures" in reader("log", tmp_path, log.vkey, other, fails=True)


@pytest.mark.parametrize(
    "damaged", ["checkpoint", "tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/000"]
)
def test_go_refuses_what_was_changed(reader, tmp_path, damaged):
    log = _log(tmp_path, 300).publish()
    path = tmp_path / damaged
    path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])
    assert reader("log", tmp_path, log.vkey, fails=True)


@pytest.mark.parametrize("size", [1, 255, 256, 257, 1000])
def test_bluelamp_follows_a_log_that_go_wrote(reader, tmp_path, size):
    key = Ed25519PrivateKey.from_private_bytes(b"g" * 32)
    vkey = VerifierKey("go.example/log", key.public_key())
    secret = base64.b64encode(b"\x01" + key.private_bytes_raw()).decode()
    reader("write", tmp_path, f"PRIVATE+KEY+{vkey.name}+{vkey.key_hash.hex()}+{secret}", size)
    with serve(tmp_path) as url:
        look = Follower(url, (vkey,)).look(None, 1_795_000_000)
    assert (look.findings, look.unknown, look.checkpoint.size) == ((), "", size)
    nodes = TileNodes(size, lambda tile: (tmp_path / tile.path).read_bytes())
    assert proofs.tree_root(size, nodes) == look.checkpoint.root
