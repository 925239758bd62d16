"""Following files: every line once, whatever happens to the files meanwhile."""

import gzip
import os
from collections.abc import Iterator
from pathlib import Path

import orjson

from postrank.options import Options
from postrank.posts import Post
from postrank.sources import Batch, Surroundings
from postrank.sources.tail import Tail
from tests.support.streamers import record

ACCESS = (
    '192.0.2.7 - alice [10/Oct/2025:13:55:36 -0700] "GET /a \\"b\\" HTTP/1.1" 404 12 "-" "Mozilla/5.0"\n'
    '192.0.2.8 - - [10/Oct/2025:20:55:37 +0000] "POST /form HTTP/1.1" 200 -\n'
    "not a line of an access log\n"
)


def json_line(number: int) -> bytes:
    return orjson.dumps(record(number), option=orjson.OPT_APPEND_NEWLINE)


class Following:
    """A tail that is read step by step."""

    def __init__(self, tail: Tail, after: str | None = None) -> None:
        self.tail, self.cursor, self.ids, self.rejects = tail, after, [], []
        self._batches: Iterator[Batch] = tail.read(after=after)

    def until_quiet(self) -> list[str]:
        """Take batches until there is nothing new; the ids of the posts so far."""
        while (batch := next(self._batches)).read:
            self.cursor = batch.cursor
            self.ids += [event.post_id for event in batch.events]
            self.rejects += [reject.reason for reject in batch.rejects]
        return self.ids


def tail(*patterns: object, **options: object) -> Tail:
    table = {"files": [str(pattern) for pattern in patterns], **options}
    found = Options(table, "source")
    source = Tail.build(found, Surroundings(state=Path()))
    found.finish()
    source.poll_seconds = 0.01
    return source


def test_lines_come_as_they_are_written_and_half_a_line_waits(tmp_path: Path) -> None:
    log = tmp_path / "posts.ndjson"
    log.write_bytes(json_line(1) + json_line(2)[:20])
    following = Following(tail(log))
    assert following.until_quiet() == ["1"]
    with log.open("ab") as file:
        file.write(json_line(2)[20:] + json_line(3))
    assert following.until_quiet() == ["1", "2", "3"]


def test_a_rename_loses_no_line_and_repeats_none(tmp_path: Path) -> None:
    log = tmp_path / "posts.ndjson"
    log.write_bytes(json_line(1))
    following = Following(tail(log))
    following.until_quiet()
    with log.open("ab") as file:
        file.write(json_line(2))
    os.rename(log, tmp_path / "posts.ndjson.1")
    log.write_bytes(json_line(3))
    os.utime(tmp_path / "posts.ndjson.1", (1, 1))
    assert following.until_quiet() == ["1", "2", "3"]


def test_copy_and_truncate_loses_no_line_and_repeats_none(tmp_path: Path) -> None:
    log = tmp_path / "posts.ndjson"
    log.write_bytes(json_line(1) + json_line(2))
    following = Following(tail(log))
    following.until_quiet()
    (tmp_path / "posts.ndjson-20260501").write_bytes(log.read_bytes() + json_line(3))
    log.write_bytes(json_line(4))
    assert sorted(following.until_quiet()) == ["1", "2", "3", "4"]


def test_what_rotated_into_a_gz_while_nobody_looked_is_read_from_where_it_was_left(tmp_path: Path) -> None:
    log = tmp_path / "posts.ndjson"
    log.write_bytes(json_line(1))
    first = Following(tail(log))
    first.until_quiet()
    log.unlink()
    (tmp_path / "posts.ndjson.1.gz").write_bytes(gzip.compress(json_line(1) + json_line(2)))
    log.write_bytes(json_line(3))
    assert sorted(Following(tail(log), first.cursor).until_quiet()) == ["2", "3"]


def test_start_at_the_end_reads_only_what_comes(tmp_path: Path) -> None:
    log = tmp_path / "posts.ndjson"
    log.write_bytes(json_line(1))
    following = Following(tail(log, start="end"))
    assert following.until_quiet() == []
    with log.open("ab") as file:
        file.write(json_line(2))
    assert following.until_quiet() == ["2"]


def test_an_access_log_becomes_posts_of_its_clients(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_text(ACCESS, encoding="utf-8")
    batch = next(tail(log, format="apache", network="web").read(after=None))
    first, second = batch.events
    assert isinstance(first, Post)
    assert isinstance(second, Post)
    assert (first.network, first.author_id, first.text) == ("web", "192.0.2.7", 'GET /a \\"b\\" HTTP/1.1')
    assert first.posted_at.isoformat() == "2025-10-10T20:55:36+00:00"
    assert first.post_id != second.post_id
    assert [reject.reason for reject in batch.rejects] == ["the line does not match the pattern"]


def test_counts_by_status_are_a_choice_of_the_author(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_text(ACCESS, encoding="utf-8")
    batch = next(tail(log, format="apache", author="status").read(after=None))
    assert [event.author_id for event in batch.events] == ["404", "200"]


def test_a_regular_expression_names_the_fields(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text("2026-05-01 12:00:00 ann: hello\n", encoding="utf-8")
    pattern = r"(?P<posted_at>\S+ \S+) (?P<author_id>\w+): (?P<text>.*)"
    batch = next(tail(log, format="regex", pattern=pattern, time_format="%Y-%m-%d %H:%M:%S").read(after=None))
    assert [(e.author_id, e.text) for e in batch.events if isinstance(e, Post)] == [("ann", "hello")]
