"""The steps of `ranking_posts` on PySpark local[2]; called by it with a file that says what to do.

Runs under any Python that has pyspark, and imports nothing else of the project.
"""

import json
import sys
import time
from pathlib import Path

SETTINGS = {
    "spark.driver.memory": "4g",
    "spark.sql.shuffle.partitions": "8",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "false",  # a cast that cannot succeed gives null, as TRY makes it
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    "spark.ui.enabled": "false",
}


def main():
    from pyspark.sql import SparkSession

    work = json.loads(Path(sys.argv[1]).read_text())
    folder = Path(work["folder"])
    builder = SparkSession.builder.master("local[2]").config("spark.local.dir", str(folder / "spill"))
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    for name, table in work["tables"].items():
        columns = ", ".join(f"cast(null as {kind}) as {column}" for column, kind in table["columns"])
        spark.sql(f"select {columns} where false").createOrReplaceTempView(name)
    raw = work["tables"]["raw_posts"]
    schema = ", ".join(f"{name} {kind}" for name, kind in raw["columns"])
    spark.read.schema(schema).json(work["files"]).createOrReplaceTempView("raw_posts")
    spark.sql(f"create or replace temp view posts as {work['view']}")
    seconds, rows = {}, 0
    for step in work["steps"]:
        started = time.monotonic()
        if step["table"]:
            _write(spark, work, step, folder)
        else:
            rows = max(rows, len(spark.sql(step["sql"]).collect()))
        seconds[step["relation"]] = seconds.get(step["relation"], 0) + time.monotonic() - started
    print(json.dumps({"seconds": seconds, "rows": rows}))


def _write(spark, work, step, folder):
    """Write a step's Parquet, and let its relation be read from there."""
    target = str(folder / step["table"])
    spark.sql(step["sql"]).write.partitionBy(*step["keys"]).parquet(target)
    written = spark.read.parquet(target)
    written.createOrReplaceTempView(step["table"])
    if step["relation"] not in work["tables"]:
        return
    if "run" in work["tables"][step["relation"]]["keys"]:
        written = written.selectExpr("*", f"'{work['debt']}' as run")
    written.createOrReplaceTempView(step["relation"])
    if step["relation"] == "post_versions":  # a view holds the tables that it was made over
        spark.sql(f"create or replace temp view posts as {work['view']}")


if __name__ == "__main__":
    main()
