"""The acts of a ranking run between its statements: plan, survey, lay out, check and point, publish.

Each act is safe to repeat. What an act returns is JSON, so that a scheduler can keep it between processes. From
`begin` to `end` a run holds the ranking lease, so that nothing it has read is replaced before it points at what it
wrote. An act that moves pointers checks the lease before and after: a run that was paused while another one took over
owes its minutes again instead of leaving what it wrote from an old reading.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from postrank.aws import prefixes
from postrank.aws.athena import Athena, Execution
from postrank.aws.glue import Catalogue, Partition
from postrank.aws.resources import Resources
from postrank.documents import Document, JsonObject
from postrank.errors import Fatal
from postrank.ranking import plan, publish
from postrank.ranking.arrivals import Arrivals
from postrank.ranking.catalog_state import CatalogState, Touched, open_debts
from postrank.ranking.export_writer import Exporter
from postrank.ranking.lease import Lease, LeaseLost
from postrank.ranking.plan import Parameters
from postrank.ranking.request import RankingRequest
from postrank.ranking.run_identity import STAGED, Run

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MADE_VIEWS = "state/views.json"  # in the lake bucket: the views that exist, with digests of their definitions
VIEWS = (
    *("newest_versions", "posts", "post_chains", "tombstones", "judged_versions"),
    *("likes", "metrics_series", "metrics", "logs", "originals", "author_ranking", "stored_windows"),
)
UNUSABLE_SHARE = 0.01  # of the staged lines: above it something upstream is broken, and ranking would hide it

Statements = list[Parameters]
Notes = Mapping[str, Mapping[str, str]]  # arrival hour: what to note on its partitions


class TooManyUnusable(Fatal):
    """More of what arrived is unusable than chance explains."""

    def __init__(self, lines: Mapping[str, int]) -> None:
        unusable = lines.get("unusable", 0)
        total = sum(lines.values())
        super().__init__(
            f"{unusable} of {total} arrived lines are unusable, more than {UNUSABLE_SHARE:.0%}: nothing is ranked; "
            "the lines of raw_posts without network, post_id or posted_at show why"
        )
        self.lines = lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """One run. `render` fills a file of `include/sql`; `data_hours` are the arrival hours of a scheduled run."""

    run: Run
    request: RankingRequest
    data_hours: Sequence[str]
    as_of: datetime
    resources: Resources
    athena: Athena
    catalogue: Catalogue
    s3: "S3Client"
    lease: Lease
    publishes: bool  # whether `latest.json` is to name this ranking
    render: Callable[..., str]

    def begin(self) -> bool:
        """Take the ranking lease; False while another run or the lake's maintenance holds it."""
        return self.lease.acquire() is not None

    def end(self) -> None:
        """Let the next run in: all that this one writes is pointed at, or there was nothing to write."""
        self.lease.release()

    def make_views(self) -> None:
        """Create the views that do not exist, or whose definitions have changed."""
        bucket = self.resources.buckets["lake"]
        definitions = {view: self.render(f"ddl/{view}.sql") for view in VIEWS}
        digests = {view: hashlib.sha256(text.encode()).hexdigest() for view, text in definitions.items()}
        existing = _document(self.s3, bucket, MADE_VIEWS)
        for view in VIEWS:
            if existing.get(view) == digests[view] and self.catalogue.has_table(view):
                continue
            self.catalogue.drop(view)  # replacing one needs a permission that nothing else needs
            self.athena.run(definitions[view])
        if existing != digests:
            self.s3.put_object(Bucket=bucket, Key=MADE_VIEWS, Body=json.dumps(digests).encode())

    def arrived(self) -> dict[str, dict[str, str]]:
        """The arrival hours to ingest, with what to note on their partitions once they are."""
        arrivals = Arrivals(self.catalogue, self.s3)
        hours = arrivals.due(self.data_hours, self.as_of) if self.data_hours else arrivals.changed(self.as_of)
        return {hour.name: hour.notes for hour in hours}

    def has_work(self, notes: Notes) -> bool:
        """Whether anything is to be ranked: something arrived, an interval was asked for, or a ranking is owed."""
        interval = self.request.start or self.request.end
        return bool(notes or interval or self.catalogue.partitions("touched_minutes"))

    def arrivals(self, notes: Notes) -> Statements:
        """The statement that stages what arrived."""
        return plan.arrivals(self.run, self.resources, list(notes))

    def survey(self, notes: Notes) -> dict[str, int]:
        """How many lines of each kind were staged. Raises TooManyUnusable."""
        if not notes:
            return {}
        rows = self.athena.rows(self.render("staging/survey.sql", arrivals=self.run.scratch("arrivals")))
        lines = {str(row["kind"]): int(row["lines"] or 0) for row in rows}
        if lines.get("unusable", 0) > UNUSABLE_SHARE * sum(lines.values()):
            raise TooManyUnusable(lines)
        return lines

    def touched(self, notes: Notes) -> Statements:
        """The statement that finds what the staged hours touch."""
        horizon = plan.Horizon.scheduled() if self.data_hours else plan.Horizon.endless()
        return plan.touched(self.run, self.resources, list(notes), horizon)

    def layout(self, notes: Notes, lines: Mapping[str, int]) -> Document:
        """Take on the debt of what was touched; returns the statements that write, by what they write."""
        generation = self.lease.require()
        if notes:
            location = self.catalogue.location(self.run.scratch("touched_minutes"))
            self.catalogue.point("touched_minutes", [Partition((self.run.slug,), location)])
        debts = open_debts(self.catalogue)
        owed = sorted(debts)
        rows = self.athena.rows(self.render("staging/touched_days.sql", run=self.run.slug, debt_runs=owed))
        touched = [Touched.of(row) for row in rows]
        days = plan.days_near(self.request, touched, self.data_hours)
        work = plan.Layout(
            run=self.run,
            resources=self.resources,
            request=self.request,
            catalog=CatalogState.of(self.catalogue, days, owed),
            touched=touched,
            arrival_hours=list(notes),
            data_hours=self.data_hours,
            has_corrections=plan.has_corrections(lines),
            has_likes=plan.has_likes(lines),
            has_metrics=plan.has_metrics(lines),
        )
        lines = {"future_lines": work.lines_ahead, "late_lines": work.late_lines}
        return {**work.statements(), "debts": debts, "generation": generation, **lines}

    def point_versions(self, planned: JsonObject, notes: Notes) -> None:
        """Check what was written of `post_versions`, then let everybody read it; from then on hashtags are owed."""
        tables = self._checked("post_versions", planned)
        empty = f"{self.run.location(self.resources, 'post_versions')}empty/"
        with self._pointing(planned):
            publish.point_versions(self.catalogue, tables, notes, empty)
        if notes:
            location = self.catalogue.location(self.run.scratch("touched_minutes"))
            self.catalogue.point("hashtag_debt", [Partition((self.run.slug,), location)])

    def point_minutes(self, planned: JsonObject) -> None:
        """Check what was written of `author_minutes`, then let everybody read it.

        A ranking with a metric or a tag of its own then counts its own minutes, for itself alone.
        """
        tables = self._checked("author_minutes", planned)
        with self._pointing(planned):
            publish.point_days(self.catalogue, "author_minutes", tables, _days(planned["author_minutes"]))
        for params in planned[plan.SCOPED]:
            self.catalogue.drop(params["table"])
            prefixes.empty(self.s3, params["location"])
            self.athena.run(self.render("marts/scoped_minutes.sql", **params))
        self._checked(plan.SCOPED, planned)

    def point_ranking(self, planned: JsonObject) -> None:
        """Check what was written of `author_ranking`, then let everybody read it; a default ranking pays the debt."""
        tables = self._checked("author_ranking", planned)
        days = _days(planned["author_ranking"])
        with self._pointing(planned, revisions=[(day, self.run.slug) for day in days]):
            publish.point_days(self.catalogue, "author_ranking_revisions", tables, days, self.run.slug)
        if self.request.settles:
            self._pay(planned["debts"])

    @contextmanager
    def _pointing(self, planned: JsonObject, revisions: Sequence[tuple[str, ...]] = ()) -> Iterator[None]:
        """Move pointers under the lease. A run that loses it meanwhile owes its minutes again, takes its `revisions`
        of the ranking back, and raises LeaseLost.
        """
        self.lease.require()
        yield
        try:
            self.lease.require()
        except LeaseLost:
            debts: Mapping[str, str] = planned["debts"]
            self.catalogue.point("touched_minutes", [Partition((run,), place) for run, place in debts.items()])
            self.catalogue.forget("author_ranking_revisions", revisions)
            raise

    def _pay(self, debts: Mapping[str, str]) -> None:
        """Forget the debts that this run's layout covers; one that was taken on anew since then stays."""
        now = open_debts(self.catalogue)
        self.catalogue.forget("touched_minutes", [(run,) for run, place in debts.items() if now.get(run) == place])

    def publish(
        self,
        ranked: str,
        taken_out: str,
        queries: Iterable[str],
        planned: JsonObject,
        heading: JsonObject,
    ) -> str:
        """Export the results of two queries; `heading` opens the manifest. Returns where that is.

        `latest.json` moves where the run publishes: a ranking by hand has its address, and leaves the others' alone.
        """
        (window,) = planned["exports"]
        ids = [*queries, ranked, taken_out]
        exporter = Exporter(self.s3, self.resources.buckets["results"], self.run.exports)
        export = exporter.write(self.athena.execution(ranked).output, self.request.granularities)
        behind = {name: int(value or 0) for name, value in self.athena.rows_of(taken_out)[0].items()}
        behind["future_lines"] = planned["future_lines"]
        behind["late_lines"] = planned["late_lines"]
        behind["rejects"] = self._rejects(window["arrival_dates"])
        cost = _cost([self.athena.execution(query_id) for query_id in ids])
        interval = {"start": window["all_from"], "end": window["all_to"]}
        manifest = {**self._request_fields(), "interval": interval, **heading, "exported_at": _now(), **behind, **cost}
        exporter.publish(manifest, export, generation=planned["generation"] if self.publishes else None)
        return f"s3://{exporter.bucket}/{exporter.prefix}manifest.json"

    def drop_scratch(self, planned: JsonObject) -> None:
        """Forget the tables that lived as long as the run, and delete what was staged.

        The other objects stay, for what points at them.
        """
        written = [params["table"] for relation in plan.WRITTEN for params in planned[relation]]
        for table in (*written, self.run.scratch("arrivals"), self.run.scratch("touched_minutes")):
            self.catalogue.drop(table)
        for staged in STAGED:
            prefixes.empty(self.s3, self.run.location(self.resources, staged))

    def _request_fields(self) -> Document:
        return {
            "run": self.run.slug,
            "interval_requested": self.request.start is not None or self.request.end is not None,
            "granularities": list(self.request.granularities),
            "scope": self.request.scope,
            "networks": list(self.request.networks),
            "top": self.request.top,
            "order": self.request.order,
            "include_reposts": self.request.include_reposts,
            "metric": self.request.metric,
            "weights": self.request.weights,
            "tag": self.request.tag,
        }

    def _rejects(self, dates: Iterable[str]) -> int:
        """How many lines broke the contract on the dates on which the ranked posts arrived."""
        ledger = f"s3://{self.resources.buckets['raw']}/{self.resources.keys['ledgers']}rejects/"
        rows = (json.loads(line) for date in dates for line in prefixes.lines(self.s3, f"{ledger}dt={date}/"))
        return sum(int(row.get("lines", 1)) for row in rows)

    def _checked(self, relation: str, planned: JsonObject) -> list[str]:
        """The scratch tables of a relation, after its check found nothing wrong in any."""
        tables = [params["table"] for params in planned[relation]]
        checks = (self.render(f"checks/{relation}.sql", table=table) for table in tables)
        publish.require_empty(self.athena, relation, checks)
        return tables


def _document(s3: "S3Client", bucket: str, key: str) -> Document:
    """A JSON object; an empty one where there is none."""
    try:
        document: Document = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    except s3.exceptions.NoSuchKey:
        return {}
    return document


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _days(statements: Iterable[Parameters]) -> list[str]:
    return [day for params in statements for day in params["days"]]


def _cost(executions: Sequence[Execution]) -> Document:
    return {
        "queries": [{"id": execution.query_id, "scanned_bytes": execution.scanned_bytes} for execution in executions],
        "scanned_bytes": sum(execution.scanned_bytes for execution in executions),
    }
