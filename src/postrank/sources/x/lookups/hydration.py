"""Which ids X was asked for, and its answers until they are delivered: no id is paid for twice, whatever is killed.

A page of ids is noted before X is asked for it, its answer before anyone sees it, and the answer is removed once it is
delivered. What was answered and not delivered is delivered first; only a page whose answer never came is asked for
again, and X bills a post once a day (X API, "Usage and Billing").
"""

import fcntl
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import orjson

from postrank.documents import Document
from postrank.errors import Retryable

_TABLES = """
create table if not exists ids (post_id text primary key, page integer not null, asked_on text not null) without rowid;
create table if not exists pages (page integer primary key autoincrement, ids text not null, answer blob);
"""


class HydrationTaken(Retryable):
    """Another command fetches posts by id with the same state."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"another command uses {path}: wait until it has ended")


def _today() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d}"


@dataclass(slots=True)
class Hydration:
    """The ledger of ids in one SQLite file. From any thread."""

    _database: sqlite3.Connection
    today: Callable[[], str] = _today
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    @contextmanager
    def opened(cls, path: Path) -> Iterator["Hydration"]:
        """The ledger at `path`, for one process at a time. Raises HydrationTaken."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.with_suffix(".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise HydrationTaken(path) from error
            with closing(sqlite3.connect(path, check_same_thread=False)) as database:
                database.execute("pragma journal_mode = wal")
                database.execute("pragma synchronous = full")
                database.executescript(_TABLES)
                yield cls(database)

    def unasked(self, ids: Sequence[str]) -> list[str]:
        """Those of the ids that X was not asked for yet."""
        with self._lock:
            return [post_id for post_id in ids if not self._has(post_id)]

    def forget(self, ids: Sequence[str]) -> None:
        """Have those of the ids asked for again that X was last asked for before today."""
        with self._lock, self._database:
            self._database.executemany(
                "delete from ids where post_id = ? and asked_on < ? and page not in (select page from pages)",
                [(post_id, self.today()) for post_id in ids],
            )

    def ask(self, ids: Sequence[str]) -> int:
        """Note that X is going to be asked for some ids; returns the page's number."""
        with self._lock, self._database:
            listed = orjson.dumps(list(ids)).decode()
            page = self._database.execute("insert into pages (ids) values (?)", (listed,)).lastrowid
            assert page is not None  # noqa: S101 a row was inserted
            rows = [(post_id, page, self.today()) for post_id in ids]
            self._database.executemany("insert or replace into ids values (?, ?, ?)", rows)
        return page

    def answer(self, page: int, answer: Document) -> None:
        """Keep an answer until it is delivered."""
        with self._lock, self._database:
            self._database.execute("update pages set answer = ? where page = ?", (orjson.dumps(answer), page))

    def withdraw(self, page: int) -> None:
        """Forget a page that X did not answer: it costs nothing, and its ids are still to be asked for."""
        with self._lock, self._database:
            self._database.execute("delete from ids where page = ?", (page,))
            self._database.execute("delete from pages where page = ?", (page,))

    def delivered(self, page: int) -> None:
        """Forget an answer, but not that its ids were asked for."""
        with self._lock, self._database:
            self._database.execute("delete from pages where page = ?", (page,))

    def answered(self) -> list[tuple[int, Document]]:
        """The answers that were not delivered."""
        with self._lock:
            rows = self._database.execute("select page, answer from pages where answer is not null order by page")
            return [(page, orjson.loads(answer)) for page, answer in rows]

    def unanswered(self) -> list[tuple[int, list[str]]]:
        """The pages whose answers never came: X may have been asked, and paid."""
        with self._lock:
            rows = self._database.execute("select page, ids from pages where answer is null order by page")
            return [(page, orjson.loads(ids)) for page, ids in rows]

    def _has(self, post_id: str) -> bool:
        return self._database.execute("select 1 from ids where post_id = ?", (post_id,)).fetchone() is not None
