"""What X gives again beside its search: posts by their ids, the timelines of users."""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from postrank.errors import Fatal
from postrank.gaps.span_sources import Span
from postrank.sources import Batch, Cursor, Source
from postrank.sources.files.value_lists import entries, unusable

if TYPE_CHECKING:  # tweepy is slow to import
    from postrank.sources.x.lookups.hydration import Hydration
    from postrank.sources.x.lookups.lookup import Lookup


class WrongEntries(Fatal):
    """A file of ids or handles cannot be used."""


@dataclass(slots=True)
class IdsPast:
    """The posts of lists of ids, whatever their time: hydration. Those that are gone become tombstones."""

    source: Source
    files: list[Path]
    hydration: "Hydration"  # the ledger of the ids that X was asked for
    again: bool = False  # whether to ask for those, too, that were asked for before today
    network: str = "x"
    recovered_by: str | None = None
    is_paid: bool = True
    place: Cursor | None = None  # the ledger knows the place

    def read(self, span: Span, stopped: threading.Event, after: Cursor | None) -> Iterator[Batch]:  # noqa: ARG002 an id says which post
        ids = listed_ids(self.files)
        if self.again:
            self.hydration.forget(ids)
        yield from lookup(self.source).posts(ids, stopped, self.hydration)

    def delivered(self, cursor: Cursor) -> None:
        self.hydration.delivered(int(cursor))

    def done(self) -> None:
        return


@dataclass(slots=True)
class CompliancePast:
    """What of lists of ids of posts, or of users, must go, as a compliance job of X says it: tombstones."""

    source: Source
    files: list[Path]
    of_users: bool = False
    network: str = "x"
    recovered_by: str | None = None
    is_paid: bool = True

    def read(self, span: Span, stopped: threading.Event, after: Cursor | None) -> Iterator[Batch]:  # noqa: ARG002 an id says which post
        from postrank.sources.x import XStream
        from postrank.sources.x.lookups.compliance_jobs import POSTS, USERS, ComplianceJobs

        if not isinstance(self.source, XStream):
            raise Fatal("the source is not X")
        jobs = ComplianceJobs(api=self.source.api, kind=USERS if self.of_users else POSTS)
        yield from jobs.read(listed_ids(self.files), stopped, after)


@dataclass(slots=True)
class UserTimelinesPast:
    """What the users of lists of handles posted in the span."""

    source: Source
    files: list[Path]
    network: str = "x"
    recovered_by: str | None = None  # other users may have posted in the span, too
    is_paid: bool = True

    def read(self, span: Span, stopped: threading.Event, after: Cursor | None) -> Iterator[Batch]:
        from postrank.sources.x.handle_rules import wrong_handles

        handles = listed(self.files)
        if wrong := wrong_handles(handles):
            raise WrongEntries(f"{wrong[0]!r} is no handle of X: letters, digits and _, 15 at most")
        handles = [handle.removeprefix("@") for handle in handles]
        yield from lookup(self.source).timelines(handles, span.since, span.until, stopped, after)


def listed(files: list[Path]) -> list[str]:
    """The entries of all files, each once. Raises WrongEntries."""
    for path in files:
        if why := unusable(path):
            raise WrongEntries(f"{path} {why}")
    return list(dict.fromkeys(entry for path in files for entry in entries(path)))


def listed_ids(files: list[Path]) -> list[str]:
    """The ids of all files, each once. Raises WrongEntries."""
    ids = listed(files)
    if wrong := next((post_id for post_id in ids if not (post_id.isascii() and post_id.isdecimal())), None):
        raise WrongEntries(f"{wrong!r} is no id of X: digits, one id a line")
    return ids


def hydration(folder: Path) -> "AbstractContextManager[Hydration]":
    """The ledger of the ids that X was asked for, below a source's state. Raises HydrationTaken."""
    from postrank.sources.x.lookups.hydration import Hydration

    return Hydration.opened(folder / "hydration.sqlite")


def lookup(source: Source) -> "Lookup":
    """Asks with the streamer's token, under its budgets."""
    from postrank.sources.x import XStream
    from postrank.sources.x.lookups.lookup import Lookup

    if not isinstance(source, XStream):
        raise Fatal("the source is not X")
    return Lookup(api=source.api, spend=source.spend)
