"""Delimited text, as LazySimpleSerDe and OpenCSVSerDe read it ("CSV SerDe libraries")."""

import shutil
from dataclasses import replace

from localaws.services.athena.scan.formats import Files, compression, converted, identifier, paths, quoted
from localaws.services.athena.sql.failures import QueryFailed

LAZY = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
OPEN = "org.apache.hadoop.hive.serde2.OpenCSVSerde"
SERDES = (LAZY, OPEN)


def relation(files: Files) -> str:
    """A SELECT of the columns, and the file's number as file_index."""
    if compression(files.objects[0].key) == "bz2":
        files = _unpacked(files)
    nested = [name for name, kind in files.columns.items() if kind.children]
    if nested:
        raise QueryFailed("NOT_SUPPORTED", f"The nested column {nested[0]} in delimited text is not supported locally")
    is_open = files.serde.get("SerializationLibrary") == OPEN
    columns = ", ".join(f"{quoted(name)}: 'VARCHAR'" for name in files.columns)
    skip = int(files.parameters.get("skip.header.line.count") or files.properties.get("skip.header.line.count") or 0)
    options = (_open if is_open else _lazy)(files)
    values = "".join(f"{_value(name, files, is_open)} as {identifier(name)}, " for name in files.columns)
    return (
        f"select {values}file_index from read_csv({paths(files)}, columns = {{{columns}}}, auto_detect = false,"  # noqa: S608
        f" header = false, skip = {skip}, null_padding = true, strict_mode = false,"
        f" compression = '{compression(files.objects[0].key)}', {options})"
    )


def _unpacked(files: Files) -> Files:
    """The objects of a codec that the engine lacks, as files of the statement's own."""
    objects = []
    for number, item in enumerate(files.objects):
        path = files.scratch / f"scan-{files.scan}-{files.group}-{number}.txt"
        with converted.unpacked(item) as source, path.open("wb") as target:
            shutil.copyfileobj(source, target)
        objects.append(replace(item, path=path, key=item.key.removesuffix(".bz2")))
    return replace(files, objects=objects)


def _lazy(files: Files) -> str:
    mark = files.properties.get("field.delim") or files.properties.get("serialization.format") or "\x01"
    mark = "\x01" if mark == "1" else mark
    null = files.properties.get("serialization.null.format", "\\N")
    return f"delim = {quoted(mark)}, quote = '', escape = '', nullstr = {quoted(null)}"


def _open(files: Files) -> str:
    mark = files.properties.get("separatorChar", ",")
    quote = files.properties.get("quoteChar", '"')
    return f"delim = {quoted(mark)}, quote = {quoted(quote)}, escape = {quoted(quote)}, nullstr = ''"


def _value(name: str, files: Files, is_open: bool) -> str:
    kind = files.columns[name].duckdb
    column = identifier(name)
    if kind == "VARCHAR":
        return f"coalesce({column}, '')" if is_open else column
    if is_open and kind == "DATE":
        return f"date '1970-01-01' + {column}::INTEGER"  # OpenCSVSerDe reads days since 1970
    if is_open and kind == "TIMESTAMP":
        return f"make_timestamp({column}::BIGINT * 1000)"  # and milliseconds since 1970
    return f"{column}::{kind}" if is_open else f"try_cast({column} as {kind})"
