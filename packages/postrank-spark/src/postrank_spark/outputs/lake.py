"""Final rows as Parquet in the lake: `<root>/<output>/dt=YYYY-MM-DD/query=<query>/batch=<n>/`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from postrank_spark.closing import Emission
from postrank_spark.queries import Query

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True, slots=True)
class Lake:
    """`root` is a URL of Hadoop's file systems. `dt` is the day of the window's start (UTC)."""

    root: str

    def prepare(self, query: Query, rows: "DataFrame") -> None:
        """Nothing: folders come with their files."""

    def write(self, query: Query, emission: Emission, batch: str) -> None:
        rows = emission.closed.selectExpr("*", "cast(window_start as date) as dt").persist()
        try:
            for day in [row.dt for row in rows.select("dt").distinct().collect()]:
                folder = f"{self.root}/{query.output}/dt={day:%Y-%m-%d}/query={query.name}/batch={batch}"
                some = rows.where(f"dt = date '{day:%Y-%m-%d}'").drop("dt")
                some.coalesce(1).write.mode("overwrite").parquet(folder)
        finally:
            rows.unpersist()
