"""What holds for root holds for an ordinary user: the same tests, run as one."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")

_HERE = Path(__file__).parent


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of the user's own."""
    folder = Path(tempfile.mkdtemp(prefix="bluelamp-user-"))
    user = pwd.getpwnam("nobody")
    os.chown(folder, user.pw_uid, user.pw_gid)
    yield folder
    shutil.rmtree(folder)


def run_as_user(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    user = pwd.getpwnam("nobody")
    import bluelamp

    packages = (str(Path(bluelamp.__file__).parents[1]), sysconfig.get_path("purelib"))
    return subprocess.run(
        command,
        user=user.pw_uid,
        group=user.pw_gid,
        extra_groups=[],
        cwd=folder,
        env={
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": os.pathsep.join(packages),
            "PYTHONDONTWRITEBYTECODE": "1",
            "TMPDIR": str(folder),
        },
        capture_output=True,
        text=True,
    )


@pytest.fixture
def python(folder: Path) -> str:
    """A Python of this version that the user may run, with this checkout and its packages within reach."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (sys.executable, f"/usr/bin/{name}", f"/usr/local/bin/{name}"):
        try:
            probe = run_as_user(folder, candidate, "-c", "import bluelamp.cli.main, django, pytest")
        except OSError:
            continue
        if probe.returncode == 0:
            return candidate
    pytest.skip(f"no {name} with this checkout and its packages can be reached by another user")


@pytest.mark.server
@pytest.mark.parametrize(
    ("file", "chosen"),
    [("test_postgres.py", ""), ("test_up.py", "serves_refuses or after_a_kill or database_comes_back")],
)
def test_an_ordinary_user_needs_nothing_of_root(folder: Path, python: str, file: str, chosen: str) -> None:
    result = run_as_user(
        folder,
        python,
        *("-m", "pytest", "-v", "-k", chosen, f"--rootdir={_HERE.parents[1]}", f"--confcutdir={_HERE}"),
        *("-p", "no:django", "-p", "no:cacheprovider", str(_HERE / file)),
    )
    assert result.returncode == 0, result.stdout[-4000:]
    assert " passed" in result.stdout
