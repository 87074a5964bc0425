from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID
from django.conf import settings
from django.db import connection
from psycopg.conninfo import make_conninfo

from bluelamp.cli.doctor import clocks, database, installation, vault
from bluelamp.cli.doctor.finding import Finding, State
from bluelamp.cli.supervisor.instance import open_instance
from bluelamp.kernel import clock
from bluelamp.oversight.services.restoring import note_backup
from bluelamp.project.configuration import Configuration
from bluelamp.vault import keyring_copy
from bluelamp.vault.keyring import SqliteKeyring


def named(findings: Iterable[Finding], name: str) -> Finding:
    return next(finding for finding in findings if finding.name == name)


def run_doctor(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BLUELAMP_")}
    command = [sys.executable, "-P", "-m", "bluelamp.cli.main", "doctor", "--data", str(data), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=clean)


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    data = open_instance(tmp_path / "data").data
    return dataclasses.replace(settings.BLUELAMP, data=data, demonstration=False)


def test_a_folder_without_an_installation_is_said_to_be_one_and_stays_empty(tmp_path: Path) -> None:
    result = run_doctor(tmp_path)
    assert result.returncode == 1
    assert "no installation" in result.stdout
    assert list(tmp_path.iterdir()) == []


def test_it_starts_nothing_and_says_what_it_could_not_look_at(tmp_path: Path) -> None:
    open_instance(tmp_path)
    result = run_doctor(tmp_path, "--json")
    report = json.loads(result.stdout)
    by_name = {finding["name"]: finding for finding in report["findings"]}
    assert by_name["database"]["state"] == "note"
    assert "not running" in by_name["database"]["says"]
    assert by_name["running"]["state"] == "note"
    assert by_name["store"]["state"] == "ok"
    assert "database" in by_name["limit of deletion"]["advice"]
    assert report["healthy"] is (result.returncode == 0)
    assert not (tmp_path / "postgres").exists()


def test_a_setting_that_makes_no_sense_is_a_finding(tmp_path: Path) -> None:
    open_instance(tmp_path)
    command = [sys.executable, "-P", "-m", "bluelamp.cli.main", "doctor", "--data", str(tmp_path)]
    environment = {**os.environ, "BLUELAMP_WEB_THREADS": "many"}
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)
    assert result.returncode == 1
    assert "cannot be understood" in " ".join(result.stdout.split())


@pytest.mark.django_db
def test_a_sound_database_is_found_sound() -> None:
    findings = list(database.check(embedded_is_down=False))
    assert {finding.name for finding in findings} >= {
        "database",
        "durability",
        "migrations",
        "application role",
        "ledger",
    }
    # The tests' own server gives up durability for speed, which the doctor must notice; and nobody witnesses a test,
    # backs it up or works for it.
    wrong = {finding.name: finding for finding in findings if finding.state is not State.OK}
    assert wrong.keys() == {"durability", "witnesses", "backup", "worker"}
    assert wrong["worker"].says.startswith("No worker runs. Uploads are taken in")
    assert wrong["durability"].state is State.BAD
    assert "fsync" in wrong["durability"].says
    assert wrong["witnesses"].state is State.NOTE
    assert wrong["backup"].state is State.NOTE, "a demonstration"


@pytest.mark.django_db
def test_a_backup_is_asked_for_every_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "BLUELAMP", dataclasses.replace(settings.BLUELAMP, demonstration=False))
    never = named(database.check(embedded_is_down=False), "backup")
    assert never.state is State.WARNING
    assert "never backed up" in never.says
    monkeypatch.undo()
    note_backup(manifest_sha256="0" * 64, taken_at=clock.now(), bytes=1, events=1)
    assert named(database.check(embedded_is_down=False), "backup").state is State.OK
    clock.advance(timedelta(days=3))
    old = named(database.check(embedded_is_down=False), "backup")
    assert old.state is State.WARNING
    assert "3 days old" in old.says


def test_a_keyring_without_a_copy_or_with_keys_of_old_copies_is_a_finding(
    configuration: Configuration, tmp_path: Path
) -> None:
    assert not list(vault._keyring_copy(configuration)), "there is no keyring yet"
    keyring = SqliteKeyring(configuration.data / "keyring" / "keyring.sqlite")
    (never,) = vault._keyring_copy(configuration)
    assert never.state is State.WARNING
    folder = tmp_path / "copy-keys"
    made = keyring_copy.make(keyring, tmp_path / "copy", folder)
    said = {"made_at": made.made_at.isoformat(), "keys": str(folder), "days": 3}
    (configuration.data / "keyring-copy.json").write_text(json.dumps(said))
    (well,) = vault._keyring_copy(configuration)
    assert well.state is State.OK
    (folder / "20260101T000000Z-0000.copy-key").write_text("left behind")
    (left,) = vault._keyring_copy(configuration)
    assert left.state is State.BAD
    assert "open what has gone" in left.says
    late = {**said, "made_at": (made.made_at - timedelta(days=4)).isoformat()}
    (configuration.data / "keyring-copy.json").write_text(json.dumps(late))
    (old,) = vault._keyring_copy(configuration)
    assert old.state is State.WARNING


def test_an_application_that_owns_the_tables_is_bad(committed_db: str) -> None:
    connect_as("bluelamp_owner", committed_db)
    finding = named(database.check(embedded_is_down=False), "application role")
    assert finding.state is State.BAD
    assert "owns" in finding.says
    connect_as("bluelamp_admin", committed_db)
    assert "superuser" in named(database.check(embedded_is_down=False), "application role").says


def test_a_ledger_without_its_triggers_or_with_rights_to_change_it_is_bad(committed_db: str) -> None:
    connect_as("bluelamp_owner", committed_db)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE custody_event DISABLE TRIGGER USER")
        cursor.execute("GRANT DELETE ON custody_leaf TO bluelamp_app")
    connect_as("bluelamp_app", committed_db)
    findings = list(database.check(embedded_is_down=False))
    assert named(findings, "ledger").state is State.BAD
    assert named(findings, "ledger").says.endswith("off on custody_event.")
    assert named(findings, "application role").says == "bluelamp_app may change custody_leaf."


def test_migrations_that_wait_are_bad(committed_db: str) -> None:
    connect_as("bluelamp_owner", committed_db)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'custody' AND name = '0002_append_only'")
    assert named(database.check(embedded_is_down=False), "migrations").state is State.BAD


def connect_as(role: str, url: str) -> None:
    from bluelamp.project.settings import database as settings_for

    connection.close()
    connection.settings_dict.update(settings_for(make_conninfo(url, user=role)))


def test_a_database_that_does_not_answer_is_bad_and_does_not_end_the_examination(tmp_path: Path) -> None:
    open_instance(tmp_path)
    command = [sys.executable, "-P", "-m", "bluelamp.cli.main", "doctor", "--data", str(tmp_path), "--json"]
    environment = {**os.environ, "BLUELAMP_DATABASE_URL": f"postgresql://bluelamp_app@/bluelamp?host={tmp_path}"}
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)
    assert result.returncode == 1
    by_name = {finding["name"]: finding for finding in json.loads(result.stdout)["findings"]}
    assert by_name["database"]["state"] == "bad"
    assert by_name["clock"]["state"] in ("ok", "warn")


def test_exposed_signing_keys_are_bad(configuration: Configuration) -> None:
    configuration.keys.mkdir(mode=0o700)
    (configuration.keys / "log.key").write_text("key")
    (configuration.keys / "log.key").chmod(0o644)
    finding = named(vault.check(configuration), "signing keys")
    assert finding.state is State.BAD
    assert "log.key (mode 0644)" in finding.says
    (configuration.keys / "log.key").chmod(0o600)
    assert named(vault.check(configuration), "signing keys").state is State.OK


def test_an_exposed_keyring_or_a_lost_root_key_is_bad(tmp_path: Path) -> None:
    from bluelamp.vault.keyring import SqliteKeyring

    open_instance(tmp_path)
    keyring = SqliteKeyring(tmp_path / "keyring" / "keyring.sqlite")
    keyring.create("one")
    keyring.close()

    def examined() -> dict[str, str]:
        findings = json.loads(run_doctor(tmp_path, "--json").stdout)["findings"]
        return next(finding for finding in findings if finding["name"] == "keyring")

    assert examined()["says"].startswith("1 keys")
    (tmp_path / "keyring" / "keyring.sqlite").chmod(0o640)
    assert examined()["state"] == "bad"
    (tmp_path / "keyring" / "keyring.sqlite").chmod(0o600)
    (tmp_path / "keyring" / "root.key").unlink()
    assert "root key" in examined()["says"]


def test_a_store_that_cannot_be_written_is_bad(tmp_path: Path) -> None:
    open_instance(tmp_path)
    (tmp_path / "store").touch()  # a file where a folder belongs
    findings = json.loads(run_doctor(tmp_path, "--json").stdout)["findings"]
    assert next(finding for finding in findings if finding["name"] == "store")["state"] == "bad"


def test_an_address_in_clear_and_mail_for_nobody_are_named(
    configuration: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLUELAMP_BASE_URL", "http://bwv.example.police.uk")
    findings = list(installation.check(configuration))
    assert named(findings, "address").state is State.BAD
    assert named(findings, "e-mail").state is State.WARNING


def test_checks_that_fail_for_nobodys_eyes_are_named(configuration: Configuration) -> None:
    silent = dataclasses.replace(configuration, alert_email=())
    assert named(installation.check(silent), "alerts").state is State.WARNING
    told = dataclasses.replace(configuration, alert_email=("operator@force.example",))
    assert "alerts" not in {finding.name for finding in installation.check(told)}


def test_a_force_that_the_public_cannot_reach_is_named_outside_demonstrations(configuration: Configuration) -> None:
    unreachable = dataclasses.replace(configuration, public_contact=())
    assert named(installation.check(unreachable), "public contact").state is State.WARNING
    for sound in (
        dataclasses.replace(unreachable, public_contact=("1 Lantern Street",)),
        dataclasses.replace(unreachable, demonstration=True),
    ):
        assert "public contact" not in {finding.name for finding in installation.check(sound)}


def test_an_authority_whose_timestamps_nobody_can_check_is_named(configuration: Configuration, tmp_path: Path) -> None:
    asked = dataclasses.replace(configuration, timestamp_url="https://clerk:secret@tsa.example/tsr")
    assert "no certificate is named" in named(installation.check(asked), "timestamps").says
    file = tmp_path / "root.pem"
    asked = dataclasses.replace(asked, timestamp_certificate=str(file))
    assert "cannot be used" in named(installation.check(asked), "timestamps").says
    file.write_text("no certificate")
    assert "no certificate" in named(installation.check(asked), "timestamps").says
    file.write_bytes(_certificate(days=-1))
    assert "was good until" in named(installation.check(asked), "timestamps").says
    file.write_bytes(_certificate(days=30))
    found = named(installation.check(asked), "timestamps")
    assert found.state is State.OK
    assert "secret" not in found.says


def _certificate(days: int) -> bytes:
    """A self-signed certificate that is good for so many days from now."""
    key, name = Ed25519PrivateKey.generate(), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - timedelta(days=9))
    signed = builder.not_valid_after(now + timedelta(days=days)).sign(key, None)
    return signed.public_bytes(serialization.Encoding.PEM)


def test_a_full_disk_and_forgotten_uploads_are_named(configuration: Configuration) -> None:
    huge = dataclasses.replace(configuration, max_upload_bytes=2**60)
    assert named(installation.check(huge), "disk space").state in (State.OK, State.WARNING, State.BAD)
    forgotten = configuration.staging / "0197"
    forgotten.mkdir(parents=True)
    os.utime(forgotten, (0, 0))
    finding = named(installation.check(configuration), "staging")
    assert finding.state is State.WARNING
    assert "1 unfinished" in finding.says


def test_a_data_folder_open_to_others_is_named(configuration: Configuration) -> None:
    configuration.data.chmod(0o755)
    assert named(installation.check(configuration), "data folder").state is State.WARNING


@pytest.mark.django_db
def test_clocks_are_compared_and_a_demonstration_says_how_far_ahead_it_is() -> None:
    findings = list(clocks.check(settings.BLUELAMP, database_answers=True))
    assert named(findings, "database clock").state is State.OK
    assert "0 days ahead" in named(findings, "demonstration clock").says
