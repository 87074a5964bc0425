from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest

from bluelamp.vault.stores import ObjectStore
from tests.s3.rgw import Rgw

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def rgw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rgw]:
    """A real S3 service. Where it is not installed these tests fail: they are run by asking for them."""
    server = Rgw(tmp_path_factory.mktemp("rgw")).start()
    yield server
    server.stop()


@pytest.fixture
def make_bucket(rgw: Rgw, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Makes a bucket of the test's own, with Object Lock if asked for; its name. The environment knows it."""
    for variable, value in rgw.environment().items():
        monkeypatch.setenv(variable, value)

    def make(*, lock: bool = False) -> str:
        name = f"bucket-{next(_numbers)}"
        rgw.client().create_bucket(Bucket=name, ObjectLockEnabledForBucket=lock)
        return name

    return make


@pytest.fixture(params=["plain bucket", "bucket with Object Lock", "folder in a bucket"])
def store(request: pytest.FixtureRequest, make_bucket: Callable[..., str]) -> ObjectStore:
    """Every kind of bucket; what any store promises, each must keep."""
    bucket = make_bucket(lock="Lock" in request.param)
    return ObjectStore.from_url(f"s3://{bucket}/some/folder" if "folder" in request.param else f"s3://{bucket}")


@pytest.fixture
def locked(make_bucket: Callable[..., str]) -> tuple[str, ObjectStore]:
    """A bucket with Object Lock, by its name and as a store."""
    bucket = make_bucket(lock=True)
    return bucket, ObjectStore.from_url(f"s3://{bucket}")
