"""What a backup holds, and which one is refused before anything is touched."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from psycopg.conninfo import make_conninfo

from bluelamp.cli.backup import manifest as manifests
from bluelamp.cli.backup import programs, taking
from bluelamp.cli.backup.manifest import DUMP, NAME, BackupError
from bluelamp.cli.backup.putting_back import _require_keyring, put_back
from bluelamp.custody import keys
from bluelamp.custody import queries as custody
from bluelamp.kernel.errors import Conflict
from bluelamp.retention import certificates
from tests.cli.restoring.story import Story, Urls


def test_a_backup_holds_neither_keyring_nor_sessions_nor_signing_keys(story: Story) -> None:
    assert sorted(path.name for path in story.folder.iterdir()) == [DUMP, NAME]
    assert {path.stat().st_mode & 0o777 for path in story.folder.iterdir()} == {0o600}
    document = json.loads((story.folder / NAME).read_bytes())
    assert "django_session" not in document["counts"]
    assert document["counts"]["footage_recording"] == 5
    assert "PRIVATE KEY" not in (story.folder / NAME).read_text()


def test_an_interrupted_backup_leaves_no_folder_of_that_name(
    committed_db: str, postgres: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise programs.ProgramFailed("The disk is full.")

    monkeypatch.setattr(programs, "dump", fails)
    url = make_conninfo(postgres.url("owner"), dbname=str(connection.settings_dict["NAME"]))
    with pytest.raises(programs.ProgramFailed):
        taking.write(tmp_path / "backup", url)
    assert list(tmp_path.iterdir()) == []
    assert custody.search(tag="backup.made") == []


@pytest.mark.parametrize("harm", ["dump", "cut", "manifest", "gone"])
def test_a_backup_that_was_changed_is_refused_before_anything_is_touched(
    story: Story, tmp_path: Path, harm: str
) -> None:
    bad = tmp_path / "bad"
    shutil.copytree(story.folder, bad)
    dump = bad / DUMP
    content = bytearray(dump.read_bytes())
    if harm == "dump":
        content[len(content) // 2] ^= 1
        dump.write_bytes(content)
    elif harm == "cut":
        dump.write_bytes(content[:-1])
    elif harm == "manifest":
        (bad / NAME).write_text((bad / NAME).read_text().replace('"recordings": 5', '"recordings": 4'))
    else:
        dump.unlink()
    public = keys.receipt_key().public_key()
    assert manifests.read(story.folder, public) == story.manifest
    with pytest.raises(BackupError):
        manifests.read(bad, public)


def test_without_the_keyring_or_its_root_key_no_backup_with_recordings_is_restored(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    (data / "keys").mkdir(parents=True)
    shutil.copy(settings.BLUELAMP.data / "keys" / "receipt.key", data / "keys")
    monkeypatch.setenv("BLUELAMP_DATA", str(data))
    monkeypatch.setenv("BLUELAMP_DATABASE_URL", "host=/nowhere")
    with pytest.raises(Conflict, match=r"keyring\.sqlite is missing, .* 5 recordings.*none of them can be opened"):
        put_back(story.folder, replace=True, reason="x", note="")
    keyring = data / "keyring" / "keyring.sqlite"
    assert not (data / "instance.json").exists()
    assert not keyring.parent.exists()
    _require_keyring(keyring, 5, lost=True)

    keyring.parent.mkdir(mode=0o700)
    keyring.write_bytes(story.keyring_of_day_0)
    for lost in (False, True):
        with pytest.raises(Conflict, match=r"root\.key is missing, .* 5 recordings"):
            put_back(story.folder, replace=True, reason="x", note="", keyring_lost=lost)
    assert not (data / "instance.json").exists()


def test_a_backup_of_a_newer_version_is_refused_before_anything_is_in_the_database(
    story: Story, new_database: Callable[[], Urls], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = tmp_path / "newer"
    shutil.copytree(story.folder, newer)
    manifest = dataclasses.replace(story.manifest, migrations=(*story.manifest.migrations, "footage.0999_tomorrow"))
    name = certificates.key_name(keys.log_origin())
    (newer / NAME).write_bytes(manifests.text(manifests.sign(manifest, keys.receipt_key(), name)))
    app_url, owner_url = new_database()
    monkeypatch.setenv("BLUELAMP_DATA", str(settings.BLUELAMP.data))
    monkeypatch.setenv("BLUELAMP_DATABASE_URL", app_url)
    monkeypatch.setenv("BLUELAMP_DATABASE_OWNER_URL", owner_url)
    with pytest.raises(Conflict, match=r"does not know footage\.0999_tomorrow"):
        put_back(newer, replace=False, reason="x", note="")
    with psycopg.connect(app_url) as found:
        assert found.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)
