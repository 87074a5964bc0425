"""Store, keyring and signing keys: can footage be stored and opened, and are the keys private?"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from bluelamp.cli.doctor.finding import Finding, State, bad, note, ok, open_to_others, warn
from bluelamp.cli.supervisor.instance import read_json
from bluelamp.kernel import clock
from bluelamp.kernel.errors import BluelampError
from bluelamp.project.configuration import Configuration

if TYPE_CHECKING:
    from bluelamp.vault.stores import Store

_PROBE = b"written by bluelamp doctor"


def check(configuration: Configuration) -> Iterator[Finding]:
    yield from _store(configuration)
    yield from _keyring(configuration)
    yield from _keyring_copy(configuration)
    yield from _signing_keys(configuration.keys)
    yield note(
        "limit of deletion",
        "Deleted footage stays unreadable only where no old copy of the keyring survives: no program can see from here "
        "whether a disk image, a snapshot or a backup of the keyring was kept.",
        "Never put the keyring into the database's or the machine's backups. Copy it with `bluelamp keyring copy`, "
        "whose keys are destroyed within days; back up the folder of those keys nowhere (docs/guides/operator.md).",
    )


def _store(configuration: Configuration) -> Iterator[Finding]:
    from bluelamp.vault.stores import get_store

    where = configuration.store_url or str(configuration.data / "store")
    name = f"doctor/{secrets.token_hex(8)}"
    try:
        store = get_store()
        if store.may_support_hold:
            lock = _object_lock(store)
            yield lock
            if lock.state is State.BAD:
                return  # a probe might stay for ever
        store.put_stream(name, [_PROBE])
        try:
            read = store.get_range(name, 0, len(_PROBE))
        finally:
            store.delete(name)
    except (BluelampError, OSError) as error:
        yield bad("store", f"{where} cannot be written and read: {error}", "Put that right; docks keep their footage.")
        return
    if read == _PROBE:
        yield ok("store", f"{where}: wrote, read and deleted a probe.")
    else:
        yield bad("store", f"{where} gave back other bytes than were written.", "Stop using it and check its disks.")


def _object_lock(store: Store) -> Finding:
    supported, period = store.supports_hold(), store.retention_period()
    if period:
        return bad(
            "object lock",
            f"The bucket keeps every new object for {period}, so that footage cannot be deleted when it must be.",
            "Remove the bucket's default retention. What was stored meanwhile stays until that period ends.",
        )
    if supported:
        return ok("object lock", "Originals of what is flagged or held are put under a legal hold in the bucket too.")
    return note(
        "object lock",
        "The bucket has no Object Lock: whoever has its credentials can delete held footage in it.",
        "Its rules keep it all the same. To have the second lock, use a bucket that was made with Object Lock.",
    )


def _keyring(configuration: Configuration) -> Iterator[Finding]:
    if not configuration.keyring_url and not (configuration.data / "keyring" / "keyring.sqlite").exists():
        yield note("keyring", "There is none yet; it is made, closed to others, with the first recording.")
        return
    from bluelamp.vault.keyring import get_keyring

    # Opening it checks the permissions of folder, file and root key, and that the two belong together.
    try:
        count = get_keyring().count()
    except BluelampError as error:
        yield bad("keyring", f"{error.what_happened} {error.meaning}", error.next_step)
        return
    yield ok("keyring", f"{count} keys; files closed to others; the root key belongs to it.")


def _keyring_copy(configuration: Configuration) -> Iterator[Finding]:
    advice = "Run every day: bluelamp keyring copy FILE --keys FOLDER (docs/guides/operator.md)"
    if not configuration.keyring_url and not (configuration.data / "keyring" / "keyring.sqlite").exists():
        return
    last = read_json(configuration.data / "keyring-copy.json")
    if "made_at" not in last:
        said = "The keyring was never copied by `bluelamp keyring copy`: should its disk die, no footage opens again."
        yield note("keyring copy", said) if configuration.demonstration else warn("keyring copy", said, advice)
        return
    made_at, kept = datetime.fromisoformat(str(last["made_at"])), timedelta(days=int(last.get("days", 3)))
    age = clock.real_now() - made_at
    if age > kept:
        yield warn(
            "keyring copy",
            f"The last one was made at {made_at:%Y-%m-%d %H:%M} UTC; its key is to be destroyed by now, or opens what "
            "has gone since.",
            advice,
        )
        return
    left = _keys_left(Path(str(last.get("keys", ""))), kept)
    if left:
        yield bad(
            "keyring copy",
            f"{left} keys of copies older than {kept.days} days are there still: those copies open what has gone.",
            "Find out why they were not destroyed; then: bluelamp keyring copy FILE --keys FOLDER",
        )
    else:
        yield ok("keyring copy", f"The last one was made at {made_at:%Y-%m-%d %H:%M} UTC; keys of older ones are gone.")


def _keys_left(folder: Path, kept: timedelta) -> int:
    """Keys of old copies in the folder, as far as it is seen from here; a day late, for they go with the next copy."""
    from bluelamp.vault import keyring_copy

    return len(keyring_copy.older(folder, kept=kept + timedelta(days=1))) if folder.is_dir() else 0


def _signing_keys(folder: Path) -> Iterator[Finding]:
    found = sorted(folder.glob("*.key")) if folder.exists() else []
    if not found:
        yield note("signing keys", "There are none yet; they are made, closed to others, when first used.")
        return
    exposed = [f"{path} (mode {mode})" for path in (folder, *found) if (mode := open_to_others(path))]
    if exposed:
        yield bad(
            "signing keys",
            f"Other users can read {', '.join(exposed)}: checkpoints and receipts could be forged.",
            f"Close them: chmod 700 {folder}; chmod 600 {folder}/*.key; then find out who could read them.",
        )
        return
    empty = [path.name for path in found if path.stat().st_size == 0]
    if empty:
        yield bad("signing keys", f"{', '.join(empty)} in {folder} is empty.", "Restore it from its safe copy.")
    else:
        yield ok("signing keys", f"{', '.join(path.stem for path in found)} in {folder}, closed to others.")
