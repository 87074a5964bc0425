"""What obstore does not speak of S3: versions, unfinished puts, Object Lock. All of it through boto3."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from bluelamp.vault.errors import HeldInStore, ObjectMissing, StoreRefused, StoreUnavailable
from bluelamp.vault.stores.answers import meant

_NO_LOCK = {"ObjectLockConfigurationNotFoundError", "NotImplemented", "MethodNotAllowed", "501", "405"}
_NO_HOLD = {"NoSuchObjectLockConfiguration", "ObjectLockConfigurationNotFoundError"}


@dataclass(frozen=True)
class Version:
    """One version of an object; a marker stands for its deletion and has no bytes."""

    name: str
    version: str
    marker: bool
    newest: bool = False


@dataclass(frozen=True)
class Found:
    """The object that a read of its name would get now."""

    size: int
    held: bool


@dataclass(frozen=True)
class Lock:
    """What the bucket's Object Lock is set to. `keeps`: a retention period that it gives to every new object."""

    enabled: bool
    keeps: str = ""


class Bucket:
    """A bucket, or the folder `folder` in it, as its administrator sees it. Names are the store's, without the folder.

    Only legal holds are ever set, never a retention period: nothing could end that, not even the law that footage
    must be gone.
    """

    def __init__(self, client: Any, bucket: str, folder: str = "") -> None:
        self._client = client
        self._bucket = bucket
        self._before = f"{folder}/" if folder else ""
        self._lock = Lock(enabled=False)

    @property
    def lock(self) -> Lock:
        """Asked until it is enabled, which an administrator may do at any time; from then on nobody can disable it."""
        if not self._lock.enabled:
            self._lock = self._ask_for_lock()
        return self._lock

    def _ask_for_lock(self) -> Lock:
        with _said(""):
            try:
                answer = self._client.get_object_lock_configuration(Bucket=self._bucket)
            except ClientError as error:
                if _code(error) in _NO_LOCK:
                    return Lock(enabled=False)
                raise
        found = answer.get("ObjectLockConfiguration", {})
        period = found.get("Rule", {}).get("DefaultRetention", {})
        keeps = ""
        if period:
            count, unit = (period["Days"], "days") if period.get("Days") else (period.get("Years"), "years")
            keeps = f"{count} {unit}, {str(period.get('Mode', '')).lower()} mode"
        return Lock(enabled=found.get("ObjectLockEnabled") == "Enabled", keeps=keeps)

    def found(self, name: str) -> Found | None:
        """The object as it stands; None where there is none. Raises StoreRefused where the bucket is missing."""
        try:
            with _said(name):
                head = self._client.head_object(Bucket=self._bucket, Key=self._before + name)
        except ObjectMissing:
            self.require()
            return None
        return Found(head["ContentLength"], head.get("ObjectLockLegalHoldStatus") == "ON")

    def require(self) -> None:
        """Raises StoreRefused unless the bucket is there: S3 answers 404 for a missing object and a missing bucket."""
        try:
            with _said(""):
                self._client.head_bucket(Bucket=self._bucket)
        except ObjectMissing as error:
            raise StoreRefused("NoSuchBucket") from error

    def versions(self, name: str) -> list[Version]:
        """Every version and marker of that one name."""
        return [version for version in self._versions(name) if version.name == name]

    def names(self, name: str) -> set[str]:
        """Names with any version, marker or unfinished put: `name` itself, and all in the folder `name`."""
        kept = {version.name for version in self._versions(name)}
        kept |= {found for found, _, _ in self._unfinished(name)}
        return {found for found in kept if not name or found == name or found.startswith(f"{name}/")}

    def is_held(self, version: Version) -> bool:
        """Whether that version is under a legal hold; to be asked only of a bucket with Object Lock."""
        if version.marker:
            return False
        with _said(version.name):
            try:
                answer = self._client.get_object_legal_hold(**self._place(version))
            except ClientError as error:
                if _code(error) in _NO_HOLD:
                    return False
                raise
        return bool(answer.get("LegalHold", {}).get("Status") == "ON")

    def set_hold(self, version: Version, held: bool) -> None:
        """Put that version under a legal hold, or release it."""
        with _said(version.name):
            self._client.put_object_legal_hold(
                **self._place(version), LegalHold={"Status": "ON" if held else "OFF"}, ChecksumAlgorithm="SHA256"
            )

    def remove(self, name: str) -> None:
        """Every version and marker of the name, and every unfinished put; raises HeldInStore, having removed none."""
        versions = self.versions(name)
        if versions and self.lock.enabled and any(self.is_held(version) for version in versions):
            raise HeldInStore(name)
        unfinished = [upload for found, upload, _ in self._unfinished(name) if found == name]
        for upload in unfinished:
            self._abort(name, upload)
        # What was unfinished may have been finished while it was looked at.
        for version in self.versions(name) if unfinished else versions:
            self._remove(version)

    def remove_older(self, name: str, kept: str | None) -> None:
        """Every version of the name but `kept`; without one, but the newest.

        A bucket that keeps no versions numbers none; one in which that was only suspended still has the older ones.
        """
        versions = self.versions(name)
        kept = kept or next((version.version for version in versions if version.newest), None)
        if kept is None:
            return
        for version in versions:
            if version.version != kept:
                self._remove(version)

    def remove_version(self, name: str, version: str | None) -> None:
        """One version; without one, the only one there is in a bucket that keeps no versions."""
        self._remove(Version(name, version or "null", marker=False))

    def abort_unfinished(self, before: datetime) -> int:
        """Give up multipart puts of which nothing has arrived since `before`; how many."""
        aborted = 0
        for name, upload, initiated in self._unfinished(""):
            if initiated < before and self._last_part(name, upload, initiated) < before:
                self._abort(name, upload)
                aborted += 1
        return aborted

    def _versions(self, prefix: str) -> Iterator[Version]:
        for page in self._pages("list_object_versions", prefix):
            for kind, marker in (("Versions", False), ("DeleteMarkers", True)):
                for found in page.get(kind, ()):
                    name = found["Key"].removeprefix(self._before)
                    yield Version(name, found["VersionId"], marker, found.get("IsLatest", False))

    def _unfinished(self, prefix: str) -> Iterator[tuple[str, str, datetime]]:
        for page in self._pages("list_multipart_uploads", prefix):
            for found in page.get("Uploads", ()):
                yield found["Key"].removeprefix(self._before), found["UploadId"], found["Initiated"]

    def _pages(self, operation: str, prefix: str) -> Iterator[dict[str, Any]]:
        with _said(prefix):
            yield from self._client.get_paginator(operation).paginate(Bucket=self._bucket, Prefix=self._before + prefix)

    def _last_part(self, name: str, upload: str, initiated: datetime) -> datetime:
        latest = initiated
        with _said(name):
            try:
                pages = self._client.get_paginator("list_parts").paginate(
                    Bucket=self._bucket, Key=self._before + name, UploadId=upload
                )
                for page in pages:
                    latest = max([latest, *(part["LastModified"] for part in page.get("Parts", ()))])
            except ClientError as error:
                if _code(error) != "NoSuchUpload":  # finished or given up meanwhile: aborting it changes nothing
                    raise
        return latest

    def _abort(self, name: str, upload: str) -> None:
        try:
            with _said(name):
                self._client.abort_multipart_upload(Bucket=self._bucket, Key=self._before + name, UploadId=upload)
        except ObjectMissing:
            pass

    def _remove(self, version: Version) -> None:
        try:
            with _said(version.name):
                self._client.delete_object(**self._place(version))
        except ObjectMissing:
            pass

    def _place(self, version: Version) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": self._before + version.name, "VersionId": version.version}


def _code(error: ClientError) -> str:
    return str(error.response["Error"].get("Code", ""))


@contextmanager
def _said(name: str) -> Iterator[None]:
    """Turn what botocore raises about the object `name` into the vault's errors."""
    try:
        yield
    except ClientError as error:
        raise meant(_code(error), name) from error
    except NoCredentialsError as error:
        raise StoreRefused("no credentials") from error
    except BotoCoreError as error:
        raise StoreUnavailable from error
