"""Crawling a path in S3: tables and partitions are made, changed and taken out as the crawler's policies say.

"Setting crawler configuration options" (Glue developer guide) states what each policy does.
"""

import hashlib
import re
import time
from collections import defaultdict
from collections.abc import Iterator

from localaws.core.cloud import ObjectInfo
from localaws.core.shapes import Document, Structure
from localaws.services.glue.crawls.crawl_context import Work
from localaws.services.glue.crawls.s3_paths import Place, glob, partition_values
from localaws.services.glue.schema import column_types
from localaws.services.glue.schema.classifiers import Schema, classify
from localaws.services.glue.schema.table_grouping import Folder, Rules, Table, tables

_TEXT_INPUT = "org.apache.hadoop.mapred.TextInputFormat"
_TEXT_OUTPUT = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
_PARQUET = "org.apache.hadoop.hive.ql.io.parquet"
_MARK = "UPDATED_BY_CRAWLER"


def crawl_path(work: Work, target: Structure) -> None:
    """Crawl one S3 target. Raises AwsError, Cancelled."""
    place = Place.of(str(target["Path"]))
    database = str(work.crawler.definition["DatabaseName"])
    folders = _folders(work, place, target)
    existing = {table["StorageDescriptor"].get("Location"): table for table in work.catalogue.tables(database)}
    names = {str(table["Name"]): at for at, table in existing.items()}
    crawled = tables(folders, _rules(work, place))
    for table in crawled:
        location = place.below(_path(table.root))
        if location not in existing:
            name = _name(work, place, table, location, names)
            names[name] = location
            _create(work, database, name, location, table)
        else:
            name = str(existing[location]["Name"])
            _update(work, database, existing[location], table)
        _partitions(work, database, name, place, table)
    _clean(work, database, existing, place, {place.below(_path(table.root)) for table in crawled})


def _folders(work: Work, place: Place, target: Structure) -> dict[Folder, Schema]:
    """The schema of each folder that holds files of one form; others are left out, and said."""
    excluded = [glob(pattern) for pattern in target.get("Exclusions") or []]
    files: dict[Folder, list[tuple[str, ObjectInfo]]] = defaultdict(list)
    for key, stored in work.reader.objects(place):
        if not any(pattern.match(key) for pattern in excluded):
            files[tuple(key.split("/")[:-1])].append((key, stored))
    schemas: dict[Folder, Schema] = {}
    for folder, held in files.items():
        for schema in _schemas(work, place, held[: target.get("SampleSize") or None]):
            existing = schemas.get(folder)
            if existing is not None and not existing.like(schema, 0.0):
                work.say(f"WARN : {place.below(_path(folder))} holds files of several forms; the first is taken")
                continue
            schemas[folder] = existing.merged(schema) if existing else schema
    return schemas


def _schemas(work: Work, place: Place, held: list[tuple[str, ObjectInfo]]) -> Iterator[Schema]:
    for key, stored in held:
        work.go_on()
        work.reader.allow_read(place, key)
        schema = classify(stored.path)
        if schema is None:
            work.say(f"WARN : {place.below(key)} is classified UNKNOWN; it is left out")
        else:
            yield schema


def _rules(work: Work, place: Place) -> Rules:
    grouping = work.crawler.configuration.get("Grouping") or {}
    return Rules(
        combine=grouping.get("TableGroupingPolicy") == "CombineCompatibleSchemas",
        level=int(grouping.get("TableLevelConfiguration") or 0),
        above=1 + place.prefix.count("/"),
    )


def _path(folder: Folder) -> str:
    return "".join(f"{name}/" for name in folder)


def _name(work: Work, place: Place, table: Table, location: str, taken: Structure) -> str:
    """The prefix and the folder's name, other characters as underscores; a hash tells namesakes apart."""
    folder = (table.root[-1:] or tuple(place.prefix.rstrip("/").split("/"))[-1:])[0] or place.bucket
    name = re.sub(r"[^a-z0-9_]", "_", f"{work.crawler.definition.get('TablePrefix') or ''}{folder}".lower())
    if name in taken:
        name += "_" + hashlib.md5(location.encode(), usedforsecurity=False).hexdigest()
    return name


def _storage(schema: Schema, location: str) -> Document:
    columns = [{"Name": name, "Type": column_types.hive(kind)} for name, kind in schema.columns.items()]
    base = {"Columns": columns, "Location": location, "Compressed": schema.compression != "none", "NumberOfBuckets": -1}
    if schema.format == "parquet":
        serde = {
            "SerializationLibrary": f"{_PARQUET}.serde.ParquetHiveSerDe",
            "Parameters": {"serialization.format": "1"},
        }
        formats = (f"{_PARQUET}.MapredParquetInputFormat", f"{_PARQUET}.MapredParquetOutputFormat")
    elif schema.format == "json":
        paths = ",".join(schema.columns)
        serde = {"SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe", "Parameters": {"paths": paths}}
        formats = (_TEXT_INPUT, _TEXT_OUTPUT)
    else:
        serde = {
            "SerializationLibrary": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
            "Parameters": {"field.delim": schema.settings["delimiter"]},
        }
        formats = (_TEXT_INPUT, _TEXT_OUTPUT)
    parameters = {"classification": schema.format, "compressionType": schema.compression, "typeOfData": "file"}
    return {
        **base,
        "InputFormat": formats[0],
        "OutputFormat": formats[1],
        "SerdeInfo": serde,
        "Parameters": {**parameters, **schema.settings},
    }


def _input(work: Work, name: str, location: str, table: Table) -> Document:
    storage = _storage(table.schema, location)
    return {
        "Name": name,
        "Owner": "owner",
        "TableType": "EXTERNAL_TABLE",
        "StorageDescriptor": storage,
        "PartitionKeys": [{"Name": key, "Type": "string"} for key in table.keys],
        "Parameters": {**storage["Parameters"], _MARK: work.crawler.name},
    }


def _create(work: Work, database: str, name: str, location: str, table: Table) -> None:
    work.catalogue.call("CreateTable", DatabaseName=database, TableInput=_input(work, name, location, table))
    work.crawl.count("TABLE", "ADD")
    work.say(f"INFO : Created table {name} in database {database}")


def _update(work: Work, database: str, existing: Structure, table: Table) -> None:
    """Give a table the schema that was found, unless the policy is LOG; `MergeNewColumns` only adds columns."""
    if work.crawler.policy["UpdateBehavior"] == "LOG" or work.crawler.recrawl != "CRAWL_EVERYTHING":
        return
    definition = _input(work, str(existing["Name"]), str(existing["StorageDescriptor"]["Location"]), table)
    output = work.crawler.configuration.get("CrawlerOutput", {}).get("Tables", {})
    if output.get("AddOrUpdateBehavior") == "MergeNewColumns":
        existing_columns = {column["Name"]: column for column in existing["StorageDescriptor"]["Columns"]}
        columns = {column["Name"]: column for column in definition["StorageDescriptor"]["Columns"]}
        definition["StorageDescriptor"]["Columns"] = list({**columns, **existing_columns}.values())
    was = {column["Name"]: column["Type"] for column in existing["StorageDescriptor"]["Columns"]}
    will_be = {column["Name"]: column["Type"] for column in definition["StorageDescriptor"]["Columns"]}
    deprecated = "DEPRECATED_BY_CRAWLER" in (existing.get("Parameters") or {})
    if was != will_be or deprecated:
        definition["PartitionKeys"] = existing.get("PartitionKeys") or []
        work.catalogue.call("UpdateTable", DatabaseName=database, TableInput=definition)
        work.crawl.count("TABLE", "UPDATE")


def _partitions(work: Work, database: str, name: str, place: Place, table: Table) -> None:
    """Add the partitions that are new, and take out those that are gone if the policy is to delete."""
    if not table.keys:
        return
    partitions: dict[tuple[str, ...], tuple[Folder, Schema]] = {}
    for leaf, schema in table.leaves.items():
        partitions[tuple(partition_values(list(leaf), table.keys) or leaf)] = (leaf, schema)
    existing = {tuple(partition["Values"]) for partition in work.catalogue.partitions(database, name)}
    inherit = work.crawler.configuration.get("CrawlerOutput", {}).get("Partitions", {})
    created = []
    for values, (leaf, schema) in partitions.items():
        if values not in existing:
            used = table.schema if inherit.get("AddOrUpdateBehavior") == "InheritFromTable" else schema
            storage = _storage(used, place.below(_path((*table.root, *leaf))))
            created.append({"Values": list(values), "StorageDescriptor": storage, "Parameters": storage["Parameters"]})
    work.catalogue.add_partitions(database, name, created)
    if created:
        work.crawl.count("PARTITION", "ADD", len(created))
    if work.crawler.policy["DeleteBehavior"] == "DELETE_FROM_DATABASE":
        for values in sorted(existing - partitions.keys()):
            work.catalogue.call("DeletePartition", DatabaseName=database, TableName=name, PartitionValues=list(values))
            work.crawl.count("PARTITION", "DELETE")


def _clean(work: Work, database: str, existing: Structure, place: Place, crawled: set[str]) -> None:
    """What becomes of this crawler's tables below the path whose objects are gone."""
    behavior = work.crawler.policy["DeleteBehavior"]
    for location, table in existing.items():
        parameters = table.get("Parameters") or {}
        mine = parameters.get(_MARK) == work.crawler.name and str(location).startswith(place.below(""))
        if not mine or location in crawled or behavior == "LOG" or "DEPRECATED_BY_CRAWLER" in parameters:
            continue
        name = str(table["Name"])
        if behavior == "DELETE_FROM_DATABASE":
            work.catalogue.call("DeleteTable", DatabaseName=database, Name=name)
            work.crawl.count("TABLE", "DELETE")
        else:
            keys = ("Name", "Owner", "TableType", "StorageDescriptor", "PartitionKeys")
            marked = {**parameters, "DEPRECATED_BY_CRAWLER": str(int(time.time() * 1000))}
            definition = {**{key: table[key] for key in keys if key in table}, "Parameters": marked}
            work.catalogue.call("UpdateTable", DatabaseName=database, TableInput=definition)
            work.crawl.count("TABLE", "UPDATE")
