"""The virtual camera: real recordings with a signed manifest, in a folder that stands for the device.

Time is always passed in: a demonstration's cameras follow its shifted clock.
"""

from pathlib import Path

from bluelamp.camera.device import Device
from bluelamp.camera.errors import CameraError
from bluelamp.camera.spec import RecordingSpec
from bluelamp.formats.manifest import SignedEntry

__all__ = ["CameraError", "Device", "RecordingSpec", "record", "recover"]


def record(
    device_dir: Path | str,
    spec: RecordingSpec,
    *,
    serial: str | None = None,
    model: str | None = None,
    mount: str | None = None,
) -> SignedEntry:
    """Record with the camera in that folder, made where there is none. Returns the entry of the (first) file;
    `Device.record` returns those of all parts. Raises CameraError."""
    return Device.open(device_dir, serial=serial, model=model, mount=mount).record(spec)[0]


def recover(device_dir: Path | str) -> list[SignedEntry]:
    """Close the recordings that a power cut left open; returns their entries. Raises CameraError."""
    return Device.existing(device_dir).recover()
