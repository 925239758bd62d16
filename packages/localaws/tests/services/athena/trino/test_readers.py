"""What the embedded engine reads of an object is what Trino's readers read of it, line by line."""

import random
from collections.abc import Iterator

import pytest

from localaws.testing.athena.queries import DATA, Queries
from localaws.testing.patience import patient
from localaws.testing.server import running_localaws

pytestmark = [pytest.mark.slow, pytest.mark.timeout(patient(900))]

_LINES = 150
_SCALARS = (
    "a string, b int, c bigint, d double, e boolean, f decimal(6,2), g date, h timestamp, i varchar(3), j tinyint"
)
_NESTED = "a string, b array<string>, c map<string,int>, d struct<x:int,y:string>, e array<int>"
_WORDS = ["", "a", "é", " ", " x ", "\\N", "null", "1", "-7", "+3", "1.5", "1e3", " 4", "300", "99999999999", "TRUE",
          "false", "t", "2024-02-29", "2024-2-3", "2024-02-30", "2024-02-29 10:11:12", "2024-02-29 10:11:12.123456",
          "2024-2-3 1:2:3", "2024-02-29 10:11", "2024-02-29T10:11:12", "2024-13-01", "1.", ".5", "-", "1.5x",
          "2024-02-29x", "NaN", "Infinity", "12345.678", "0x1F", "1_0", "abcdef", "#", "'", "\t"]  # fmt: skip
_QUOTED = ["", "a", "é", " ", '"a"', '"a,b"', '"a""b"', '"a\\"b"', "a\\b", '"a\\\\b"', ' "a" ', 'a"b"c', '"', '"a',
           'a"', '""', '"a"b', "'a,b'", "\\", '\\"']  # fmt: skip
_DELIMITED = "row format delimited fields terminated by ','"
_CSV = "row format serde 'org.apache.hadoop.hive.serde2.OpenCSVSerde'"
_LOG = "row format serde 'org.apache.hadoop.hive.serde2.RegexSerDe' with serdeproperties ('input.regex' = '{}')"
_TEXTS = "a string, b string, c string"

# Name: columns, what follows them, the pieces of a line, what joins them, and how many at most.
READERS = {
    "fields": (_SCALARS, _DELIMITED, _WORDS, ",", 12),
    "tabs": (_SCALARS, "row format delimited fields terminated by '\\t'", [w for w in _WORDS if w != "\t"], "\t", 11),
    "control characters": (_SCALARS, "", _WORDS, "\x01", 11),
    "escapes": (_SCALARS, _DELIMITED + " escaped by '\\\\'", [*_WORDS, "\\,", "\\\\", "x\\n", "\\"], ",", 10),
    "null format": (_TEXTS, _DELIMITED + " null defined as 'a'", _WORDS, ",", 4),
    "nested": (
        _NESTED,
        _DELIMITED + " collection items terminated by '|' map keys terminated by ':'",
        ["", "a", "1", "a|b", "1|2", "k:1", "k:1|l:2", "k:x|k:2", "1|z", "|", ":", "\\N", "a|\\N", "k:\\N"],
        ",",
        6,
    ),
    "quotes": (_TEXTS, _CSV, _QUOTED, ",", 4),
    "other quotes": (
        _TEXTS,
        _CSV + " with serdeproperties ('separatorChar' = ';', 'quoteChar' = '\\'', 'escapeChar' = '\\\\')",
        [*_QUOTED, "'a;b'", "'it''s'", "'it\\'s'"],
        ";",
        4,
    ),
    "groups": (
        "a string, b int, c string",
        _LOG.format("(\\\\w+) (-?\\\\d+)(?: (x.*))?"),
        ["ann", "7", "x1", "", "-3", "99999999999", "é"],
        " ",
        4,
    ),
}


@pytest.fixture(scope="module")
def embedded(tmp_path_factory) -> Iterator[Queries]:
    """The same statements on a local AWS of the embedded engine."""
    with running_localaws(tmp_path_factory.mktemp("embedded")) as running:
        yield Queries(running.client).create()


def _lines(words: list[str], joint: str, most: int) -> list[str]:
    choice = random.Random(5)
    return [joint.join(choice.choice(words) for _ in range(choice.randint(1, most))) for _ in range(_LINES)]


def _answer(queries: Queries, name: str, ddl: str, body: bytes, select: str) -> list[list[str | None]] | str:
    queries.put(f"{name}/a.txt", body)
    queries.ok(ddl.format(name=name, location=f"s3://{DATA}/{name}/"))
    execution = queries.run(select.format(name=name))
    if execution["Status"]["State"] != "SUCCEEDED":
        return str(execution["Status"]["StateChangeReason"])
    return queries.result(execution)[1]


@pytest.mark.parametrize("reader", READERS)
def test_lines_are_read_as_trino_reads_them(queries: Queries, embedded: Queries, reader):
    columns, clause, words, joint, most = READERS[reader]
    lines = _lines(words, joint, most)
    ddl = f"create external table {{name}} ({columns}) {clause} location '{{location}}'"
    name = f"reader_{list(READERS).index(reader)}"
    body = "".join(f"{line}\n" for line in lines).encode()
    expected = _answer(queries, name, ddl, body, "select * from {name}")
    rows = _answer(embedded, name, ddl, body, "select * from {name}")
    assert isinstance(expected, list), expected
    assert isinstance(rows, list), rows
    assert len(rows) == len(expected)
    differences = {
        (number, *cells): line
        for line, *both in zip(lines, expected, rows, strict=True)
        for number, cells in enumerate(zip(*both, strict=True))
        if cells[0] != cells[1]
    }
    assert not differences, "\n".join(
        f"column {number}: Trino {trino!r}, here {cell!r}: {line!r}"
        for (number, trino, cell), line in differences.items()
    )


@pytest.mark.parametrize("form", ["ORC", "AVRO", "PARQUET"])
def test_files_that_trino_writes_are_read(queries: Queries, embedded: Queries, form):
    table = queries.name("written")
    extra = "" if form == "AVRO" else ", tinyint '3' as t, x'00ff' as b"
    queries.ok(
        f"create table {table} with (format = '{form}') as select 1 as i, bigint '-9' as l, 1.5e0 as d, true as f,"
        f" 'é' as s, 12.50 as n, date '1969-12-31' as dt, timestamp '2024-02-29 10:11:12.123' as ts,"
        f" array[1, null] as a, cast(map(array['k'], array[2]) as map(varchar, integer)) as m,"
        f" cast(row(1, 'x') as row(x integer, y varchar)) as r"
        f"{extra} union all select null, null, null, null, null, null, null, null, null, null, null"
        f"{', null, null' if extra else ''}"
    )
    described = queries.client("glue").get_table(DatabaseName="tests", Name=table)["Table"]
    bucket, _, prefix = described["StorageDescriptor"]["Location"].removeprefix("s3://").partition("/")
    s3 = queries.client("s3")
    for item in s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]:
        body = s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
        embedded.client("s3").put_object(Bucket=DATA, Key=f"{table}/{item['Key'].rpartition('/')[2]}", Body=body)
    columns = ", ".join(f"{column['Name']} {column['Type']}" for column in described["StorageDescriptor"]["Columns"])
    embedded.ok(f"create external table {table} ({columns}) stored as {form.lower()} location 's3://{DATA}/{table}/'")
    select = f"select * from {table} order by i"
    assert embedded.rows(select) == queries.rows(select)
