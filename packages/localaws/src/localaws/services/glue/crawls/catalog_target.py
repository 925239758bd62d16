"""Crawling a catalogue target: tables that exist get the partitions that lie below their locations.

"Data Catalog target" and "Setting crawler configuration options" (Glue developer guide): no table is made, deleted or
given another schema while the policy is LOG; new partitions are always added, with the storage of their table.
"""

from localaws.core.cloud import AwsError
from localaws.core.shapes import Document, Structure
from localaws.services.glue.crawls.crawl_context import Work
from localaws.services.glue.crawls.s3_paths import Place, partition_values


def crawl_tables(work: Work, target: Structure) -> None:
    """Crawl each table of a target. Raises AwsError, Cancelled."""
    database = str(target["DatabaseName"])
    catalogue = work.catalogue
    for name in target["Tables"]:
        table = catalogue.table(database, name)
        if table is None:
            raise AwsError("EntityNotFoundException", f"Table {database}.{name} does not exist")
        locations = _partition_locations(work, table)
        inherits = _inherits(work) and work.crawler.policy["UpdateBehavior"] == "UPDATE_IN_DATABASE"
        existing = {
            tuple(partition["Values"]): partition
            for partition in catalogue.partitions(database, name, columns=inherits)
        }
        created = [_partition(table, values, at) for values, at in locations.items() if values not in existing]
        catalogue.add_partitions(database, name, created)
        if created:
            work.crawl.count("PARTITION", "ADD", len(created))
        work.say(f"INFO : table {database}.{name}: {len(locations)} partitions found, {len(created)} of them new")
        if inherits:
            _inherit(work, database, table, [existing[values] for values in locations if values in existing])


def _partition_locations(work: Work, table: Structure) -> dict[tuple[str, ...], str]:
    """The partitions below a table's location: their values, and where they lie."""
    place = Place.of(str(table["StorageDescriptor"]["Location"]))
    keys = [key["Name"] for key in table.get("PartitionKeys") or []]
    locations: dict[tuple[str, ...], str] = {}
    strange: set[str] = set()
    for key, _ in work.reader.objects(place):
        work.go_on()
        folders = key.split("/")[:-1]
        values = partition_values(folders, keys)
        if values is None:
            strange.add("/".join(folders))
        elif keys and tuple(values) not in locations:
            work.reader.allow_read(place, key)
            locations[tuple(values)] = place.below("".join(f"{folder}/" for folder in folders[: len(keys)]))
    for folder in sorted(strange):
        work.say(f"WARN : {place.below(folder)} does not fit the partition keys {', '.join(keys)}; it is left out")
    return locations


def _partition(table: Structure, values: tuple[str, ...], location: str) -> Document:
    return {"Values": list(values), "StorageDescriptor": {**table["StorageDescriptor"], "Location": location}}


def _inherits(work: Work) -> bool:
    output = work.crawler.configuration.get("CrawlerOutput", {}).get("Partitions", {})
    return bool(output.get("AddOrUpdateBehavior") == "InheritFromTable")


def _inherit(work: Work, database: str, table: Structure, partitions: list[Document]) -> None:
    """Give partitions whose storage differs from the table's that of the table."""
    for partition in partitions:
        descriptor = {**table["StorageDescriptor"], "Location": partition["StorageDescriptor"].get("Location", "")}
        if descriptor != partition["StorageDescriptor"]:
            work.catalogue.call(
                "UpdatePartition",
                DatabaseName=database,
                TableName=table["Name"],
                PartitionValueList=partition["Values"],
                PartitionInput={"Values": partition["Values"], "StorageDescriptor": descriptor},
            )
            work.crawl.count("PARTITION", "UPDATE")
