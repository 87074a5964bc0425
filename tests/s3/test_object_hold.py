"""Object Lock: what retention keeps is under a legal hold in the bucket too, and nothing stays that must go."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from botocore.exceptions import ClientError
from django.conf import settings
from django.db import connection
from procrastinate.contrib.django import app

from bluelamp.footage import services as footage
from bluelamp.footage.models import Recording
from bluelamp.ingest.axis.services import unwrap
from bluelamp.ingest.models import AxisConnection, AxisContainer, AxisObject
from bluelamp.kernel import clock
from bluelamp.people.policy import Role
from bluelamp.retention import object_hold, services
from bluelamp.retention.models import Certificate, Hold
from bluelamp.vault import objects
from bluelamp.vault.errors import HeldInStore, ObjectMissing, StoreRefused, StoreUnavailable
from bluelamp.vault.keyring import get_keyring
from bluelamp.vault.stores import ObjectStore, get_store
from tests import factories
from tests.s3 import looking
from tests.s3.rgw import Rgw

pytestmark = [pytest.mark.s3, pytest.mark.django_db]

NAME = "recordings/0190a6c0-0000-7000-8000-000000000000/original"


@pytest.fixture
def bucket(make_bucket: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> str:
    """A bucket with Object Lock, which this installation stores into."""
    name = make_bucket(lock=True)
    monkeypatch.setattr(settings, "BLUELAMP", dataclasses.replace(settings.BLUELAMP, store_url=f"s3://{name}"))
    return name


@pytest.fixture
def recording(bucket: str) -> Recording:
    made = factories.recording(factories.person(Role.OFFICER, unit=factories.unit()), sealed=True)
    services.recompute(made)
    return made


@pytest.fixture
def manager() -> object:
    return factories.person(Role.BWV_MANAGER, unit=factories.unit())


def run_jobs() -> int:
    """Run the jobs that were deferred, as a worker would; how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM procrastinate_jobs WHERE task_name = %s AND status = 'todo' RETURNING args->>'recording_id'",
            [object_hold.ALIGN],
        )
        waiting = [row[0] for row in cursor.fetchall()]
    for recording_id in waiting:
        object_hold.align(recording_id)
    return len(waiting)


def test_a_flag_holds_the_original_and_its_release_lets_it_go(
    rgw: Rgw, bucket: str, recording: Recording, manager: object
) -> None:
    assert run_jobs() == 0
    footage.flag(recording, category=factories.category(), reason="Assault", by=recording.wearer)
    assert run_jobs() == 1
    assert looking.is_held(rgw.client(), bucket, recording.original)
    footage.release_flag(recording, reason="Not needed", by=manager)
    assert run_jobs() == 1
    assert not looking.is_held(rgw.client(), bucket, recording.original)


def test_a_hold_is_one_in_the_bucket_too_and_never_a_retention_period(
    rgw: Rgw, bucket: str, recording: Recording
) -> None:
    hold = services.place_hold(recording, Hold.Kind.COMPLAINT, "A complaint", "request:7", "person:1")
    run_jobs()
    assert looking.is_held(rgw.client(), bucket, recording.original)
    with pytest.raises(ClientError, match="NoSuchObjectLockConfiguration|ObjectLockConfigurationNotFound"):
        rgw.client().get_object_retention(Bucket=bucket, Key=recording.original)
    services.release_hold(hold, "Answered", "person:9002")
    run_jobs()
    assert not looking.is_held(rgw.client(), bucket, recording.original)


def test_jobs_may_run_late_twice_and_in_any_order(rgw: Rgw, bucket: str, recording: Recording, manager: object) -> None:
    footage.flag(recording, category=factories.category(), reason="Assault", by=recording.wearer)
    footage.release_flag(recording, reason="Not needed", by=manager)
    assert run_jobs() == 2
    assert not looking.is_held(rgw.client(), bucket, recording.original)
    footage.flag(recording, category=factories.category(), reason="Assault", by=recording.wearer)
    run_jobs()
    object_hold.align(recording.pk)
    assert looking.is_held(rgw.client(), bucket, recording.original)


def test_the_received_form_of_an_opened_clip_goes_once_its_new_original_is_held(
    rgw: Rgw, bucket: str, recording: Recording
) -> None:
    received, opened = recording.original, f"{recording.original}-2"
    system = AxisConnection.objects.create(
        name="Northgate", user="bodyworn-1", unit=recording.wearer.unit, issued_at=clock.now()
    )
    container = AxisContainer.objects.create(
        connection=system, name="x", kind=AxisContainer.Kind.RECORDING, created_at=clock.now()
    )
    item = AxisObject.objects.create(
        container=container, name="x.mkv", recording=recording.pk, received_object=received, created_at=clock.now()
    )
    footage.flag(recording, category=factories.category(), reason="Assault", by=recording.wearer)
    run_jobs()
    assert looking.is_held(rgw.client(), bucket, received)
    # As a crash left it once the recording pointed at what had been opened.
    objects.seal_bytes(opened, recording.key_id, b"opened")
    Recording.objects.filter(pk=recording.pk).update(original=opened)

    assert unwrap(item.pk) is False

    assert looking.everything(rgw.client(), bucket) == [opened]
    assert looking.is_held(rgw.client(), bucket, opened)
    item.refresh_from_db()
    assert item.received_object == ""


def test_the_repair_mends_what_somebody_changed_in_the_bucket(
    rgw: Rgw, bucket: str, recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = rgw.client()
    other = factories.recording(recording.wearer, sealed=True)
    services.recompute(other)
    gone = factories.recording(recording.wearer)
    footage.flag(recording, category=factories.category(), reason="Assault", by=recording.wearer)
    footage.flag(gone, category=factories.category(), reason="Assault", by=recording.wearer)
    client.put_object_legal_hold(Bucket=bucket, Key=other.original, LegalHold={"Status": "ON"})
    monkeypatch.setattr(object_hold, "_BATCH", 1)

    after = None
    for kept in sorted([recording.pk, other.pk, gone.pk]):
        assert object_hold.repair(after) == 1
        after = kept
    assert object_hold.repair(after) == 0
    assert looking.is_held(client, bucket, recording.original)
    assert not looking.is_held(client, bucket, other.original)


def test_the_repair_goes_on_by_itself_from_batch_to_batch(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_hold, "_BATCH", 1)
    object_hold.repair()
    with connection.cursor() as cursor:
        cursor.execute("SELECT args FROM procrastinate_jobs WHERE task_name = %s", [object_hold.REPAIR])
        (arguments,) = cursor.fetchone()
    assert f'"after": "{recording.pk}"' in str(arguments).replace("'", '"')


def test_the_repair_goes_past_an_original_that_the_store_refuses(rgw: Rgw, bucket: str, recording: Recording) -> None:
    client = rgw.client()
    kept = sorted([recording, *(factories.recording(recording.wearer, sealed=True) for _ in range(2))], key=_by_id)
    for each in kept:
        services.recompute(each)
        footage.flag(each, category=factories.category(), reason="Assault", by=recording.wearer)
    refusal = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*ObjectLegalHold",
        "Resource": f"arn:aws:s3:::{bucket}/{kept[0].original}",
    }
    client.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [refusal]}))
    with pytest.raises(StoreRefused):
        object_hold.align(kept[0].pk)
    assert object_hold.repair() == 3
    assert [looking.is_held(client, bucket, each.original) for each in kept] == [False, True, True]


def test_a_repair_that_the_store_did_not_answer_ends_and_is_tried_again(
    rgw: Rgw, recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_hold, "_BATCH", 1)
    assert get_store().supports_hold()
    rgw.stop_gateway()
    try:
        with pytest.raises(StoreUnavailable):
            object_hold.repair()
    finally:
        rgw.start_gateway()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM procrastinate_jobs WHERE task_name = %s", [object_hold.REPAIR])
        assert cursor.fetchone() == (0,)
    assert app.tasks[object_hold.REPAIR].retry_strategy is not None


def _by_id(recording: Recording) -> UUID:
    return recording.pk


def test_a_held_object_is_neither_deleted_nor_replaced_and_the_refusal_says_why(
    rgw: Rgw, locked: tuple[str, ObjectStore]
) -> None:
    bucket, store = locked
    assert store.supports_hold()
    store.put_stream(NAME, [b"evidence"])
    store.hold(NAME, True)
    store.hold(NAME, True)
    for attempt in (lambda: store.delete(NAME), lambda: store.put_stream(NAME, [b"other"])):
        with pytest.raises(HeldInStore, match="legal hold"):
            attempt()
    assert looking.everything(rgw.client(), bucket) == [NAME]
    assert store.get_range(NAME, 0, 10) == b"evidence"
    with pytest.raises(ClientError, match="AccessDenied"):
        version = rgw.client().list_object_versions(Bucket=bucket)["Versions"][0]["VersionId"]
        rgw.client().delete_object(Bucket=bucket, Key=NAME, VersionId=version)

    store.hold(NAME, False)
    store.delete(NAME)
    assert looking.everything(rgw.client(), bucket) == []


def test_an_older_version_that_is_held_stops_the_deletion_of_all(rgw: Rgw, locked: tuple[str, ObjectStore]) -> None:
    bucket, store = locked
    client = rgw.client()
    store.put_stream(NAME, [b"one"])
    store.hold(NAME, True)
    client.put_object(Bucket=bucket, Key=NAME, Body=b"two")
    client.create_multipart_upload(Bucket=bucket, Key=NAME)
    with pytest.raises(HeldInStore):
        store.delete(NAME)
    assert looking.everything(client, bucket) == [NAME] * 3
    store.hold(NAME, False)
    store.delete(NAME)
    assert looking.everything(client, bucket) == []


def test_holding_what_is_not_there_is_said_and_releasing_it_is_no_error(locked: tuple[str, ObjectStore]) -> None:
    _, store = locked
    with pytest.raises(ObjectMissing):
        store.hold(NAME, True)
    store.hold(NAME, False)


def test_a_bucket_without_object_lock_holds_nothing(rgw: Rgw, make_bucket: Callable[..., str]) -> None:
    bucket = make_bucket()
    store = ObjectStore.from_url(f"s3://{bucket}")
    assert not store.supports_hold()
    store.put_stream(NAME, [b"x"])
    store.hold(NAME, True)
    store.delete(NAME)
    assert looking.everything(rgw.client(), bucket) == []


def test_deletion_leaves_no_version_no_marker_and_no_part_and_erases_the_key(
    rgw: Rgw, bucket: str, recording: Recording, manager: object
) -> None:
    client = rgw.client()
    footage.flag(recording, category=factories.category(), reason="Assault", by=recording.wearer)
    run_jobs()
    # What crashes and other programs leave: an older version, a marker, a put that was never finished.
    client.put_object(Bucket=bucket, Key=recording.original, Body=b"a copy")
    client.put_object(Bucket=bucket, Key=f"recordings/{recording.pk}/poster-1", Body=b"a picture")
    client.delete_object(Bucket=bucket, Key=f"recordings/{recording.pk}/poster-1")
    client.create_multipart_upload(Bucket=bucket, Key=f"recordings/{recording.pk}/viewing-1")
    footage.release_flag(recording, reason="Not needed", by=manager)
    # The job that would release the hold never ran: deletion does not wait for it.
    Recording.objects.filter(pk=recording.pk).update(started_at=clock.now() - timedelta(days=60))
    Recording.objects.filter(pk=recording.pk).update(received_at=clock.now() - timedelta(days=60), due_rule="")

    assert services.sweep().deleted == 1

    assert looking.everything(client, bucket) == []
    assert not get_keyring().has(recording.key_id)
    certificate = Certificate.objects.get(recording=recording)
    assert certificate.body["objects_removed"] == 3
    run_jobs()
    assert looking.everything(client, bucket) == []


def test_flagging_does_not_wait_for_a_store_that_is_down(rgw: Rgw, bucket: str, recording: Recording) -> None:
    rgw.stop_gateway()
    try:
        footage.flag(recording, category=factories.category(), reason="Assault", by=recording.wearer)
    finally:
        rgw.start_gateway()
    run_jobs()
    assert looking.is_held(rgw.client(), bucket, recording.original)
    assert get_store().supports_hold()
