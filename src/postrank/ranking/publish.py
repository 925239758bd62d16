"""Pointing: the last, atomic act on a relation. What a run wrote and checked becomes what everybody reads."""

from collections.abc import Iterable, Mapping, Sequence

from postrank.aws.athena import Athena
from postrank.aws.glue import Catalogue, Partition
from postrank.documents import JsonObject
from postrank.errors import Fatal
from postrank.ranking.catalog_state import CORRECTIONS


class CheckFailed(Fatal):
    """A relation was written that must not be pointed at."""

    def __init__(self, relation: str, rows: Sequence[JsonObject]) -> None:
        super().__init__(f"the check of {relation} found {len(rows)} rows that must not be; the first: {rows[0]}")
        self.relation = relation
        self.rows = rows


def require_empty(athena: Athena, relation: str, statements: Iterable[str]) -> None:
    """Run a relation's checks. Raises CheckFailed with the rows that one finds."""
    for statement in statements:
        if rows := athena.rows(statement):
            raise CheckFailed(relation, rows)


def point_versions(
    catalogue: Catalogue, scratch: Iterable[str], notes: Mapping[str, Mapping[str, str]], empty: str
) -> int:
    """Point `post_versions` at what the scratch tables hold, and forget what the same hours held before.

    `notes` says for each arrival hour what to note on its partitions. An hour that brought no row gets a partition at
    `empty`, a prefix without objects, so that its notes say that it was ingested. Returns the number of partitions
    pointed at.
    """
    written = [
        Partition(partition.values, partition.location, dict(notes[partition.values[0]]))
        for table in scratch
        for partition in catalogue.partitions(table)
    ]
    filled = {partition.values[0] for partition in written}
    written += [Partition((hour, CORRECTIONS), empty, dict(notes[hour])) for hour in notes if hour not in filled]
    catalogue.point("post_versions", written)
    current = {partition.values for partition in written}
    stale = [
        partition.values
        for hour in notes
        for partition in catalogue.partitions("post_versions", f"arrival_interval = '{hour}'")
        if partition.values not in current
    ]
    catalogue.forget("post_versions", stale)
    return len(written)


def point_days(catalogue: Catalogue, relation: str, scratch: Iterable[str], days: Iterable[str], *extra: str) -> int:
    """Point the days of `relation` at what the scratch tables hold; of `days`, those without any row are forgotten.

    `extra` are the values of partition keys behind the day. Returns the number of partitions pointed at.
    """
    written = [
        Partition((*partition.values, *extra), partition.location)
        for table in scratch
        for partition in catalogue.partitions(table)
    ]
    catalogue.point(relation, written)
    current = {partition.values for partition in written}
    catalogue.forget(relation, [values for day in days if (values := (day, *extra)) not in current])
    return len(written)
