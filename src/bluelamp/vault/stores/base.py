"""What every store of sealed objects does, and which names it takes."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from bluelamp.formats.sealed import BytesLike
from bluelamp.vault.errors import NameRefused

T = TypeVar("T")
R = TypeVar("R")

TEMPORARY_PREFIX = ".tmp-"

_PART = re.compile(r"[A-Za-z0-9._=@-]{1,200}")


class Store(ABC):
    """Named, immutable byte strings. A put is visible whole or not at all, and durable when it returns.

    Every method raises NameRefused for a name that is not safe, StorageFull when there is no room, and
    StoreUnavailable (StoreRefused, where it answers and will not) when the store cannot be used, within seconds.
    """

    may_support_hold = False
    """Whether asking `supports_hold` can ever be worth it; known without asking the store."""

    @abstractmethod
    def put_file(self, name: str, path: Path, *, move: bool = False) -> None:
        """Store the file at `path`, replacing what has that name.

        With `move` the file, whose bytes the caller has made durable, is gone afterwards.
        """

    @abstractmethod
    def make_durable(self, name: str) -> None:
        """Finish the put of an object that is there, by somebody who may have ended before its name was durable."""

    @abstractmethod
    def put_stream(self, name: str, pieces: Iterable[BytesLike]) -> None:
        """Store the concatenated pieces in constant memory. If the iterable raises, nothing is stored."""

    def put_all(self, objects: Sequence[tuple[str, Sequence[BytesLike]]]) -> None:
        """`put_stream` for each (name, pieces) of many small objects; faster where many are made durable at once.

        All are durable when it returns. Where it raises, some may have been stored, each of them whole.
        """
        for name, pieces in objects:
            self.put_stream(name, pieces)

    @abstractmethod
    def get_range(self, name: str, start: int, length: int) -> bytes:
        """Up to `length` bytes from `start`; fewer at the end, none past it. Raises ObjectMissing."""

    @abstractmethod
    def size(self, name: str) -> int:
        """Bytes stored under that name. Raises ObjectMissing."""

    @abstractmethod
    def delete(self, name: str) -> None:
        """Remove the object, durably, with every older version of it and every unfinished put.

        Removing what is not there is no error. Raises HeldInStore, having removed nothing, while the store itself holds
        any version of it: release that first (`hold`).
        """

    def delete_all(self, names: Iterable[str]) -> None:
        """`delete` for each of many; faster where many can be made durable at once.

        Where it raises, some may have been removed.
        """
        self.each(self.delete, names)

    def each(self, action: Callable[[T], R], items: Iterable[T]) -> Sequence[R]:
        """What `action` answers for each of the items, in their order.

        A store that is asked over a network has several of them under way at once, in threads.
        """
        return [action(item) for item in items]

    @abstractmethod
    def exists(self, name: str) -> bool:
        """Whether an object has that name."""

    @abstractmethod
    def list(self, prefix: str = "") -> Iterator[str]:
        """The names of all objects in the folder `prefix` (whole parts; empty: everywhere), in any order."""

    def remains(self, name: str) -> Iterator[str]:
        """Of the object `name` and all in the folder `name`: the names of which the store keeps anything at all.

        Unlike `list` it names those too of which only an older version, a marker or an unfinished put is left.
        """
        yield from self.list(name)
        if self.exists(name):
            yield name

    def unfinished(self, name: str) -> Iterator[str]:
        """What interrupted puts left in the folder `name` and `remains` does not tell, in the store's own words."""
        yield from ()

    def supports_hold(self) -> bool:
        """Whether this store can be told to refuse the deletion of an object until told otherwise."""
        return False

    def retention_period(self) -> str:
        """The retention period that the store by itself gives to every new object, in words; empty: none."""
        return ""

    def hold(self, name: str, held: bool) -> None:
        """Put the object under the store's own legal hold, or release it; nothing where that is so already.

        A store that supports no hold does nothing. Raises ObjectMissing for holding what is not there.
        """
        return

    @abstractmethod
    def sweep_temporary(self, older_than_seconds: float) -> int:
        """Remove what interrupted puts left behind, if it is older than that; how many were removed."""


def check_name(name: str) -> str:
    """`name`, if it is parts of [A-Za-z0-9._=@-] joined by single slashes. Raises NameRefused.

    Refused are absolute names, '.', '..', NUL, backslashes, and parts that look like a half-written object.
    """
    parts = name.split("/")
    if len(name) > 900 or not all(_PART.fullmatch(part) for part in parts):
        raise NameRefused(name)
    if any(part in {".", ".."} or part.startswith(TEMPORARY_PREFIX) for part in parts):
        raise NameRefused(name)
    return name


def check_prefix(prefix: str) -> str:
    """A folder name for `Store.list`: empty, or checked like a name; a final slash is dropped."""
    return check_name(prefix.removesuffix("/")) if prefix else ""


def check_range(start: int, length: int) -> None:
    """Raises ValueError for a negative start or length."""
    if start < 0 or length < 0:
        raise ValueError("A range begins at 0 or later and is not negative in length.")
