"""Tables as OpenLineage's datasets: named for the relation, where a statement reads or writes a table of its run's own.

The stock operator asks Athena for each table, which Airflow's role may not, and would name scratch tables that are gone
after the run. Names, columns and places are those of `tables.json`.
"""

import re
from typing import TYPE_CHECKING

from postrank.aws import tables
from postrank.aws.prefixes import split
from postrank.ranking.run_identity import SCRATCH, STAGED
from postrank_airflow.connections.environment import RESOURCES

if TYPE_CHECKING:
    from airflow.providers.common.compat.openlineage.facet import Dataset

_CATALOG = "AwsDataCatalog"
_SCRATCH = re.compile(rf"{SCRATCH}[0-9a-f]{{16}}_(\w+)_\d+")

_ARRAY = re.compile(r"\barray\((varchar|bigint|double)\)")


def dataset(database: str, table: str) -> "Dataset":
    """A table or view of the lake; a table has its columns, and as a symlink the prefix of its data."""
    from airflow.providers.common.compat.openlineage.facet import (
        Dataset,
        Identifier,
        SchemaDatasetFacet,
        SchemaDatasetFacetFields,
        SymlinksDatasetFacet,
    )

    relation = relation_of(table)
    namespace = f"awsathena://athena.{RESOURCES.region}.amazonaws.com"
    name = f"{_CATALOG}.{database}.{relation}"
    if relation not in (*tables.names(), *STAGED):
        return Dataset(namespace=namespace, name=name)
    bucket, key = split(_place(relation))
    place = Identifier(f"s3://{bucket}", key.rstrip("/"), "TABLE")  # as Airflow names the assets in dag/assets.py
    symlink = SymlinksDatasetFacet([place])
    if relation in STAGED:
        return Dataset(namespace=namespace, name=name, facets={"symlinks": symlink})
    fields = [SchemaDatasetFacetFields(name=column, type=kind) for column, kind in tables.columns(relation)]
    return Dataset(
        namespace=namespace, name=name, facets={"symlinks": symlink, "schema": SchemaDatasetFacet(fields=fields)}
    )


def parseable(query: str) -> str:
    """A statement for OpenLineage's parser, which reads types of arrays as Hive spells them."""
    return _ARRAY.sub(r"array<\1>", query)


def relation_of(table: str) -> str:
    """The relation that a table holds: that of a scratch table's name, or the table itself."""
    match = _SCRATCH.fullmatch(table)
    return match[1] if match else table


def _place(relation: str) -> str:
    if relation in STAGED:
        return f"s3://{RESOURCES.buckets['lake']}/staging/{relation}/"
    return tables.prefix(relation, RESOURCES)
