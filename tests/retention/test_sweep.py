"""The sweep with a real vault: what goes is gone everywhere, what stays is untouched."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bluelamp.custody import keys
from bluelamp.custody import queries as custody
from bluelamp.footage import services as footage
from bluelamp.footage.models import Derivative, Recording
from bluelamp.formats import iso8601
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Conflict
from bluelamp.people.policy import Role
from bluelamp.retention import certificates, hooks, queries, services
from bluelamp.retention.models import Certificate, Deletion, Hold
from bluelamp.vault import objects
from bluelamp.vault.errors import KeyErased
from bluelamp.vault.keyring import get_keyring
from bluelamp.vault.stores import get_store
from tests import factories

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
CONTENT = b"what the camera saw " * 100


@pytest.fixture
def officer():
    return factories.person(Role.OFFICER, unit=factories.unit())


def sealed_recording(wearer, **more) -> Recording:
    """A recording whose master, poster and viewing copy really stand in the vault."""
    recording = factories.recording(wearer, content=CONTENT, sealed=True, due_rule="default", **more)
    for kind in (Derivative.Kind.POSTER, Derivative.Kind.VIEWING):
        name = f"recordings/{recording.pk}/{kind.value}-1"
        objects.seal_bytes(name, recording.key_id, b"made from it")
        Derivative.objects.create(recording=recording, kind=kind, object_name=name, content_type="image/jpeg", size=12)
    return recording


def files_of(recording) -> list:
    folder = settings.BLUELAMP.data / "store" / "recordings" / str(recording.pk)
    return list(folder.rglob("*")) if folder.exists() else []


def test_footage_that_nobody_needs_is_gone_everywhere_within_31_days(officer):
    recording = sealed_recording(officer, place="Oxford Street", filename="BL000001-7.mp4")
    name = recording.original
    copy = get_store().get_range(name, 0, get_store().size(name))
    assert objects.SealedReader(name, recording.key_id).read(0, 10_000) == CONTENT
    assert len(files_of(recording)) == 3

    clock.advance(31 * DAY - (clock.now() - recording.started_at) - 10 * MINUTE)
    assert services.sweep().deleted == 1
    assert clock.now() < recording.started_at + 31 * DAY

    assert files_of(recording) == []
    assert list(get_store().list(f"recordings/{recording.pk}")) == []
    assert not get_keyring().has(recording.key_id)
    # Somebody kept the sealed bytes, as a backup does: they open no more.
    get_store().put_stream(name, [copy])
    with pytest.raises(KeyErased):
        objects.SealedReader(name, recording.key_id)
    get_store().delete(name)
    recording.refresh_from_db()
    assert recording.state == Recording.State.DELETED
    assert (recording.place, recording.filename) == ("", "")
    assert recording.sha256 == hashlib.sha256(CONTENT).hexdigest()


def test_no_trace_of_an_erased_key_is_left_in_the_keyring_file(officer):
    recording = sealed_recording(officer)
    database = settings.BLUELAMP.data / "keyring" / "keyring.sqlite"
    with get_keyring()._transaction() as keyring:
        (wrapped,) = keyring.execute("SELECT wrapped FROM data_key WHERE key_id = ?", (recording.key_id,)).fetchone()
    assert wrapped in database.read_bytes()
    clock.advance(31 * DAY)
    services.sweep()
    assert wrapped not in database.read_bytes()


def test_a_certificate_says_what_went_and_nothing_of_its_content(officer):
    recording = sealed_recording(officer, place="Oxford Street", filename="secret.mp4")
    clock.advance(31 * DAY)
    services.sweep()
    certificate = queries.certificate_of(recording)
    read = certificates.verify(certificate.body, keys.receipt_key().public_key())
    assert read.recording_id == str(recording.pk)
    assert read.sha256 == recording.sha256
    assert read.size == len(CONTENT)
    assert read.objects_removed == 3
    assert read.rule == "Default period"
    assert iso8601.parse(read.recorded_at) == recording.started_at
    assert iso8601.parse(read.key_erased_at) == get_keyring().erased_at(recording.key_id)
    event = custody.search(tag="recording.erased")[0]
    with connection.cursor() as cursor:
        cursor.execute("SELECT encode(entry, 'hex') FROM custody_event WHERE id = %s", [event.id])
        assert cursor.fetchone() == (read.ledger_entry,)
    for secret in ("Oxford", "secret", officer.name, officer.warrant_number):
        assert secret not in str(certificate.body)
        assert secret not in str([item.details for item in custody.search(operation="erasure")])


def test_a_certificate_that_was_touched_does_not_verify(officer):
    sealed_recording(officer)
    clock.advance(31 * DAY)
    services.sweep()
    body = Certificate.objects.get().body
    key = keys.receipt_key().public_key()
    for change in ({"size": 1}, {"rule": "Another"}, {"key": "somebody/receipt"}, {"more": "x"}, {"sha256": "no"}):
        with pytest.raises(certificates.CertificateError):
            certificates.verify({**body, **change}, key)


def test_quarantine_comes_first_and_is_recoverable(officer):
    recording = sealed_recording(officer)
    clock.advance(28 * DAY)
    assert services.sweep() == services.SweepResult(quarantined=1)
    assert services.sweep() == services.SweepResult()
    recording.refresh_from_db()
    assert recording.state == Recording.State.QUARANTINED
    assert objects.SealedReader(recording.original, recording.key_id).read(0, 10_000) == CONTENT
    services.extend(recording, until=clock.now() + 30 * DAY, reason="Needed", actor=officer.custody_id)
    recording.refresh_from_db()
    assert recording.state == Recording.State.LIVE
    clock.advance(10 * DAY)
    assert services.sweep() == services.SweepResult()
    assert len(files_of(recording)) == 3


def test_a_jump_of_the_clock_quarantines_and_deletes_in_one_sweep(officer):
    old, young = sealed_recording(officer), sealed_recording(officer, started_at=clock.now() + 2 * DAY)
    clock.advance(31 * DAY)
    assert services.sweep() == services.SweepResult(quarantined=2, deleted=1)
    old.refresh_from_db()
    young.refresh_from_db()
    assert (old.state, young.state) == (Recording.State.DELETED, Recording.State.QUARANTINED)


def test_a_stored_date_that_is_wrong_deletes_nothing(officer):
    recording = sealed_recording(officer, due_at=clock.now() - DAY)
    Hold.objects.create(
        recording=recording, kind=Hold.Kind.FOI, reason="FOI", placed_by="person:9001", placed_at=clock.now()
    )
    assert services.sweep() == services.SweepResult()
    recording.refresh_from_db()
    assert recording.due_at is None


def test_a_recording_that_was_never_decided_about_is_found(officer):
    recording = factories.recording(officer, due_at=None, due_rule="")
    services.sweep()
    recording.refresh_from_db()
    assert recording.due_at == recording.started_at + 31 * DAY


def test_one_recording_that_fails_stops_no_other(officer, monkeypatch):
    broken, whole = sealed_recording(officer), sealed_recording(officer)
    store = get_store()
    delete_all = type(store).delete_all

    def no_disk(self, names):
        if any(str(broken.pk) in name for name in names):
            raise OSError("the disk does not answer")
        delete_all(self, names)

    clock.advance(31 * DAY)
    with monkeypatch.context() as patched:
        patched.setattr(type(store), "delete_all", no_disk)
        assert services.sweep() == services.SweepResult(quarantined=2, deleted=1, failed=1)
    assert files_of(whole) == []
    # The key of the broken one is erased all the same, and the next sweep finishes it, counting every object.
    assert not get_keyring().has(broken.key_id)
    assert services.sweep() == services.SweepResult(deleted=1)
    assert files_of(broken) == []
    assert queries.certificate_of(broken).body["objects_removed"] == 3


def test_one_about_which_a_room_does_not_answer_stays_and_stops_no_other(officer, monkeypatch):
    broken, *others = (sealed_recording(officer) for _ in range(4))

    def answer(asked):
        if broken.pk in {recording.pk for recording in asked}:
            raise RuntimeError("this room does not answer")
        return {}

    clock.advance(31 * DAY)
    with monkeypatch.context() as patched:
        patched.setattr(hooks.reasons, "_functions", [answer])
        assert services.sweep() == services.SweepResult(quarantined=3, deleted=3, failed=1)
    broken.refresh_from_db()
    assert broken.state == Recording.State.LIVE
    assert len(files_of(broken)) == 3
    assert all(files_of(other) == [] for other in others)
    assert services.sweep() == services.SweepResult(quarantined=1, deleted=1)


def test_many_leave_with_the_statements_of_a_few(officer):
    counted = []
    for number in (10, 40):
        made = [sealed_recording(officer) for _ in range(number)]
        clock.advance(31 * DAY)
        with CaptureQueriesContext(connection) as asked:
            assert services.sweep() == services.SweepResult(quarantined=number, deleted=number)
        counted.append(sum("kernel_clock" not in each["sql"] for each in asked))
        events = [item.tag for item in custody.history(made[-1].custody_id)]
        assert events == ["recording.quarantined", "recording.deleted", "recording.erased"]
        clock.advance(2 * DAY)
        services.sweep()  # looks once more for objects of these
    assert counted[0] == counted[1] <= 90


def test_while_its_deletion_is_under_way_a_recording_is_refused_everywhere(officer, monkeypatch):
    recording = sealed_recording(officer)
    clock.advance(31 * DAY)
    with monkeypatch.context() as patched:
        patched.setattr(type(get_keyring()), "erase_all", _no_keyring)
        assert services.sweep().failed == 1
    assert Deletion.objects.get().finished_at is None
    with pytest.raises(Conflict):
        footage.open_viewing(
            recording,
            viewer=officer.custody_id,
            viewer_name=officer.name,
            grant="person",
            reason="",
            session_key="session",
        )
    with pytest.raises(Conflict):
        services.place_hold(recording, Hold.Kind.OTHER, "Wait", "", "person:9001")
    with pytest.raises(Conflict):
        footage.flag(recording, category=factories.category(), reason="Evidence", by=officer)


def _no_keyring(*_):
    raise OSError("the keyring does not answer")


def test_what_people_wrote_about_holds_and_extensions_goes_too(officer):
    recording = sealed_recording(officer)
    hold = services.place_hold(recording, Hold.Kind.SUBJECT_ACCESS, "Asked for by Ann Example", "", "person:9001")
    services.release_hold(hold, "Ann has it", "person:9002")
    clock.advance(40 * DAY)
    services.sweep()
    hold.refresh_from_db()
    assert (hold.reason, hold.release_reason) == ("", "")


def test_an_object_finished_after_its_key_went_is_removed_a_day_later(officer):
    recording = sealed_recording(officer)
    clock.advance(31 * DAY)
    services.sweep()
    late = f"recordings/{recording.pk}/storyboard-1"
    get_store().put_stream(late, [b"sealed under a key that has gone"])
    clock.advance(DAY)
    services.sweep()
    assert not get_store().exists(late)
    assert custody.count("recording.leftover_removed") == 1
    clock.advance(DAY)
    services.sweep()
    assert custody.count("recording.leftover_removed") == 1


def test_a_sweep_cannot_look_ahead_of_the_clock():
    with pytest.raises(ValueError, match="ahead of the clock"):
        services.sweep(clock.now() + DAY)


def test_the_outlook_counts_each_day_of_london(officer):
    for ahead in (0, 0, 2):
        factories.recording(
            officer, started_at=clock.now() + ahead * DAY, due_rule="default", due_at=clock.now() + (ahead + 10) * DAY
        )
    factories.recording(officer, due_rule="hold", due_at=None)
    outlook = queries.outlook()
    assert outlook.deleted == 3
    assert outlook.quarantined == 3
    assert outlook.without_end == 1
    assert sorted(day.deleted for day in outlook.days)[-2:] == [1, 2]
