"""What holds for an object store alone: interrupted puts, versions, what each refusal means, a line that lies."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bluelamp.kernel.errors import StorageFull
from bluelamp.vault.errors import ObjectMissing, StoreRefused, StoreUnavailable
from bluelamp.vault.stores import ObjectStore
from tests.s3 import looking
from tests.s3.cable import MARK, laid
from tests.s3.putting import pieces
from tests.s3.rgw import Rgw

pytestmark = pytest.mark.s3

NAME = "recordings/0190a6c0-0000-7000-8000-000000000000/original"
MIB = 1024 * 1024
_ROOT = Path(__file__).parents[2]
_HANGS = 120  # seconds; whatever answers at all answers long before


def _start_putting(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.s3.putting", *arguments], cwd=_ROOT, stdout=subprocess.PIPE, text=True
    )


def _killed_in_the_middle_of_a_put(bucket: str) -> None:
    process = _start_putting("wait", f"s3://{bucket}", NAME)
    assert process.stdout is not None
    assert process.stdout.readline() == "sent\n"
    process.kill()
    process.wait()


def test_a_put_killed_in_the_middle_is_no_object_and_repeated_is_one(rgw: Rgw, make_bucket: Callable[..., str]) -> None:
    for lock in (False, True):
        bucket = make_bucket(lock=lock)
        store, client = ObjectStore.from_url(f"s3://{bucket}"), rgw.client()
        _killed_in_the_middle_of_a_put(bucket)
        assert looking.unfinished(client, bucket) == [NAME]
        assert not store.exists(NAME)
        assert list(store.list()) == []

        store.put_stream(NAME, pieces(21))
        assert looking.versions(client, bucket) == [NAME]
        body = client.get_object(Bucket=bucket, Key=NAME)["Body"].read()
        assert hashlib.sha256(body).digest() == hashlib.sha256(b"".join(pieces(21))).digest()

        assert store.sweep_temporary(3600) == 0
        assert store.sweep_temporary(0) == 1
        assert looking.unfinished(client, bucket) == []
        assert looking.versions(client, bucket) == [NAME]


def test_a_put_that_somebody_gives_up_in_the_middle_is_no_missing_object(
    rgw: Rgw, make_bucket: Callable[..., str]
) -> None:
    bucket = make_bucket()
    client, store = rgw.client(), ObjectStore.from_url(f"s3://{bucket}")

    def given_up() -> Iterator[bytes]:
        yield from pieces(20)
        for found in client.list_multipart_uploads(Bucket=bucket)["Uploads"]:
            client.abort_multipart_upload(Bucket=bucket, Key=found["Key"], UploadId=found["UploadId"])
        yield from pieces(20)

    with pytest.raises(StoreUnavailable) as caught:
        store.put_stream(NAME, given_up())
    assert not isinstance(caught.value, StoreRefused)
    assert looking.everything(client, bucket) == []
    store.put_stream(NAME, pieces(20))
    assert store.size(NAME) == 20 * MIB


def test_a_put_under_way_is_not_swept_while_its_parts_arrive(rgw: Rgw, make_bucket: Callable[..., str]) -> None:
    bucket = make_bucket()
    client, store = rgw.client(), ObjectStore.from_url(f"s3://{bucket}")
    upload = client.create_multipart_upload(Bucket=bucket, Key=NAME)["UploadId"]
    (begun,) = client.list_multipart_uploads(Bucket=bucket)["Uploads"]
    store.exists(NAME)
    time.sleep(2)
    client.upload_part(Bucket=bucket, Key=NAME, UploadId=upload, PartNumber=1, Body=b"x")
    # It began before the limit; only the part, which came after it, tells that it is alive.
    limit = begun["Initiated"] + timedelta(seconds=0.5)
    assert store.sweep_temporary((datetime.now(UTC) - limit).total_seconds()) == 0
    assert store.sweep_temporary(-60) == 1


def test_deleting_takes_along_old_versions_markers_and_unfinished_puts(
    rgw: Rgw, locked: tuple[str, ObjectStore]
) -> None:
    bucket, store = locked
    client = rgw.client()
    for body in (b"one", b"two"):
        client.put_object(Bucket=bucket, Key=NAME, Body=body)
    client.delete_object(Bucket=bucket, Key=NAME)
    client.put_object(Bucket=bucket, Key=NAME, Body=b"three")
    _killed_in_the_middle_of_a_put(bucket)
    client.put_object(Bucket=bucket, Key=NAME + "-2", Body=b"a neighbour, whose name begins alike")
    assert (len(looking.versions(client, bucket)), len(looking.markers(client, bucket))) == (4, 1)

    store.delete(NAME)

    assert looking.everything(client, bucket) == [NAME + "-2"]
    store.delete(NAME)


def test_what_remains_names_objects_of_which_only_a_marker_or_a_part_is_left(
    rgw: Rgw, locked: tuple[str, ObjectStore]
) -> None:
    bucket, store = locked
    client = rgw.client()
    client.put_object(Bucket=bucket, Key="recordings/a/original", Body=b"x")
    client.delete_object(Bucket=bucket, Key="recordings/a/original")
    client.create_multipart_upload(Bucket=bucket, Key="recordings/a/viewing-1")
    assert list(store.list("recordings/a")) == []
    assert set(store.remains("recordings/a")) == {"recordings/a/original", "recordings/a/viewing-1"}
    for name in list(store.remains("recordings/a")):
        store.delete(name)
    assert looking.everything(client, bucket) == []


def test_a_repeated_put_leaves_one_version(rgw: Rgw, locked: tuple[str, ObjectStore]) -> None:
    bucket, store = locked
    store.put_stream(NAME, [b"before the crash"])
    store.put_stream(NAME, [b"after it"])
    assert looking.everything(rgw.client(), bucket) == [NAME]
    assert store.get_range(NAME, 0, 100) == b"after it"


@pytest.mark.parametrize("mebibytes", [1, 20])
def test_a_repeated_put_leaves_one_version_where_keeping_them_is_suspended(
    rgw: Rgw, make_bucket: Callable[..., str], mebibytes: int
) -> None:
    bucket, client = make_bucket(), rgw.client()
    store = ObjectStore.from_url(f"s3://{bucket}")
    client.put_object(Bucket=bucket, Key=NAME, Body=b"from before versions were kept")
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for body in (b"one", b"two"):
        client.put_object(Bucket=bucket, Key=NAME, Body=body)
    client.put_object(Bucket=bucket, Key=NAME + "-2", Body=b"a neighbour")
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    for _ in range(2):
        store.put_stream(NAME, pieces(mebibytes))
        assert looking.everything(client, bucket) == [NAME, NAME + "-2"]
        assert store.size(NAME) == mebibytes * MIB


def test_a_thousand_names_are_listed_to_the_last(rgw: Rgw, make_bucket: Callable[..., str]) -> None:
    bucket, client = make_bucket(), rgw.client()
    store = ObjectStore.from_url(f"s3://{bucket}")
    names = {f"recordings/{number}/original" for number in range(1010)}
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: client.put_object(Bucket=bucket, Key=name, Body=b"x"), names))
    assert set(store.list("recordings")) == names
    assert set(store.remains("recordings")) == names


def test_memory_does_not_grow_with_what_is_put(make_bucket: Callable[..., str]) -> None:
    url = f"s3://{make_bucket()}"
    held = []
    for mebibytes in (32, 256):
        process = _start_putting("measure", url, NAME, str(mebibytes))
        held.append(int(process.communicate()[0]))
        assert ObjectStore.from_url(url).size(NAME) == mebibytes * MIB
    assert held[1] - held[0] < 32 * 1024, held


@pytest.mark.parametrize("size", [1000, 20 * MIB])
def test_a_byte_changed_on_the_way_is_never_stored(
    rgw: Rgw, make_bucket: Callable[..., str], monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    bucket = make_bucket()
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    with laid(rgw.port, flip=True) as cable:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", cable.endpoint)
        with pytest.raises(StoreUnavailable):
            ObjectStore.from_url(f"s3://{bucket}").put_stream(NAME, [bytes(size // 2), MARK, bytes(size // 2)])
    assert cable.hits > 0
    assert looking.everything(rgw.client(), bucket) == []


def test_a_line_that_breaks_in_the_middle_of_a_part_is_tried_again(
    rgw: Rgw, make_bucket: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = make_bucket()
    content = [os.urandom(9 * MIB), MARK, os.urandom(3 * MIB)]
    with laid(rgw.port, cuts=2) as cable:
        monkeypatch.setenv("AWS_ENDPOINT_URL", cable.endpoint)
        ObjectStore.from_url(f"s3://{bucket}").put_stream(NAME, content)
    assert cable.hits == 3
    assert rgw.client().get_object(Bucket=bucket, Key=NAME)["Body"].read() == b"".join(content)
    assert looking.unfinished(rgw.client(), bucket) == []


def test_over_tls_an_authority_of_ones_own_is_trusted_only_when_it_is_named(
    rgw: Rgw, make_bucket: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = make_bucket(lock=True)
    monkeypatch.setenv("AWS_ENDPOINT_URL", rgw.tls_endpoint)
    stranger = ObjectStore.from_url(f"s3://{bucket}")
    for attempt in (lambda: stranger.size(NAME), lambda: stranger.put_stream(NAME, [b"x"])):
        with pytest.raises(StoreUnavailable):
            attempt()
    monkeypatch.setenv("AWS_CA_BUNDLE", str(rgw.certificate))
    store = ObjectStore.from_url(f"s3://{bucket}")
    store.put_stream(NAME, pieces(20))
    store.hold(NAME, True)
    assert looking.is_held(rgw.client(), bucket, NAME)
    assert store.get_range(NAME, MIB, 3) == b"\1\1\1"


def _attempts(store: ObjectStore) -> list[Callable[[], object]]:
    return [
        lambda: store.put_stream(NAME, [b"x"]),
        lambda: store.get_range(NAME, 0, 1),
        lambda: store.size(NAME),
        lambda: store.exists(NAME),
        lambda: store.delete(NAME),
        lambda: list(store.list()),
        lambda: list(store.remains(NAME)),
        lambda: store.sweep_temporary(0),
        lambda: store.supports_hold(),
    ]


def test_a_bucket_that_is_not_there_is_no_missing_object(make_bucket: Callable[..., str]) -> None:
    make_bucket()
    for attempt in _attempts(ObjectStore.from_url("s3://nobody-made-this")):
        with pytest.raises(StoreRefused, match="NoSuchBucket"):
            attempt()


def test_wrong_credentials_are_said(make_bucket: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = make_bucket()
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    for attempt in _attempts(ObjectStore.from_url(f"s3://{bucket}")):
        with pytest.raises(StoreRefused, match="credentials"):
            attempt()


def test_without_credentials_nothing_is_sent(make_bucket: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = make_bucket()
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    for attempt in _attempts(ObjectStore.from_url(f"s3://{bucket}")):
        with pytest.raises(StoreRefused, match="no credentials"):
            attempt()


def test_a_full_store_is_told_from_a_refusal_and_from_silence(rgw: Rgw, make_bucket: Callable[..., str]) -> None:
    bucket = make_bucket()
    store = ObjectStore.from_url(f"s3://{bucket}")
    store.put_stream(NAME, [b"what was there before"])
    rgw.admin("quota", "set", "--quota-scope=bucket", "--uid=test", f"--bucket={bucket}", "--max-size=1M")
    rgw.admin("quota", "enable", "--quota-scope=bucket", "--uid=test", f"--bucket={bucket}")
    for mebibytes in (2, 40):
        with pytest.raises(StorageFull, match="sender keeps its copy"):
            store.put_stream(NAME, pieces(mebibytes))
    assert store.get_range(NAME, 0, 100) == b"what was there before"
    assert looking.everything(rgw.client(), bucket) == [NAME]
    rgw.admin("quota", "disable", "--quota-scope=bucket", "--uid=test", f"--bucket={bucket}")
    store.put_stream(NAME, pieces(2))


def test_a_store_that_is_down_is_said_to_be_and_used_again_when_it_is_back(
    rgw: Rgw, make_bucket: Callable[..., str]
) -> None:
    store = ObjectStore.from_url(f"s3://{make_bucket()}")
    store.put_stream(NAME, [b"kept"])
    rgw.stop_gateway()
    try:
        for attempt in _attempts(store):
            with pytest.raises(StoreUnavailable) as caught:
                attempt()
            assert not isinstance(caught.value, StoreRefused | ObjectMissing)
    finally:
        rgw.start_gateway()
    assert store.get_range(NAME, 0, 10) == b"kept"


def test_a_store_that_takes_connections_and_never_answers_is_given_up(
    rgw: Rgw, make_bucket: Callable[..., str]
) -> None:
    store = ObjectStore.from_url(f"s3://{make_bucket()}")
    store.put_stream(NAME, [b"kept"])
    rgw.freeze()
    try:
        with ThreadPoolExecutor(9) as pool:
            for answer in [pool.submit(attempt) for attempt in _attempts(store)]:
                with pytest.raises(StoreUnavailable):
                    answer.result(_HANGS)
    finally:
        rgw.thaw()
    store.put_stream(NAME, [b"back"])
    assert store.get_range(NAME, 0, 10) == b"back"
