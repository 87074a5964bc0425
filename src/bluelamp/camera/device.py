"""A body-worn camera as a folder: its identity, its key, its recordings and the signed manifest of them.

device.json      serial, model, mount, firmware, public key, next sequence, battery, storage
device.key       the Ed25519 private key (PKCS 8 PEM), readable by its owner only
manifest.jsonl   one signed manifest entry a line, in the order of their sequence
erased.jsonl     which recordings were erased after a verified receipt
*.mp4            recordings; a note *.open.json stands beside one that is being written
"""

import fcntl
import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bluelamp.camera.errors import CameraError
from bluelamp.camera.journal import Journal, playable_seconds, trim_torn_end, write_durably
from bluelamp.camera.recorder import Identity, Progress, Recorder, WrittenFile, measure
from bluelamp.camera.spec import FPS, MOUNTS, SIZES, RecordingSpec
from bluelamp.formats import fields as check
from bluelamp.formats import iso8601
from bluelamp.formats.ed25519 import public_key_text
from bluelamp.formats.errors import FormatError
from bluelamp.formats.manifest import FIRST_PREVIOUS, ManifestEntry, ManifestError, SignedEntry, sign_entry

MODEL = "Bluelamp VB1"
FIRMWARE = "1.0.0"
STORAGE_BYTES = 64 * 10**9
BATTERY_HOURS = 12


class Device:
    """One camera. Every method that changes the folder holds its lock: one process records at a time."""

    def __init__(self, folder: Path, described: dict[str, Any], key: Ed25519PrivateKey) -> None:
        self.folder = folder
        self.serial = check.serial(described["serial"])
        self.model = check.text(described["model"], "model", 100)
        self.mount = str(described["mount"])
        self.firmware = str(described["firmware"])
        self.public_key = public_key_text(key)
        self._battery = float(described["battery_percent"])
        self._key = key

    @classmethod
    def open(
        cls, folder: Path | str, *, serial: str | None = None, model: str | None = None, mount: str | None = None
    ) -> "Device":
        """The camera in that folder; a new one where there is none yet.

        Raises CameraError where the folder belongs to another camera than asked for, or cannot be used.
        """
        folder = Path(folder)
        if mount is not None and mount not in MOUNTS:
            raise CameraError(f"A camera is worn on: {', '.join(MOUNTS)}.")
        try:
            check.serial(serial or "BL-0")
            check.text(model or MODEL, "model", 100)
        except FormatError as error:
            raise CameraError(str(error), "Nothing was recorded.") from error
        if not (folder / "device.json").exists():
            with _explained(folder):
                folder.mkdir(parents=True, exist_ok=True)
                with _locked(folder):
                    made = _new_description(_load_or_make_key(folder), serial, model, mount)
                    write_durably(folder / "device.json", _pretty(made))
        device = cls.existing(folder)
        for name, asked, has in (("serial", serial, device.serial), ("model", model, device.model)):
            if asked is not None and asked != has:
                raise CameraError(
                    f"The folder {folder} belongs to a camera of {name} {has}, not {asked}.",
                    "Nothing was recorded.",
                    "Choose another folder for another camera.",
                )
        if mount is not None and mount != device.mount:
            device.mount = mount
            device._save()
        return device

    @classmethod
    def existing(cls, folder: Path | str) -> "Device":
        """The camera in that folder. Raises CameraError where there is none."""
        folder = Path(folder)
        if not (folder / "device.json").exists():
            raise CameraError(
                f"There is no camera in {folder}.",
                "Nothing was read or changed.",
                "Give the folder that `bluelamp camera record --out` wrote to.",
            )
        with _explained(folder):
            return cls(folder, json.loads((folder / "device.json").read_bytes()), _load_or_make_key(folder))

    def entries(self) -> list[SignedEntry]:
        """All entries ever written, in order. Raises CameraError when the manifest cannot be read."""
        entries = []
        try:
            for line in self._manifest_lines():
                entries.append(SignedEntry.from_json(line))
        except ManifestError as error:
            raise CameraError(
                f"Line {len(entries) + 1} of the camera's manifest cannot be read: {error}",
                "The recordings are untouched.",
                "Keep the camera; do not dock it before somebody has looked at its folder.",
            ) from error
        return entries

    def inventory(self) -> list[SignedEntry]:
        """The entries of recordings not yet erased after a receipt: what a dock reports."""
        erased = self._erased()
        return [signed for signed in self.entries() if signed.entry.sequence not in erased]

    def path(self, signed: SignedEntry) -> Path:
        """Where that recording's file lies, or lay."""
        return self.folder / signed.entry.filename

    @property
    def is_present(self) -> bool:
        """Whether the camera's storage can be reached."""
        return (self.folder / "device.json").is_file()

    def remove(self, signed: SignedEntry) -> None:
        """Erase a recording's file. For the dock only, after a verified receipt; the entry stays in the manifest."""
        with _locked(self.folder):
            if signed.entry.sequence in self._erased():
                return
            note = json.dumps({"sequence": signed.entry.sequence, "sha256": signed.entry.sha256})
            _append(self.folder / "erased.jsonl", note)
            self.path(signed).unlink(missing_ok=True)
            self._save()

    def record(self, spec: RecordingSpec, on_progress: Progress | None = None) -> list[SignedEntry]:
        """Make a recording: one file and entry, or more where it is split. Closes what a power cut left open
        before. on_progress is called with the seconds done."""
        with _locked(self.folder):
            self._recover()
            recorder = Recorder(spec, Identity(self.model, self.serial))
            incident = str(uuid.uuid4())
            written = []
            parts = spec.parts()
            for number, (start, end) in enumerate(parts, start=1):
                draft = self._draft(spec, incident, number, start, end, last=number == len(parts))
                journal = Journal.beside(self.folder / str(draft["filename"]), draft)
                journal.write()
                file = _written(recorder, journal.recording, start, end, on_progress)
                written.append(self._close(journal, file, ended_at=iso8601.to_text(spec.at(end))))
            self._battery = max(1.0, self._battery - spec.seconds / (BATTERY_HOURS * 36))
            self._save()
        return written

    def recover(self) -> list[SignedEntry]:
        """What a camera does when power comes back: close recordings that a cut left open. Returns their entries."""
        with _locked(self.folder):
            return self._recover()

    def charge(self) -> None:
        """Full battery, as after a while in the dock."""
        self._battery = 100.0
        self._save()

    @property
    def battery_percent(self) -> int:
        return round(self._battery)

    def storage(self) -> dict[str, int]:
        """Bytes: {"capacity", "free"}."""
        used = sum(path.stat().st_size for path in self.folder.glob("*.mp4"))
        return {"capacity": STORAGE_BYTES, "free": max(0, STORAGE_BYTES - used)}

    def _draft(
        self, spec: RecordingSpec, incident: str, part: int, start: float, end: float, *, last: bool
    ) -> dict[str, Any]:
        """The entry of a part as planned; `previous`, size and hash come when it is closed."""
        sequence = self._next_sequence()
        at = spec.at(start)
        width, height = SIZES[spec.size]
        events = [
            {"at": iso8601.to_text(spec.at(when)), "kind": kind, "note": note}
            for when, kind, note in spec.events()
            if start <= when < end or (last and when == end)
        ]
        if part > 1:
            note = f"continues part {part - 1}"
            events.insert(0, {"at": iso8601.to_text(at), "kind": "split", "note": note})
        closing = ("stop", "long press") if last else ("split", f"continued in part {part + 1}")
        events.append({"at": iso8601.to_text(spec.at(end)), "kind": closing[0], "note": closing[1]})
        return {
            "serial": self.serial,
            "model": self.model,
            "mount": self.mount,
            "sequence": sequence,
            "filename": f"{self.serial}_{at:%Y%m%dT%H%M%SZ}_{sequence:06d}.mp4",
            "started_at": iso8601.to_text(at),
            "clock_set": spec.clock_set,
            "pre_event_seconds": spec.pre_event_seconds if part == 1 else 0,
            "part": part,
            "incident": incident,
            "events": events,
            "track": [
                {"at": iso8601.to_text(spec.at(when)), "lat": lat, "lon": lon}
                for when, lat, lon in spec.track()
                if start <= when < end
            ],
            "told": spec.told,
            "video": {"width": width, "height": height, "fps": FPS},
        }

    def _close(self, journal: Journal, file: WrittenFile, ended_at: str) -> SignedEntry:
        """Sign the entry, append it to the manifest, forget the note."""
        before = self._last()
        entry = ManifestEntry(
            **{**journal.entry, "events": tuple(journal.entry["events"]), "track": tuple(journal.entry["track"])},
            ended_at=ended_at,
            size=file.size,
            sha256=file.sha256,
            previous=before.entry.hash() if before else FIRST_PREVIOUS,
        )
        signed = sign_entry(entry, self._key)
        _append(self.folder / "manifest.jsonl", signed.to_json())
        journal.close()
        self._save()
        return signed

    def _recover(self) -> list[SignedEntry]:
        recovered = []
        for journal in Journal.all_in(self.folder):
            if int(journal.entry["sequence"]) < self._next_sequence():
                journal.close()  # cut between manifest and note: everything was written
                continue
            path = journal.recording
            if path.exists():
                trim_torn_end(path)
            seconds = playable_seconds(path) if path.exists() else 0.0
            if seconds <= 0:
                # Cut within the first second: no picture had reached the disk. The sequence number is used
                # again, since no recording ever bore it.
                path.unlink(missing_ok=True)
                journal.close()
                continue
            recovered.append(self._close_after_cut(journal, seconds))
        return recovered

    def _close_after_cut(self, journal: Journal, seconds: float) -> SignedEntry:
        """The entry of a recording that power left: it ends with its last picture, and so do its events."""
        start = iso8601.parse(journal.entry["started_at"])
        end = start + timedelta(milliseconds=round(seconds * 1000))
        plan = journal.entry
        events = [event for event in plan["events"] if iso8601.parse(event["at"]) < end]
        ended_at = iso8601.to_text(end)
        events.append({"at": ended_at, "kind": "power_loss", "note": "closed when power came back"})
        track = [position for position in plan["track"] if iso8601.parse(position["at"]) < end]
        cut = Journal(journal.path, {**plan, "events": events, "track": track})
        return self._close(cut, measure(journal.recording), ended_at)

    def _next_sequence(self) -> int:
        last = self._last()
        return last.entry.sequence + 1 if last else 1

    def _last(self) -> SignedEntry | None:
        lines = list(self._manifest_lines())
        return SignedEntry.from_json(lines[-1]) if lines else None

    def _manifest_lines(self) -> Iterator[str]:
        """Whole lines only: one without its end was being written when power went, and is written again."""
        path = self.folder / "manifest.jsonl"
        if path.exists():
            yield from path.read_text(encoding="utf-8").split("\n")[:-1]

    def _erased(self) -> set[int]:
        path = self.folder / "erased.jsonl"
        if not path.exists():
            return set()
        return {int(json.loads(line)["sequence"]) for line in path.read_text().splitlines() if line.endswith("}")}

    def _save(self) -> None:
        description = {
            "serial": self.serial,
            "model": self.model,
            "mount": self.mount,
            "firmware": self.firmware,
            "public_key": self.public_key,
            "next_sequence": self._next_sequence(),
            "battery_percent": round(self._battery, 3),
            "storage": self.storage(),
        }
        write_durably(self.folder / "device.json", _pretty(description))


def _written(recorder: Recorder, path: Path, start: float, end: float, on_progress: Progress | None) -> WrittenFile:
    try:
        return recorder.write(path, start, end, on_progress)
    except OSError as error:
        raise CameraError(
            f"The camera could not write its recording: {error.strerror or error}.",
            "What was recorded until then is kept.",
            "Make room; the recording is closed when the camera is used next.",
        ) from error


def _pretty(value: dict[str, Any]) -> bytes:
    return (json.dumps(value, indent=2) + "\n").encode()


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, KeyError) as error:
        raise CameraError(
            f"The camera's folder {folder} cannot be used ({error}).",
            "Recordings in it are untouched.",
            "Check that it is a camera's folder and that you may write to it.",
        ) from error


def _new_description(
    key: Ed25519PrivateKey, serial: str | None, model: str | None, mount: str | None
) -> dict[str, Any]:
    public = key.public_key().public_bytes_raw()
    return {
        "serial": serial or f"BL-{public.hex()[:8].upper()}",
        "model": model or MODEL,
        "mount": mount or MOUNTS[0],
        "firmware": FIRMWARE,
        "public_key": public_key_text(key),
        "next_sequence": 1,
        "battery_percent": 100,
        "storage": {"capacity": STORAGE_BYTES, "free": STORAGE_BYTES},
    }


def _load_or_make_key(folder: Path) -> Ed25519PrivateKey:
    path = folder / "device.key"
    if not path.exists():
        made = Ed25519PrivateKey.generate()
        pem = made.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        write_durably(path, pem, mode=0o600)
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("its key is not an Ed25519 key")
    return key


def _append(path: Path, line: str) -> None:
    """Append a line durably; a torn line that a power cut left at the end is dropped first."""
    with path.open("a+b") as file:
        file.seek(0)
        content = file.read()
        whole = content.rfind(b"\n") + 1
        if whole != len(content):
            file.truncate(whole)
        file.write(line.encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the camera for this process. The lock goes with the process, also when it is killed."""
    with (folder / "device.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CameraError(
                "The camera is busy: another process records with it.",
                "What it records is not touched.",
                "Wait until it has finished.",
            ) from error
        yield
