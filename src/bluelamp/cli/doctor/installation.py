"""The data folder, what runs on it, and the settings that would surprise in real use."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from bluelamp.cli.doctor.finding import Finding, bad, note, ok, open_to_others, warn
from bluelamp.cli.supervisor.cluster import without_data_folder
from bluelamp.cli.supervisor.instance import holder
from bluelamp.formats import timestamp
from bluelamp.project.configuration import Configuration

_GIB = 1024**3
_LOW_FREE_SHARE = 0.15
_OLD_UPLOAD_DAYS = 7


def check(configuration: Configuration) -> Iterator[Finding]:
    yield from _data_folder(configuration)
    yield from _settings(configuration)
    yield from _told_and_vouched_for(configuration)
    yield from _disk_space(configuration)
    yield from _staging(configuration.staging)
    yield from _front_end()
    yield from _forgotten_databases()


def _data_folder(configuration: Configuration) -> Iterator[Finding]:
    data = configuration.data
    if mode := open_to_others(data):
        yield warn("data folder", f"{data} can be entered by other users (mode {mode}).", f"Close it: chmod 700 {data}")
    else:
        yield ok("data folder", f"{data} is closed to other users.")
    running = holder(data)
    if running is None:
        yield note("running", "Bluelamp does not run on this data folder now.", "Start it with: bluelamp up")
    else:
        yield ok(
            "running", f"Process {running.get('pid')} runs Bluelamp at {running.get('address', 'no address yet')}."
        )
    if configuration.demonstration:
        yield warn(
            "purpose",
            "This is a demonstration: its clock can be moved, so what is stored here is no evidence.",
            "For real footage start `bluelamp up` on another data folder.",
        )
    else:
        yield ok("purpose", "For real footage; its clock cannot be moved.")


def _settings(configuration: Configuration) -> Iterator[Finding]:
    # Without the setting, what `bluelamp up` listens at is what its web processes were told.
    running = holder(configuration.data) or {}
    base_url = os.environ.get("BLUELAMP_BASE_URL") or running.get("address") or configuration.base_url
    address = urlsplit(base_url)
    if address.scheme != "https" and address.hostname not in ("localhost", "127.0.0.1", "::1"):
        yield bad(
            "address",
            f"{base_url} is not encrypted: passwords and footage cross the network in clear.",
            "Set BLUELAMP_TLS_CERTIFICATE and BLUELAMP_TLS_KEY, or put a TLS proxy in front and set BLUELAMP_BASE_URL "
            "to its https:// address.",
        )
    else:
        yield ok("address", f"People reach it at {base_url}.")
    if not configuration.fsync:
        yield bad(
            "durability",
            "Uploads are acknowledged before the disk has them (BLUELAMP_FSYNC=0): a power cut loses footage that "
            "cameras have erased.",
            "Remove that setting; it is for measuring only.",
        )
    if not configuration.demonstration and not configuration.email_url.startswith(("smtp://", "smtps://")):
        yield warn(
            "e-mail",
            "E-mail leaves this machine for nobody: partners and requesters get no links or codes.",
            "Set BLUELAMP_EMAIL_URL to smtp://user:password@host:port.",
        )


def _told_and_vouched_for(configuration: Configuration) -> Iterator[Finding]:
    if not configuration.demonstration and not configuration.alert_email:
        yield warn(
            "alerts",
            "When a check that runs by itself fails, nobody is told by e-mail: only the oversight page says it.",
            "Set BLUELAMP_ALERT_EMAIL to the addresses of those who look after the installation.",
        )
    if not configuration.demonstration and not configuration.public_contact:
        yield warn(
            "public contact",
            "No page or letter says how the public reaches the force: requesters cannot show proof of identity, answer "
            "a question, or ask without e-mail.",
            "Set BLUELAMP_PUBLIC_CONTACT to a postal address, telephone and e-mail, separated by |.",
        )
    if not configuration.timestamp_url:
        return
    named = configuration.timestamp_certificate
    why = "no certificate is named"
    if named:
        try:
            known = timestamp.certificates(Path(named).read_bytes())
        except (OSError, timestamp.TimestampError) as error:
            why = f"{named} cannot be used: {error}"
        else:
            until = min(each.not_valid_after_utc for each in known)
            why = f"one in {named} was good until {until:%d %B %Y}" if until < datetime.now(UTC) else ""
    if why:
        yield warn(
            "timestamps",
            f"A time-stamping authority is set, but not what its answers are known by ({why}): the ledger gets no "
            "timestamps that can be checked.",
            "Set BLUELAMP_TIMESTAMP_CERTIFICATE to a PEM file with the authority's present root certificate.",
        )
    else:
        yield ok("timestamps", f"{urlsplit(configuration.timestamp_url).hostname} is asked for a timestamp every hour.")


def _disk_space(configuration: Configuration) -> Iterator[Finding]:
    folders = {"staging": configuration.staging}
    if not configuration.store_url:
        folders["store"] = configuration.data / "store"
    seen: set[int] = set()
    for name, folder in folders.items():
        existing = next(path for path in (folder, *folder.parents) if path.exists())
        device = existing.stat().st_dev
        if device in seen:
            continue
        seen.add(device)
        usage = shutil.disk_usage(existing)
        free = f"{usage.free / _GIB:.0f} GiB of {usage.total / _GIB:.0f} GiB are free for {name}"
        # A recording must fit twice: while it is received, and when it is put into the store.
        if usage.free < 2 * min(configuration.max_upload_bytes, 4 * _GIB):
            yield bad(
                "disk space",
                f"Only {free}; docks will soon be turned away (they keep their footage).",
                "Add storage now.",
            )
        elif usage.free < _LOW_FREE_SHARE * usage.total:
            yield warn("disk space", f"Only {free}.", "Plan more storage; docks are turned away when it is full.")
        else:
            yield ok("disk space", f"{free}.")


def _staging(staging: Path) -> Iterator[Finding]:
    old_before = time.time() - _OLD_UPLOAD_DAYS * 86400
    try:
        entries = [(path, path.stat().st_mtime) for path in staging.iterdir()]
    except FileNotFoundError:
        entries = []
    old = [path for path, changed in entries if changed < old_before]
    if old:
        yield warn(
            "staging",
            f"{len(old)} unfinished uploads rest since {_OLD_UPLOAD_DAYS} days or more; their cameras still hold them.",
            "Dock those cameras again; if a camera is lost, keep the folder: its bytes may be all there is.",
        )
    else:
        yield ok("staging", f"{len(entries)} uploads are under way or interrupted, none for long.")


def _forgotten_databases() -> Iterator[Finding]:
    forgotten = without_data_folder(demonstration=False)
    if forgotten:
        yield note(
            "forgotten databases",
            f"{', '.join(map(str, forgotten))} belong to data folders that no longer exist.",
            "Bluelamp never removes them by itself. Delete those whose footage is known to be gone for good.",
        )


def _front_end() -> Iterator[Finding]:
    from bluelamp.web.assets import static_dirs

    if any(True for _, folder in static_dirs() for _ in folder.glob("vendor/*.css")):
        yield ok("front end", "Styles and scripts are built.")
    else:
        yield bad(
            "front end", "Styles and scripts are not built, so pages appear plain and the player lacks its controls.",
            "In the checkout run: npm ci && npm run build",
        )  # fmt: skip
