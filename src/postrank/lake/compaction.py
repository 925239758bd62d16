"""Fewer and larger files: partitions of many small files are written again as one, a day's rankings as one partition.

What is written lies elsewhere and is checked before it is pointed at; what it replaces is swept once nobody can be
reading it. A partition that somebody else has pointed elsewhere since the plan was made is left to the next run.
Raw objects are not compacted: a closed hour of them is never read again.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from postrank.aws.athena import Athena
from postrank.aws.glue import Catalogue, Partition
from postrank.aws.prefixes import Size, folder, sizes
from postrank.aws.resources import Resources
from postrank.aws.tables import prefix
from postrank.ranking import plan, publish
from postrank.ranking.lease import Lease
from postrank.ranking.plan import Parameters
from postrank.ranking.run_identity import Run

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MANY = 4  # files that a partition may have without being written again
SMALL = 32 << 20  # bytes: files of this size on average are large enough
SETTLED = timedelta(days=2)  # how long a day is left alone: late posts still come

Catalogued = dict[tuple[str, ...], Partition]


@dataclass(frozen=True, slots=True)
class Layout:
    """A relation's partition keys (the first and the last), and the column by which the one file of a partition is
    called bucketed (CTAS knows no other way to ask for one file: "Bucketing examples").
    """

    keys: tuple[str, ...]
    bucketed_by: str


RELATIONS: Mapping[str, Layout] = {
    "post_versions": Layout(("arrival_interval", "posted_date"), "post_id"),
    "author_minutes": Layout(("posted_date",), "author_id"),
}
_RANKING = "author_ranking_revisions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compaction:
    """One run. `render` fills a file of `include/sql`; `as_of` is when the run began."""

    run: Run
    as_of: datetime
    resources: Resources
    athena: Athena
    catalogue: Catalogue
    s3: "S3Client"
    lease: Lease  # of the ranking
    render: Callable[..., str]

    def plan(self, many: int = MANY) -> list[Parameters]:
        """The statements that write partitions of more than `many` small files again, as one file each."""
        return [
            self._statement(relation, number, some)
            for relation in RELATIONS
            for number, some in enumerate(plan.chunks(self._scattered(relation, many)))
        ]

    def point(self, planned: Sequence[Parameters]) -> int:
        """Check what was written, then let everybody read it. Returns how many partitions changed their place."""
        changed = 0
        for params in planned:
            if not self.catalogue.has_table(params["table"]):  # an earlier attempt got as far as dropping it
                continue
            with self.lease.held():
                changed += self._point_table(params)
            self.catalogue.drop(params["table"])
        return changed

    def settle(self, keep: timedelta) -> list[Parameters]:
        """The statements that gather the rankings of days before `keep` into one partition a day, superseded revisions
        left out.
        """
        before = (self.as_of - keep).date().isoformat()
        runs: dict[str, list[str]] = defaultdict(list)
        for partition in self.catalogue.partitions(_RANKING, f"window_date < '{before}'"):
            runs[partition.values[0]].append(partition.values[1])
        many = {day: sorted(day_runs) for day, day_runs in runs.items() if len(day_runs) > 1}
        return [
            {
                "table": self.run.scratch("settled_ranking", number),
                "location": self.run.location(self.resources, _RANKING, number),
                "days": days,
                "runs": {day: many[day] for day in days},
            }
            for number, days in enumerate(plan.chunks(many))
        ]

    def point_settled(self, planned: Sequence[Parameters]) -> int:
        """Check what was gathered, let everybody read it, forget the partitions it came from; returns how many."""
        forgotten = 0
        for params in planned:
            if not self.catalogue.has_table(params["table"]):
                continue
            check = self.render("checks/author_ranking.sql", table=params["table"])
            publish.require_empty(self.athena, "author_ranking", [check])
            gone = [(day, run) for day, runs in params["runs"].items() for run in runs]
            with self.lease.held():
                publish.point_days(self.catalogue, _RANKING, [params["table"]], (), f"settled-{self.run.slug}")
                self.catalogue.forget(_RANKING, gone)
            self.catalogue.drop(params["table"])
            forgotten += len(gone)
        return forgotten

    def _point_table(self, params: Parameters) -> int:
        """Point at what one statement wrote, but for partitions that lie elsewhere since the plan was made."""
        relation = params["relation"]
        catalogued = {partition.values: partition for partition in self.catalogue.partitions(relation)}
        unchanged = [pair for pair, place in params["replaced"].items() if _at(catalogued, relation, pair) == place]
        check = self.render("checks/compacted.sql", **{**params, "pairs": unchanged})
        publish.require_empty(self.athena, relation, [check])
        compacted = [
            replace(partition, notes=catalogued[partition.values].notes)
            for partition in self.catalogue.partitions(params["table"])
            if _pair(partition) in unchanged
        ]
        self.catalogue.point(relation, compacted)
        return len(compacted)

    def _scattered(self, relation: str, many: int) -> list[str]:
        """The partitions (`first/last`) of more than `many` small files that nobody writes any more."""
        lying = sizes(self.s3, prefix(relation, self.resources))
        return [
            _pair(partition)
            for partition in self.catalogue.partitions(relation)
            if self._settled(relation, partition)
            and _is_scattered(lying.get(folder(partition.location), Size(0, 0)), many)
        ]

    def _settled(self, relation: str, partition: Partition) -> bool:
        if relation == "post_versions":
            return partition.notes.get("postrank.closed") == "true"
        return partition.values[0] < (self.as_of - SETTLED).date().isoformat()

    def _statement(self, relation: str, number: int, pairs: list[str]) -> Parameters:
        layout = RELATIONS[relation]
        now = {existing.values: existing for existing in self.catalogue.partitions(relation)}
        return {
            "relation": relation,
            "table": self.run.scratch(f"compacted_{relation}", number),
            # Apart from what the same run's redaction wrote, which is pointed at by now.
            "location": f"{self.run.location(self.resources, relation, number)}compacted/",
            "key_names": list(layout.keys),
            "first_key": layout.keys[0],
            "last_key": layout.keys[-1],
            "first_values": sorted({pair.split("/")[0] for pair in pairs}),
            "last_values": sorted({pair.split("/")[1] for pair in pairs}),
            "bucketed_by": layout.bucketed_by,
            "pairs": pairs,
            "replaced": {pair: _at(now, relation, pair) for pair in pairs},
        }


def _pair(partition: Partition) -> str:
    return f"{partition.values[0]}/{partition.values[-1]}"


def _at(now: Catalogued, relation: str, pair: str) -> str | None:
    """Where a partition lies now."""
    values = tuple(pair.split("/"))[: len(RELATIONS[relation].keys)]
    return now[values].location if values in now else None


def _is_scattered(size: Size, many: int) -> bool:
    return size.objects > many and size.bytes < size.objects * SMALL
