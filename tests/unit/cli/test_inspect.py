"""`postrank inspect`: what a file is, as one JSON object or one message."""

import gzip
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from click.testing import CliRunner
from pyarrow import parquet

from postrank.cli.inspect import inspect_file

KEYS = [
    "form",
    "container",
    "encoding",
    "posts",
    "authors",
    "first",
    "last",
    "rejects",
    "repaired",
    "unknown_fields",
    "top",
]
ROWS = [{"user": {"id": str(number % 2)}, "created": f"2022-03-05 07:00:0{number}", "said": "a"} for number in range(4)]


def inspected(path: Path, *options: str) -> tuple[int, dict[str, Any], str]:
    result = CliRunner().invoke(inspect_file, [str(path), "--json", *options])
    return result.exit_code, json.loads(result.stdout) if result.stdout else {}, result.stderr


def v2(number: int, author: str) -> dict[str, str]:
    return {"id": str(number), "author_id": author, "text": "a", "created_at": f"2022-03-05T07:00:0{number}.000Z"}


def test_a_file_is_one_object_with_edits_and_deletions_applied(tmp_path: Path) -> None:
    edit = {**v2(5, "7"), "edit_history_tweet_ids": ["1", "5"]}
    messages = [
        v2(1, "7"),
        v2(2, "8"),
        v2(3, "8"),
        v2(4, "9"),
        edit,
        {"id": "4", "action": "delete", "reason": "deleted"},
    ]
    path = tmp_path / "posts"
    path.write_bytes(gzip.compress("\n".join([*map(json.dumps, messages), "{broken"]).encode()))
    status, report, error = inspected(path)
    assert (status, list(report), error) == (0, KEYS, "")
    assert report["top"] == [["x", "8", 2], ["x", "7", 1]]
    assert (report["posts"], report["authors"], report["container"], report["encoding"]) == (3, 2, "gzip", "utf-8")
    assert (report["first"], report["last"]) == ("2022-03-05T07:00:02.000Z", "2022-03-05T07:00:05.000Z")
    assert (report["rejects"]["count"], report["rejects"]["at_least"]) == (1, False)
    assert "not JSON" in next(iter(report["rejects"]["reasons"]))


def test_without_json_a_person_reads_the_same(tmp_path: Path) -> None:
    path = tmp_path / "posts"
    path.write_text(json.dumps(v2(1, "7") | {"vibe": 1}) + "\nnot json\n")
    result = CliRunner().invoke(inspect_file, [str(path)])
    assert result.exit_code == 0
    for part in ("X API v2, JSON lines", "posts", "1 x.vibe", "2022-03-05T07:00:01.000Z", "not JSON", "byte 96"):
        assert part in result.stdout


def csv_of_rows(path: Path) -> None:
    path.write_text("user.id,created\n" + "".join(f"{row['user']['id']},{row['created']}\n" for row in ROWS))  # type: ignore[index]


def json_of_rows(path: Path) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))


def array_of_rows(path: Path) -> None:
    path.write_text(json.dumps(ROWS, indent=1))


def parquet_of_rows(path: Path) -> None:
    parquet.write_table(pyarrow.Table.from_pylist(ROWS), path)


@pytest.mark.parametrize("write", [csv_of_rows, json_of_rows, array_of_rows, parquet_of_rows])
def test_a_mapping_reads_any_table_and_lists_the_columns_when_it_is_wrong(
    write: Callable[[Path], None], tmp_path: Path
) -> None:
    path = tmp_path / "table"
    write(path)
    status, report, _ = inspected(path, "--map", "author_id=user.id", "--map", "posted_at=created")
    assert (status, report["posts"], report["top"]) == (0, 4, [["files", "0", 2], ["files", "1", 2]])
    status, report, error = inspected(path, "--map", "author_id=user", "--map", "posted_at=created_at")
    assert (status, report["posts"], report["rejects"]["count"]) == (2, 0, 1)
    assert "the columns are: " in error
    assert "user.id" in error
    assert len(error.strip().splitlines()) == 1
    status, _, error = inspected(path, "--map", "author_id=user.id")
    assert status == 2
    assert "lacks posted_at" in error


def test_a_table_without_a_header_is_mapped_by_numbers(tmp_path: Path) -> None:
    path = tmp_path / "table"
    path.write_text('"0","1467810369","Mon Apr 06 22:19:45 +0000 2009","NO_QUERY","ann","hi, all"\n' * 2)
    status, _, error = inspected(path)
    assert status == 2
    assert "without a header" in error
    status, report, _ = inspected(path, "--map", "author_id=5", "--map", "posted_at=3", "--map", "post_id=2")
    assert (status, report["top"]) == (0, [["files", "ann", 1]])


@pytest.mark.parametrize("pair", ["author_id", "author_id=", "name=a"])
def test_a_pair_that_maps_nothing_is_refused(pair: str, tmp_path: Path) -> None:
    path = tmp_path / "table"
    path.write_text("a,b\n")
    assert CliRunner().invoke(inspect_file, [str(path), "--map", pair]).exit_code == 2


TABLES = {
    "id,author_id,created_at,text\n1,7,2022-03-05T07:00:00.000Z,a\n": ["x", "7", 1],
    "id\tauthor_id\tcreated_at\n1\t7\t2022-03-05T07:00:00.000Z\n": ["x", "7", 1],
    "sep=;\nid;author_id;created_at\n1;7;2022-03-05T07:00:00.000Z\n": ["x", "7", 1],
    "id,thread_id,timestamp,body,author,author_id\n1,1,2022-03-05 07:00:00,a,ann,7\n": ["x", "7", 1],
    "id,time,created_at,from_user_name,text,from_user_id\n1,1646463600,2022-03-05 07:00:00,ann,a,7\n": ["x", "7", 1],
    "tweetid,userid,tweet_time,tweet_text\n1,7,2019-01-01 10:00,a\n": ["x", "7", 1],
    "user_id,status_id,created_at,screen_name,text\n7,1,2019-01-01 10:00:00,ann,a\n": ["x", "7", 1],
    "uri,did,created_at,text\nat://did:plc:a/app.bsky.feed.post/1,did:plc:a,2024-11-19T07:06:40Z,hi\n": [
        "bluesky", "did:plc:a", 1,
    ],
    "network,post_id,author_id,posted_at\nforum,1,ann,2022-03-05T07:00:00Z\n": ["forum", "ann", 1],
}  # fmt: skip


@pytest.mark.parametrize("text", TABLES)
def test_tables_of_known_tools_are_read_by_their_columns(text: str, tmp_path: Path) -> None:
    path = tmp_path / "table"
    path.write_text(text)
    status, report, error = inspected(path)
    assert (status, error) == (0, "")
    assert report["top"] == [TABLES[text]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file holds none"),
        (b"\n\n", "the file holds none"),
        (b"[]", "the file holds none"),
        (b"[1, 2]", "holds no objects"),
        (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
        (b"PAR1 and no more", "a Parquet file whose directory cannot be read"),
        (b"SQLite format 3\0", "SQLite"),
        (b"\x89PNG\r\n", "a picture"),
        (b"<html><body>", "XML or HTML"),
        (b"just some words\nand more of them\n", "neither JSON nor a table"),
        (b"name,age\nann,5\n", "The columns are: name, age"),
        (b'203.0.113.5 - - [10/Oct/2026:13:55:00 +0000] "GET / HTTP/1.1" 200 0\n', "an access log"),
        (b'window.YTD.tweets.part0 = [{"tweet": {"id_str": "1"}}]', "its posts name no author"),
        (b'window.YTD.follower.part0 = []', "holds no posts"),
        (b'{"source": "web", "id_str": "1", "text": "a", "created_at": "Sat Aug 10 11:00:00 +0000 2019"}', "no author"),
    ],
)  # fmt: skip
def test_what_cannot_be_ranked_is_one_message_and_status_2(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    status, report, error = inspected(path)
    assert status == 2
    assert message in error
    assert len(error.strip().splitlines()) == 1
    assert report["posts"] == 0


def test_a_personal_archive_of_x_is_of_its_account(tmp_path: Path) -> None:
    tweets = [{"tweet": {"id_str": str(number), "created_at": "Sat Aug 10 11:00:00 +0000 2019"}} for number in range(3)]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("data/account.js", 'window.YTD.account.part0 = [{"account": {"accountId": "1001"}}]')
        archive.writestr("data/tweets.js", f"window.YTD.tweets.part0 = {json.dumps(tweets, indent=2)}")
        archive.writestr("assets/a.png", b"\x89PNG")
    path = tmp_path / "archive"
    path.write_bytes(out.getvalue())
    status, report, _ = inspected(path)
    assert (status, report["top"]) == (0, [["x", "1001", 3]])


def test_a_warc_gives_the_posts_of_its_responses(tmp_path: Path) -> None:
    body = json.dumps({"data": [v2(1, "7"), v2(2, "8")]}).encode()
    http = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    record = b"WARC/1.0\r\nWARC-Type: response\r\nContent-Length: %d\r\n\r\n%b\r\n\r\n" % (len(http), http)
    request = b"WARC/1.0\r\nWARC-Type: request\r\nContent-Length: 3\r\n\r\nGET\r\n\r\n"
    path = tmp_path / "warc"
    path.write_bytes(gzip.compress(request) + gzip.compress(record))
    status, report, _ = inspected(path)
    assert (status, report["posts"], report["container"]) == (0, 2, "gzip > WARC")
