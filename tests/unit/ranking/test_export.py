"""The files of an export, from the result that Athena writes."""

import csv
import json
import subprocess
import sys
from io import BytesIO, StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from postrank.ranking.export_forms import COLUMNS, Forms, write_forms, write_windows
from postrank.spreadsheet import exact, neutral

RESULT = (
    ",".join(f'"{name}"' for name in COLUMNS)
    + "\n"
    + '"hour","2026-11-24 05:00:00.000","2026-11-24 06:00:00.000","1","x","1","=cmd|\'/C calc\'!A0",'
    + '"Zoë ""Z"", 本\nline","12","0.75",,"3","1"\n'
    + '"hour","1969-12-31 23:00:00.000","1970-01-01 00:00:00.000","2","x","2",,"","4","0.25","1","2","1"\n'
).encode()


def _written(result: bytes = RESULT) -> dict[str, bytes]:
    with TemporaryDirectory() as name:
        path = Path(name) / "result"
        path.write_bytes(result)
        return _bodies(write_forms(path, Path(name) / "forms", ("hour",))["hour"])


def _written_rows(rows: pa.Table) -> dict[str, bytes]:
    with TemporaryDirectory() as name:
        with Forms(Path(name) / "forms") as forms:
            forms.write(rows)
        return _bodies(forms)


def _bodies(forms: Forms) -> dict[str, bytes]:
    return {form: path.read_bytes() for form, path in forms.paths.items()}


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
    written = _written_rows(pa.Table.from_pylist([text], pa.schema(COLUMNS.items())))
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
    written = _written(RESULT.splitlines()[0] + b"\n")
    assert json.loads(written["json"]) == []
    assert written["csv"].decode().strip() == ",".join(COLUMNS)
    assert pq.read_table(BytesIO(written["parquet"])).num_rows == 0


def test_writing_again_gives_the_same_bytes():
    assert _written() == _written()


def test_rows_of_rank_zero_are_windows_and_no_authors(tmp_path):
    window = b'"hour","2026-11-24 05:00:00.000","2026-11-24 06:00:00.000","0",,,,,"7",,,,"3"\n'
    (tmp_path / "result").write_bytes(RESULT + window)
    assert write_windows(tmp_path / "result", tmp_path / "windows") == 1
    times = {"window_start": "2026-11-24T05:00:00Z", "window_end": "2026-11-24T06:00:00Z"}
    expected = {"granularity": "hour", **times, "posts": 7, "revision": 3}
    assert json.loads((tmp_path / "windows").read_bytes()) == [expected]
    assert _written(RESULT + window) == _written()


MEASURE = """
import resource, sys
from pathlib import Path
from postrank.ranking.export_forms import COLUMNS, write_forms
result = Path(sys.argv[1])
with result.open("w") as file:
    file.write(",".join(f'"{name}"' for name in COLUMNS) + "\\n")
    for number in range(1, int(sys.argv[2]) + 1):
        start = '"2026-11-24 05:00:00.000","2026-11-24 06:00:00.000"'
        file.write(f'"hour",{start},"{number}","x","{number}","handle{number}","name {number}","12","0.75",,"3","1"\\n')
forms = write_forms(result, result.parent / "forms", ("minute", "hour"))
assert (forms["minute"].rows, forms["hour"].rows) == (0, int(sys.argv[2]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10)
"""


def test_ten_times_the_rows_take_no_more_memory(tmp_path):
    """Megabytes at the peak of processes that export 50,000 and 500,000 rows."""
    peaks = []
    for rows in (50_000, 500_000):
        folder = tmp_path / str(rows)
        folder.mkdir()
        words = [sys.executable, "-c", MEASURE, folder / "result", str(rows)]
        measured = subprocess.run(words, capture_output=True, text=True, check=False)
        assert measured.returncode == 0, measured.stderr
        peaks.append(int(measured.stdout))
    assert peaks[1] - peaks[0] < 60
    names = [json.loads(line.rstrip(b",\n"))["author_id"] for line in _lines(tmp_path / "500000/forms/hour/json")]
    assert names == [str(number) for number in range(1, 500_001)]
    assert pq.read_table(tmp_path / "500000/forms/hour/parquet").num_rows == 500_000


def _lines(path):
    with path.open("rb") as file:
        yield from (line for line in file if line.startswith(b"{"))
