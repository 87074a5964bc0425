"""What `bluelamp doctor` says about a bucket."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
from django.conf import settings

from bluelamp.cli.doctor import vault
from bluelamp.cli.doctor.finding import Finding, State
from bluelamp.vault import stores
from tests.s3 import looking
from tests.s3.rgw import Rgw

pytestmark = pytest.mark.s3


@pytest.fixture
def doctor(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], dict[str, Finding]]:
    """What is found of an installation that stores into a bucket, by name."""

    def look(bucket: str) -> dict[str, Finding]:
        configuration = dataclasses.replace(settings.BLUELAMP, store_url=f"s3://{bucket}")
        monkeypatch.setattr(settings, "BLUELAMP", configuration)
        stores._store.cache_clear()  # as in a process of its own, which reads the environment anew
        return {finding.name: finding for finding in vault.check(configuration)}

    return look


def test_a_bucket_with_object_lock_is_well_and_the_probe_leaves_nothing(
    rgw: Rgw, make_bucket: Callable[..., str], doctor: Callable[[str], dict[str, Finding]]
) -> None:
    bucket = make_bucket(lock=True)
    found = doctor(bucket)
    assert found["store"].state is State.OK
    assert found["object lock"].state is State.OK
    assert looking.everything(rgw.client(), bucket) == []


def test_no_object_lock_is_a_note_and_no_fault(
    make_bucket: Callable[..., str], doctor: Callable[[str], dict[str, Finding]]
) -> None:
    found = doctor(make_bucket())
    assert found["store"].state is State.OK
    assert found["object lock"].state is State.NOTE


def test_wrong_credentials_a_missing_bucket_and_silence_are_told_apart(
    make_bucket: Callable[..., str],
    doctor: Callable[[str], dict[str, Finding]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bucket = make_bucket()
    assert "NoSuchBucket" in doctor("nobody-made-this")["store"].says
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    assert "SignatureDoesNotMatch" in doctor(bucket)["store"].says
    assert "credentials" in doctor(bucket)["store"].says
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    found = doctor(bucket)["store"]
    assert found.state is State.BAD
    assert "did not answer" in found.says


def test_a_bucket_that_gives_every_object_a_retention_period_is_bad_and_nothing_is_written_to_it(
    rgw: Rgw, make_bucket: Callable[..., str], doctor: Callable[[str], dict[str, Finding]]
) -> None:
    bucket = make_bucket(lock=True)
    rgw.client().put_object_lock_configuration(
        Bucket=bucket,
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 40}},
        },
    )
    found = doctor(bucket)["object lock"]
    assert found.state is State.BAD
    assert "40 days, governance mode" in found.says
    assert looking.everything(rgw.client(), bucket) == []
