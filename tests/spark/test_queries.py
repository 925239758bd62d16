"""Query files are checked before anything runs: every error names the file and the line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from postrank_spark.errors import JobError, QueryErrors
from postrank_spark.queries import Top, milliseconds, read

ROOT = Path(__file__).resolve().parents[2]
SQL = """\
-- languages: one row per language and minute.
-- key: lang, window_start
select
    lang,
    window.start as window_start,
    window.end as window_end,
    count(*) as posts
from posts
group by lang, window(posted_at, '60 seconds')
"""
# What is changed in SQL, the line that the error names, and what it says.
BROKEN = {
    "no_key": ("-- key: lang, window_start\n", "", 1, "it names no key"),
    "key_of_another_query": ("key: lang", "key: author_id", 2, "the key names author_id"),
    "no_such_column": ("    lang,\n", "    language,\n", 4, "UNRESOLVED_COLUMN"),
    "no_such_view": ("from posts", "from post", 8, "TABLE_OR_VIEW_NOT_FOUND"),
    "no_such_length": ("'60 seconds'", "'sixty'", 9, "sixty"),
    "no_end_of_a_window": ("    window.end as window_end,\n", "", 3, "column window_end is missing"),
    "start_as_text": ("window.start as", "cast(window.start as string) as", 3, "column window_start is a string"),
    "list_of_tags": ("count(*) as posts", "array(lang) as posts", 7, "column posts is of type array"),
    "not_sql": ("select\n", "pick\n", 3, "PARSE_SYNTAX_ERROR"),
}


def write(folder: Path, name: str, text: str) -> None:
    (folder / f"{name}.sql").write_text(text)


def test_the_bundled_queries_have_keys_and_outputs():
    queries = {query.name: query for query in read(str(ROOT / "include/sql/stream"))}
    assert set(queries) == {
        *("author_windows", "author_windows_sliding", "hashtag_windows", "hourly_totals", "status_windows")
    }
    assert queries["author_windows"].key == ("network", "author_id", "kind", "window_start")
    assert queries["author_windows_sliding"].output == "author_windows"
    assert queries["author_windows_sliding"].top == Top(40, ("window_start",), ("posts desc", "network", "author_id"))
    assert queries["author_windows_sliding"].lateness_ms == 1


@pytest.mark.parametrize(
    ("comment", "line", "reason"),
    [
        ("-- lateness: soon", 2, "'soon' is no duration"),
        ("-- top: the best", 2, "write `-- top: 40 per"),
        ("-- output: My Table", 2, "'My Table' is no name of an output"),
    ],
)
def test_a_wrong_comment_is_named_with_its_line(tmp_path, comment, line, reason):
    write(tmp_path, "languages", SQL.replace("-- key", f"{comment}\n-- key"))
    with pytest.raises(QueryErrors, match=f"languages.sql:{line}: .*{reason}"):
        read(str(tmp_path))


def test_queries_are_chosen_by_name_and_an_unknown_name_lists_the_others(tmp_path):
    write(tmp_path, "languages", SQL)
    assert [query.name for query in read(str(tmp_path), ("languages",))] == ["languages"]
    with pytest.raises(JobError, match="holds no query tags: languages"):
        read(str(tmp_path), ("tags",))


def test_durations_are_whole_numbers_of_a_unit():
    assert [milliseconds(text) for text in ("5 milliseconds", "1 second", "2 hours", "3 days")] == [
        5,
        1000,
        7_200_000,
        259_200_000,
    ]
    with pytest.raises(ValueError, match="no duration"):
        milliseconds("1.5 hours")


@pytest.mark.slow
def test_all_queries_that_spark_rejects_are_named_at_once_with_their_lines(spark, tmp_path):
    write(tmp_path, "languages", SQL)
    for name, (before, after, _, _) in BROKEN.items():
        if name != "no_key":
            write(tmp_path, name, SQL.replace(before, after))
    command = [sys.executable, "-m", "postrank_spark", "check", "--queries", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400, env=dict(os.environ), check=False)
    assert done.returncode == 2
    errors = {}
    for line in done.stderr.splitlines():
        if ".sql:" in line:
            place, _, reason = line.removeprefix("postrank-spark: ").partition(": ")
            errors[Path(place.split(":")[0]).stem] = (int(place.split(":")[1]), reason)
    assert set(errors) == set(BROKEN) - {"no_key"}, done.stderr
    for name, (line, reason) in errors.items():
        assert (line, BROKEN[name][3] in reason) == (BROKEN[name][2], True), (name, line, reason)
