"""What must hold when the campaign is over, whatever befell: looked up in the database, the store and the keyring."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bluelamp.vault.keyring import SqliteKeyring
from bluelamp.vault.objects import SealedReader
from bluelamp.vault.stores import LocalStore
from tests.campaigns.installation import Installation, Patience
from tests.campaigns.load import Dock
from tests.campaigns.worn import Wearing

_OF_A_CAMERA = """
SELECT r.sequence, r.id::text, r.sha256, r.size, r.original, r.events
FROM footage_recording r JOIN fleet_camera c ON c.id = r.camera_id WHERE c.serial = %s ORDER BY r.sequence
"""
_OF_A_SYSTEM = """
SELECT k.name, o.name, o.version, o.disputed, o.md5, r.id::text, r.sha256, r.size, r.original,
       (SELECT count(*) FROM footage_evidence_flag f WHERE f.recording_id = r.id)
FROM footage_recording r JOIN fleet_camera c ON c.id = r.camera_id
LEFT JOIN ingest_axis_object o ON o.recording = r.id LEFT JOIN ingest_axis_container k ON k.id = o.container_id
WHERE c.serial = %s ORDER BY k.name, o.name, o.version
"""
_COLLECTED = """
SELECT d.subject, count(*) FROM custody_event e JOIN custody_detail d ON d.event_id = e.id
WHERE e.tag = 'recording.collected' GROUP BY 1
"""
_ROWS_LEFT = {
    "uploads not ended": "SELECT id::text FROM ingest_upload WHERE state IN ('receiving', 'received') OR NOT cleared",
    "accepted uploads without a recording": "SELECT id::text FROM ingest_upload u WHERE state = 'accepted'"
    " AND NOT EXISTS (SELECT 1 FROM footage_recording r WHERE r.id = u.recording_id)",
    "recordings without an upload": "SELECT id::text FROM footage_recording r WHERE NOT EXISTS"
    " (SELECT 1 FROM ingest_upload u WHERE u.recording_id = r.id AND u.state = 'accepted')",
    "parts of nothing": "SELECT id::text FROM ingest_upload p WHERE state = 'joined' AND NOT EXISTS"
    " (SELECT 1 FROM ingest_upload u WHERE u.state = 'accepted' AND u.parts @> to_jsonb(p.id::text))",
    "objects never stored": "SELECT id::text FROM ingest_axis_object WHERE stored_at IS NULL",
    "objects not settled": "SELECT id::text FROM ingest_axis_object WHERE NOT applied",
    "recordings not prepared": "SELECT id::text FROM footage_recording WHERE processing = 'waiting'",
    # A docking that waited for a server which was just starting looks as if its camera's clock were slow.
    "false alarms": "SELECT kind || ' ' || detail FROM ingest_discrepancy WHERE kind <> 'clock_drifting'",
    "alerts": "SELECT kind || ' ' || text FROM ingest_axis_alert",
}
_TROUBLE = ("dock.failed", "Exception in ASGI", "never retrieved", "Exception in callback")
_LIVE_KEYS = "SELECT key_id FROM data_key WHERE key_id NOT IN (SELECT key_id FROM erased_key)"


@dataclass
class Counted:
    """What was read back and compared."""

    recordings: int = 0
    bytes: int = 0


def everything_is_there_once(up: Installation, docks: list[Dock], systems: list[Wearing]) -> Counted:
    """Each recording that was acknowledged, byte for byte, and no other."""
    counted = Counted()
    for dock in docks:
        rows = up.rows(_OF_A_CAMERA, dock.camera.serial)
        assert [row[0] for row in rows] == sorted(dock.made), f"recordings of {dock.camera.serial}"
        for sequence, recording, sha256, size, original, events in rows:
            made = dock.made[sequence]
            assert (sha256, size) == (made.sha256, made.size), f"{dock.camera.serial} {sequence}"
            assert dock.receipts[sequence]["recording_id"] == recording
            assert any(event["kind"] == "marker" for event in events) == made.marked
            _compare(up, recording, original, sha256, size, counted)
    for system in systems:
        found = {}
        for row in up.rows(_OF_A_SYSTEM, system.system.serial):
            container, name, version, disputed, md5, recording, sha256, size, original, flags = row
            assert (container, name) not in found, f"{container}/{name} is here twice"
            assert (version, disputed) == (1, ""), f"{container}/{name} is in dispute with itself"
            found[container, name] = (sha256, size, md5, flags)
            _compare(up, recording, original, sha256, size, counted)
        assert found == {
            (made.container, clip.name): (clip.sha256, clip.size, clip.md5, int(bool(made.marked) and number == 0))
            for made in system.made
            for number, clip in enumerate(made.clips)
        }
    collected = dict(up.rows(_COLLECTED))
    assert set(collected.values()) == {1}, "a recording was collected twice"
    assert len(collected) == counted.recordings == up.rows("SELECT count(*) FROM footage_recording")[0][0]
    return counted


def nothing_is_left_over(up: Installation) -> None:
    """After a day, in which jobs are done and what nobody came back for expires, there are recordings and no more."""
    # What a killed put left behind is swept by its age, which is of real time.
    for path in (up.data / "store").rglob(".tmp-*"):
        os.utime(path, (time.time() - 86_400,) * 2)
    up.kill("worker")
    up.wait_ready()
    patience, acted = Patience(), 0.0
    while left := {what: found for what, look in _LOOKS.items() if (found := look(up))}:
        if time.monotonic() - acted > 30:
            up.act("tomorrow" if not acted else "again")
            acted = time.monotonic()
        patience.look({what: len(found) for what, found in left.items()}, f"left over: {_shortened(left)}")
        time.sleep(1)


def troubles(up: Installation) -> list[str]:
    """What the server wrote down that none of these faults explains."""
    lines = (line for log in (up.data / "logs").glob("web*") for line in log.read_text(errors="replace").splitlines())
    return [line[:3000] for line in lines if any(trouble in line for trouble in _TROUBLE)]


def _shortened(left: dict[str, list[str]]) -> dict[str, list[str]]:
    return {what: found[:5] for what, found in left.items()}


def _compare(up: Installation, recording: str, original: str, sha256: str, size: int, counted: Counted) -> None:
    store, keyring = LocalStore(up.data / "store"), SqliteKeyring(up.data / "keyring" / "keyring.sqlite")
    stored = SealedReader(original, recording, store=store, keyring=keyring)
    assert stored.size == size
    assert hashlib.sha256(stored.read(0, size + 1)).hexdigest() == sha256, f"{recording} is not what was acknowledged"
    counted.recordings += 1
    counted.bytes += size


def _rows(sql: str) -> Callable[[Installation], list[str]]:
    return lambda up: [str(row[0]) for row in up.rows(sql)]


def _ids(up: Installation, sql: str) -> set[str]:
    return {str(row[0]) for row in up.rows(sql)}


def _objects(up: Installation) -> set[str]:
    return _ids(up, "SELECT original FROM footage_recording UNION ALL SELECT object_name FROM footage_derivative")


def _strange_files(up: Installation) -> list[str]:
    """Everything in the store's folder, what it does not list included."""
    store = up.data / "store"
    files = {path.relative_to(store).as_posix() for path in store.rglob("*") if path.is_file()}
    return sorted(files - _objects(up))


def _missing_files(up: Installation) -> list[str]:
    return sorted(name for name in _objects(up) if not (up.data / "store" / name).is_file())


def _staging(up: Installation) -> list[str]:
    return sorted(path.name for path in (up.data / "staging").iterdir())


def _keys(up: Installation) -> set[str]:
    with sqlite3.connect(up.data / "keyring" / "keyring.sqlite") as keyring:
        return {str(row[0]) for row in keyring.execute(_LIVE_KEYS)}


def _strange_keys(up: Installation) -> list[str]:
    return sorted(_keys(up) - _ids(up, "SELECT id FROM footage_recording"))


def _missing_keys(up: Installation) -> list[str]:
    return sorted(_ids(up, "SELECT id FROM footage_recording") - _keys(up))


_LOOKS: dict[str, Callable[[Installation], list[Any]]] = {
    **{what: _rows(sql) for what, sql in _ROWS_LEFT.items()},
    "in staging": _staging,
    "strange files in the store": _strange_files,
    "files missing from the store": _missing_files,
    "strange keys": _strange_keys,
    "missing keys": _missing_keys,
}
