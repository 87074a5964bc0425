"""What a restore found, for the operator: on the screen, and whole in a file that only the operator reads."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime

import typer

from bluelamp.cli.backup.putting_back import Restored
from bluelamp.cli.supervisor import instance


def tell(done: Restored) -> None:
    """Print it, and write all of it beside the data."""
    from django.conf import settings

    found, manifest = done.reconciled, done.manifest
    path = settings.BLUELAMP.data / f"restore-{datetime.now().astimezone():%Y%m%d-%H%M%S}.json"
    report = asdict(found) | {"backup_of": manifest.taken_at, "former_database": done.former}
    instance.write_json(path, json.loads(json.dumps(report, default=str)))
    say = typer.echo
    say(f"Restored the database as it was at {manifest.taken_at}.")
    say(f"  {found.closed:,} recordings had gone since: closed again, each with a certificate.")
    say(
        f"  {found.given_time:,} recordings would be gone by {found.until:%d %B %Y}: kept until then. Flags and holds "
        "made since the backup are not known; make them again before."
    )
    say(f"  {len(found.unknown):,} recordings arrived since: listed in the file below, kept in the store, not deleted.")
    say(f"  {len(found.missing):,} recordings lack a file or their key: see Lost footage on the oversight pages.")
    if found.erased or found.removed:
        say(
            f"  {found.erased:,} keys and {found.removed:,} files of recordings that had gone before the backup came "
            "back with older copies of the keyring and the store: erased and removed again."
        )
    if found.unfinished:
        say(f"  {len(found.unfinished):,} deletions could not be finished; the next sweep does.")
    say(f"  {found.shares:,} shares stand as they stood then. End again those that were ended since.")
    say(
        f"The ledger goes on under a new name, {found.origin}: publish its key (bluelamp keys list) and tell witnesses."
    )
    if done.former:
        say(f"The former database is kept as {done.former}. Drop it once nobody needs to look anything up in it.")
    say(f"Everything is in {path}. Start Bluelamp with: bluelamp up")
