"""Crawling a path in S3: tables and partitions are made, changed and taken out as the crawler's policies say.

"Setting crawler configuration options" (Glue developer guide) states what each policy does.
"""

import hashlib
import re
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from localaws.core.cloud import ObjectInfo
from localaws.services.glue.crawls.crawl_context import Work
from localaws.services.glue.crawls.s3_paths import Place, glob, partition_values
from localaws.services.glue.schema import column_types
from localaws.services.glue.schema.classifiers import Schema, classify
from localaws.services.glue.schema.table_grouping import Folder, Rules, Table, tables

_TEXT_INPUT = "org.apache.hadoop.mapred.TextInputFormat"
_TEXT_OUTPUT = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
_PARQUET = "org.apache.hadoop.hive.ql.io.parquet"
_MARK = "UPDATED_BY_CRAWLER"


def crawl_path(work: Work, target: Mapping[str, Any]) -> None:
    """Crawl one S3 target. Raises AwsError, Cancelled."""
    place = Place.of(str(target["Path"]))
    database = str(work.crawler.given["DatabaseName"])
    folders = _folders(work, place, target)
    known = {one["StorageDescriptor"].get("Location"): one for one in work.catalogue.tables(database)}
    names = {str(one["Name"]): at for at, one in known.items()}
    found = tables(folders, _rules(work, place))
    for table in found:
        location = place.below(_path(table.root))
        if location not in known:
            name = _name(work, place, table, location, names)
            names[name] = location
            _create(work, database, name, location, table)
        else:
            name = str(known[location]["Name"])
            _update(work, database, known[location], table)
        _partitions(work, database, name, place, table)
    _clean(work, database, known, place, {place.below(_path(table.root)) for table in found})


def _folders(work: Work, place: Place, target: Mapping[str, Any]) -> dict[Folder, Schema]:
    """The schema of each folder that holds files of one form; others are left out, and said."""
    excluded = [glob(pattern) for pattern in target.get("Exclusions") or []]
    files: dict[Folder, list[tuple[str, ObjectInfo]]] = defaultdict(list)
    for key, found in work.reader.objects(place):
        if not any(pattern.match(key) for pattern in excluded):
            files[tuple(key.split("/")[:-1])].append((key, found))
    schemas: dict[Folder, Schema] = {}
    for folder, held in files.items():
        for schema in _schemas(work, place, held[: target.get("SampleSize") or None]):
            known = schemas.get(folder)
            if known is not None and not known.like(schema, 0.0):
                work.say(f"WARN : {place.below(_path(folder))} holds files of several forms; the first is taken")
                continue
            schemas[folder] = known.merged(schema) if known else schema
    return schemas


def _schemas(work: Work, place: Place, held: list[tuple[str, ObjectInfo]]) -> Iterator[Schema]:
    for key, found in held:
        work.go_on()
        work.reader.allow_read(place, key)
        schema = classify(found.path)
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
    return "".join(f"{one}/" for one in folder)


def _name(work: Work, place: Place, table: Table, location: str, taken: Mapping[str, Any]) -> str:
    """The prefix and the folder's name, other characters as underscores; a hash tells namesakes apart."""
    folder = (table.root[-1:] or tuple(place.prefix.rstrip("/").split("/"))[-1:])[0] or place.bucket
    name = re.sub(r"[^a-z0-9_]", "_", f"{work.crawler.given.get('TablePrefix') or ''}{folder}".lower())
    if name in taken:
        name += "_" + hashlib.md5(location.encode(), usedforsecurity=False).hexdigest()
    return name


def _storage(schema: Schema, location: str) -> dict[str, Any]:
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


def _input(work: Work, name: str, location: str, table: Table) -> dict[str, Any]:
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


def _update(work: Work, database: str, known: Mapping[str, Any], table: Table) -> None:
    """Give a table the schema that was found, unless the policy is LOG; `MergeNewColumns` only adds columns."""
    if work.crawler.policy["UpdateBehavior"] == "LOG" or work.crawler.recrawl != "CRAWL_EVERYTHING":
        return
    wanted = _input(work, str(known["Name"]), str(known["StorageDescriptor"]["Location"]), table)
    output = work.crawler.configuration.get("CrawlerOutput", {}).get("Tables", {})
    if output.get("AddOrUpdateBehavior") == "MergeNewColumns":
        kept = {one["Name"]: one for one in known["StorageDescriptor"]["Columns"]}
        found = {one["Name"]: one for one in wanted["StorageDescriptor"]["Columns"]}
        wanted["StorageDescriptor"]["Columns"] = list({**found, **kept}.values())
    was = {one["Name"]: one["Type"] for one in known["StorageDescriptor"]["Columns"]}
    will_be = {one["Name"]: one["Type"] for one in wanted["StorageDescriptor"]["Columns"]}
    deprecated = "DEPRECATED_BY_CRAWLER" in (known.get("Parameters") or {})
    if was != will_be or deprecated:
        wanted["PartitionKeys"] = known.get("PartitionKeys") or []
        work.catalogue.call("UpdateTable", DatabaseName=database, TableInput=wanted)
        work.crawl.count("TABLE", "UPDATE")


def _partitions(work: Work, database: str, name: str, place: Place, table: Table) -> None:
    """Add the partitions that are new, and take out those that are gone if the policy is to delete."""
    if not table.keys:
        return
    found: dict[tuple[str, ...], tuple[Folder, Schema]] = {}
    for leaf, schema in table.leaves.items():
        found[tuple(partition_values(list(leaf), table.keys) or leaf)] = (leaf, schema)
    known = {tuple(one["Values"]) for one in work.catalogue.partitions(database, name)}
    inherit = work.crawler.configuration.get("CrawlerOutput", {}).get("Partitions", {})
    made = []
    for values, (leaf, schema) in found.items():
        if values not in known:
            used = table.schema if inherit.get("AddOrUpdateBehavior") == "InheritFromTable" else schema
            storage = _storage(used, place.below(_path((*table.root, *leaf))))
            made.append({"Values": list(values), "StorageDescriptor": storage, "Parameters": storage["Parameters"]})
    work.catalogue.add_partitions(database, name, made)
    if made:
        work.crawl.count("PARTITION", "ADD", len(made))
    if work.crawler.policy["DeleteBehavior"] == "DELETE_FROM_DATABASE":
        for values in sorted(known - found.keys()):
            work.catalogue.call("DeletePartition", DatabaseName=database, TableName=name, PartitionValues=list(values))
            work.crawl.count("PARTITION", "DELETE")


def _clean(work: Work, database: str, known: Mapping[str, Any], place: Place, found: set[str]) -> None:
    """What becomes of this crawler's tables below the path whose objects are gone."""
    behavior = work.crawler.policy["DeleteBehavior"]
    for location, table in known.items():
        parameters = table.get("Parameters") or {}
        mine = parameters.get(_MARK) == work.crawler.name and str(location).startswith(place.below(""))
        if not mine or location in found or behavior == "LOG" or "DEPRECATED_BY_CRAWLER" in parameters:
            continue
        name = str(table["Name"])
        if behavior == "DELETE_FROM_DATABASE":
            work.catalogue.call("DeleteTable", DatabaseName=database, Name=name)
            work.crawl.count("TABLE", "DELETE")
        else:
            keys = ("Name", "Owner", "TableType", "StorageDescriptor", "PartitionKeys")
            marked = {**parameters, "DEPRECATED_BY_CRAWLER": str(int(time.time() * 1000))}
            wanted = {**{key: table[key] for key in keys if key in table}, "Parameters": marked}
            work.catalogue.call("UpdateTable", DatabaseName=database, TableInput=wanted)
            work.crawl.count("TABLE", "UPDATE")
