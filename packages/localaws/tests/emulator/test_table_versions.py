"""Versions of a table ("UpdateTable", AWS Glue API)."""

import pytest
from botocore.exceptions import ClientError

TABLE = {"DatabaseName": "versions", "TableName": "posts"}


@pytest.fixture(scope="module")
def glue(aws):
    glue = aws.client("glue")
    glue.create_database(DatabaseInput={"Name": "versions"})
    return glue


@pytest.fixture
def versions(glue):
    """The ids of the table's archived versions and of its current one, oldest first."""
    glue.create_table(DatabaseName="versions", TableInput={"Name": "posts", "Parameters": {"writer": "first"}})

    def ids():
        return sorted((item["VersionId"] for item in glue.get_table_versions(**TABLE)["TableVersions"]), key=int)

    yield ids
    glue.delete_table(DatabaseName="versions", Name="posts")


def _update(glue, writer, **options):
    table = {"Name": "posts", "Parameters": {"writer": writer}}
    glue.update_table(DatabaseName="versions", TableInput=table, **options)


def _current(glue):
    return glue.get_table(DatabaseName="versions", Name="posts")["Table"]


def test_of_two_writers_that_update_the_same_version_the_second_fails(glue, versions):
    before = _current(glue)["VersionId"]
    _update(glue, "second", VersionId=before, SkipArchive=True)
    with pytest.raises(ClientError) as failure:
        _update(glue, "third", VersionId=before, SkipArchive=True)
    assert failure.value.response["Error"]["Code"] == "ConcurrentModificationException"
    assert _current(glue)["Parameters"] == {"writer": "second"}
    _update(glue, "third", VersionId=_current(glue)["VersionId"])
    assert _current(glue)["Parameters"] == {"writer": "third"}


def test_a_version_is_archived_unless_the_update_says_otherwise(glue, versions):
    assert versions() == ["1"]
    _update(glue, "second")
    assert versions() == ["1", "2"]
    _update(glue, "third", SkipArchive=True)
    assert versions() == ["1", "3"]
    assert _current(glue)["VersionId"] == "3"
