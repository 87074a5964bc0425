from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bluelamp.cli.supervisor.instance import DataLock, holder, open_instance, read_json
from bluelamp.kernel.errors import Conflict


def test_a_new_data_folder_is_closed_to_others_and_has_an_identity(tmp_path: Path) -> None:
    first = open_instance(tmp_path / "a" / "data")
    assert (tmp_path / "a" / "data").stat().st_mode & 0o777 == 0o700
    assert first.demonstration is False
    assert open_instance(first.data) == first


def test_what_others_wrote_in_instance_json_is_kept(tmp_path: Path) -> None:
    (tmp_path / "instance.json").write_text('{"instance": "x", "demonstration": true, "force": "Northshire"}')
    open_instance(tmp_path).with_cluster("abc")
    assert read_json(tmp_path / "instance.json") == {
        "instance": "x",
        "demonstration": True,
        "force": "Northshire",
        "cluster": "abc",
    }


def test_a_damaged_instance_json_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "instance.json").write_text("{")
    with pytest.raises(Conflict, match="cannot be read"):
        open_instance(tmp_path)
    assert (tmp_path / "instance.json").read_text() == "{"


def test_a_second_holder_is_refused_with_process_and_address(tmp_path: Path) -> None:
    data = open_instance(tmp_path / "data").data
    lock = DataLock(data)
    lock.acquire()
    lock.describe(pid=os.getpid(), address="http://localhost:8000")
    with pytest.raises(Conflict, match=rf"process {os.getpid()} at http://localhost:8000"):
        DataLock(data).acquire()
    assert holder(data) == {"pid": os.getpid(), "address": "http://localhost:8000"}
    lock.release()
    assert holder(data) is None
    again = DataLock(data)
    again.acquire()
    again.release()


def test_the_lock_ends_with_its_process_however_that_ends(tmp_path: Path) -> None:
    data = open_instance(tmp_path / "data").data
    script = (
        "import pathlib, sys, time\n"
        "from bluelamp.cli.supervisor.instance import DataLock\n"
        "lock = DataLock(pathlib.Path(sys.argv[1])); lock.acquire()\n"
        "print('held', flush=True); time.sleep(60)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(data)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    with pytest.raises(Conflict):
        DataLock(data).acquire()
    process.kill()
    process.wait()
    lock = DataLock(data)
    lock.acquire()
    lock.release()
