"""Following files: every line once, whatever happens to the files meanwhile."""

import gzip
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest

from postrank.options import Options, WrongSettings
from postrank.posts import Log as Request
from postrank.posts import Post
from postrank.sources import Batch, Surroundings
from postrank.sources.files.tail import Tail
from tests.support.streaming.source_reader import built
from tests.support.streaming.streamers import record

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
        while (batch := next(self._batches)).cursor:
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
    log.rename(tmp_path / "posts.ndjson.1")
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


def test_an_access_log_becomes_requests(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_text(ACCESS, encoding="utf-8")
    batch = next(tail(log, format="apache", network="web").read(after=None))
    first, second = batch.events
    assert isinstance(first, Request)
    assert (first.network, first.host, first.status, first.posted_at) == (
        "web",
        "192.0.2.7",
        404,
        "2025-10-10T20:55:36.000Z",
    )
    assert (first.method, first.path) == ("GET", '/a \\"b\\"')
    assert first.post_id != second.post_id
    assert len(batch.rejects) == 1


def test_an_access_log_becomes_posts_of_its_clients_on_request(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_text(ACCESS, encoding="utf-8")
    batch = next(tail(log, format="apache", network="web", rows="posts").read(after=None))
    first, second = batch.events
    assert isinstance(first, Post)
    assert isinstance(second, Post)
    assert (first.network, first.author_id, first.text) == ("web", "192.0.2.7", 'GET /a \\"b\\" HTTP/1.1')
    assert first.posted_at == "2025-10-10T20:55:36.000Z"
    assert first.post_id != second.post_id
    [reject] = batch.rejects
    assert "not in the common or combined log format: at character 6" in reject.reason
    assert 'format = "regex"' in reject.reason


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


HEADER = b"# fields: time author text\n"
WORDS = {"format": "regex", "pattern": r"(?P<posted_at>\S+) (?P<author_id>\w+) (?P<text>.*)"}


def words(*numbers: int) -> bytes:
    return b"".join(b"2026-05-01T12:00:00Z ann %d\n" % number for number in numbers)


class Words(Following):
    """A tail of lines that carry no id: what comes twice shows in the texts, what is taken for another in the ids."""

    def __init__(self, log: Path, after: str | None = None) -> None:
        super().__init__(tail(log, **WORDS), after)
        self.texts: list[int] = []

    def read(self) -> list[int]:
        while (batch := next(self._batches)).cursor:
            self.cursor = batch.cursor
            self.ids += [event.post_id for event in batch.events]
            self.texts += [int(event.text or "") for event in batch.events if isinstance(event, Post)]
        assert len(set(self.ids)) == len(self.ids)
        return sorted(self.texts)


def rename_and_create(log: Path, old: Path) -> None:
    log.rename(old)
    log.write_bytes(HEADER)


def copy_and_truncate(log: Path, old: Path) -> None:
    old.write_bytes(log.read_bytes())
    os.truncate(log, 0)
    append(log, HEADER)


def rename_and_compress(log: Path, old: Path) -> None:
    old.with_name(f"{old.name}.gz").write_bytes(gzip.compress(log.read_bytes()))
    log.rename(old)
    old.unlink()
    log.write_bytes(HEADER)


def append(log: Path, data: bytes) -> None:
    with log.open("ab") as file:
        file.write(data)


ROTATIONS = (rename_and_create, copy_and_truncate, rename_and_compress)


@pytest.mark.parametrize("rotate", ROTATIONS)
@pytest.mark.parametrize("restart_after", ["the first lines", "more lines", "the rotation", "the next generation"])
def test_generations_that_begin_with_the_same_line_are_told_apart_across_a_restart(
    tmp_path: Path, rotate: Callable[[Path, Path], None], restart_after: str
) -> None:
    log = tmp_path / "app.log"
    log.write_bytes(HEADER + words(1))
    following = Words(log)
    steps = {
        "the first lines": lambda: None,
        "more lines": lambda: append(log, words(2)),
        "the rotation": lambda: rotate(log, tmp_path / "app.log.1"),
        "the next generation": lambda: append(log, words(3)),
        "its rotation": lambda: rotate(log, tmp_path / "app.log.2"),
        "the third": lambda: append(log, words(4)),
    }
    down = False
    for name, step in steps.items():
        step()
        if not down:
            following.read()
        down = name == restart_after  # the next step happens while nobody looks
        if down:
            earlier = following
            following = Words(log, earlier.cursor)
            following.ids, following.texts = earlier.ids, earlier.texts
    assert following.read() == [1, 2, 3, 4]


@pytest.mark.parametrize("rotate", ROTATIONS)
def test_generations_that_hold_nothing_but_the_same_line_are_two(
    tmp_path: Path, rotate: Callable[[Path, Path], None]
) -> None:
    log = tmp_path / "app.log"
    log.write_bytes(HEADER)
    following = Words(log)
    following.read()
    rotate(log, tmp_path / "app.log.1")
    following.read()
    append(log, words(1))
    assert following.read() == [1]


def test_a_truncated_log_that_grew_past_where_it_was_is_another_generation(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_bytes(HEADER + words(1, 2))
    following = Words(log)
    following.read()
    os.truncate(log, 0)
    append(log, HEADER + words(*range(3, 90)))
    assert following.read() == list(range(1, 90))


def test_a_copy_that_is_there_before_the_log_is_truncated_is_not_read_twice(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_bytes(HEADER + words(*range(50)))
    following = Words(log)
    following.read()
    append(log, words(50))
    (tmp_path / "app.log.1").write_bytes(log.read_bytes())
    assert following.read() == list(range(51))
    os.truncate(log, 0)
    assert following.read() == list(range(51))
    append(log, HEADER + words(51))
    assert following.read() == list(range(52))


def test_a_file_that_is_being_compressed_holds_no_other_back(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_bytes(HEADER + words(*range(500)))
    first = Words(log)
    first.read()
    append(log, words(500))
    packed, old = gzip.compress(log.read_bytes()), tmp_path / "app.log.1.gz"
    old.write_bytes(packed[: len(packed) // 2])
    log.write_bytes(b"")
    log.unlink()
    log.write_bytes(HEADER + words(501))
    following = Words(log, first.cursor)
    assert 501 in following.read()
    old.write_bytes(packed)
    assert following.read() == [500, 501]


def test_start_at_the_end_stays_there_across_a_restart(tmp_path: Path) -> None:
    log = tmp_path / "posts.ndjson"
    log.write_bytes(json_line(1))
    cursor = next(tail(log, start="end").read(after=None)).cursor
    with log.open("ab") as file:
        file.write(json_line(2))
    assert Following(tail(log, start="end"), cursor).until_quiet() == ["2"]


def test_what_cannot_be_followed_is_told_once_and_holds_nothing_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "a.ndjson").write_bytes(json_line(1))
    (tmp_path / "folder.ndjson").mkdir()
    os.mkfifo(tmp_path / "pipe.ndjson")  # to open it would wait for a writer
    following = Following(tail(tmp_path / "*.ndjson", tmp_path / "nothing.log", "/proc/self/mem"))
    assert following.until_quiet() == ["1"]
    assert following.until_quiet() == ["1"]
    told = [(one.message, one.__dict__["fields"]) for one in caplog.records]
    assert told == [
        ("no file matches", {"pattern": str(tmp_path / "nothing.log")}),
        ("file not readable", {"file": "/proc/self/mem", "why": "Input/output error"}),
    ]


@pytest.mark.parametrize("name", ["tail", "replay"])
def test_a_list_of_no_files_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(WrongSettings, match=f"{name}.files must name at least one file"):
        built(name, tmp_path, files=[])


@pytest.mark.parametrize("packed", [False, True])
def test_a_line_that_is_too_long_is_one_reject_and_its_end_is_no_line(
    tmp_path: Path, packed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("postrank.sources.files.tail.LINE_LIMIT", 1 << 20)
    log = tmp_path / ("posts.ndjson.gz" if packed else "posts.ndjson")
    long = b"x" * (3 << 20) + json_line(7)
    body = json_line(1) + long + json_line(2) + b"\n"
    log.write_bytes(gzip.compress(body, 1) if packed else body[: 2 << 20])
    first = Following(tail(log))
    first.until_quiet()
    if not packed:
        log.write_bytes(body)
    second = Following(tail(log), first.cursor)  # a restart comes within the line
    second.until_quiet()
    assert first.ids + second.ids == ["1", "2"]
    assert first.rejects + second.rejects == [f"line longer than {1 << 20} bytes"]


def test_a_name_that_is_no_text_is_followed_like_any_other(tmp_path: Path) -> None:
    log = tmp_path / os.fsdecode(b"\xff-posts.ndjson")
    with log.open("wb") as file:
        file.write(json_line(1) + b"{cut\n")
    first = Following(tail(tmp_path / "*.ndjson"))
    assert first.until_quiet() == ["1"]
    log.rename(f"{log}.1")
    with log.open("wb") as file:
        file.write(json_line(2))
    second = Following(tail(tmp_path / "*.ndjson"), first.cursor)
    assert second.until_quiet() == ["2"]


def line_of(number: int) -> str:
    return (
        f'203.0.113.5 - - [10/Oct/2026:13:{number // 60:02d}:{number % 60:02d} +0000] "GET /{number} HTTP/1.1" 200 9\n'
    )


class Log:
    """A followed access log of ten lines, which were read."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "access.log"
        self.path.write_text("".join(map(line_of, range(10))))
        self.next = 10
        self.following = Following(tail(folder / "access.log", format="apache"))
        assert len(self.following.until_quiet()) == 10

    def write(self, path: Path, count: int) -> None:
        with path.open("a") as file:
            for _ in range(count):
                file.write(line_of(self.next))
                self.next += 1

    def copied(self) -> None:
        (self.path.parent / "access.log.bak").write_text(self.path.read_text())

    def renamed_to(self, name: str) -> None:
        self.write(self.path, 3)
        self.path.rename(self.path.parent / name)
        self.write(self.path, 2)

    def copied_and_truncated(self) -> None:
        self.write(self.path, 1)
        (self.path.parent / "access.log.save").write_text(self.path.read_text())
        os.truncate(self.path, 0)
        self.write(self.path, 1)

    def linked(self) -> None:
        os.link(self.path, self.path.parent / "access.log.hard")
        (self.path.parent / "access.log.soft").symlink_to(self.path)
        self.write(self.path, 1)

    def replaced(self) -> None:
        other = self.path.parent / "new"
        other.write_text(self.path.read_text())
        self.write(other, 2)
        other.rename(self.path)


@pytest.mark.parametrize(
    "happens",
    [
        Log.copied,
        lambda log: log.renamed_to("access.log.old"),
        lambda log: log.renamed_to("access.log.1"),
        lambda log: log.renamed_to("access-20261010.log"),
        lambda log: log.renamed_to("elsewhere"),
        Log.copied_and_truncated,
        Log.linked,
        Log.replaced,
    ],
)
def test_whatever_name_a_log_gets_each_of_its_lines_is_given_once(
    happens: Callable[[Log], None], tmp_path: Path
) -> None:
    log = Log(tmp_path)
    happens(log)
    ids = log.following.until_quiet()
    assert len(ids) == len(set(ids)) == log.next
    again = Following(tail(log.path, format="apache"), log.following.cursor)
    assert again.until_quiet() == []


def test_a_log_that_was_replaced_while_nobody_followed_it_is_a_gap(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = Log(tmp_path)
    log.renamed_to("elsewhere")
    batches = tail(log.path, format="apache").read(after=log.following.cursor)
    seen = [next(batches) for _ in range(2)]
    assert [gap.reason for batch in seen for gap in batch.gaps] == [
        "a log was replaced while it was not followed, and its former file has no name that is followed"
    ]
    assert "log replaced, unread lines may be lost" in caplog.text


def test_a_copy_under_any_name_that_the_pattern_matches_is_read_once(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("".join(map(line_of, range(10))))
    following = Following(tail(tmp_path / "*.log", format="apache"))
    assert len(following.until_quiet()) == 10
    (tmp_path / "copy.log").write_text(log.read_text())
    assert len(following.until_quiet()) == 10


REST = '[10/Oct/2026:13:55:36 +0000] "GET / HTTP/1.1" 200 12'


@pytest.mark.parametrize(
    "line",
    [
        f"203.0.113.5 - - {REST}",
        f'203.0.113.5 - - {REST} "-" "ua"',
        f'\ufeff203.0.113.5 - - {REST} "-" "ua"',
        f'www.example.com:80 203.0.113.5 - - {REST} "-" "ua"',
        f'www.example.com 203.0.113.5 - - {REST} "-" "ua"',
        f'203.0.113.5 - - {REST} "-" "ua" "-"',
        f'203.0.113.5, 10.0.0.1 - - {REST} "-" "ua" "10.0.0.1"',
        f'203.0.113.5 - John Doe {REST} "-" "ua"',
        f"203.0.113.5 - - {REST} 1234",
        f'203.0.113.5 - - {REST} "-" "ua" 1234 0.002',
    ],
)
def test_access_logs_in_common_use_are_read_with_their_client(line: str, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_text(f"{line}\n")
    [request] = next(tail(log, format="apache").read(after=None)).events
    assert isinstance(request, Request)
    assert (request.host, request.method, request.path, request.status) == ("203.0.113.5", "GET", "/", 200)
    assert (request.bytes, request.referrer) == (12, None)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('203.0.113.5 - - [today "GET', "a time in brackets should follow"),
        ("203.0.113.5 - - [10/Oct/2026:13:55:36 +0000] GET", "a request in quotes should follow"),
        ('203.0.113.5 - - [10/Oct/2026:13:55:36 +0000] "GET /" OK', "a status of three digits should follow"),
    ],
)
def test_a_line_that_is_nearly_of_an_access_log_says_where_it_stops(line: str, expected: str, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_text(f"{line}\n")
    following = Following(tail(log, format="apache"))
    following.until_quiet()
    [reason] = following.rejects
    assert expected in reason
