"""Every line of the source accounted for: counted, of another kind, or rejected with a reason, by partition.

`<root>/line_counts/batch=<n>/` has a row per partition and batch, `<root>/rejects/batch=<n>/` the rejected lines. A
batch that is run again replaces its folders.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame
    from pyspark.sql.streaming.readwriter import DataStreamWriter

NAME = "line_counts"
_LINE_CHARACTERS = 4096  # of a rejected line that are kept


@dataclass(frozen=True, slots=True)
class Accounting:
    """`root` is a URL of Hadoop's file systems."""

    root: str

    def writer(self, lines: "DataFrame") -> "DataStreamWriter":
        """The stream that writes the account of `lines`, rows of `views.posts_read`."""
        rows = lines.selectExpr("partition", "position", "reason", f"left(line, {_LINE_CHARACTERS}) as line")
        return rows.writeStream.queryName(NAME).outputMode("append").foreachBatch(self.write)

    def write(self, rows: "DataFrame", batch: int) -> None:
        """Store the counts and the rejects of a batch."""
        rows.persist()
        try:
            counts = rows.groupBy("partition").agg(*_aggregates())
            counts.coalesce(1).write.mode("overwrite").parquet(f"{self.root}/{NAME}/batch={batch}")
            rejects = rows.where("reason is not null and reason not like 'kind: %'")
            rejects.coalesce(1).write.mode("overwrite").parquet(f"{self.root}/rejects/batch={batch}")
        finally:
            rows.unpersist()


def _aggregates() -> list["Column"]:
    """Lines by what became of them, and the first and last position; positions are numbers as text."""
    from pyspark.sql import functions as f

    return [
        f.expr(text)
        for text in (
            "count(*) as lines",
            "count_if(reason is null) as counted",
            "count_if(reason like 'kind: %') as ignored",
            "count_if(reason is not null and reason not like 'kind: %') as rejected",
            "min(struct(length(position) as digits, position)).position as first_position",
            "max(struct(length(position) as digits, position)).position as last_position",
        )
    ]
