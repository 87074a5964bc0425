"""A camera that was docked can still be imported as a folder: what docking leaves in it is no footage."""

from __future__ import annotations

from datetime import UTC, datetime

from bluelamp.camera import Device
from bluelamp.camera.dock import DockClient
from bluelamp.ingest.imports.camera_folder import OWN_FILES
from tests.camera.server import TOKEN, DockingServer


def test_what_docking_leaves_in_a_camera_is_known_to_an_import(device: Device) -> None:
    server = DockingServer()
    try:
        docked = DockClient(
            server.url, TOKEN, lambda: datetime(2026, 11, 22, 9, 0, tzinfo=UTC), keep=True, receipt_wait_seconds=3.0
        ).dock(device.folder)
    finally:
        server.close()
    assert docked.all_safe
    footage = {signed.entry.filename for signed in device.entries()}
    left = {path.name for path in device.folder.iterdir()} - footage
    assert {"receipts.jsonl", "server-key.json"} <= left
    assert left <= OWN_FILES
