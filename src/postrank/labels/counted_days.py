"""The posted days whose words are in the warehouse."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.rows import TupleRow


def counted_days(connection: "Connection[TupleRow]", statement: Callable[[str], str]) -> dict[str, tuple[str, ...]]:
    """The days that are counted, and the places of the partitions that they were counted from, in order."""
    rows = connection.execute(statement("counted_days")).fetchall()
    return {day: tuple(partitions) for day, partitions in rows}
