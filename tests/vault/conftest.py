import pytest
from obstore import store as obstore_stores

from bluelamp.vault.keyring import SqliteKeyring
from bluelamp.vault.stores import LocalStore, ObjectStore


@pytest.fixture
def keyring(tmp_path):
    ring = SqliteKeyring(tmp_path / "keyring" / "keyring.sqlite")
    yield ring
    ring.close()


@pytest.fixture(params=["plain files", "obstore in memory", "obstore on disk"])
def store(request, tmp_path):
    """Every kind of store; what one promises, all must keep."""
    if request.param == "plain files":
        return LocalStore(tmp_path / "store")
    if request.param == "obstore in memory":
        return ObjectStore(obstore_stores.MemoryStore())
    (tmp_path / "bucket").mkdir()
    return ObjectStore(obstore_stores.LocalStore(tmp_path / "bucket"))
