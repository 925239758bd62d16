"""Where rows go: Parquet in the lake, Postgres, the second stream. Each may be written twice with the same result."""

from typing import TYPE_CHECKING, Protocol

from postrank_spark.closing import Emission
from postrank_spark.queries import Query

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


class Output(Protocol):
    """Takes the emissions of all queries, from several threads."""

    def prepare(self, query: Query, rows: "DataFrame") -> None:
        """Have what `write` needs, before the query starts. Raises JobError."""
        ...

    def write(self, query: Query, emission: Emission, batch: str) -> None:
        """Store the rows of a batch; a batch that is written again replaces itself."""
        ...
