"""The steps of `ranking_posts` on Spark alone, local[2]; called by it with a file that says what to do."""

import json
import sys
import time
from pathlib import Path


def main():
    from pyspark.sql import SparkSession

    work = json.loads(Path(sys.argv[1]).read_text())
    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.driver.memory", "2g")
        .config("spark.sql.shuffle.partitions", "4")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.ansi.enabled", "false")
        .config("spark.sql.sources.partitionColumnTypeInference.enabled", "false")
        .config("spark.sql.parquet.compression.codec", "zstd")
        .config("spark.ui.enabled", "false")
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("ERROR")
    for name, table in work["tables"].items():
        columns = ", ".join(f"cast(null as {kind}) as {column}" for column, kind in table["columns"])
        spark.sql(f"select {columns} where false").createOrReplaceTempView(name)
    schema = ", ".join(f"`{name}` {kind}" for name, kind in work["tables"]["raw_posts"]["columns"])
    spark.read.schema(schema).json(work["files"]).createOrReplaceTempView("raw_posts")
    spark.sql(f"create or replace temp view posts as {work['view']}")
    seconds, rows = {}, 0
    for step in work["steps"]:
        started = time.monotonic()
        query = spark.sql(step["sql"])
        if step["table"]:
            target = f"{work['folder']}/{step['table']}"
            query.write.partitionBy(*step["keys"]).parquet(target)
            read = spark.read.parquet(target)
            read.createOrReplaceTempView(step["table"])
            if step["relation"] in work["tables"]:
                run = f", '{work['debt']}' as run" if "run" in work["tables"][step["relation"]]["keys"] else ""
                spark.sql(f"select *{run} from {step['table']}").createOrReplaceTempView(step["relation"])
                spark.sql(f"create or replace temp view posts as {work['view']}")
        else:
            rows = max(rows, len(query.collect()))
        seconds[step["relation"]] = seconds.get(step["relation"], 0) + time.monotonic() - started
    spark.stop()
    print(json.dumps({"seconds": seconds, "rows": rows}))


if __name__ == "__main__":
    main()
