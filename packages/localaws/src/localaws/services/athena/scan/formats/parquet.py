"""Parquet, its columns found by name as Athena does ("Handle schema updates"); a file that lacks one gives nulls."""

from localaws.services.athena.scan.formats import Files, identifier, paths, quoted

SERDES = ("org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe", "parquet.hive.serde.ParquetHiveSerDe")


def relation(files: Files) -> str:
    """A SELECT of the columns, and the file's number as file_index.

    Columns are read under names that tell scan and column ("3.author_id"), so that the plan says what it reads.
    """
    schema = ", ".join(
        f"{quoted(name)}: {{name: {quoted(f'{files.scan}.{name}')}, type: {quoted(kind.duckdb)}, default_value: NULL}}"
        for name, kind in files.columns.items()
    )
    chosen = "".join(f"{identifier(f'{files.scan}.{name}')} as {identifier(name)}, " for name in files.columns)
    return f"select {chosen}file_index from read_parquet({paths(files)}, schema = map {{{schema}}})"  # noqa: S608
