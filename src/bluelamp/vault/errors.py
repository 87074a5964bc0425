"""What can go wrong with keys and sealed objects, in words for the person who meets it."""

from datetime import datetime

from bluelamp.kernel.errors import BluelampError, Busy, Conflict, Invalid, NotFound


class KeyUnknown(NotFound):
    """The keyring has never had a key of that name."""

    title = "The footage's key is not in the keyring"

    def __init__(self, key_id: str) -> None:
        super().__init__(
            f"The keyring holds no key {key_id}.",
            "Footage sealed with it cannot be opened from here; the stored bytes are untouched.",
            "Check that this is the right keyring, then run: bluelamp doctor",
        )


class KeyErased(NotFound):
    """The key was erased for good, and with it whatever it sealed."""

    title = "This footage has been deleted"
    status = 410

    def __init__(self, key_id: str, erased_at: datetime) -> None:
        super().__init__(
            f"The key {key_id} was erased at {erased_at:%Y-%m-%d %H:%M:%S} UTC.",
            "Whatever it sealed has been deleted and cannot be opened again, from a backup either.",
            "The deletion certificate says under which rule.",
        )


class KeyExists(Conflict):
    """A key is created once and never replaced."""

    def __init__(self, key_id: str) -> None:
        super().__init__(
            f"The keyring already holds a key {key_id}.",
            "It was left as it is, so that what it sealed stays readable.",
            "Use the existing key or another name.",
        )


class KeyringUnusable(BluelampError):
    """The keyring or its root key is exposed, missing, damaged or does not belong together."""

    title = "The keyring cannot be used"
    status = 503


class ObjectMissing(NotFound):
    """The store has no object of that name."""

    title = "The stored file is not there"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The store holds no object {name}.",
            "Unless it was deleted on purpose, footage is missing.",
            "Look for its deletion certificate; if there is none, tell the operator at once.",
        )


class ObjectDamaged(BluelampError):
    """The stored bytes are not those that were sealed."""

    title = "The stored file is damaged"

    def __init__(self, name: str, what: str) -> None:
        super().__init__(
            f"The stored object {name} failed its check: {what}.",
            "Nothing of the damaged part was handed out; each other part is checked as it is read.",
            "Tell the operator: the object must be restored from a copy of the store.",
        )


class StoreUnavailable(Busy):
    """The object store did not answer, or refused; the cause, which names hosts, is for the log alone."""

    title = "The store cannot be reached"

    def __init__(self) -> None:
        super().__init__(
            "The object store did not answer, or refused what was asked.",
            "Footage already stored is not affected; what was being sent is not acknowledged.",
            "Try again shortly. If it lasts, the operator checks BLUELAMP_STORE_URL and the store itself.",
        )


class StoreRefused(StoreUnavailable):
    """The object store answered, and refused: wrong or missing credentials, too few rights, no such bucket.

    `code` is the service's own word for it ("SignatureDoesNotMatch"), or its HTTP status.
    """

    title = "The store refused"

    def __init__(self, code: str) -> None:
        Busy.__init__(
            self,
            f"The object store refused what was asked ({code}).",
            "Footage already stored is not affected; what was being sent is not acknowledged.",
            "The operator checks the credentials, their rights and the bucket's name, then runs: bluelamp doctor",
        )
        self.code = code


class HeldInStore(Conflict):
    """The store itself keeps the object: it is under a legal hold there."""

    title = "The store holds this file"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The object {name} is under a legal hold in the store.",
            "Nothing of it was deleted or replaced.",
            "Release what holds the recording; its legal hold in the store ends with that.",
        )


class NameRefused(Invalid):
    """An object name that could reach outside the store, or that no store can hold."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name[:200]!a} cannot name a stored object.",
            "Nothing was stored or deleted.",
            "Names are parts joined by single slashes; no part is empty, '.', '..' or begins with '.tmp-'.",
        )
