"""Crawling a catalogue target: tables that exist get the partitions that lie below their locations.

"Data Catalog target" and "Setting crawler configuration options" (Glue developer guide): no table is made, deleted or
given another schema while the policy is LOG; new partitions are always added, with the storage of their table.
"""

from collections.abc import Mapping
from typing import Any

from localaws.core.cloud import AwsError
from localaws.services.glue.crawls.crawl_context import Work
from localaws.services.glue.crawls.s3_paths import Place, partition_values


def crawl_tables(work: Work, target: Mapping[str, Any]) -> None:
    """Crawl each table of a target. Raises AwsError, Cancelled."""
    database, catalogue = str(target["DatabaseName"]), work.catalogue
    for name in target["Tables"]:
        table = catalogue.table(database, name)
        if table is None:
            raise AwsError("EntityNotFoundException", f"Table {database}.{name} does not exist")
        found = _found(work, table)
        inherits = _inherits(work) and work.crawler.policy["UpdateBehavior"] == "UPDATE_IN_DATABASE"
        known = {tuple(one["Values"]): one for one in catalogue.partitions(database, name, columns=inherits)}
        made = [_partition(table, values, at) for values, at in found.items() if values not in known]
        catalogue.add_partitions(database, name, made)
        if made:
            work.crawl.count("PARTITION", "ADD", len(made))
        work.say(f"INFO : table {database}.{name}: {len(found)} partitions found, {len(made)} of them new")
        if inherits:
            _inherit(work, database, table, [known[values] for values in found if values in known])


def _found(work: Work, table: Mapping[str, Any]) -> dict[tuple[str, ...], str]:
    """The partitions below a table's location: their values, and where they lie."""
    place = Place.of(str(table["StorageDescriptor"]["Location"]))
    keys = [key["Name"] for key in table.get("PartitionKeys") or []]
    found: dict[tuple[str, ...], str] = {}
    strange: set[str] = set()
    for key, _ in work.reader.objects(place):
        work.go_on()
        folders = key.split("/")[:-1]
        values = partition_values(folders, keys)
        if values is None:
            strange.add("/".join(folders))
        elif keys and tuple(values) not in found:
            work.reader.allow_read(place, key)
            found[tuple(values)] = place.below("".join(f"{one}/" for one in folders[: len(keys)]))
    for folder in sorted(strange):
        work.say(f"WARN : {place.below(folder)} does not fit the partition keys {', '.join(keys)}; it is left out")
    return found


def _partition(table: Mapping[str, Any], values: tuple[str, ...], location: str) -> dict[str, Any]:
    return {"Values": list(values), "StorageDescriptor": {**table["StorageDescriptor"], "Location": location}}


def _inherits(work: Work) -> bool:
    output = work.crawler.configuration.get("CrawlerOutput", {}).get("Partitions", {})
    return bool(output.get("AddOrUpdateBehavior") == "InheritFromTable")


def _inherit(work: Work, database: str, table: Mapping[str, Any], known: list[dict[str, Any]]) -> None:
    """Give partitions whose storage differs from the table's that of the table."""
    for one in known:
        wanted = {**table["StorageDescriptor"], "Location": one["StorageDescriptor"].get("Location", "")}
        if wanted != one["StorageDescriptor"]:
            work.catalogue.call(
                "UpdatePartition",
                DatabaseName=database,
                TableName=table["Name"],
                PartitionValueList=one["Values"],
                PartitionInput={"Values": one["Values"], "StorageDescriptor": wanted},
            )
            work.crawl.count("PARTITION", "UPDATE")
