"""How two processes share the tests."""

from __future__ import annotations

from django.conf import settings

from tests import conftest, parallel


def test_a_file_is_run_by_one_process_and_so_are_all_journeys() -> None:
    share = parallel.share
    assert share("tests/vault/test_keyring.py::test_a") == share("tests/vault/test_keyring.py::test_b[a::b]")
    assert share("tests/vault/test_keyring.py::test_a") != share("tests/vault/test_stores.py::test_a")
    assert share("tests/journeys/test_share.py::test_a") == share("tests/journeys/test_lock.py::test_b[x]")


def test_each_process_works_on_a_data_folder_of_its_own() -> None:
    assert settings.BLUELAMP.data.resolve() == conftest._DATA.resolve()
