"""The story that these tests tell, and empty databases for the backup to come back to."""

from __future__ import annotations

import dataclasses
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection, connections
from psycopg.conninfo import make_conninfo

from bluelamp.cli.backup import taking
from bluelamp.custody import queries as custody
from bluelamp.custody import sequencer
from bluelamp.footage import services as footage
from bluelamp.kernel import clock, secretfile
from bluelamp.oversight.services.restoring import Reconciled
from bluelamp.people.policy import Role
from bluelamp.retention import services
from bluelamp.retention.services.restoring import close_again
from bluelamp.vault import keyring_copy
from bluelamp.vault.keyring import SqliteKeyring, get_keyring
from bluelamp.vault.stores import get_store
from tests import factories
from tests.cli.restoring.story import DAY, Lost, Story, Urls, opens, restore, sealed


@pytest.fixture
def new_database(postgres: Any, django_db_blocker: Any) -> Iterator[Callable[[], Urls]]:
    """Makes empty databases: their URLs as the application and as the owner."""
    made = []

    def make() -> Urls:
        made.append(name := f"restored_{uuid.uuid4().hex[:12]}")
        with psycopg.connect(postgres.url("admin"), autocommit=True) as admin:
            admin.execute(f'CREATE DATABASE "{name}" OWNER bluelamp_owner')
        return make_conninfo(postgres.url("app"), dbname=name), make_conninfo(postgres.url("owner"), dbname=name)

    yield make
    connections.close_all()
    with psycopg.connect(postgres.url("admin"), autocommit=True) as admin:
        for name in made:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(autouse=True)
def _settings() -> Iterator[None]:
    before = settings.BLUELAMP
    yield
    settings.BLUELAMP = before


@pytest.fixture
def story(committed_db: str, postgres: Any, tmp_path: Path) -> Story:
    """Day 0 with its backup, then 32 days on which the sweep did its work."""
    officer, detective = factories.person(Role.OFFICER, unit=factories.unit()), factories.person(Role.INVESTIGATOR)
    flagged, released, unchanged, evidence, lost = (sealed(officer) for _ in range(5))
    for recording in (released, evidence, lost):
        footage.flag(recording, category=factories.category(), reason="An assault", by=detective)
    sequencer.drain()
    keyring = get_keyring()
    assert isinstance(keyring, SqliteKeyring)
    keyring_of_day_0 = keyring.serialized()
    owner_url = make_conninfo(postgres.url("owner"), dbname=str(connection.settings_dict["NAME"]))
    manifest = taking.write(tmp_path / "backup", owner_url)

    footage.flag(flagged, category=factories.category(), reason="A complaint was made", by=detective)
    footage.release_flag(released, reason="No proceedings", by=factories.person(Role.SUPERVISOR))
    clock.advance(32 * DAY)
    services.sweep()
    arrived = sealed(officer)
    get_store().delete(lost.original)
    sequencer.drain()
    latest = custody.latest_checkpoint()
    assert latest is not None
    assert [opens(one) for one in (flagged, released, unchanged, evidence)] == [True, False, False, True]
    return Story(
        tmp_path / "backup", manifest, clock.offset(), latest.note,
        flagged, released, unchanged, arrived, evidence, lost, keyring_of_day_0,
    )  # fmt: skip


@pytest.fixture
def restored(story: Story, new_database: Callable[[], Urls]) -> Reconciled:
    """The backup in another database, in line with the keyring and the store of day 32."""
    return restore(story, new_database(), note=story.former_note)


@pytest.fixture
def lost(story: Story, committed_db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lost:
    brief = sealed(factories.person(Role.OFFICER, unit=factories.unit()))
    get_keyring().erase(brief.key_id, clock.now())
    assert close_again(brief.pk, erased_at=clock.now(), taken_at=clock.now() - DAY)
    assert services.finish_deletion(brief.pk)
    for name in ("day-0", "now"):
        (tmp_path / name).mkdir(mode=0o700)
        shutil.copy(settings.BLUELAMP.data / "keyring" / "root.key", tmp_path / name)
    secretfile.create(tmp_path / "day-0" / "keyring.sqlite", story.keyring_of_day_0)
    made = keyring_copy.make(
        SqliteKeyring(tmp_path / "day-0" / "keyring.sqlite"), tmp_path / "copy", tmp_path / "copy-keys"
    )
    target = tmp_path / "now" / "keyring.sqlite"
    monkeypatch.setenv("BLUELAMP_DATA", str(settings.BLUELAMP.data))
    monkeypatch.setenv("BLUELAMP_DATABASE_URL", committed_db)
    monkeypatch.setenv("BLUELAMP_KEYRING_URL", f"sqlite://{target}")
    settings.BLUELAMP = dataclasses.replace(settings.BLUELAMP, keyring_url=f"sqlite://{target}")
    return Lost(made.path, tmp_path / "copy-keys", target, brief)
