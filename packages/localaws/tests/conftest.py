"""Servers of the local AWS for the tests of this folder."""

import pytest

from localaws.testing.server import running_localaws


@pytest.fixture(scope="module")
def aws(tmp_path_factory):
    """A server that lets everyone do everything, for one module of tests."""
    with running_localaws(tmp_path_factory.mktemp("localaws")) as server:
        yield server


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """A server that enforces IAM, for one module of tests."""
    with running_localaws(tmp_path_factory.mktemp("localaws"), enforce_iam=True) as server:
        yield server


@pytest.fixture
def s3(aws):
    return aws.client("s3")


@pytest.fixture
def bucket(s3, request):
    """A bucket of the test's own."""
    name = f"bucket-{abs(hash(request.node.nodeid)):x}"[:40]
    s3.create_bucket(Bucket=name)
    return name
