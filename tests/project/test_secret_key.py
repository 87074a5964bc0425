from __future__ import annotations

import dataclasses
import threading
from pathlib import Path

from bluelamp.project import configuration


def test_processes_that_start_at_once_sign_sessions_with_one_key(tmp_path: Path) -> None:
    fresh = dataclasses.replace(configuration.load({}), data=tmp_path)
    start, seen = threading.Barrier(8), []

    def begin() -> None:
        start.wait()
        seen.append(configuration.secret_key(fresh, {}))

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 8
    assert len(set(seen)) == 1
    assert len(seen[0]) > 50
