"""A backup of day 0, 32 days on which the sweep did its work, and a keyring that is lost."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from typer.testing import CliRunner, Result

from bluelamp.cli import keyring as keyring_command
from bluelamp.cli.backup import manifest as manifests
from bluelamp.cli.backup.putting_back import Target, bring_into_line, fill
from bluelamp.custody import keys
from bluelamp.footage.models import Recording
from bluelamp.kernel import clock
from bluelamp.oversight.services.restoring import Reconciled
from bluelamp.vault import objects
from bluelamp.vault.errors import KeyErased
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


def sealed(wearer: Any, **more: Any) -> Recording:
    return factories.recording(wearer, sealed=True, due_rule="default", **more)


def opens(recording: Recording) -> bool:
    """Whether its master can be read with today's keyring and store."""
    try:
        return bool(objects.SealedReader(recording.original, recording.key_id).read(0, 10))
    except KeyErased:
        return False


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
