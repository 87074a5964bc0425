"""Is what the store holds of a recording still what was sealed? Reads every byte of it; changes nothing.

Each segment's tag proves its plaintext and its place under the recording's key (docs/protocols/sealed-object.md). The
master's SHA-256 is compared with the register, and with what the ledger says has arrived, so that another content
sealed under the same key is found as well. The papers of packages lie with a recording and are read with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID

from bluelamp.custody import queries as custody
from bluelamp.footage.models import Derivative, Recording
from bluelamp.formats import sealed
from bluelamp.oversight import papers
from bluelamp.oversight.models import Finding
from bluelamp.sharing.packages.models import Package
from bluelamp.vault.errors import KeyErased, KeyringUnusable, KeyUnknown, ObjectDamaged, ObjectMissing
from bluelamp.vault.keyring import get_keyring
from bluelamp.vault.objects import SealedReader
from bluelamp.vault.stores import get_store

Problem = Finding.Problem
Pause = Callable[[int], None]


@dataclass(frozen=True)
class Wrong:
    """What is wrong with one object (`object_name`), or with the recording as a whole (empty)."""

    object_name: str
    problem: str
    detail: str


@dataclass(frozen=True)
class _Object:
    """An object that should be there: plaintext `size` in bytes, each SHA-256 that it should have, whose papers."""

    name: str
    size: int
    digests: tuple[str, ...] = ()
    package: Package | None = None


@dataclass(frozen=True)
class Examined:
    """A recording whose objects were read: how many bytes of plaintext, and what is wrong."""

    bytes: int
    wrong: tuple[Wrong, ...]


def examine(recording_id: UUID, pause: Pause = lambda _: None) -> Examined | None:
    """Read all objects of a recording; None where it has been deleted. `pause` is told the bytes of each segment read.

    What changes while it is read (a deletion, a clip that is opened, a viewing copy made anew) is looked at again
    before anything is called wrong. Raises StoreUnavailable, and KeyringUnusable where the whole keyring is.
    """
    read = 0
    for last in (False, True):
        before = _state(recording_id)
        if before is None:
            return None
        found = [_examine(item, str(recording_id), pause) for item in before]
        read += sum(size for size, _ in found)
        wrong = tuple(item for _, item in found if item is not None)
        if not wrong or (_state(recording_id) == before and last):
            return Examined(read, wrong)
        if _state(recording_id) is None:
            return None
    return Examined(read, ())  # it changed twice while it was read: the next turn tells


def _state(recording_id: UUID) -> list[_Object] | None:
    """The objects of a recording that should be there; None where it has been deleted."""
    recording = Recording.objects.filter(pk=recording_id).exclude(state=Recording.State.DELETED).first()
    if recording is None:
        return None
    derivatives = Derivative.objects.filter(recording=recording_id).order_by("object_name")
    return [
        _Object(recording.original, recording.size, tuple(_digests(recording))),
        *(_Object(item.object_name, item.size) for item in derivatives),
        *(_Object(package.papers, papers.size(package), package=package) for package in papers.of(recording_id)),
    ]


def _digests(recording: Recording) -> Iterator[str]:
    yield recording.sha256
    # A clip that its device encrypted is another file once it was opened; the ledger has the hash of both.
    for tag in ("recording.unwrapped", "recording.collected"):
        said = custody.search(tag=tag, subject=recording.custody_id, limit=1)
        if said:
            digest = said[0].details.get("sha256")  # the law may have taken it out of the ledger
            if digest:
                yield str(digest)
            return


def _examine(item: _Object, key_id: str, pause: Pause) -> tuple[int, Wrong | None]:
    read, wrong = _read(item, key_id, pause)
    if wrong is None or item.package is None:
        return read, wrong
    # The footage itself is not touched: what can be done is another thing, and it is no loss.
    return read, Wrong(
        item.name, Problem.PAPERS, f"{wrong.detail} The package cannot be handed out: withdraw it and make another."
    )


def _read(item: _Object, key_id: str, pause: Pause) -> tuple[int, Wrong | None]:
    name, size, digests = item.name, item.size, item.digests
    read = 0
    try:
        stored, expected = get_store().size(name), sealed.sealed_size(size)
        if stored != expected:
            return 0, Wrong(name, Problem.SIZE, f"The store has {stored:,} bytes of it; {expected:,} were sealed.")
        if item.package is not None:
            read, said = papers.read(item.package, SealedReader(name, key_id), pause)
            return read, Wrong(name, Problem.CONTENT, said) if said else None
        digest = hashlib.sha256()
        for piece in SealedReader(name, key_id).iter(0, size):
            digest.update(piece)
            read += len(piece)
            pause(len(piece))
    except ObjectMissing:
        return read, Wrong(name, Problem.MISSING, "The store has no object of this name.")
    except ObjectDamaged as error:
        return read, Wrong(name, Problem.DAMAGED, error.what_happened)
    except KeyUnknown:
        return read, Wrong(name, Problem.NO_KEY, "The keyring has no key for it, so it cannot be opened.")
    except KeyErased as error:
        return read, Wrong(name, Problem.NO_KEY, error.what_happened)
    except KeyringUnusable as error:
        if not damaged_record(key_id):
            raise
        return read, Wrong(name, Problem.NO_KEY, error.what_happened)
    except OSError as error:
        return read, Wrong(name, Problem.UNREADABLE, f"The disk does not read it ({error.strerror or error}).")
    if any(digest.hexdigest() != one for one in digests):
        return read, Wrong(
            name,
            Problem.CONTENT,
            f"Its SHA-256 is {digest.hexdigest()}; the register says {digests[0]}"
            + (f", the ledger {digests[1]}." if len(digests) > 1 else "."),
        )
    return read, None


def damaged_record(key_id: str) -> bool:
    """Whether the keyring answers, and only this key's record in it is damaged."""
    get_keyring().count()
    return get_keyring().has(key_id)
