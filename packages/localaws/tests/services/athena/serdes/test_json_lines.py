"""JSON as its SerDes read it ("JSON SerDe libraries"): keys, types, lines."""

import bz2
import json

import pytest

from localaws.testing.athena.queries import DATA

OPENX = "org.openx.data.jsonserde.JsonSerDe"
HIVE = "org.apache.hive.hcatalog.data.JsonSerDe"


def table(queries, columns: str, lines: list[str], serde: str = OPENX, **properties: str) -> str:
    """A table over lines of text. Returns its name."""
    name = queries.name("json")
    queries.put(f"{name}/a.json", "".join(f"{line}\n" for line in lines).encode())
    listed = ", ".join(f"'{key.replace('__', '.')}' = '{value}'" for key, value in properties.items())
    with_properties = f" with serdeproperties ({listed})" if listed else ""
    queries.ok(
        f"create external table {name} ({columns}) row format serde '{serde}'{with_properties}"
        f" location 's3://{DATA}/{name}/'"
    )
    return name


def test_keys_are_found_whatever_their_case_at_every_depth(queries):
    lines = [
        '{"User": {"Name": "ann", "Tags": [{"Text": "x"}]}, "N": 1}',
        '{"user": {"NAME": "bob", "tags": [{"text": "y"}]}, "n": 2}',
    ]
    name = table(queries, "user struct<name:string,tags:array<struct<text:string>>>, n int", lines)
    rows = queries.rows(f"select n, user.name, user.tags[1].text from {name} order by n")
    assert rows == [["1", "ann", "x"], ["2", "bob", "y"]]


def test_a_case_sensitive_table_tells_two_spellings_apart(queries):
    properties = {"case__insensitive": "false", "mapping__upper": "Time", "mapping__lower": "time"}
    name = table(queries, "upper int, lower int", ['{"Time": 1, "time": 2}'], **properties)
    assert queries.rows(f'select "upper", "lower" from {name}') == [["1", "2"]]


def test_dots_in_keys_are_underscores_where_the_table_says_so(queries):
    name = table(queries, "a_b int", ['{"a.b": 1}'], dots__in__keys="true")
    assert queries.rows(f"select a_b from {name}") == [["1"]]


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("int", "1.9", "1"),
        ("int", '"12"', "12"),
        ("int", "99999999999", None),
        ("int", '"x"', None),
        ("bigint", "-1.5", "-1"),
        ("string", "1.0", "1.0"),
        ("string", "1e3", "1e3"),
        ("string", "true", "true"),
        ("string", '{"a": [1, 2.50]}', '{"a":[1,2.50]}'),
        ("boolean", '"TRUE"', "true"),
        ("boolean", "1", "false"),
        ("varchar(2)", '"abc"', "ab"),
        ("binary", '"aGk="', "68 69"),
        ("decimal(5,2)", "1.005", "1.01"),
        ("decimal(3,2)", "12", None),
        ("array<int>", "5", "[5]"),
        ("array<int>", '""', None),
        ("date", '"2024-02-29"', "2024-02-29"),
        ("date", '"29.2.2024"', None),
        ("timestamp", '"2024-01-01 10:00:00.5"', "2024-01-01 10:00:00.500"),
        ("timestamp", '"2024-01-01T10:00:00+02:00"', "2024-01-01 08:00:00.000"),
        ("timestamp", '"2024-01-01T10:00:00Z"', "2024-01-01 10:00:00.000"),
        ("timestamp", "1700000000", "2023-11-14 22:13:20.000"),
        ("timestamp", "1700000000123", "2023-11-14 22:13:20.123"),
        ("timestamp", '"yesterday"', None),
    ],
)
def test_a_value_becomes_its_columns_type_or_null(queries, kind, value, shown):
    name = table(queries, f"v {kind}", [f'{{"v": {value}}}'])
    assert queries.rows(f"select v from {name}") == [[shown]]


def test_malformed_lines_cost_themselves_alone(queries):
    lines = ['{"n": 1}', "{broken", '{"n": "x"}', '{"n": 4}']
    name = table(queries, "n int", lines, ignore__malformed__json="true")
    assert queries.rows(f"select n from {name}") == [["1"], [None], [None], ["4"]]
    strict = table(queries, "n int", lines)
    assert "line 2" in queries.failure(f"select n from {strict}")


def test_hives_serde_fails_at_a_value_of_another_type(queries):
    name = table(queries, "n int", ['{"n": "x"}'], HIVE)
    assert queries.failure(f"select n from {name}").startswith("HIVE_BAD_DATA")


def test_objects_packed_with_bzip2_are_read(queries):
    name = table(queries, "n int", ['{"n": 1}'])
    queries.put(f"{name}/b.json.bz2", bz2.compress(json.dumps({"n": 2}).encode()))
    assert sorted(queries.rows(f"select n from {name}")) == [["1"], ["2"]]
