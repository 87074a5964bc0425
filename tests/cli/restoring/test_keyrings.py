"""A keyring that comes back, from whatever copy, brings no key of what has gone."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from psycopg.conninfo import make_conninfo

from bluelamp.cli.backup import taking
from bluelamp.custody import queries as custody
from bluelamp.kernel import clock
from bluelamp.kernel.errors import NotFound
from bluelamp.oversight.models import Finding, Loss
from bluelamp.oversight.services import restoring as reconciling
from bluelamp.oversight.services.restoring import Reconciled, erase_again
from bluelamp.retention.models import Certificate, Deletion
from bluelamp.vault import keyring_copy
from bluelamp.vault.errors import KeyErased
from bluelamp.vault.keyring import SqliteKeyring, get_keyring
from bluelamp.vault.stores import get_store
from tests.cli.restoring.story import DAY, Lost, Story, Urls, opens, restore


def test_a_keyring_copy_of_day_0_opens_nothing_that_has_gone(story: Story, tmp_path: Path) -> None:
    # What the copy holds would open it: the data keys are there, wrapped.
    assert str(story.unchanged.pk) in keyring_copy.live_keys(story.keyring_of_day_0)
    keyring = get_keyring()
    assert isinstance(keyring, SqliteKeyring)
    made = keyring_copy.make(keyring, tmp_path / "copy", tmp_path / "copy-keys")
    assert str(story.flagged.pk) in keyring_copy.live_keys(keyring_copy.content(made.path, tmp_path / "copy-keys"))
    (key,) = (tmp_path / "copy-keys").iterdir()
    # Four days later: the key of that copy is destroyed when the next copy is made.
    old = clock.real_now() - 4 * DAY
    key.rename(key.with_name(f"{old:%Y%m%dT%H%M%SZ}-00000000.copy-key"))
    assert keyring_copy.make(keyring, tmp_path / "next", tmp_path / "copy-keys").destroyed == 1
    with pytest.raises(NotFound, match="it was destroyed"):
        keyring_copy.content(made.path, tmp_path / "copy-keys")


def test_a_lost_keyring_comes_back_from_its_copy_without_the_keys_of_what_has_gone(
    story: Story, tmp_path: Path
) -> None:
    keyring = get_keyring()
    assert isinstance(keyring, SqliteKeyring)
    # The copy was made before the deletions: as the keyring was on day 0.
    with sqlite3.connect(settings.BLUELAMP.data / "keyring" / "keyring.sqlite") as file:
        now = file.serialize()
    with sqlite3.connect(settings.BLUELAMP.data / "keyring" / "keyring.sqlite") as file:
        old = sqlite3.connect(":memory:")
        old.deserialize(story.keyring_of_day_0)
        old.backup(file)
    try:
        assert keyring.has(str(story.unchanged.pk))
        assert erase_again() >= 2
        assert not opens(story.unchanged)
        assert opens(story.flagged)
    finally:
        with sqlite3.connect(settings.BLUELAMP.data / "keyring" / "keyring.sqlite") as file:
            back = sqlite3.connect(":memory:")
            back.deserialize(now)
            back.backup(file)


def test_after_a_total_loss_neither_keys_nor_files_of_what_had_gone_come_back(
    story: Story, lost: Lost, new_database: Callable[[], Urls], postgres: Any, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    url = make_conninfo(postgres.url("owner"), dbname=str(connection.settings_dict["NAME"]))
    taking.write(tmp_path / "of-day-32", url)
    # The store's copy is older than the backup; the keyring's too, and there is no database when it is put back.
    get_store().put_stream(story.unchanged.original, [b"sealed bytes"])
    monkeypatch.delenv("BLUELAMP_DATABASE_URL")
    monkeypatch.setenv("BLUELAMP_DATA", str(tmp_path / "new machine"))
    said = lost.put_back()
    assert said.exit_code == 0, said.output
    assert "put it back with bluelamp restore" in said.output
    assert not (tmp_path / "new machine" / "instance.json").exists(), "nobody has yet said whose machine it is"
    keyring = get_keyring()
    assert keyring.has(story.unchanged.key_id)

    done = restore(story, new_database(), folder=tmp_path / "of-day-32")
    assert (done.erased, done.removed) == (2, 1)
    for gone in (story.unchanged, story.released, lost.brief):
        assert keyring.erased_at(gone.key_id) == Deletion.objects.get(recording=gone.pk).closed_at
        assert not get_store().exists(gone.original)
    assert len(custody.search(tag="keyring.replaced")) == 1
    (removed,) = custody.search(tag="recording.leftover_removed")
    assert removed.subject == story.unchanged.custody_id
    assert Certificate.objects.filter(recording=story.unchanged.pk).count() == 1
    assert opens(story.flagged)
    # What arrived since the copy is lost with its key, and people see it before the first nightly check.
    assert done.missing == tuple(sorted([str(story.arrived.pk), str(story.lost.pk)]))
    assert Finding.objects.get(recording=story.arrived.pk, ended_at=None).problem == Finding.Problem.NO_KEY
    assert Loss.objects.filter(recording=story.arrived.pk, ended_at=None).exists()


def test_a_sound_keyring_is_not_said_to_have_been_replaced(restored: Reconciled) -> None:
    assert (restored.erased, restored.removed) == (0, 0)
    assert custody.search(tag="keyring.replaced") == []


def test_a_keyring_restore_that_was_interrupted_is_taken_up_again(
    story: Story, lost: Lost, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as failing:
        failing.setattr(reconciling, "erase_again", lambda: 1 / 0)
        said = lost.put_back()
    assert isinstance(said.exception, ZeroDivisionError)
    assert "could NOT be erased" in said.output
    keyring = get_keyring()
    assert keyring.has(story.unchanged.key_id)

    said = lost.put_back()
    assert said.exit_code == 0, said.output
    assert "left as it is" in said.output
    assert "2 keys of footage deleted since were erased" in said.output
    assert not keyring.has(story.unchanged.key_id)
    assert opens(story.flagged)
    with pytest.raises(KeyErased):
        keyring.create(lost.brief.key_id)  # never in the copy, and gone all the same
