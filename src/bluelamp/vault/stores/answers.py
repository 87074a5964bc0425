"""What an object store answers when it does not do as asked, in the vault's own errors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

from bluelamp.kernel.errors import BluelampError, StorageFull
from bluelamp.vault.errors import ObjectMissing, StoreRefused, StoreUnavailable

# AWS has no such answer; Ceph's quotas, MinIO and gateways before other stores do.
_FULL = {"QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "InsufficientStorage", "507"}
_NO_OBJECT = {"NoSuchKey", "NoSuchVersion", "NoSuchUpload", "404"}
# Not now: nothing that the operator could set right, and the same request may be answered soon.
_NOT_NOW = {
    "InternalError",
    "RequestTimeout",
    "ServiceUnavailable",
    "SlowDown",
    "Throttling",
    "TooManyRequests",
    "408",
    "429",
}

# obstore gives the service's answer only as text, the XML body included where there was one.
_CODE = re.compile(r"<Code>([A-Za-z0-9]{1,60})</Code>")
_STATUS = re.compile(r"status(?: code)?:? (\d{3})\b")


@contextmanager
def said(name: str, *, putting: bool = False) -> Iterator[None]:
    """Turn what obstore raises about the object `name` into the vault's errors.

    While it is being put, nothing can be missing but the put itself: a lifecycle rule of the bucket, an administrator
    or a sweep gave it up (NoSuchUpload), and it may be repeated.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise _meant(code_of(error) or "404", name, putting) from error
    except (PermissionDeniedError, UnauthenticatedError) as error:
        raise _meant(code_of(error) or "403", name, putting) from error
    except BaseError as error:
        raise _meant(code_of(error), name, putting) from error


def _meant(code: str, name: str, putting: bool) -> BluelampError:
    error = meant(code, name)
    return StoreUnavailable() if putting and isinstance(error, ObjectMissing) else error


def meant(code: str, name: str) -> BluelampError:
    """The error for the service's `code`, a word of its own or an HTTP status; empty where it did not answer."""
    if code in _FULL:
        return StorageFull(
            "There is no room left in the object store.",
            "Nothing was stored; the sender keeps its copy.",
            "Raise the store's quota or add storage to it, then send again.",
        )
    if code in _NO_OBJECT:
        return ObjectMissing(name)
    if not code or code.startswith("5") or code in _NOT_NOW:
        return StoreUnavailable()
    return StoreRefused(code)


def code_of(error: Exception) -> str:
    """The service's code in an error of obstore's, else the HTTP status; empty where it never answered."""
    found = _CODE.search(str(error)) or _STATUS.search(str(error))
    return found.group(1) if found else ""
