"""The steps of `ranking_posts` on DuckDB alone; called by it with a file that says what to do."""

import json
import os
import sys
import time
from pathlib import Path


def main():
    import duckdb

    work = json.loads(Path(sys.argv[1]).read_text())
    folder = Path(work["folder"])
    folder.mkdir()
    config = {"threads": os.cpu_count() or 1, "memory_limit": "900MB", "temp_directory": str(folder / "spill")}
    database = duckdb.connect(config={**config, "preserve_insertion_order": "false"})
    database.execute("set TimeZone = 'UTC'; set enable_progress_bar = false")
    for name, table in work["tables"].items():
        columns = ", ".join(f"null::{_type(kind)} as {column}" for column, kind in table["columns"])
        database.execute(f"create view {name} as select {columns} where false")
    raw = work["tables"]["raw_posts"]
    columns = {name: _type(kind) for name, kind in raw["columns"] if name not in raw["keys"]}
    database.execute(
        f"create or replace view raw_posts as select * from read_json('{work['files']}/*/*/*.gz', columns = {columns},"
        " format = 'newline_delimited', hive_partitioning = true, hive_types_autocast = false)"
    )
    database.execute(f"create view posts as {work['view']}")
    seconds, rows = {}, 0
    for step in work["steps"]:
        started = time.monotonic()
        if step["table"]:
            _write(database, work, step, folder)
        else:
            rows = max(rows, len(database.execute(step["sql"]).fetchall()))
        seconds[step["relation"]] = seconds.get(step["relation"], 0) + time.monotonic() - started
    print(json.dumps({"seconds": seconds, "rows": rows}))


def _write(database, work, step, folder):
    """Write a step's Parquet, and let its relation be read from there."""
    target = folder / step["table"]
    target.mkdir()
    into = f"'{target}', partition_by ({', '.join(step['keys'])})" if step["keys"] else f"'{target}/rows.parquet'"
    place, _, options = into.partition(",")
    comma = f",{options}" if options else ""
    database.execute(f"copy ({step['sql']}) to {place} (format parquet, compression zstd{comma})")
    depth = "/*" * len(step["keys"])
    read = f"from read_parquet('{target}{depth}/*.parquet', hive_partitioning = true, hive_types_autocast = false)"
    database.execute(f"create or replace view {step['table']} as select * {read}")
    if step["relation"] in work["tables"]:
        run = f", '{work['debt']}' as run" if "run" in work["tables"][step["relation"]]["keys"] else ""
        database.execute(f"create or replace view {step['relation']} as select *{run} {read}")


def _type(kind):
    plain = {"string": "VARCHAR", "array<string>": "VARCHAR[]"}
    return plain.get(kind, kind.upper())


if __name__ == "__main__":
    main()
