"""The acts of a ranking run between its statements: plan, survey, lay out, check and point, publish.

Each act is safe to repeat. What an act returns is JSON, so that a scheduler can keep it between processes.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from postrank.aws import prefixes
from postrank.aws.athena import Athena, Execution
from postrank.aws.glue import Catalogue, Partition
from postrank.aws.resources import Resources
from postrank.errors import Fatal
from postrank.ranking import plan, publish
from postrank.ranking.arrivals import Arrivals
from postrank.ranking.catalog_state import Known, Touched, debt_runs
from postrank.ranking.export_writer import Exporter
from postrank.ranking.plan import Parameters
from postrank.ranking.request import RankingRequest
from postrank.ranking.run_identity import Run

VIEWS = ("posts", "post_chains", "tombstones", "judged_versions", "author_ranking")
UNUSABLE_SHARE = 0.01  # of the staged lines: above it something upstream is broken, and ranking would hide it

Statements = list[Parameters]
Notes = Mapping[str, Mapping[str, str]]  # arrival hour: what to note on its partitions


class TooManyUnusable(Fatal):
    """More of what arrived is unusable than chance explains."""

    def __init__(self, lines: Mapping[str, int]) -> None:
        unusable, total = lines.get("unusable", 0), sum(lines.values())
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
    s3: Any
    render: Callable[..., str]

    def make_views(self) -> None:
        """Make the views that the catalogue does not have yet, and those behind them, which may be built on them."""
        missing = [number for number, view in enumerate(VIEWS) if not self.catalogue.has_table(view)]
        for view in VIEWS[min(missing, default=len(VIEWS)) :]:
            self.athena.run(self.render(f"ddl/{view}.sql"))

    def arrived(self) -> dict[str, dict[str, str]]:
        """The arrival hours to ingest, with what to note on their partitions once they are."""
        found = Arrivals(self.catalogue, self.s3)
        hours = found.due(self.data_hours, self.as_of) if self.data_hours else found.changed(self.as_of)
        return {hour.name: hour.notes for hour in hours}

    def has_work(self, notes: Notes) -> bool:
        """Whether anything is to be ranked: something arrived, an interval was asked for, or a ranking is owed."""
        asked = self.request.start or self.request.end
        return bool(notes or asked or self.catalogue.partitions("touched_minutes"))

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

    def touched(self, notes: Notes, lines: Mapping[str, int]) -> Statements:
        """The statement that finds what the staged hours touch."""
        horizon = plan.Horizon.scheduled() if self.data_hours else plan.Horizon.endless()
        corrected = plan.has_corrections(lines)
        return plan.touched(self.run, self.resources, list(notes), horizon, has_corrections=corrected)

    def layout(self, notes: Notes, lines: Mapping[str, int]) -> dict[str, Any]:
        """Take on the debt of what was touched; returns the statements that write, by what they write."""
        if notes:
            location = self.catalogue.location(self.run.scratch("touched_minutes"))
            self.catalogue.point("touched_minutes", [Partition((self.run.slug,), location)])
        owed = debt_runs(self.catalogue)
        rows = self.athena.rows(self.render("staging/touched_days.sql", run=self.run.slug, debt_runs=owed))
        touched = [Touched.of(row) for row in rows]
        days = plan.days_near(self.request, touched, self.data_hours)
        work = plan.Layout(
            run=self.run,
            resources=self.resources,
            request=self.request,
            known=Known.of(self.catalogue, days, owed),
            touched=touched,
            arrival_hours=list(notes),
            data_hours=self.data_hours,
            has_corrections=plan.has_corrections(lines),
        )
        return {**work.statements(), "debt_runs": owed}

    def point_versions(self, planned: Mapping[str, Any], notes: Notes) -> None:
        """Check what was written of `post_versions`, then let everybody read it; from then on hashtags are owed."""
        publish.point_versions(self.catalogue, self._checked("post_versions", planned), notes)
        if notes:
            location = self.catalogue.location(self.run.scratch("touched_minutes"))
            self.catalogue.point("hashtag_debt", [Partition((self.run.slug,), location)])

    def point_minutes(self, planned: Mapping[str, Any]) -> None:
        """Check what was written of `author_minutes`, then let everybody read it."""
        tables, days = self._checked("author_minutes", planned), _days(planned["author_minutes"])
        publish.point_days(self.catalogue, "author_minutes", tables, days)

    def point_ranking(self, planned: Mapping[str, Any]) -> None:
        """Check what was written of `author_ranking`, then let everybody read it; a default ranking pays the debt."""
        tables, days = self._checked("author_ranking", planned), _days(planned["author_ranking"])
        publish.point_days(self.catalogue, "author_ranking_revisions", tables, days, self.run.slug)
        if self.request.settles:
            self.catalogue.forget("touched_minutes", [(owed,) for owed in planned["debt_runs"]])

    def publish(
        self, ranked: str, taken_out: str, queries: Iterable[str], window: Parameters, heading: Mapping[str, Any]
    ) -> str:
        """Export the results of two queries over `window`; `heading` opens the manifest. Returns where that is."""
        ids = [*queries, ranked, taken_out]
        exporter = Exporter(self.s3, self.resources.buckets["results"], self.run.exports)
        files = exporter.write(self.athena.execution(ranked).output, self.request.granularities)
        behind = {name: int(value or 0) for name, value in self.athena.rows_of(taken_out)[0].items()}
        behind["rejects"] = self._rejects(window["arrival_dates"])
        cost = _cost([self.athena.execution(one) for one in ids])
        interval = {"start": window["all_from"], "end": window["all_to"]}
        exporter.publish({**self._asked(), "interval": interval, **heading, **behind, **cost}, files)
        return f"s3://{exporter.bucket}/{exporter.prefix}manifest.json"

    def drop_scratch(self, planned: Mapping[str, Any]) -> None:
        """Forget the tables that lived as long as the run, and delete the staged lines.

        The other objects stay, for what points at them.
        """
        written = [params["table"] for relation in plan.WRITTEN for params in planned[relation]]
        for table in (*written, self.run.scratch("arrivals"), self.run.scratch("touched_minutes")):
            self.catalogue.drop(table)
        prefixes.empty(self.s3, self.run.location(self.resources, "arrivals"))

    def _asked(self) -> dict[str, Any]:
        return {
            "run": self.run.slug,
            "granularities": list(self.request.granularities),
            "scope": self.request.scope,
            "networks": list(self.request.networks),
            "top": self.request.top,
            "order": self.request.order,
            "include_reposts": self.request.include_reposts,
        }

    def _rejects(self, dates: Iterable[str]) -> int:
        """How many lines broke the contract on the dates on which the ranked posts arrived."""
        ledger = f"s3://{self.resources.buckets['raw']}/{self.resources.keys['ledgers']}rejects/"
        return sum(prefixes.count_lines(self.s3, f"{ledger}dt={date}/") for date in dates)

    def _checked(self, relation: str, planned: Mapping[str, Any]) -> list[str]:
        """The scratch tables of a relation, after its check found nothing wrong in any."""
        tables = [params["table"] for params in planned[relation]]
        checks = (self.render(f"checks/{relation}.sql", table=table) for table in tables)
        publish.require_empty(self.athena, relation, checks)
        return tables


def _days(statements: Iterable[Parameters]) -> list[str]:
    return [day for params in statements for day in params["days"]]


def _cost(executions: Sequence[Execution]) -> dict[str, Any]:
    return {
        "queries": [{"id": one.query_id, "scanned_bytes": one.scanned_bytes} for one in executions],
        "scanned_bytes": sum(one.scanned_bytes for one in executions),
    }
