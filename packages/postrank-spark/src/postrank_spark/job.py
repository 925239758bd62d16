"""The job: every query as a streaming query of its own, until it is stopped or its source is drained."""

import json
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from postrank_spark import views
from postrank_spark.accounting import NAME, Accounting
from postrank_spark.closing import Windows
from postrank_spark.errors import QueryFailed
from postrank_spark.outputs import Output
from postrank_spark.queries import Query, each

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.streaming.query import StreamingQuery
    from pyspark.sql.streaming.readwriter import DataStreamWriter

_LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`late_ms`: how late a row may be and still count. `lateness_ms`: when windows are final. `drain`: stop, with all
    windows closed, when everything that the source has is read.
    """

    checkpoints: str
    late_ms: int
    lateness_ms: int
    trigger_seconds: float
    drain: bool


@dataclass(slots=True)
class Job:
    """Queries over the records of one source."""

    spark: "SparkSession"
    queries: Sequence[Query]
    outputs: Sequence[Output]
    settings: Settings
    accounting: Accounting | None = None  # of the lines of posts

    def run(self, posts: "DataFrame | None", logs: "DataFrame | None", *, packed: bool) -> None:
        """Read until stopped (SIGTERM) or drained. `posts`, `logs`: records of the sources of either view.

        Raises QueryErrors before anything starts, QueryFailed for a query that ended.
        """
        self.register(posts, logs, packed=packed)
        frames = each(self.queries, lambda query: (query, query.frame(self.spark)))
        for query, frame in frames:
            for output in self.outputs:
                output.prepare(query, frame)
        stopping = _stop_on_signals()
        running = [(query, frame, self._start(query, frame)) for query, frame in frames]
        accounts = [] if self.accounting is None or posts is None else [self._account(posts, packed=packed)]
        self._watch([*(stream for _, _, stream in running), *accounts], stopping)
        if self.settings.drain and not stopping.is_set():
            for query, frame, _ in running:
                self._end(query, frame)

    def register(self, posts: "DataFrame | None", logs: "DataFrame | None", *, packed: bool) -> None:
        """Make the views that the queries may use."""
        late = f"{self.settings.late_ms} milliseconds"
        if posts is not None:
            views.posts(views.lines_of(posts, packed=packed), late).createOrReplaceTempView("posts")
        if logs is not None:
            views.logs(views.lines_of(logs, packed=packed), late).createOrReplaceTempView("logs")

    def _windows(self, query: Query) -> Windows:
        lateness = self.settings.lateness_ms if query.lateness_ms is None else query.lateness_ms
        return Windows(self.spark, query, self._checkpoint(query), self.settings.late_ms, lateness)

    def _checkpoint(self, query: Query) -> str:
        return f"{self.settings.checkpoints}/{query.name}"

    def _start(self, query: Query, frame: "DataFrame") -> "StreamingQuery":
        writer = frame.writeStream.queryName(query.name).outputMode("update").foreachBatch(self._writer(query))
        return self._started(writer, self._checkpoint(query))

    def _account(self, posts: "DataFrame", *, packed: bool) -> "StreamingQuery":
        """Account for every line, in a stream of its own."""
        assert self.accounting is not None  # noqa: S101 - `run` asked
        lines = views.posts_read(views.lines_of(posts, packed=packed))
        return self._started(self.accounting.writer(lines), f"{self.settings.checkpoints}/{NAME}")

    def _started(self, writer: "DataStreamWriter", checkpoint: str) -> "StreamingQuery":
        writer = writer.option("checkpointLocation", checkpoint)
        if self.settings.drain:
            writer = writer.trigger(availableNow=True)
        else:
            writer = writer.trigger(processingTime=f"{self.settings.trigger_seconds} seconds")
        return writer.start()

    def _writer(self, query: Query) -> Callable[[Any, int], None]:
        windows = self._windows(query)

        def write(rows: Any, batch: int) -> None:
            with windows.batch(rows, batch) as emission:
                for output in self.outputs:
                    output.write(query, emission, str(batch))

        return write

    def _watch(self, streams: Sequence["StreamingQuery"], stopping: threading.Event) -> None:
        """Wait for the queries' end; stops all of them when one failed. Raises QueryFailed."""
        reported: dict[str, int] = {}
        while any(stream.isActive for stream in streams) and not stopping.wait(_LOOK_SECONDS):
            _report_progress(streams, reported)
            if any(not stream.isActive and stream.exception() for stream in streams):
                break
        for stream in streams:
            if stream.isActive:
                stream.stop()
        _report_progress(streams, reported)
        for stream in streams:
            if failure := stream.exception():
                raise QueryFailed(
                    f"the query {stream.name} failed: {str(failure).strip().splitlines()[0]}"
                ) from failure

    def _end(self, query: Query, frame: "DataFrame") -> None:
        """Emit the windows that are open after the newest batch, under a name that no later batch replaces."""
        rows = self.spark.createDataFrame([], frame.schema)
        windows = self._windows(query)
        with windows.end(rows) as emission:
            for output in self.outputs:
                output.write(query, emission, f"{windows.newest_batch()}-end")


def _stop_on_signals() -> threading.Event:
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    return stopping


def _report_progress(streams: Sequence["StreamingQuery"], reported: dict[str, int]) -> None:
    """Print a line of JSON for each batch that ended since the last call; `reported` has the last batch by query."""
    for stream in streams:
        for progress in stream.recentProgress:
            if progress["batchId"] > reported.get(progress["name"], -1):
                reported[progress["name"]] = progress["batchId"]
                print(json.dumps(_summary(progress)), flush=True)


def _summary(progress: Any) -> dict[str, Any]:
    """What an operator looks at: records, seconds, the watermark, rows of state, rows that came too late."""
    state = progress["stateOperators"]
    return {
        "query": progress["name"],
        "batch": progress["batchId"],
        "records": progress["numInputRows"],
        "seconds": progress["durationMs"].get("triggerExecution", 0) / 1000,
        "watermark": progress["eventTime"].get("watermark"),
        "state_rows": sum(operator["numRowsTotal"] for operator in state),
        "state_bytes": sum(operator["memoryUsedBytes"] for operator in state),
        "too_late": sum(operator["numRowsDroppedByWatermark"] for operator in state),
    }
