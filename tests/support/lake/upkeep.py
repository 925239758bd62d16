"""The daily care of a test's lake: the acts of `maintain_lake`, one after the other, without a scheduler."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from postrank.delivery.window_check import SPARK_STATE, Comparison
from postrank.lake.compaction import MANY, Compaction
from postrank.lake.redaction.steps import Redaction
from postrank.lake.redaction.undelivered_lines import Elsewhere
from postrank.lake.retention import Maintenance
from postrank.ranking.lease import RANKING, TRENDS
from postrank.ranking.run_identity import Run
from tests.support.lake.ranked_lake import Lake, render

AS_OF = datetime(2026, 11, 25, 3, 40, tzinfo=UTC)


def redaction(lake: Lake, run_id: str = "care", as_of: datetime = AS_OF) -> Redaction:
    leases = [lake.lease(name, run_id) for name in (RANKING, TRENDS)]
    return Redaction(run=Run(run_id), as_of=as_of, leases=leases, **_parts(lake))


def compaction(lake: Lake, run_id: str = "care", as_of: datetime = AS_OF) -> Compaction:
    return Compaction(run=Run(run_id), as_of=as_of, lease=lake.lease(RANKING, run_id), **_parts(lake))


def maintenance(lake: Lake, as_of: datetime = AS_OF) -> Maintenance:
    return Maintenance(as_of=as_of, resources=lake.names, catalogue=lake.catalogue, s3=lake.client("s3"))


def comparison(lake: Lake, *collectors: str) -> Comparison:
    """The comparison of the stream's windows, in an environment of `main` and these collectors."""
    parts = _parts(lake)
    return Comparison(**parts, collectors=["main", *collectors])


def spark_comparison(lake: Lake) -> Comparison:
    """The comparison of Spark's windows."""
    return Comparison(**_parts(lake), statement="checks/spark_windows.sql", hop="Spark's windows", state=SPARK_STATE)


def redact(lake: Lake, run_id: str = "care", as_of: datetime = AS_OF) -> dict[str, Any]:
    """Redact whatever is deleted; returns the evidence."""
    work = redaction(lake, run_id, as_of)
    plan = work.plan()
    dates = work.begin()
    lake.write("maintenance/redacted_versions.sql", plan.statements)
    for date in dates:
        work.rewrite_raw(date)
    return document(lake, work.finish())


def compact(lake: Lake, run_id: str = "care", many: int = MANY) -> int:
    """Compact whatever lies in more than `many` files; returns how many partitions that were."""
    work = compaction(lake, run_id)
    planned = work.plan(many)
    lake.write("maintenance/compacted.sql", planned)
    return work.point(planned)


def settle(lake: Lake, run_id: str = "care", keep: timedelta = timedelta(days=1)) -> int:
    """Gather the rankings of old days; returns how many partitions they came from."""
    work = compaction(lake, run_id)
    planned = work.settle(keep)
    lake.write("maintenance/settled_ranking.sql", planned)
    return work.point_settled(planned)


def redact_undelivered(lake: Lake, run_id: str = "care", as_of: datetime = AS_OF) -> int:
    """Redact what lies outside the tables; returns in how many objects."""
    return Elsewhere(run=Run(run_id), as_of=as_of, **_parts(lake)).redact()


def document(lake: Lake, url: str) -> dict[str, Any]:
    bucket, key = url.removeprefix("s3://").split("/", 1)
    found: dict[str, Any] = json.loads(lake.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
    return found


def _parts(lake: Lake) -> dict[str, Any]:
    return {
        "resources": lake.names,
        "athena": lake.athena,
        "catalogue": lake.catalogue,
        "s3": lake.client("s3"),
        "render": render,
    }
