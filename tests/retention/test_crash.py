"""Killed at any point of the deletion of many, the next sweep finishes it: none half gone, none back, none twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings

from bluelamp.custody import keys
from bluelamp.custody import queries as custody
from bluelamp.footage.models import Recording
from bluelamp.kernel import clock
from bluelamp.people.policy import Role
from bluelamp.retention import certificates, queries, services
from bluelamp.vault.keyring import get_keyring
from tests import factories
from tests.retention.test_sweep import files_of, sealed_recording

_ROOT = Path(__file__).parents[2]
DAY = timedelta(days=1)
_MANY = 5  # that take each step together
_POINTS = (
    "before the row is closed is committed",
    "after the row is closed",
    "after the key is erased",
    "after the names are noted",
    "after one object is removed",
    "after all objects are removed",
    "after the certificate is signed",
    "after everything is committed",
)


def sweep_killed(point: str, database_url: str) -> None:
    environment = {**os.environ, "BLUELAMP_DATABASE_URL": database_url, "BLUELAMP_DATA": str(settings.BLUELAMP.data)}
    done = subprocess.run(
        [sys.executable, "-m", "tests.retention.crash", point],
        cwd=_ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr


@pytest.mark.parametrize("point", _POINTS)
def test_deletions_that_were_killed_are_finished_by_the_next_sweep(point, committed_db):
    officer = factories.person(Role.OFFICER, unit=factories.unit())
    started = clock.now() - timedelta(days=40)
    due = {"started_at": started, "received_at": started + DAY, "due_at": started + 31 * DAY}
    leaving = [sealed_recording(officer, **due) for _ in range(_MANY)]
    # Its date is another than the one that is stored, so that it is decided about alone.
    alone = sealed_recording(officer, **{**due, "due_at": started + 30 * DAY})
    kept = sealed_recording(officer)

    sweep_killed(point, committed_db)

    for recording in (*leaving, alone):
        recording.refresh_from_db()
        closed = recording.state == Recording.State.DELETED
        # Nothing is erased or removed unless the row is closed, and nothing is certified that is not gone.
        assert closed or (get_keyring().has(recording.key_id) and len(files_of(recording)) == 3)
        assert len(files_of(recording)) == 3 or not get_keyring().has(recording.key_id)
        certificate = queries.certificate_of(recording)
        assert certificate is None or not files_of(recording)

    services.sweep()

    for recording in (*leaving, alone):
        recording.refresh_from_db()
        assert recording.state == Recording.State.DELETED
        assert files_of(recording) == []
        assert not get_keyring().has(recording.key_id)
        certificate = queries.certificate_of(recording)
        assert certificates.verify(certificate.body, keys.receipt_key().public_key()).objects_removed == 3
    told = [custody.count(tag) for tag in ("recording.quarantined", "recording.deleted", "recording.erased")]
    assert told == [_MANY + 1] * 3
    assert services.sweep() == services.SweepResult()
    assert len(files_of(kept)) == 3
    assert get_keyring().has(kept.key_id)
