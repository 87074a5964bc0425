"""The dock: takes a camera's recordings to the server and clears the camera of what is safe there.

A recording's file is erased only after a receipt with the server's signature has been verified for exactly this
camera, sequence number, SHA-256 and size, and has been written down.
"""

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from bluelamp.camera.device import Device
from bluelamp.camera.dock_memory import DockMemory
from bluelamp.camera.dock_server import KEPT, DockServer, Refused, Session, Wanted
from bluelamp.camera.dock_upload import Upload
from bluelamp.camera.errors import CameraError
from bluelamp.formats import iso8601
from bluelamp.formats.manifest import ManifestEntry, SignedEntry
from bluelamp.formats.receipt import ReceiptError, verify_receipt

PARALLEL = 3
PATIENCE_SECONDS = 120.0
RECEIPT_WAIT_SECONDS = 600.0


class Watcher(Protocol):
    """Told, from several threads, how far uploads are: bytes that the server has, of bytes in all."""

    def __call__(self, sequence: int, filename: str, sent: int, size: int, /) -> None: ...


@dataclass(frozen=True)
class Refusal:
    """A recording that the server did not take, and why."""

    sequence: int
    why: str


@dataclass
class DockResult:
    """What came of a docking. Lists hold sequence numbers; problems are sentences.

    clock_offset_ms: the server's clock minus the camera's. Nothing in `refused` or `problems` was erased.
    in_vain: recordings whose file is gone, altered or unreadable, which docking again does not bring either.
    """

    serial: str
    session: str = ""
    clock_offset_ms: int = 0
    uploaded: list[int] = field(default_factory=list)
    already: list[int] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    receipts_verified: list[int] = field(default_factory=list)
    erased: list[int] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    in_vain: list[int] = field(default_factory=list)

    @property
    def all_safe(self) -> bool:
        """Whether the server has acknowledged everything that the camera held."""
        return not self.refused and not self.problems

    @property
    def docking_again_helps(self) -> bool:
        """Whether another docking may bring something that is not on the server yet."""
        return len(self.refused) + len(self.problems) > len(self.in_vain)


class DockClient:
    """A dock. `clock` gives the camera's time (aware): a demonstration passes its shifted one."""

    def __init__(
        self,
        server: str,
        token: str,
        clock: Callable[[], datetime],
        *,
        parallel: int = PARALLEL,
        keep: bool = False,
        patience_seconds: float = PATIENCE_SECONDS,
        receipt_wait_seconds: float = RECEIPT_WAIT_SECONDS,
    ) -> None:
        self._address, self._token, self._clock = server, token, clock
        self._parallel = max(1, parallel)
        self._keep = keep
        self._patience_seconds = patience_seconds
        self._receipt_wait_seconds = receipt_wait_seconds

    def dock(self, device_dir: Path | str, progress: Watcher | None = None) -> DockResult:
        """Dock the camera in that folder. Raises CameraError when no session came about; what goes wrong with
        single recordings stands in the result."""
        device = Device.existing(device_dir)
        device.recover()
        memory = DockMemory(device.folder)
        inventory = {signed.entry.sequence: signed for signed in device.inventory()}
        server = DockServer(self._address, self._token, self._patience_seconds)
        try:
            session = server.open_session(self._announcement(device, list(inventory.values())))
            key = memory.pin_server_key(session.receipt_key, server.url)
            docking = _Docking(self, device, memory, server, session, key, progress or _nobody_watches)
            return docking.run(inventory)
        finally:
            server.close()
            if device.is_present:
                device.charge()

    def _announcement(self, device: Device, inventory: list[SignedEntry]) -> dict[str, Any]:
        return {
            "serial": device.serial,
            "model": device.model,
            "mount": device.mount,
            "public_key": device.public_key,
            "firmware": device.firmware,
            "device_clock": iso8601.to_text(self._clock()),
            "clock_set": inventory[-1].entry.clock_set if inventory else True,
            "battery_percent": device.battery_percent,
            "storage": device.storage(),
            "inventory": [signed.to_dict() for signed in inventory],
        }


class _Docking:
    """One docking, after its session was opened. Uploads run in threads; the result is written by one."""

    def __init__(
        self,
        dock: DockClient,
        device: Device,
        memory: DockMemory,
        server: DockServer,
        session: Session,
        key: str,
        watch: Watcher,
    ) -> None:
        self._keep = dock._keep
        self._parallel = dock._parallel
        self._receipt_wait = dock._receipt_wait_seconds
        self._device, self._memory, self._server = device, memory, server
        self._session, self._key, self._watch = session, key, watch
        self._result = DockResult(device.serial, session.id, session.clock_offset_ms)

    def run(self, inventory: dict[int, SignedEntry]) -> DockResult:
        asked = {wanted.sequence: wanted for wanted in self._session.recordings}
        for sequence in sorted(inventory.keys() - asked.keys()):
            self._result.problems.append(f"The server said nothing about recording {sequence}. It is kept.")
        with ThreadPoolExecutor(self._parallel, thread_name_prefix="dock") as pool:
            running: dict[Future[dict[str, Any]], SignedEntry] = {}
            for sequence in sorted(inventory.keys() & asked.keys(), key=lambda one: _order(inventory[one])):
                signed, wanted = inventory[sequence], asked[sequence]
                if wanted.state == "refused":
                    self._result.refused.append(Refusal(sequence, wanted.why or "The server gave no reason."))
                elif wanted.state in ("needed", "have"):
                    running[pool.submit(self._bring, signed, wanted)] = signed
                else:
                    self._result.problems.append(
                        f"The server gave recording {sequence} the unknown state {wanted.state[:40]}. It is kept."
                    )
            for future in as_completed(running):
                self._finish(running[future], asked[running[future].entry.sequence], future)
        for numbers in (
            self._result.uploaded, self._result.already, self._result.receipts_verified, self._result.erased,
            self._result.in_vain,
        ):  # fmt: skip
            numbers.sort()
        return self._result

    def _bring(self, signed: SignedEntry, wanted: Wanted) -> dict[str, Any]:
        """Upload where needed; returns the server's receipt, not yet verified."""
        entry = signed.entry
        if wanted.state == "have" and wanted.receipt is not None:
            return wanted.receipt
        if wanted.state == "needed":
            path = self._device.path(signed)
            if fault := _fault(path, entry):
                return self._without_file(entry, fault)
            metadata = {
                "session": self._session.id,
                "serial": entry.serial,
                "sequence": str(entry.sequence),
                "filename": entry.filename,
                "sha256": entry.sha256,
            }
            url = wanted.upload_url or self._memory.upload_url(entry.sequence)

            def sent(count: int) -> None:
                self._watch(entry.sequence, entry.filename, count, entry.size)

            try:
                receipt = Upload(self._server, self._memory, entry.sequence, path).run(url, metadata, sent)
            except OSError as error:  # of the file: what befalls the connection is told in other ways
                return self._without_file(entry, _unreadable(entry, error))
            if receipt is not None:
                return receipt
        return self._server.receipt(self._session.id, entry.sequence, self._receipt_wait)

    def _without_file(self, entry: ManifestEntry, fault: "_Fault") -> dict[str, Any]:
        """Tell the server that a recording cannot be sent. Returns its receipt if it has it meanwhile, else raises."""
        if not self._device.is_present:
            raise CameraError("The camera was taken out of the dock.", KEPT, "Put it in again: uploads go on.")
        is_awaited = True
        # The people who look after the cameras hear of it from the server; whoever stands at the dock does in any case.
        with suppress(CameraError):
            is_awaited = self._server.report_unavailable(self._session.id, entry.sequence, fault.why)
        if not is_awaited:  # another dock program may have brought it
            with suppress(CameraError):
                return self._server.receipt(self._session.id, entry.sequence, 0)
        raise fault.error

    def _finish(self, signed: SignedEntry, wanted: Wanted, future: Future[dict[str, Any]]) -> None:
        entry = signed.entry
        try:
            document = future.result()
            self._check(signed, document)
            (self._result.uploaded if wanted.state == "needed" else self._result.already).append(entry.sequence)
            self._result.receipts_verified.append(entry.sequence)
            self._memory.keep_receipt(document)
            if not self._keep:
                self._device.remove(signed)
                self._result.erased.append(entry.sequence)
        except Refused as error:
            self._result.refused.append(Refusal(entry.sequence, str(error)))
        except _CannotBeSent as error:
            self._result.problems.append(str(error))
            self._result.in_vain.append(entry.sequence)
        except (CameraError, OSError) as error:
            self._result.problems.append(str(error))

    def _check(self, signed: SignedEntry, document: dict[str, Any]) -> None:
        """Raises CameraError unless the receipt is the server's word for exactly this file."""
        entry = signed.entry
        try:
            receipt = verify_receipt(document, self._key)
        except ReceiptError as error:
            raise CameraError(f"The receipt for recording {entry.sequence} is not good: {error}", KEPT) from error
        for name in ("serial", "sequence", "sha256", "size"):
            if getattr(receipt, name) != getattr(entry, name):
                raise CameraError(
                    f"The receipt for recording {entry.sequence} speaks of another {name}.",
                    KEPT,
                    "Tell the people who run the server.",
                )


class _CannotBeSent(CameraError):
    """The camera's file of a recording is not what it signed, or cannot be read."""


@dataclass(frozen=True)
class _Fault:
    """Why a recording cannot be sent: for the server, in the protocol's word, and for whoever stands at the dock."""

    why: str
    error: _CannotBeSent


def _fault(path: Path, entry: ManifestEntry) -> _Fault | None:
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
    except FileNotFoundError:
        return _Fault(
            "gone",
            _CannotBeSent(
                f"Recording {entry.sequence} ({entry.filename}) is no longer on the camera.",
                "The server does not have it either.",
                "Keep the camera out of use and have it examined: its manifest entry shows that it was recorded.",
            ),
        )
    except OSError as error:
        return _unreadable(entry, error)
    if size == entry.size:
        return None
    return _Fault(
        "altered",
        _CannotBeSent(
            f"Recording {entry.sequence} has {size} bytes; its manifest entry says {entry.size}.",
            "It was not uploaded and is kept as it is.",
            "Have the camera examined.",
        ),
    )


def _unreadable(entry: ManifestEntry, error: OSError) -> _Fault:
    return _Fault(
        "unreadable",
        _CannotBeSent(
            f"Recording {entry.sequence} cannot be read on the camera: {error.strerror}.",
            "It was not uploaded and is kept as it is.",
            "Have the camera examined.",
        ),
    )


def _order(signed: SignedEntry) -> tuple[bool, int]:
    """What its wearer marked goes first."""
    marked = any(event["kind"] == "marker" for event in signed.entry.events)
    return not marked, signed.entry.sequence


def _nobody_watches(sequence: int, filename: str, sent: int, size: int, /) -> None:
    """Where no progress is shown."""
