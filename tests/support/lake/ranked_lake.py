"""A lake to rank in: Postrank's buckets and tables, arrivals put straight into the raw zone, no scheduler."""

import gzip
import json
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from postrank.aws.athena import Athena
from postrank.aws.glue import Catalogue, Partition
from postrank.aws.resources import Resources
from postrank.aws.tables import glue_tables, prefix
from postrank.ranking.export_reader import Results
from postrank.ranking.lease import RANKING, TRENDS, Lease
from postrank.ranking.request import RankingRequest
from postrank.ranking.run_identity import Run
from postrank.ranking.sql_literals import FILTERS
from postrank.ranking.steps import Ranking
from postrank.trends.hashtags import Trends

_ROOT = Path(__file__).resolve().parents[3]

WAITING = "waiting"

Row = dict[str, Any]
Acts = Generator[str | None, None, Row | None]


@dataclass
class Lake:
    """`client` makes boto3 clients of the AWS that the lake is on."""

    client: Callable[[str], Any]
    names: Resources = field(default_factory=lambda: Resources.of("local", "123456789012"))
    runs: int = 0
    scanned: dict[str, int] = field(default_factory=dict)  # of the last ranking: bytes by statement
    over: set[str] = field(default_factory=set)  # run ids that a scheduler would say have ended

    def create(self) -> "Lake":
        for bucket in self.names.buckets.values():
            self.client("s3").create_bucket(Bucket=bucket)
        self.client("glue").create_database(DatabaseInput={"Name": self.names.database})
        for table in glue_tables(self.names):
            self.client("glue").create_table(DatabaseName=self.names.database, TableInput=table)
        output = {"OutputLocation": f"s3://{self.names.buckets['query_results']}/"}
        self.client("athena").create_work_group(
            Name=self.names.workgroup,
            Configuration={"ResultConfiguration": output, "EnforceWorkGroupConfiguration": False},
        )
        return self

    @property
    def catalogue(self) -> Catalogue:
        return Catalogue(self.client("glue"), self.names.database)

    @property
    def athena(self) -> Athena:
        return Athena(self.client("athena"), self.names.database, self.names.workgroup, poll_seconds=0.02)

    @property
    def results(self) -> Results:
        return Results(self.client("s3"), self.names.buckets["results"])

    def deliver(self, hour: str, events: Sequence[Mapping[str, Any]], name: str = "object") -> None:
        """Put an object of events into an arrival hour (`2026-11-24T05`), as Firehose and the crawler would."""
        put(self, "raw_posts", hour, events, name)

    def rank(self, hours: Sequence[str] = (), run_id: str | None = None, **params: Any) -> Row | None:
        """Run a ranking by hand (or of scheduled `hours`); returns the manifest, None when there was nothing to do."""
        self.runs += 1
        return finish(self.acts(self.ranking(run_id or f"test__{self.runs}", hours, **params)))

    def acts(
        self, ranking: Ranking, attempts: int = 1, trying: Callable[[Callable[[], Any]], Any] | None = None
    ) -> Acts:
        """The acts of a run, one a step (WAITING: another run holds the lease); returns the manifest, None when there
        was nothing to do.

        Each is done `attempts` times: so does a task that is killed when its work is done, and tried again. `trying`
        does the acts that are no statements instead.
        """

        def often(act: Callable[..., Any], *given: Any) -> Any:
            if trying is not None:
                return trying(lambda: act(*given))
            return [act(*given) for _ in range(attempts)][-1]

        def write(path: str, statements: Sequence[Mapping[str, Any]]) -> list[str]:
            return [self.write(path, statements, number) for number in range(1, attempts + 1)][-1]

        while not often(ranking.begin):
            yield WAITING
        often(ranking.make_views)
        notes = often(ranking.arrived)
        yield
        if not ranking.has_work(notes):
            often(ranking.end)
            return None
        self.scanned = {}
        queries = write("staging/arrivals.sql", ranking.arrivals(notes))
        yield
        lines = often(ranking.survey, notes)
        queries += write("staging/touched_minutes.sql", ranking.touched(notes))
        yield
        planned = often(ranking.layout, notes, lines)
        yield
        queries += write("marts/post_versions.sql", planned["post_versions"])
        yield
        often(ranking.point_versions, planned, notes)
        yield
        queries += write("marts/author_minutes.sql", planned["author_minutes"])
        yield
        often(ranking.point_minutes, planned)
        yield
        queries += write("marts/author_ranking.sql", planned["author_ranking"])
        yield
        often(ranking.point_ranking, planned)
        yield
        (ranked,) = write("exports/ranked_authors.sql", planned["exports"]) or (None,)
        (taken_out,) = write("exports/taken_out.sql", planned["exports"]) or (None,)
        yield
        often(ranking.end)
        often(ranking.drop_scratch, planned)
        if ranked is None or taken_out is None:
            return None
        heading = {"dag_id": "rank_authors", "run_id": ranking.run.run_id}
        often(ranking.publish, ranked, taken_out, queries, planned, heading)
        return self.results.manifest(ranking.run.slug)

    def ranking(self, run_id: str, hours: Sequence[str] = (), *, publishes: bool = True, **params: Any) -> Ranking:
        """The acts of one run, to call one by one."""
        return Ranking(
            run=Run(run_id),
            request=RankingRequest.of(params),
            data_hours=hours,
            as_of=datetime(2026, 11, 24, 5, 30, tzinfo=UTC),
            resources=self.names,
            athena=self.athena,
            catalogue=self.catalogue,
            s3=self.client("s3"),
            lease=self.lease(RANKING, run_id),
            publishes=publishes,
            render=render,
        )

    def trends(self, run_id: str) -> Trends:
        """The acts of one ranking of hashtags, to call one by one."""
        return Trends(
            run=Run(run_id),
            resources=self.names,
            athena=self.athena,
            catalogue=self.catalogue,
            s3=self.client("s3"),
            lease=self.lease(TRENDS, run_id),
            render=render,
        )

    def lease(self, name: str, run_id: str) -> Lease:
        """A lease of the lake as a run sees it."""
        return Lease(
            s3=self.client("s3"),
            bucket=self.names.buckets["lake"],
            name=name,
            dag_id="test",
            run=Run(run_id),
            is_over=lambda _, ended: ended in self.over,
        )

    def write(self, path: str, statements: Sequence[Mapping[str, Any]], attempt: int = 1) -> list[str]:
        """Run the statements of a file of `include/sql`; returns the query ids."""
        done = []
        for params in statements:
            if attempt > 1 and "table" in params:
                self.catalogue.drop(params["table"])
            done.append(self.athena.run(render(path, **params).replace("attempt=1/", f"attempt={attempt}/")))
        self.scanned[path] = sum(one.scanned_bytes for one in done)
        return [one.query_id for one in done]

    def rows(self, sql: str) -> list[dict[str, str | None]]:
        return self.athena.rows(sql)


def finish(acts: Acts) -> Row | None:
    """Do the acts that are left; returns what they return."""
    while True:
        try:
            assert next(acts) != WAITING, "another run holds the lease, and does not end"
        except StopIteration as ended:
            return ended.value


def put(lake: Lake, table: str, hour: str, rows: Sequence[Mapping[str, Any]], name: str = "object") -> None:
    """Put an object of rows into an arrival hour of a raw table, and make the hour a partition."""
    location = f"{prefix(table, lake.names)}dt={hour[:10]}/hour={hour[11:]}/"
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    key = location.split("/", 3)[3] + f"{name}.ndjson.gz"
    lake.client("s3").put_object(Bucket=lake.names.buckets["raw"], Key=key, Body=gzip.compress(lines.encode()))
    lake.catalogue.point(table, [Partition((hour[:10], hour[11:]), location)])


def render(path: str, **params: Any) -> str:
    """A statement of `include/sql`, filled in as the DAGs fill it in."""
    return _environment().get_template(path).render(params=params)


@cache
def _environment() -> jinja2.Environment:
    """What renders the statements; it keeps each that it has compiled."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_ROOT / "include" / "sql"), undefined=jinja2.StrictUndefined
    )
    environment.filters.update({**FILTERS, "attempt": lambda location: f"{location}attempt=1/"})
    return environment


def post(post_id: str, author: str, posted_at: str, **more: Any) -> Row:
    """An event of the contract, with what tests do not care about filled in."""
    return {
        "kind": "post",
        "network": "x",
        "post_id": post_id,
        "author_id": author,
        "author_handle": author,
        "posted_at": posted_at,
        "text": f"text of {post_id}",
        "received_at": "2026-11-24T05:00:00.000Z",
        **more,
    }


def repost(post_id: str, author: str, posted_at: str, of: str, of_author: str, **more: Any) -> Row:
    """A repost that is no post of its own."""
    event = post(post_id, author, posted_at, kind="repost", repost_of=of, repost_of_author=of_author, **more)
    return {name: value for name, value in event.items() if name != "text"}


def like(post_id: str, author: str, posted_at: str, of: str, of_author: str, **more: Any) -> Row:
    """A like of the contract."""
    return {
        "kind": "like",
        "network": "x",
        "post_id": post_id,
        "author_id": author,
        "posted_at": posted_at,
        "like_of": of,
        "like_of_author": of_author,
        "received_at": "2026-11-24T05:00:00.000Z",
        **more,
    }


def metrics(post_id: str, at: str, **more: Any) -> Row:
    """An observation of the contract."""
    return {
        "kind": "metrics",
        "network": "x",
        "post_id": post_id,
        "posted_at": at,
        "received_at": "2026-11-24T05:00:00.000Z",
        **more,
    }


def delete(post_id: str, **more: Any) -> Row:
    """A tombstone of the contract."""
    return {"kind": "delete", "network": "x", "post_id": post_id, "received_at": "2026-11-24T05:00:00.000Z", **more}


def author_delete(author: str, at: str | None = None, **more: Any) -> Row:
    """An author's tombstone of the contract: all that was posted up to `at`, or up to when it was received."""
    return {**delete(f"author:{author}", author_id=author), **({"posted_at": at} if at else {}), **more}
