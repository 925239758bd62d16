"""The fixtures that pytest gets with this package, in a session of their own."""

pytest_plugins = ["pytester"]

TESTS = """
import boto3
import pytest

def test_a_bucket_is_made(localaws):
    localaws.client("s3").create_bucket(Bucket="mine")

def test_the_session_shares_its_server(localaws_environment):
    assert [bucket["Name"] for bucket in boto3.client("s3").list_buckets()["Buckets"]] == ["mine"]

def test_a_fresh_server_is_empty(localaws_fresh, localaws):
    assert localaws_fresh.endpoint != localaws.endpoint
    assert localaws_fresh.client("s3").list_buckets()["Buckets"] == []
"""
GUARDED = """
import pytest

def test_a_user_without_a_policy_may_do_nothing(localaws):
    iam = localaws.client("iam")
    iam.create_user(UserName="ann")
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    keys = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    with pytest.raises(Exception, match="AccessDenied"):
        localaws.client("s3", **keys).create_bucket(Bucket="hers")
"""


def run(pytester, text):
    pytester.makepyfile(text)
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:randomly")


def test_tests_get_a_shared_server_a_fresh_one_and_its_environment(pytester):
    run(pytester, TESTS).assert_outcomes(passed=3)


def test_options_of_the_server_come_from_the_configuration_file(pytester):
    pytester.makeini("[pytest]\nlocalaws_options = --enforce-iam\n")
    run(pytester, GUARDED).assert_outcomes(passed=1)
