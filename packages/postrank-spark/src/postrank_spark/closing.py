"""Which windows are final: rows of open windows are kept until event time has passed the end of their window.

Spark's update mode hands over a row whenever it changes, and says nothing when its window closes. So each batch keeps
the rows of windows that are still open in a Parquet folder of its own beside the checkpoint, and takes up those of the
batch before. A batch that is run again after a kill reads the same folder and writes the same rows.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from postrank_spark.queries import Query

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_KEPT = 3  # batches whose folders stay: the newest, and what a batch that is run again may read


@dataclass(frozen=True, slots=True)
class Emission:
    """What a batch brings: `closed` rows are final, `changed` rows are of windows that are open."""

    closed: "DataFrame"
    changed: "DataFrame"


@dataclass(slots=True)
class Windows:
    """The open windows of one query. `late_ms` is its watermark's delay, `lateness_ms` when its windows are final."""

    spark: "SparkSession"
    query: Query
    checkpoint: str
    late_ms: int
    lateness_ms: int

    @contextmanager
    def batch(self, rows: "DataFrame", batch: int) -> Iterator[Emission]:
        """Sort the rows of a batch into closed and open ones; the open ones are kept when the caller is done."""
        newest = self._newest_ms(batch)
        with self._split(rows, batch, self._instant(newest)) as (closed, opened):
            yield Emission(self._best(closed, batch), rows)
            opened.write.mode("overwrite").parquet(self._folder(batch))
        self._remove(batch - _KEPT)

    @contextmanager
    def end(self, like: "DataFrame") -> Iterator[Emission]:
        """All windows that are open after the newest batch: nothing more will come."""
        batch = self.newest_batch()
        pending = self._pending(batch + 1, like)
        yield Emission(self._best(pending, batch + 1), pending.limit(0))
        if batch >= 0:
            pending.limit(0).coalesce(1).write.mode("overwrite").parquet(self._folder(batch))

    @contextmanager
    def _split(self, rows: "DataFrame", batch: int, closing: str) -> Iterator[tuple["DataFrame", "DataFrame"]]:
        rows.persist()
        key = list(self.query.key)
        pending = self._pending(batch, rows).join(rows.select(*key), key, "left_anti").select(*rows.columns)
        merged = pending.unionByName(rows).persist()
        try:
            yield merged.where(f"window_end <= {closing}"), merged.where(f"window_end > {closing}")
        finally:
            merged.unpersist()
            rows.unpersist()

    def _best(self, closed: "DataFrame", batch: int) -> "DataFrame":
        """The rows that the query's `top` keeps. A window has its first rows once: late posts do not change them."""
        top = self.query.top
        if top is None:
            return closed
        before = self._instant(self._newest_ms(batch - 1))
        per = ", ".join(top.per)
        place = f"row_number() over (partition by {per} order by {', '.join(top.by)}) as place"
        rows = closed.where(f"window_end > {before}")
        return rows.selectExpr("*", place).where(f"place <= {top.rows}").drop("place")

    def _pending(self, batch: int, like: "DataFrame") -> "DataFrame":
        if batch <= 0:
            return self.spark.createDataFrame([], like.schema)
        return self.spark.read.schema(like.schema).parquet(self._folder(batch - 1))

    def _newest_ms(self, batch: int) -> int:
        """The newest event time (ms since 1970) that the batches before this one had; 0 if none had any.

        Spark's log of offsets has it before a batch runs: the watermark, which is that time less the delay.
        """
        if batch < 0:
            return 0
        text = self.spark.sparkContext.wholeTextFiles(f"{self.checkpoint}/offsets/{batch}").values().first()
        watermark = json.loads(text.splitlines()[1])["batchWatermarkMs"]
        return int(watermark) + self.late_ms if watermark else 0

    def _instant(self, newest_ms: int) -> str:
        """The end of the windows that are final, as SQL."""
        moment = max(0, newest_ms - self.lateness_ms)
        return f"timestamp '{datetime.fromtimestamp(moment / 1000, UTC):%Y-%m-%d %H:%M:%S.%f} UTC'"

    def _folder(self, batch: int) -> str:
        return f"{self.checkpoint}-open/batch={batch}"

    def newest_batch(self) -> int:
        """The newest batch that kept its open windows, -1 before the first.

        Progress does not tell: a query without new records reports a batch that never ran.
        """
        path = self._path(f"{self.checkpoint}-open")
        files = path.getFileSystem(self._hadoop())
        if not files.exists(path):
            return -1
        names = [status.getPath().getName() for status in files.listStatus(path)]
        return max((int(name.removeprefix("batch=")) for name in names), default=-1)

    def _remove(self, batch: int) -> None:
        if batch >= 0:
            path = self._path(self._folder(batch))
            path.getFileSystem(self._hadoop()).delete(path, True)

    def _path(self, folder: str) -> Any:
        context: Any = self.spark.sparkContext  # Hadoop's file systems are reached by its private members only
        return context._jvm.org.apache.hadoop.fs.Path(folder)

    def _hadoop(self) -> Any:
        context: Any = self.spark.sparkContext
        return context._jsc.hadoopConfiguration()
