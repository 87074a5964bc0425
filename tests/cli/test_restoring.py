"""A backup of day 0 comes back on day 32, with keyring and store of day 32: what may open does, and nothing else."""

from __future__ import annotations

import dataclasses
import json
import shutil
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.db import connection, connections
from django.test import Client
from psycopg.conninfo import make_conninfo
from typer.testing import CliRunner, Result

from bluelamp.cli import keyring as keyring_command
from bluelamp.cli.backup import manifest as manifests
from bluelamp.cli.backup import programs, taking
from bluelamp.cli.backup.manifest import DUMP, NAME, BackupError
from bluelamp.cli.backup.putting_back import Target, _require_keyring, bring_into_line, fill, put_back
from bluelamp.custody import keys, restoring, sequencer
from bluelamp.custody import queries as custody
from bluelamp.custody.verification import verify_ledger
from bluelamp.footage import services as footage
from bluelamp.footage.models import Recording
from bluelamp.formats.errors import FormatError
from bluelamp.formats.log_proof import verify_checkpoint
from bluelamp.formats.signed_note import VerifierKey, sign_note, verify_note
from bluelamp.kernel import clock, secretfile
from bluelamp.kernel.errors import Conflict, Invalid, NotFound
from bluelamp.oversight.models import Finding, Loss
from bluelamp.oversight.services import restoring as reconciling
from bluelamp.oversight.services.restoring import Reconciled, erase_again
from bluelamp.people.policy import Role
from bluelamp.retention import certificates, services
from bluelamp.retention.models import Certificate, Deletion
from bluelamp.retention.services.restoring import close_again
from bluelamp.vault import keyring_copy, objects
from bluelamp.vault.errors import KeyErased
from bluelamp.vault.keyring import SqliteKeyring, get_keyring
from bluelamp.vault.stores import get_store
from tests import factories
from tests.conftest import _connect

DAY = timedelta(days=1)

Urls = tuple[str, str]


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


def restore(story: Story, urls: Urls, *, folder: Path | None = None, note: str = "") -> Reconciled:
    """Restore a backup of the story into an empty database, to which Django is connected afterwards."""
    app_url, owner_url = urls
    settings.BLUELAMP = dataclasses.replace(settings.BLUELAMP, database_url=app_url, database_owner_url=owner_url)
    folder = folder or story.folder
    fill(folder, owner_url)
    clock._cached = (float("-inf"), clock._cached[1])
    target = Target(app_url, owner_url, note=note, clock=story.offset)
    manifest = manifests.read(folder, keys.receipt_key().public_key())
    done = bring_into_line(manifest, reason="The disk failed", note="", former=target)
    _connect(owner_url)
    return done


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


@dataclasses.dataclass
class Lost:
    """A keyring that is lost, and what is left: a copy of day 0 with its key, and the root key in the keyring's place.

    `brief` came after the copy and had gone before the loss.
    """

    file: Path
    keys: Path
    target: Path
    brief: Recording

    def put_back(self) -> Result:
        """`bluelamp keyring restore`."""
        return CliRunner().invoke(keyring_command.app, ["restore", str(self.file), "--keys", str(self.keys)])


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


def test_a_second_restore_names_the_first_restored_log_and_cites_the_last_that_it_showed(
    story: Story, restored: Reconciled, new_database: Callable[[], Urls]
) -> None:
    sequencer.drain()
    latest = custody.latest_checkpoint()
    assert latest is not None
    first = VerifierKey.parse(keys.own_vkey())
    again = restore(story, new_database(), note=latest.note)
    (said,) = custody.search(tag="ledger.restored")
    assert said.details["note"] == latest.note
    assert said.details["former"] == restored.origin == first.name != again.origin
    assert said.details["shown"] == verify_checkpoint(latest.note, first).size == latest.size
    # A name of that kind is no proof of anything: the key is.
    forged = sign_note(verify_note(latest.note, first), first.name, Ed25519PrivateKey.generate())
    assert not restoring.is_later(forged)


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
