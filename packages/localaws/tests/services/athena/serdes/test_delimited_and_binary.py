"""Objects of every format give the rows that the pages of their SerDes describe."""

import io
import zlib

import pyarrow as pa
import pytest
from pyarrow import orc, parquet

from localaws.testing.athena.queries import DATA, Queries

LINES = "row format delimited fields terminated by ','"
CSV = "row format serde 'org.apache.hadoop.hive.serde2.OpenCSVSerde'"
REGEX = "row format serde 'org.apache.hadoop.hive.serde2.RegexSerDe' with serdeproperties ('input.regex' = '{}')"
GROK = "row format serde 'com.amazonaws.glue.serde.GrokSerDe' with serdeproperties ('input.format' = '{}')"


def read(queries: Queries, columns: str, clause: str, body: bytes, key: str = "a.txt", select: str = "*"):
    """The rows of a table over one object."""
    name = queries.name()
    queries.put(f"{name}/{key}", body)
    queries.ok(f"create external table {name} ({columns}) {clause} location 's3://{DATA}/{name}/'")
    return queries.rows(f"select {select} from {name}")


def test_delimited_lines_keep_blank_ones_and_lack_no_field(queries):
    rows = read(queries, "a string, b int, c double", LINES, b"x,1,2.5\n\ny,1.9,z,extra\n\\N\n")
    assert rows == [["x", "1", "2.5"], ["", None, None], ["y", "1", None], [None, None, None]]


def test_escaped_separators_are_text(queries):
    rows = read(queries, "a string, b string", LINES + " escaped by '\\\\'", b"x\\,y,z\\\\\n")
    assert rows == [["x,y", "z\\"]]


def test_null_has_the_spelling_of_the_table(queries):
    assert read(queries, "a string, b string", LINES + " null defined as '-'", b"-,\\N\n") == [[None, "\\N"]]


def test_arrays_maps_and_structs_have_separators_of_their_own(queries):
    clause = LINES + " collection items terminated by '|' map keys terminated by ':'"
    columns = "a array<int>, m map<string,int>, s struct<x:int,y:string>"
    rows = read(queries, columns, clause, b"1|2,k:1|l:2,7|z\n,,\n")
    assert rows == [["[1, 2]", "{k=1, l=2}", "{x=7, y=z}"], ["[]", "{}", "{x=null, y=null}"]]


def test_header_and_footer_are_skipped(queries):
    name = queries.name()
    queries.put(f"{name}/a.csv", b"head\n1\n2\nfoot\n")
    queries.ok(
        f"create external table {name} (a int) {LINES} location 's3://{DATA}/{name}/'"
        " tblproperties ('skip.header.line.count' = '1', 'skip.footer.line.count' = '1')"
    )
    assert queries.rows(f"select sum(a), count(*) from {name}") == [["3", "2"]]


def test_quoted_fields_hold_separators_and_quotes(queries):
    body = b'"a,b","c ""d""",e\n"x\\"y",,\n'
    assert read(queries, "a string, b string, c string", CSV, body) == [["a,b", 'c "d"', "e"], ['x"y', "", ""]]


def test_quoted_fields_are_numbers_days_and_milliseconds(queries):
    rows = read(queries, "a int, b date, c timestamp", CSV, b'"7","1","1000"\n"","",""\n')
    assert rows == [["7", "1970-01-02", "1970-01-01 00:00:01.000"], [None, None, None]]


def test_a_quoted_field_that_is_no_number_fails_the_query(queries):
    name = queries.name()
    queries.put(f"{name}/a.csv", b'"x"\n')
    queries.ok(f"create external table {name} (a int) {CSV} location 's3://{DATA}/{name}/'")
    assert queries.failure(f"select * from {name}").startswith("HIVE_BAD_DATA: Error Parsing Row for ")


def test_groups_of_a_pattern_are_columns(queries):
    rows = read(queries, "a string, b int", REGEX.format("(\\\\w+)=(\\\\d+)"), b"x=1\nno match\n")
    assert rows == [["x", "1"], [None, None]]


def test_grok_patterns_name_columns(queries):
    line = b'1.2.3.4 - ann [10/Oct/2000:13:55:36 -0700] "GET /a?b=1 HTTP/1.1" 200 12\n'
    columns = "clientip string, ident string, auth string, timestamp string, verb string, request string"
    clause = GROK.format("%{COMMONAPACHELOG}")
    rows = read(queries, columns, clause, line, select="clientip, auth, verb, request")
    assert rows == [["1.2.3.4", "ann", "GET", "/a?b=1"]]


def _hadoop_blocks(body: bytes, codec: str) -> bytes:
    packed = pa.compress(body, codec=codec, asbytes=True)
    return len(body).to_bytes(4, "big") + len(packed).to_bytes(4, "big") + packed


@pytest.mark.parametrize(
    ("key", "pack"),
    [
        ("a.deflate", zlib.compress),
        ("a.snappy", lambda body: _hadoop_blocks(body, "snappy")),
        ("a.lz4", lambda body: _hadoop_blocks(body, "lz4_raw")),
    ],
)
def test_objects_of_hadoops_codecs_are_unpacked(queries, key, pack):
    assert read(queries, "a int", LINES, pack(b"1\n2\n"), key, "sum(a)") == [["3"]]


def _table() -> pa.Table:
    return pa.table({"Id": [1, 2], "userName": ["ann", None], "tags": [["x"], []]})


@pytest.mark.parametrize("codec", ["snappy", "zstd", "gzip", "lz4"])
def test_parquet_columns_are_found_in_any_case(queries, codec):
    sink = io.BytesIO()
    parquet.write_table(_table(), sink, compression=codec)
    columns = "id bigint, username string, tags array<string>, absent int"
    rows = read(queries, columns, "stored as parquet", sink.getvalue(), "a.parquet")
    assert rows == [["1", "ann", "[x]", None], ["2", None, "[]", None]]


@pytest.mark.parametrize("codec", ["uncompressed", "snappy", "zstd", "zlib"])
def test_orc_columns_are_found_in_any_case(queries, codec):
    sink = io.BytesIO()
    orc.write_table(_table(), sink, compression=codec)
    columns = "id bigint, username string, tags array<string>, absent int"
    rows = read(queries, columns, "stored as orc", sink.getvalue(), "a.orc")
    assert rows == [["1", "ann", "[x]", None], ["2", None, "[]", None]]


def test_an_object_of_another_format_fails_the_query(queries):
    name = queries.name()
    queries.put(f"{name}/a.orc", b"no orc")
    queries.ok(f"create external table {name} (a int) stored as orc location 's3://{DATA}/{name}/'")
    assert queries.failure(f"select * from {name}").startswith("HIVE_BAD_DATA")


def test_the_partitions_of_a_table_are_rows(queries):
    table = queries.json_table("a int", {"d=1/a.json": [{"a": 1}], "d=2/a.json": [{"a": 2}]}, "d int")
    assert queries.rows(f'select d + 1 from "{table}$partitions" where d > 1') == [["3"]]
    plain = queries.json_table("a int", {"a.json": [{"a": 1}]})
    assert "TABLE_NOT_FOUND" in queries.failure(f'select * from "{plain}$partitions"')
