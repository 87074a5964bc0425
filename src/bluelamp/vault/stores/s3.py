"""How to reach a bucket: the usual `AWS_*` variables and files, read once for obstore and boto3 alike."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import obstore.store

from bluelamp.vault.errors import StoreRefused
from bluelamp.vault.stores.bucket import Bucket

if TYPE_CHECKING:
    from obstore.store import ClientConfig

_CONNECT_SECONDS = 3
_ANSWER_SECONDS = 6
_RETRY_SECONDS = 5
# A part of 8 MiB, three others beside it, passes a line of 3 Mbit/s in that time.
_PART_SECONDS = 120
_PART_RETRY_SECONDS = 30
_FIRST_WAIT, _LONGEST_WAIT = timedelta(milliseconds=100), timedelta(seconds=1)
# botocore renews a role's credentials ten minutes before they end.
_CREDENTIALS_KEPT = timedelta(minutes=5)


@dataclass(frozen=True)
class Connection:
    """One bucket by three ways: `quick` for what is small and waited for, `bulk` for whole objects, `bucket` for the
    rest; None where what lies behind is no S3.
    """

    quick: Any
    bulk: Any
    bucket: Bucket | None


def connect(url: str) -> Connection:
    """To `s3://bucket/folder`; raises StoreRefused where there are no credentials. Sends nothing to the store yet."""
    import boto3
    from botocore.config import Config
    from obstore.auth.boto3 import Boto3CredentialProvider

    logging.getLogger("botocore.credentials").setLevel(logging.WARNING)  # else it says at each start where they are
    parts = urlsplit(url)
    bucket, folder = parts.netloc, unquote(parts.path).strip("/")
    session = boto3.Session()
    if session.get_credentials() is None:
        raise StoreRefused("no credentials")
    region = os.environ.get("AWS_REGION") or session.region_name or "us-east-1"
    given = (os.environ.get(name) for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"))
    endpoint = next(filter(None, given), None)
    virtual = os.environ.get("AWS_VIRTUAL_HOSTED_STYLE_REQUEST", "").lower() == "true"
    config: dict[str, Any] = {"region": region, "virtual_hosted_style_request": virtual, "checksum_algorithm": "SHA256"}
    if endpoint:
        config["endpoint"] = endpoint

    def store(answer_seconds: int, retry_seconds: int) -> Any:
        return obstore.store.S3Store(
            bucket,
            prefix=folder or None,
            credential_provider=Boto3CredentialProvider(session, ttl=_CREDENTIALS_KEPT),
            client_options=_client_options(answer_seconds, endpoint),
            retry_config={
                "max_retries": 3,
                "retry_timeout": timedelta(seconds=retry_seconds),
                "backoff": {"init_backoff": _FIRST_WAIT, "max_backoff": _LONGEST_WAIT, "base": 2},
            },
            **config,
        )

    client = session.client(
        "s3",
        endpoint_url=endpoint,
        region_name=region,
        config=Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_ANSWER_SECONDS,
            retries={"total_max_attempts": 2, "mode": "standard"},
            s3={"addressing_style": "virtual" if virtual else "path"},
            # Older Ceph and MinIO refuse the checksums that newer clients add where nobody asked for one.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )
    return Connection(
        quick=store(_ANSWER_SECONDS, _RETRY_SECONDS),
        bulk=store(_PART_SECONDS, _PART_RETRY_SECONDS),
        bucket=Bucket(client, bucket, folder),
    )


def _client_options(answer_seconds: int, endpoint: str | None) -> ClientConfig:
    options: ClientConfig = {
        "connect_timeout": timedelta(seconds=_CONNECT_SECONDS),
        "timeout": timedelta(seconds=answer_seconds),
        "allow_http": endpoint is not None and endpoint.startswith("http://"),
    }
    if authorities := os.environ.get("AWS_CA_BUNDLE"):
        options["root_certificate"] = Path(authorities).read_bytes()
    return options
