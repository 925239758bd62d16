"""The daily care of the lake: deleted posts leave it with evidence, what nobody points at any more is removed.

The words of a tombstoned post are gone from `post_versions` after a run, from the staging area two days later; raw
objects follow by the raw bucket's lifecycle rule.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from postrank.aws import prefixes
from postrank.aws.athena import Athena
from postrank.aws.glue import Catalogue
from postrank.aws.resources import Resources
from postrank.aws.tables import prefix
from postrank.errors import Fatal
from postrank.results import planning, pointing
from postrank.results.planning import Parameters
from postrank.results.run import Run

WRITTEN = ("post_versions", "author_minutes", "author_ranking_revisions", "touched_minutes", "hashtag_ranking")
POINTING = (*WRITTEN, "hashtag_debt")  # whose objects are those of `touched_minutes`
UNREFERENCED = timedelta(days=2)  # how long a prefix that nobody points at may belong to a run that still writes
EVIDENCE = "evidence/redactions/"  # in the lake bucket


class ApprovalNeeded(Fatal):
    """More posts would be redacted than may be without a human's word."""

    def __init__(self, posts: int, allowed: int) -> None:
        super().__init__(
            f"{posts} deleted posts are to be taken out of the lake, {allowed} may be without asking: look at the view "
            f"tombstones, then run again with approved_posts = {posts}"
        )
        self.posts, self.allowed = posts, allowed


class WindowsDiffer(Fatal):
    """The stream counted a closed minute otherwise than the lake."""

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(f"{len(rows)} or more closed minutes differ between stream and lake, the first: {rows[0]}")
        self.rows = rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintenance:
    """One run. `render` fills a file of `include/sql`; `as_of` is when the run began."""

    run: Run
    as_of: datetime
    resources: Resources
    athena: Athena
    catalogue: Catalogue
    s3: Any
    render: Callable[..., str]

    def compare_windows(self, days: Sequence[str]) -> None:
        """Hold the stream's author windows of whole past days to the lake's posts. Raises WindowsDiffer."""
        dates = sorted({*days, *((datetime.fromisoformat(day) + timedelta(days=1)).date().isoformat() for day in days)})
        if rows := self.athena.rows(self.render("checks/stream_windows.sql", days=days, window_dates=dates)):
            raise WindowsDiffer(rows)

    def redactions(self, allowed: int) -> list[Parameters]:
        """The statements that rewrite partitions without deleted posts. Raises ApprovalNeeded above `allowed` posts."""
        rows = self.athena.rows(self.render("maintenance/redaction_candidates.sql"))
        posts = sum(int(row["posts"] or 0) for row in rows)
        if posts > allowed:
            raise ApprovalNeeded(posts, allowed)
        pairs = [f"{row['arrival_interval']}/{row['posted_date']}" for row in rows]
        return [self._redaction(number, some) for number, some in enumerate(planning.chunks(pairs))]

    def redact(self, planned: Sequence[Parameters]) -> str | None:
        """Check and point at what was rewritten, empty what it replaces, write the evidence; returns where that is."""
        if not planned:
            return None
        tables = [params["table"] for params in planned]
        checks = (self.render("checks/post_versions.sql", table=table) for table in tables)
        pointing.require_empty(self.athena, "post_versions", checks)
        pairs = {tuple(pair.split("/")) for params in planned for pair in params["pairs"]}
        replaced = {one.values: one for one in self.catalogue.partitions("post_versions") if one.values in pairs}
        pointing.repoint(self.catalogue, "post_versions", tables, replaced)
        for partition in replaced.values():
            prefixes.empty(self.s3, _folder(partition.location))
        for table in tables:
            self.catalogue.drop(table)
        return self._evidence([partition.location for partition in replaced.values()])

    def forget_revisions(self, keep: timedelta) -> int:
        """Forget revisions that are wholly superseded, of windows older than `keep`. Returns how many partitions."""
        before = (self.as_of - keep).date().isoformat()
        rows = self.athena.rows(self.render("maintenance/superseded_revisions.sql", before=before))
        self.catalogue.forget("author_ranking_revisions", [(str(row["window_date"]), str(row["run"])) for row in rows])
        return len(rows)

    def sweep(self) -> int:
        """Delete objects of the lake that no partition points at, and staged lines; both once they are old enough."""
        referenced = {_folder(one.location) for table in POINTING for one in self.catalogue.partitions(table)}
        roots = [*(prefix(table, self.resources) for table in WRITTEN), self._staging()]
        return sum(prefixes.empty_unless(self.s3, root, referenced, self.as_of - UNREFERENCED) for root in roots)

    def _redaction(self, number: int, pairs: list[str]) -> Parameters:
        return {
            "table": self.run.scratch("redacted_versions", number),
            "location": self.run.location(self.resources, "post_versions", number),
            "arrival_hours": sorted({pair.split("/")[0] for pair in pairs}),
            "days": sorted({pair.split("/")[1] for pair in pairs}),
            "pairs": pairs,
        }

    def _evidence(self, emptied: Iterable[str]) -> str:
        key = f"{EVIDENCE}dt={self.as_of:%Y-%m-%d}/run={self.run.slug}.json"
        content = {"run": self.run.run_id, "at": self.as_of.isoformat(), "emptied": sorted(emptied)}
        body = (json.dumps(content, indent=2) + "\n").encode()
        self.s3.put_object(Bucket=self.resources.buckets["lake"], Key=key, Body=body, ContentType="application/json")
        return f"s3://{self.resources.buckets['lake']}/{key}"

    def _staging(self) -> str:
        return f"s3://{self.resources.buckets['lake']}/staging/"


def _folder(location: str) -> str:
    return location if location.endswith("/") else f"{location}/"
