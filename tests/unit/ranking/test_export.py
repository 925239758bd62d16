"""The files of an export, from the result that Athena writes."""

import csv
import json
from io import BytesIO, StringIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from postrank.ranking.export_writer import COLUMNS, _forms, _read
from postrank.ranking.spreadsheet import exact, neutral

RESULT = (
    ",".join(f'"{name}"' for name in COLUMNS)
    + "\n"
    + '"hour","2026-11-24 05:00:00.000","2026-11-24 06:00:00.000","1","x","1","=cmd|\'/C calc\'!A0",'
    + '"Zoë ""Z"", 本\nline","12","0.75",,"3","1"\n'
    + '"hour","1969-12-31 23:00:00.000","1970-01-01 00:00:00.000","2","x","2",,"","4","0.25","1","2","1"\n'
).encode()


def _written() -> dict[str, bytes]:
    return dict(_forms(_read(RESULT)))


def test_a_name_with_quotes_newlines_and_other_scripts_stays_whole_in_every_form():
    name = 'Zoë "Z", 本\nline'
    written = _written()
    assert json.loads(written["json"])[0]["author_name"] == name
    assert pq.read_table(BytesIO(written["parquet"]))["author_name"][0].as_py() == name
    assert b'"Zo\xc3\xab ""Z"", \xe6\x9c\xac\nline"' in written["csv"]


FORMULAS = ["=1+1", "+1", "-1", "@sum(A1)", "\t=1", "\r=1", "\n=1", "'=1", "'"]
HARMLESS = ["", "a=b", "1-1", "x@y", " =1", "ann's", "\N{FULLWIDTH EQUALS SIGN}1"]


@pytest.mark.parametrize("name", [*FORMULAS, *HARMLESS])
@pytest.mark.parametrize("column", ["author_id", "author_handle", "author_name", "network"])
def test_no_cell_of_a_csv_is_a_formula_and_every_text_can_be_had_back(column, name):
    row = {"granularity": "hour", "network": "x", "author_id": "1", "author_handle": "h", "author_name": "n"}
    text = {**dict.fromkeys(COLUMNS), **row, column: name}
    written = dict(_forms(pa.Table.from_pylist([text], pa.schema(COLUMNS.items()))))
    (cells,) = csv.DictReader(StringIO(written["csv"].decode(), newline=""))
    assert cells[column] == (f"'{name}" if name in FORMULAS else name)
    assert exact(cells[column]) == name
    assert neutral(name) == cells[column]
    assert json.loads(written["json"])[0][column] == name
    assert pq.read_table(BytesIO(written["parquet"]))[column][0].as_py() == name


def test_windows_are_told_in_utc_also_before_1970():
    rows = json.loads(_written()["json"])
    assert [row["window_start"] for row in rows] == ["2026-11-24T05:00:00Z", "1969-12-31T23:00:00Z"]


def test_missing_values_are_null_and_an_empty_text_is_a_text():
    first, second = json.loads(_written()["json"])
    assert first["previous_rank"] is None
    assert second["author_handle"] is None
    assert second["author_name"] == ""


def test_columns_come_in_the_order_of_the_contract():
    assert _written()["csv"].splitlines()[0].decode() == ",".join(COLUMNS)


def test_an_empty_window_gives_files_that_say_so():
    written = dict(_forms(_read(RESULT.splitlines()[0] + b"\n")))
    assert json.loads(written["json"]) == []
    assert written["csv"].decode().strip() == ",".join(COLUMNS)
    assert pq.read_table(BytesIO(written["parquet"])).num_rows == 0


def test_writing_again_gives_the_same_bytes():
    assert _written() == _written()
