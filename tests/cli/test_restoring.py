"""A backup of day 0 comes back on day 32, with keyring and store of day 32: what may open does, and nothing else."""

from __future__ import annotations

import dataclasses
import json
import shutil
import sqlite3
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection, connections
from django.test import Client
from psycopg.conninfo import make_conninfo

from bluelamp.cli.backup import manifest as manifests
from bluelamp.cli.backup import programs, taking
from bluelamp.cli.backup.manifest import DUMP, NAME, BackupError
from bluelamp.cli.backup.putting_back import Target, bring_into_line, fill
from bluelamp.custody import keys, restoring, sequencer
from bluelamp.custody import queries as custody
from bluelamp.custody.verification import verify_ledger
from bluelamp.footage import services as footage
from bluelamp.footage.models import Recording
from bluelamp.formats.errors import FormatError
from bluelamp.formats.log_proof import verify_checkpoint
from bluelamp.formats.signed_note import VerifierKey
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Invalid, NotFound
from bluelamp.oversight.models import Finding
from bluelamp.oversight.services.restoring import erase_again
from bluelamp.people.policy import Role
from bluelamp.retention import certificates, services
from bluelamp.retention.models import Certificate
from bluelamp.vault import keyring_copy, objects
from bluelamp.vault.errors import KeyErased
from bluelamp.vault.keyring import SqliteKeyring, get_keyring
from bluelamp.vault.stores import get_store
from tests import factories
from tests.conftest import _connect

DAY = timedelta(days=1)


@dataclasses.dataclass
class Story:
    """What happened to each recording after the backup, and what was kept of day 0."""

    folder: Path
    manifest: manifests.Manifest
    offset: timedelta
    former_note: str
    flagged: Recording
    released: Recording
    unchanged: Recording
    arrived: Recording
    evidence: Recording
    lost: Recording
    keyring_of_day_0: bytes


def sealed(wearer: Any, **more: Any) -> Recording:
    return factories.recording(wearer, sealed=True, due_rule="default", **more)


def opens(recording: Recording) -> bool:
    """Whether its master can be read with today's keyring and store."""
    try:
        return bool(objects.SealedReader(recording.original, recording.key_id).read(0, 10))
    except KeyErased:
        return False


@pytest.fixture
def another_database(postgres: Any, django_db_blocker: Any) -> Iterator[tuple[str, str]]:
    """An empty database, as the application and as the owner."""
    name = f"restored_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres.url("admin"), autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}" OWNER bluelamp_owner')
    yield make_conninfo(postgres.url("app"), dbname=name), make_conninfo(postgres.url("owner"), dbname=name)
    connections.close_all()
    with psycopg.connect(postgres.url("admin"), autocommit=True) as admin:
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


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
def restored(story: Story, another_database: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The backup in another database, in line with the keyring and the store of day 32."""
    app_url, owner_url = another_database
    before = settings.BLUELAMP
    settings.BLUELAMP = dataclasses.replace(before, database_url=app_url, database_owner_url=owner_url)
    fill(story.folder, owner_url)
    clock._cached = (float("-inf"), clock._cached[1])
    target = Target(app_url, owner_url, note=story.former_note, clock=story.offset)
    done = bring_into_line(story.manifest, reason="The disk failed", note="", former=target)
    _connect(owner_url)
    try:
        yield done
    finally:
        settings.BLUELAMP = before


def test_a_backup_of_day_0_opens_what_was_kept_and_nothing_that_has_gone(story: Story, restored: Any) -> None:
    assert opens(story.flagged)
    assert opens(story.evidence)
    assert not opens(story.released)
    assert not opens(story.unchanged)
    states = dict(Recording.objects.values_list("pk", "state"))
    assert states[story.flagged.pk] == states[story.evidence.pk] == Recording.State.LIVE
    assert states[story.released.pk] == states[story.unchanged.pk] == Recording.State.DELETED
    assert restored.closed == 2
    for gone in (story.released, story.unchanged):
        body = Certificate.objects.get(recording=gone.pk).body
        certificate = certificates.verify(body, keys.receipt_key().public_key())
        assert certificate.rule == "Deleted before a restore"
        assert "not known here" in certificate.basis
        assert certificate.sha256 == gone.sha256
        assert certificate.key_erased_at < certificate.deleted_at


def test_what_would_be_due_at_once_is_kept_until_people_have_looked(story: Story, restored: Any) -> None:
    row = Recording.objects.get(pk=story.flagged.pk)
    assert row.review_until is not None
    assert row.review_until >= clock.now() + 6 * DAY
    assert not row.flags.exists(), "the flag came after the backup"
    assert services.sweep().deleted == 0
    assert opens(story.flagged)
    assert custody.search(tag="retention.review_given", subject=row.custody_id)[0].reason.startswith("The database was")
    assert restored.given_time == 1


def test_what_arrived_since_is_listed_and_left_alone(story: Story, restored: Any) -> None:
    (unknown,) = [item for item in restored.unknown if item.recording == str(story.arrived.pk)]
    assert unknown.objects == (story.arrived.original,)
    assert unknown.opens
    services.sweep()
    assert opens(story.arrived)


def test_a_file_that_is_missing_from_the_store_is_said_to_be_lost(story: Story, restored: Any) -> None:
    assert restored.missing == (str(story.lost.pk),)
    assert Finding.objects.get(ended_at=None).recording_id == story.lost.pk


def test_the_ledger_goes_on_under_a_new_name_and_cites_what_was_shown_of_the_old_one(
    story: Story, restored: Any
) -> None:
    sequencer.drain()
    latest = custody.latest_checkpoint()
    assert latest is not None
    own, former = VerifierKey.parse(keys.own_vkey()), VerifierKey.parse(keys.log_vkeys()[0])
    assert former.name == keys.log_origin()
    assert own.name == restored.origin != former.name
    assert verify_checkpoint(latest.note, own).size == latest.size
    with pytest.raises(FormatError, match=r"is of the log .*/restored-.*, not of"):
        verify_checkpoint(latest.note, former)
    (said,) = custody.search(tag="ledger.restored")
    shown = verify_checkpoint(story.former_note, former)
    assert (said.details["kept"], said.details["shown"]) == (story.manifest.ledger_size, shown.size)
    assert said.details["note"] == story.former_note
    assert shown.size > story.manifest.ledger_size
    report, _ = verify_ledger()
    assert report.good, report.problems
    # Whoever remembers a checkpoint up to the backup finds the same events; of a later one, that they are not there.
    report, _ = verify_ledger(kept_note=story.manifest.checkpoint)
    assert report.good, report.problems
    report, _ = verify_ledger(kept_note=story.former_note)
    assert not report.good


def test_restoring_the_same_backup_twice_never_gives_the_log_the_same_name(story: Story, restored: Any) -> None:
    again = restoring.begin_anew(taken_at=clock.now(), reason="Again", actor="system:operator")
    assert again != restored.origin


def test_a_note_that_this_log_never_signed_is_refused(story: Story, restored: Any) -> None:
    forged = story.former_note.replace(keys.log_origin(), "bluelamp/other")
    assert not restoring.is_later(forged)
    with pytest.raises(Invalid, match="cannot be trusted"):
        restoring.begin_anew(taken_at=clock.now(), reason="x", actor="system:operator", note=forged)


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


def test_a_backup_holds_neither_keyring_nor_sessions_nor_signing_keys(story: Story) -> None:
    assert sorted(path.name for path in story.folder.iterdir()) == [DUMP, NAME]
    assert {path.stat().st_mode & 0o777 for path in story.folder.iterdir()} == {0o600}
    document = json.loads((story.folder / NAME).read_bytes())
    assert "django_session" not in document["counts"]
    assert document["counts"]["footage_recording"] == 5
    assert "PRIVATE KEY" not in (story.folder / NAME).read_text()


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


def test_the_oversight_page_says_that_the_database_was_restored_and_until_when_to_look(
    story: Story, restored: Any
) -> None:
    client = Client()
    person = factories.person(Role.AUDITOR, unit=factories.unit())
    client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    page = client.get("/oversight/").content.decode()
    assert "The database was restored" in page
    assert "The disk failed" in page
    assert "2 recordings that had gone since were closed again" in page
    assert "1 recording is kept until" in page
