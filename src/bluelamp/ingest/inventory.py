"""The docking request as a dock sends it: read strictly, entry by entry, so that one bad entry refuses only itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bluelamp.formats import fields as check
from bluelamp.formats import iso8601
from bluelamp.formats.errors import FormatError
from bluelamp.formats.manifest import SignedEntry
from bluelamp.formats.strictjson import exact_fields, load_object
from bluelamp.ingest.discrepancies import UNAVAILABLE
from bluelamp.kernel.errors import Invalid

MAX_BODY_BYTES = 64 * 1024 * 1024
"""Some hundred recordings with a position a second fit; a dock with more offers them in several sessions."""

MAX_REPORT_BYTES = 1000

MAX_ENTRIES = 2000
_FIELDS = {
    "serial",
    "model",
    "mount",
    "public_key",
    "firmware",
    "device_clock",
    "clock_set",
    "battery_percent",
    "storage",
    "inventory",
}


@dataclass(frozen=True)
class Offered:
    """One entry of the inventory; where it cannot be read, `why`, and its number if that much is plain."""

    sequence: int | None
    signed: SignedEntry | None
    why: str = ""


@dataclass(frozen=True)
class DockingRequest:
    """What a dock says of a camera. `storage` in bytes; `device_clock` aware UTC, uncorrected."""

    serial: str
    model: str
    mount: str
    public_key: str
    firmware: str
    device_clock: datetime
    clock_set: bool
    battery_percent: int | None
    storage: dict[str, int]
    inventory: tuple[Offered, ...]


def parse(body: bytes) -> DockingRequest:
    """The request in `body` (JSON). Raises Invalid with what does not fit; entries are judged one by one."""
    try:
        given = exact_fields(
            load_object(body, what="docking request", max_bytes=MAX_BODY_BYTES), _FIELDS, "docking request"
        )
        if not isinstance(given["inventory"], list) or len(given["inventory"]) > MAX_ENTRIES:
            raise FormatError(f"The inventory must be a list of at most {MAX_ENTRIES} entries.")
        battery = given["battery_percent"]
        return DockingRequest(
            serial=check.serial(given["serial"]),
            model=check.text(given["model"], "model", 100),
            mount=check.text(given["mount"], "mount", 40),
            public_key=check.text(given["public_key"], "public key", 100),
            firmware=check.text(given["firmware"], "firmware", 100, may_be_empty=True),
            device_clock=iso8601.parse(check.moment(given["device_clock"], "device's clock")),
            clock_set=check.boolean(given["clock_set"], "field clock_set"),
            battery_percent=None if battery is None else check.integer(battery, "battery level", 0, 100),
            storage=_storage(given["storage"]),
            inventory=tuple(_offered(entry) for entry in given["inventory"]),
        )
    except FormatError as error:
        raise _not_the_protocol(error) from error


def parse_unavailable(body: bytes) -> str:
    """Why a recording cannot be sent: a key of discrepancies.UNAVAILABLE. Raises Invalid."""
    try:
        given = exact_fields(load_object(body, what="report", max_bytes=MAX_REPORT_BYTES), {"why"}, "report")
        if not isinstance(given["why"], str) or given["why"] not in UNAVAILABLE:
            raise FormatError(f"The reason must be one of {', '.join(UNAVAILABLE)}.")
        return given["why"]
    except FormatError as error:
        raise _not_the_protocol(error) from error


def _not_the_protocol(error: FormatError) -> Invalid:
    return Invalid(
        str(error),
        "Nothing was taken. The camera keeps its copy.",
        "The dock's software sent something else than the docking protocol; see docs/protocols/docking.md.",
    )


def _offered(document: Any) -> Offered:
    try:
        if not isinstance(document, dict):
            raise FormatError("An entry of the inventory must be an object with named fields.")
        signed = SignedEntry.from_json(document)
    except FormatError as error:
        entry = document.get("entry") if isinstance(document, dict) else None
        sequence = entry.get("sequence") if isinstance(entry, dict) else None
        plain = type(sequence) is int and 0 < sequence <= check.MAX_INTEGER
        return Offered(sequence if plain else None, None, str(error))
    return Offered(signed.entry.sequence, signed)


def _storage(value: Any) -> dict[str, int]:
    storage = exact_fields(value, {"capacity", "free"}, "storage")
    return {name: check.integer(storage[name], f"storage's {name}") for name in ("capacity", "free")}
