"""What the catalogue gives of a table's partitions ("GetPartitions", AWS Glue API)."""

import pytest
from botocore.exceptions import ClientError

from localaws.testing.server import running_localaws

STORAGE = {"Columns": [{"Name": "n", "Type": "bigint"}], "SerdeInfo": {"SerializationLibrary": "some"}}
KEYS = [{"Name": "dt", "Type": "string"}, {"Name": "hour", "Type": "int"}]
TABLE = {"DatabaseName": "lake", "TableName": "posts"}


def _partition(day, hour, **more):
    location = f"s3://b/{day}/{hour}/"
    return {"Values": [str(day), str(hour)], "StorageDescriptor": {**STORAGE, "Location": location}, **more}


def _fill(glue):
    glue.create_database(DatabaseInput={"Name": "lake"})
    glue.create_table(DatabaseName="lake", TableInput={"Name": "posts", "PartitionKeys": KEYS})
    for day in (1, 2, 3):
        some = [_partition(f"2026-01-0{day}", hour) for hour in range(24)]
        glue.batch_create_partition(**TABLE, PartitionInputList=some)
    return glue


@pytest.fixture(scope="module")
def glue(aws):
    return _fill(aws.client("glue"))


def _values(glue, **request):
    pages = glue.get_paginator("get_partitions").paginate(**TABLE, **request)
    return [tuple(partition["Values"]) for page in pages for partition in page["Partitions"]]


@pytest.mark.parametrize(
    ("expression", "count"),
    [
        ("", 72),
        ("dt = '2026-01-02'", 24),
        ("DT <> '2026-01-02' and hour = 9", 2),
        ("dt in ('2026-01-01', '2026-01-09') or hour > 22", 24 + 2),
        ("dt not in ('2026-01-01') and hour between 9 and 10", 4),
        ("hour in (1, 2, 30)", 6),
        ("dt like '%-0_' and hour < 1", 3),
        ("dt not like '%3' and not (hour >= 1)", 2),
        ("dt = 'it''s'", 0),
        ("(dt >= '2026-01-02') and ((hour) = 1 or hour <= 0)".replace("(hour)", "hour"), 4),
    ],
)
def test_an_expression_says_which_partitions(glue, expression, count):
    """GetPartitions, Expression: the operators and the way in which values of a key's type compare."""
    assert len(_values(glue, Expression=expression)) == count


@pytest.mark.parametrize("expression", ["n = 1", "dt = ", "dt ~ 'x'", "hour like '1%'", "hour = 'x'", "x" * 2049])
def test_an_expression_that_cannot_be_read_is_refused(glue, expression):
    with pytest.raises(ClientError, match="InvalidInputException"):
        glue.get_partitions(**TABLE, Expression=expression)


def test_partitions_come_in_pages_each_one_once(glue):
    first = glue.get_partitions(**TABLE, MaxResults=50)
    rest = glue.get_partitions(**TABLE, MaxResults=50, NextToken=first["NextToken"])
    assert (len(first["Partitions"]), len(rest["Partitions"])) == (50, 22)
    assert "NextToken" not in rest
    assert len(set(_values(glue, PaginationConfig={"PageSize": 7}))) == 72


def test_segments_share_the_partitions_out(glue):
    result = [_values(glue, Segment={"SegmentNumber": n, "TotalSegments": 3}) for n in range(3)]
    assert sorted(item for some in result for item in some) == sorted(_values(glue))
    assert all(result)


def test_the_column_schema_is_left_out_where_asked(glue):
    (whole,) = glue.get_partitions(**TABLE, Expression="dt = '2026-01-01' and hour = 5")["Partitions"]
    (bare,) = glue.get_partitions(**TABLE, Expression="dt = '2026-01-01' and hour = 5", ExcludeColumnSchema=True)[
        "Partitions"
    ]
    assert whole["StorageDescriptor"]["Columns"] == STORAGE["Columns"]
    assert "Columns" not in bare["StorageDescriptor"]
    assert bare["StorageDescriptor"]["Location"] == "s3://b/2026-01-01/5/"
    assert whole["CreationTime"] == bare["CreationTime"]


def test_a_changed_catalogue_is_found_at_once_and_after_a_crash(tmp_path):
    with running_localaws(tmp_path) as server:
        glue = _fill(server.client("glue"))
        glue.delete_partition(**TABLE, PartitionValues=["2026-01-01", "0"])
        gone = [{"Values": ["2026-01-01", str(hour)]} for hour in (1, 2)]
        glue.batch_delete_partition(**TABLE, PartitionsToDelete=gone)
        moved = _partition("2026-02-01", 7)
        glue.update_partition(**TABLE, PartitionValueList=["2026-01-01", "3"], PartitionInput=moved)
        same = _partition("2026-01-01", 4, Parameters={"noted": "yes"})
        glue.update_partition(**TABLE, PartitionValueList=same["Values"], PartitionInput=same)
        before = _values(glue, Expression="dt = '2026-01-01'"), _values(glue, Expression="hour = 7")
        server.kill()
    assert [len(some) for some in before] == [20, 4]
    with running_localaws(tmp_path) as server:
        glue = server.client("glue")
        assert (_values(glue, Expression="dt = '2026-01-01'"), _values(glue, Expression="hour = 7")) == before
        (noted,) = glue.get_partitions(**TABLE, Expression="dt = '2026-01-01' and hour = 4")["Partitions"]
        assert noted["Parameters"] == {"noted": "yes"}
