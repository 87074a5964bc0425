"""Where sealed objects are kept: plain files on this machine, or an object store."""

from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.conf import settings

from bluelamp.kernel.errors import Invalid
from bluelamp.vault.stores.base import Store
from bluelamp.vault.stores.local import LocalStore
from bluelamp.vault.stores.object_store import ObjectStore

__all__ = ["LocalStore", "ObjectStore", "Store", "get_store"]


def get_store() -> Store:
    """The store of this installation (BLUELAMP_STORE_URL; else `store/` in the data folder)."""
    return _store(settings.BLUELAMP.store_url or None, settings.BLUELAMP.data)


@lru_cache(maxsize=4)
def _store(url: str | None, data: Path) -> Store:
    if url is None:
        return LocalStore(data / "store")
    parts = urlsplit(url)
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/"):
        return LocalStore(Path(unquote(parts.path)))
    if parts.scheme == "s3" and parts.netloc:
        return ObjectStore.from_url(url)
    raise Invalid(
        f"BLUELAMP_STORE_URL begins with {parts.scheme}:, which is no store that this version knows.",
        "No footage was stored or deleted.",
        "Give s3://bucket/folder or file:///path, or leave it empty for the one in the data folder.",
    )
