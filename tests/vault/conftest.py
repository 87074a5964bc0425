import pytest
from obstore import store as obstore_stores

from bluelamp.vault.keyring import SqliteKeyring
from bluelamp.vault.stores import LocalStore, ObjectStore
from bluelamp.vault.stores.s3 import Connection


@pytest.fixture
def keyring(tmp_path):
    ring = SqliteKeyring(tmp_path / "keyring" / "keyring.sqlite")
    yield ring
    ring.close()


def over(backend) -> ObjectStore:
    """An ObjectStore on something of obstore's that is no S3: no versions, no unfinished puts, no Object Lock."""
    return ObjectStore(lambda: Connection(quick=backend, bulk=backend, bucket=None))


@pytest.fixture(params=["plain files", "obstore in memory", "obstore on disk"])
def store(request, tmp_path):
    """Every kind of store; what one promises, all must keep."""
    if request.param == "plain files":
        return LocalStore(tmp_path / "store")
    if request.param == "obstore in memory":
        return over(obstore_stores.MemoryStore())
    (tmp_path / "bucket").mkdir()
    return over(obstore_stores.LocalStore(tmp_path / "bucket"))
