"""`bluelamp backup` and `restore` as an operator uses them: on a real installation that is stopped and started."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.cli.test_up import Up

pytestmark = pytest.mark.server

_COMMAND = [sys.executable, "-P", "-m", "bluelamp.cli.main"]


def bluelamp(data: Path, *arguments: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BLUELAMP_")}
    done = subprocess.run(
        [*_COMMAND, *map(str, arguments), "--data", str(data)], capture_output=True, text=True, timeout=120, env=clean
    )
    if check:
        assert done.returncode == 0, done.stdout + done.stderr
    return done


def doctor(data: Path) -> dict[str, Any]:
    done = bluelamp(data, "doctor", "--json", check=False)
    return {found["name"]: found for found in json.loads(done.stdout)["findings"]}


def stop(up: Up) -> None:
    up.process.terminate()
    up.process.wait(30)


def test_a_backup_made_while_it_runs_is_restored_while_it_does_not(data: Path, tmp_path: Path) -> None:
    up = Up(data)
    try:
        up.ready()
        assert doctor(data)["backup"]["state"] == "warn"
        said = bluelamp(data, "backup", tmp_path / "one").stdout
        assert "0 recordings" in said
        assert bluelamp(data, "backup", tmp_path / "one", check=False).returncode == 6
        assert doctor(data)["backup"]["state"] == "ok"
        # It runs: nothing may be put in its place.
        refused = bluelamp(data, "restore", tmp_path / "one", "--replace", check=False)
        assert refused.returncode == 6
        assert "already runs" in refused.stderr
    finally:
        stop(up)

    # A second backup, of the stopped installation: PostgreSQL is started for it alone.
    bluelamp(data, "backup", tmp_path / "two")
    refused = bluelamp(data, "restore", tmp_path / "one", check=False)
    assert refused.returncode == 6
    assert "--replace" in refused.stderr

    said = bluelamp(data, "restore", tmp_path / "two", "--replace").stdout
    assert "goes on under a new name" in said
    assert "bluelamp_before_" in said
    (report,) = data.glob("restore-*.json")
    assert report.stat().st_mode & 0o777 == 0o600

    up = Up(data)
    try:
        up.ready()
        assert "/restored-" in bluelamp_keys(data)[-1]
        assert len(bluelamp_keys(data)) == 2  # the former one stays listed, for what it signed
        verified = subprocess.run(
            [*_COMMAND, "verify", "--database"],
            capture_output=True, text=True, timeout=120, env={**os.environ, "BLUELAMP_DATA": str(data)},
        )  # fmt: skip
        assert verified.returncode == 0, verified.stdout
    finally:
        stop(up)


def bluelamp_keys(data: Path) -> list[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BLUELAMP_")}
    done = subprocess.run(
        [*_COMMAND, "keys", "list"],
        capture_output=True,
        text=True,
        timeout=60,
        env={**clean, "BLUELAMP_DATA": str(data)},
    )
    return done.stdout.split()


def test_where_the_disk_with_the_database_is_gone_the_backup_comes_back_on_a_new_one(
    data: Path, tmp_path: Path
) -> None:
    from bluelamp.cli.supervisor.cluster import open_cluster
    from bluelamp.cli.supervisor.instance import open_instance

    up = Up(data)
    try:
        up.ready()
    finally:
        stop(up)
    bluelamp(data, "backup", tmp_path / "one")
    bluelamp(data, "keyring", "copy", tmp_path / "k", "--keys", tmp_path / "copy-keys")
    gone = open_cluster(open_instance(data)).folder
    shutil.rmtree(gone)
    # `up` never takes an empty database for a lost one.
    refused = bluelamp(data, "up", "--port", "0", check=False)
    assert refused.returncode == 6
    assert "should be in" in refused.stderr
    # Nor does a keyring that comes back first: the restore then erases what has gone.
    (data / "keyring" / "keyring.sqlite").unlink()
    said = bluelamp(data, "keyring", "restore", tmp_path / "k", "--keys", tmp_path / "copy-keys").stdout
    assert "there is none here" in said
    assert not gone.exists()
    assert "Restored the database" in bluelamp(data, "restore", tmp_path / "one").stdout
    up = Up(data)
    try:
        up.ready()
    finally:
        stop(up)


def test_without_the_signing_keys_nothing_is_restored(data: Path, tmp_path: Path) -> None:
    up = Up(data)
    try:
        up.ready()
        bluelamp(data, "backup", tmp_path / "one")
    finally:
        stop(up)
    other = tmp_path / "other"
    refused = bluelamp(other, "restore", tmp_path / "one", check=False)
    assert refused.returncode == 6
    assert "receipt.key is missing" in refused.stderr
    assert not (other / "instance.json").exists()
    # Another installation's keys do not vouch for it.
    (other / "keys").mkdir(parents=True)
    another = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (other / "keys" / "receipt.key").write_bytes(another)
    refused = bluelamp(other, "restore", tmp_path / "one", check=False)
    assert refused.returncode == 2
    assert "not signed by this installation" in refused.stderr


def test_a_folder_without_an_installation_cannot_be_backed_up(tmp_path: Path) -> None:
    refused = bluelamp(tmp_path / "data", "backup", tmp_path / "one", check=False)
    assert refused.returncode == 6
    assert not (tmp_path / "one").exists()
    assert not (tmp_path / "data").exists()


def test_a_keyring_that_is_lost_comes_back_from_its_copy(data: Path, tmp_path: Path) -> None:
    up = Up(data)
    try:
        up.ready()
        inside = bluelamp(data, "keyring", "copy", tmp_path / "k", "--keys", data / "copy-keys", check=False)
        assert inside.returncode == 6
        assert "copy and key together" in inside.stderr
        said = bluelamp(data, "keyring", "copy", tmp_path / "k", "--keys", tmp_path / "copy-keys").stdout
        assert "a copy of the keyring" in said
        assert doctor(data)["keyring copy"]["state"] == "ok"
        held = (data / "keyring" / "keyring.sqlite").read_bytes()
        there = bluelamp(data, "keyring", "restore", tmp_path / "k", "--keys", tmp_path / "copy-keys").stdout
        assert "left as it is" in there
        assert "0 keys of footage deleted since were erased" in there
        assert (data / "keyring" / "keyring.sqlite").read_bytes() == held, "a keyring that is there is never replaced"
    finally:
        stop(up)
    keyring = data / "keyring" / "keyring.sqlite"
    kept = keyring.read_bytes()
    keyring.unlink()
    bluelamp(data, "keyring", "restore", tmp_path / "k", "--keys", tmp_path / "copy-keys")
    assert keyring.stat().st_mode & 0o777 == 0o600
    assert len(keyring.read_bytes()) == len(kept)
    # Without its key the copy opens nothing.
    keyring.unlink()
    (key,) = (tmp_path / "copy-keys").iterdir()
    key.unlink()
    refused = bluelamp(data, "keyring", "restore", tmp_path / "k", "--keys", tmp_path / "copy-keys", check=False)
    assert refused.returncode == 5
    assert "it was destroyed" in refused.stderr
    assert not keyring.exists()
