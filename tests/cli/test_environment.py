from __future__ import annotations

import gc

import pytest

from bluelamp.cli.supervisor import environment


def test_garbage_is_collected_again_once_code_is_loaded_also_when_loading_fails() -> None:
    try:
        with environment.loading():
            assert not gc.isenabled()
        assert gc.isenabled()
        with pytest.raises(ImportError), environment.loading():
            raise ImportError
        assert gc.isenabled()
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()


def test_only_the_migrating_child_is_told_the_owners_url(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("BLUELAMP_DATABASE_OWNER_URL", "postgresql://owner@/x")
    assert "BLUELAMP_DATABASE_OWNER_URL" not in environment.for_child(tmp_path, "app", "http://localhost")
    told = environment.for_child(tmp_path, "app", "http://localhost", "owner")
    assert told["BLUELAMP_DATABASE_OWNER_URL"] == "owner"
