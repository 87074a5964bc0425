"""Store, keyring and signing keys: can footage be stored and opened, and are the keys private?"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bluelamp.cli.doctor.finding import Finding, State, bad, note, ok, open_to_others
from bluelamp.kernel.errors import BluelampError
from bluelamp.project.configuration import Configuration

if TYPE_CHECKING:
    from bluelamp.vault.stores import Store

_PROBE = b"written by bluelamp doctor"


def check(configuration: Configuration) -> Iterator[Finding]:
    yield from _store(configuration)
    yield from _keyring(configuration)
    yield from _signing_keys(configuration.keys)
    yield note(
        "limit of deletion",
        "Deleted footage stays unreadable only where no old copy of the keyring survives: no program can see from here "
        "whether a disk image, a snapshot or a backup of the keyring was kept.",
        "Never put the keyring into the database's or the machine's backups. Seal its own backups to a key that is "
        "destroyed within days (docs/guides/operator.md).",
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
