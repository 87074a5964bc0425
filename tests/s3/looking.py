"""What is in a bucket, seen past Bluelamp."""

from __future__ import annotations

from typing import Any


def versions(client: Any, bucket: str) -> list[str]:
    """The name of every version."""
    return [found["Key"] for found in client.list_object_versions(Bucket=bucket).get("Versions", [])]


def markers(client: Any, bucket: str) -> list[str]:
    """The name of every delete marker."""
    return [found["Key"] for found in client.list_object_versions(Bucket=bucket).get("DeleteMarkers", [])]


def unfinished(client: Any, bucket: str) -> list[str]:
    """The name of every multipart put that was neither finished nor given up."""
    return [found["Key"] for found in client.list_multipart_uploads(Bucket=bucket).get("Uploads", [])]


def everything(client: Any, bucket: str) -> list[str]:
    """Whatever the bucket keeps, of whatever kind."""
    return versions(client, bucket) + markers(client, bucket) + unfinished(client, bucket)


def is_held(client: Any, bucket: str, name: str) -> bool:
    """Whether the object is under a legal hold."""
    return client.head_object(Bucket=bucket, Key=name).get("ObjectLockLegalHoldStatus") == "ON"
