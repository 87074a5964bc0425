"""Preparing footage for viewing: real videos, real damage, a worker that dies."""

from __future__ import annotations

import pytest
from django.db import connection
from procrastinate.contrib.django.models import ProcrastinateJob

from bluelamp.custody import queries as ledger
from bluelamp.footage.models import Derivative, Recording
from bluelamp.footage.services import processing
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Conflict
from bluelamp.vault import objects
from bluelamp.vault.keyring import get_keyring
from bluelamp.vault.objects import SealedReader
from bluelamp.vault.stores import get_store
from tests import factories
from tests.footage.conftest import film
from tests.media import samples

pytestmark = pytest.mark.django_db
State = Recording.Processing


def _tags(recording):
    return [item.tag for item in ledger.history(recording.custody_id)]


def _stored(recording):
    return set(get_store().list(f"recordings/{recording.pk}"))


def _jobs(recording, status="todo"):
    return ProcrastinateJob.objects.filter(
        task_name="footage.prepare", args={"recording_id": str(recording.pk)}, status=status
    )


@pytest.fixture
def raw(officer):
    def make(content):
        return factories.recording(officer, content=content, sealed=True)

    return make


def test_a_video_gets_facts_poster_storyboard_and_waveform_sealed_under_its_own_key(recording):
    assert recording.processing == State.READY
    assert recording.duration_ms == pytest.approx(4000, abs=100)
    assert (recording.media["width"], recording.media["video_codec"]) == (320, "h264")
    assert recording.waveform
    assert recording.storyboard["tiles"] >= 1
    kinds = {item.kind: item for item in recording.derivatives.all()}
    assert set(kinds) == {"poster", "storyboard"}
    poster = SealedReader(kinds["poster"].object_name, recording.key_id)
    assert poster.read(0, poster.size).startswith(b"\xff\xd8\xff")
    assert kinds["poster"].size == poster.size
    assert _tags(recording) == ["recording.prepared"]


def test_what_a_browser_cannot_play_gets_a_viewing_copy_that_it_can(raw):
    recording = raw(samples.video(2, container="matroska", audio_codec="aac"))
    processing.prepare(recording.pk)
    copy = recording.derivatives.get(kind=Derivative.Kind.VIEWING)
    reader = SealedReader(copy.object_name, recording.key_id)
    assert reader.size == copy.size > 1000
    assert b"ftyp" in reader.read(0, 16)


def test_preparing_again_changes_nothing(recording):
    before = _stored(recording)
    processing.prepare(recording.pk)
    assert _stored(recording) == before
    assert _tags(recording) == ["recording.prepared"]


def test_a_text_file_named_mp4_fails_at_once_and_the_original_stays(raw):
    recording = raw(b"this is no video at all\n" * 100)
    processing.prepare(recording.pk)
    recording.refresh_from_db()
    assert recording.processing == State.FAILED
    assert "not a video" in recording.processing_error
    assert _tags(recording) == ["recording.preparation_failed"]
    assert ledger.history(recording.custody_id)[0].details["final"] is True
    assert _stored(recording) == {recording.original}
    reader = SealedReader(recording.original, recording.key_id)
    assert reader.read(0, 7) == b"this is"


def test_what_may_pass_is_tried_three_times_and_then_said_to_have_failed(raw):
    recording = raw(film())
    objects.delete(recording.original)
    for attempt in (1, 2):
        processing.prepare(recording.pk)
        recording.refresh_from_db()
        assert (recording.processing, recording.processing_attempts) == (State.WAITING, attempt)
        assert _jobs(recording).count() == attempt
    processing.prepare(recording.pk)
    recording.refresh_from_db()
    assert recording.processing == State.FAILED
    assert _tags(recording) == ["recording.preparation_failed"] * 3


def test_a_video_that_kills_its_worker_is_not_tried_for_ever(raw):
    recording = raw(film())
    Recording.objects.filter(pk=recording.pk).update(processing_attempts=processing.MOST_ATTEMPTS)
    objects.seal_bytes(f"recordings/{recording.pk}/poster-{processing.MOST_ATTEMPTS}", recording.key_id, b"a poster")
    processing.prepare(recording.pk)
    recording.refresh_from_db()
    assert recording.processing == State.FAILED
    assert "cut short" in recording.processing_error
    assert _stored(recording) == {recording.original}, "nor does it leave what it had made"


def test_what_a_dead_attempt_left_in_the_store_is_removed(raw):
    recording = raw(film())
    left = f"recordings/{recording.pk}/viewing-7"
    objects.seal_bytes(left, recording.key_id, b"half a copy")
    processing.prepare(recording.pk)
    assert left not in _stored(recording)
    known = set(recording.derivatives.values_list("object_name", flat=True))
    assert _stored(recording) == known | {recording.original}


def test_a_recording_deleted_meanwhile_leaves_no_derivative_behind(raw, monkeypatch):
    recording = raw(film())
    real = processing.sandbox.process

    def deleted_meanwhile(*args, **kwargs):
        Recording.objects.filter(pk=recording.pk).update(state=Recording.State.DELETED)
        return real(*args, **kwargs)

    monkeypatch.setattr(processing.sandbox, "process", deleted_meanwhile)
    processing.prepare(recording.pk)
    assert not recording.derivatives.exists()
    assert _stored(recording) == {recording.original}
    assert _tags(recording) == []


def test_a_recording_whose_key_is_erased_meanwhile_fails_without_a_trace_of_its_content(raw):
    recording = raw(film())
    get_keyring().erase(recording.key_id)
    processing.prepare(recording.pk)
    assert _stored(recording) == {recording.original}


def test_two_workers_do_not_prepare_the_same_recording(raw, django_db_blocker):
    import psycopg

    recording = raw(film())
    parameters = connection.get_connection_params()
    other = psycopg.connect(
        **{k: v for k, v in parameters.items() if k in ("dbname", "user", "host", "port", "password")}
    )
    with other:
        other.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [f"footage.prepare:{recording.pk}"])
        processing.prepare(recording.pk)
        recording.refresh_from_db()
        assert recording.processing_attempts == 0
        other.execute("SELECT pg_advisory_unlock_all()")
    processing.prepare(recording.pk)
    recording.refresh_from_db()
    assert recording.processing == State.READY


def test_what_a_dead_worker_left_waiting_is_queued_again_once(raw):
    recording, fresh, ready = raw(film()), raw(film()), raw(film())
    long_ago = clock.now() - processing._FORGOTTEN * 2
    Recording.objects.filter(pk=recording.pk).update(received_at=long_ago)
    Recording.objects.filter(pk=ready.pk).update(received_at=long_ago, processing=State.READY)
    assert processing.retry_waiting() == 1
    assert _jobs(recording).count() == 1
    assert not _jobs(fresh).exists()
    assert processing.retry_waiting() == 0


def test_a_person_may_have_a_failed_recording_tried_again(raw, officer):
    recording = raw(film())
    Recording.objects.filter(pk=recording.pk).update(processing=State.FAILED, processing_attempts=3)
    processing.try_again(recording, by=officer)
    assert _jobs(recording).count() == 1
    processing.prepare(recording.pk)
    recording.refresh_from_db()
    assert recording.processing == State.READY
    with pytest.raises(Conflict):
        processing.try_again(recording, by=officer)
