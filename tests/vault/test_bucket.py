"""What is asked of a bucket, and when it is asked again."""

import boto3
import pytest
from botocore.stub import Stubber

from bluelamp.vault.stores.bucket import Bucket


@pytest.fixture
def service():
    """A client whose answers the test gives; nothing is sent."""
    client = boto3.client("s3", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="testing")
    with Stubber(client) as stubber:
        yield client, stubber
        stubber.assert_no_pending_responses()


def test_object_lock_that_is_enabled_later_is_seen_and_from_then_on_believed(service):
    client, stubber = service
    stubber.add_client_error("get_object_lock_configuration", "ObjectLockConfigurationNotFoundError")
    stubber.add_client_error("get_object_lock_configuration", "ObjectLockConfigurationNotFoundError")
    stubber.add_response("get_object_lock_configuration", {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}})
    bucket = Bucket(client, "bucket")
    assert [bucket.lock.enabled for _ in range(5)] == [False, False, True, True, True]


def test_of_versions_without_a_newest_none_is_taken_for_an_older_one(service):
    client, stubber = service
    stubber.add_response("list_object_versions", {"Versions": [{"Key": "x", "VersionId": "null"}]})
    Bucket(client, "bucket").remove_older("x", None)
