"""How much the local Athena costs over bare DuckDB on the same files.

Writes synthetic posts (637 bytes each, 12 packed JSON objects by hour, and the same as Parquet), then asks both engines
for the top authors of each minute and of each hour. Prints wall seconds, the ratio, what Athena says that it scanned
and the server's peak memory. Ratios within one run are what counts.

    uv run python benchmarks/localaws_athena.py [--posts 5000000] [--spark PYTHON]

`--spark` names a Python that has pyspark (and a Java that it likes): PySpark local[2] answers the same, too.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import boto3
import duckdb

from localaws.core.root_key import root_key

HOURS = 12
BUCKET = "benchmark"
POSTS = """
select printf('%019d', i) as post_id,
    'a' || (floor(power(hash(i) % 1000003 / 1000003.0, 4) * 200000))::BIGINT as author_id,
    strftime(timestamp '2026-01-01' + to_hours({hour}) + to_milliseconds((hash(i + 1) % 3600000)::BIGINT),
        '%Y-%m-%dT%H:%M:%S.%gZ') as posted_at,
    repeat(md5(i::VARCHAR) || md5((i + 1)::VARCHAR) || md5((i * 7)::VARCHAR), 6)[:505] as text, 'en' as lang
from range({start}, {stop}) as t (i)
"""
TOP = """
select start, author_id, posts
from (
    select *, row_number() over (partition by start order by posts desc, author_id) as place
    from (select substr(posted_at, 1, {length}) as start, author_id, count(*) as posts from {{table}} group by 1, 2)
) as ranked
where place <= 10
"""
QUERIES = {"minute": TOP.format(length=16), "hour": TOP.format(length=13)}
COLUMNS = ("post_id", "author_id", "posted_at", "text", "lang")


def write(folder, posts):
    """The files: packed JSON lines by hour, and Parquet; their paths by kind."""
    each = posts // HOURS
    found = {"json": [], "parquet": []}
    database = duckdb.connect()
    for hour in range(HOURS):
        source = POSTS.format(hour=hour, start=hour * each, stop=(hour + 1) * each)
        for kind, options in (
            ("json", "format json, compression gzip"),
            ("parquet", "format parquet, compression zstd"),
        ):
            path = folder / f"{hour:02d}.{'json.gz' if kind == 'json' else kind}"
            database.execute(f"copy ({source}) to '{path}' ({options})")
            found[kind].append(path)
    return found


def bare(files, kind, sql, threads):
    """Seconds of DuckDB alone, in a process of its own."""
    columns = ", ".join(f"'{name}': 'VARCHAR'" for name in COLUMNS)
    listed = [str(path) for path in files]
    relation = (
        f"read_json({listed}, columns = {{{columns}}}, format = 'newline_delimited', compression = 'gzip')"
        if kind == "json"
        else f"read_parquet({listed})"
    )
    code = (
        "import duckdb, sys, time;"
        " c = duckdb.connect(config={'threads': sys.argv[2], 'preserve_insertion_order': 'false'});"
        " c.execute('set enable_progress_bar = false');"
        " s = time.monotonic(); c.execute(sys.argv[1]).fetchall(); print(time.monotonic() - s)"
    )
    command = [sys.executable, "-c", code, sql.format(table=relation), threads]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout)


SPARK = """
import sys, time
from pyspark.sql import SparkSession
kind, sql, *paths = sys.argv[1:]
builder = SparkSession.builder.master("local[2]").config("spark.driver.memory", "4g")
spark = builder.config("spark.sql.shuffle.partitions", "8").config("spark.ui.enabled", "false").getOrCreate()
spark.sparkContext.setLogLevel("ERROR")
spark.sql("select 1").collect()
reader = spark.read.schema("{schema}") if kind == "json" else spark.read
started = time.monotonic()
reader.format(kind).load(paths).createOrReplaceTempView("posts")
spark.sql(sql).collect()
print(time.monotonic() - started)
"""


def pyspark(python, files, kind, sql):
    """Seconds of PySpark local[2], in a process of its own whose start is not counted."""
    code = SPARK.format(schema=", ".join(f"{name} string" for name in COLUMNS))
    command = [python, "-c", code, kind, sql.format(table="posts"), *map(str, files)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    return float(done.stdout.split()[-1])


def load(client, files):
    """Put the files into the local S3, and tell the catalogue."""
    client("s3").create_bucket(Bucket=BUCKET)
    client("glue").create_database(DatabaseInput={"Name": "benchmark"})
    hive = "org.apache.hadoop.hive"
    serdes = {"json": "org.openx.data.jsonserde.JsonSerDe", "parquet": f"{hive}.ql.io.parquet.serde.ParquetHiveSerDe"}
    for kind, paths in files.items():
        for path in paths:
            client("s3").upload_file(str(path), BUCKET, f"{kind}/{path.name}")
        storage = {
            "Columns": [{"Name": name, "Type": "string"} for name in COLUMNS],
            "Location": f"s3://{BUCKET}/{kind}/",
            "SerdeInfo": {"SerializationLibrary": serdes[kind]},
        }
        table = {"Name": kind, "TableType": "EXTERNAL_TABLE", "StorageDescriptor": storage}
        client("glue").create_table(DatabaseName="benchmark", TableInput=table)


def athena(client, sql):
    """Seconds from the request to the end, and bytes scanned."""
    started = time.monotonic()
    key = client("athena").start_query_execution(
        QueryString=sql,
        QueryExecutionContext={"Database": "benchmark"},
        ResultConfiguration={"OutputLocation": f"s3://{BUCKET}/results/"},
    )["QueryExecutionId"]
    while True:
        found = client("athena").get_query_execution(QueryExecutionId=key)["QueryExecution"]
        if found["Status"]["State"] not in ("QUEUED", "RUNNING"):
            break
        time.sleep(0.05)
    if found["Status"]["State"] != "SUCCEEDED":
        raise SystemExit(found["Status"]["StateChangeReason"])
    return time.monotonic() - started, found["Statistics"]["DataScannedInBytes"]


def peak_megabytes(process):
    """The most resident memory that a process has had (Linux)."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--posts", type=int, default=5_000_000)
    parser.add_argument("--spark", type=Path, help="a Python that has pyspark")
    asked = parser.parse_args()
    posts = asked.posts
    threads = str(os.cpu_count() or 1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = write(folder, posts)
        command = [sys.executable, "-m", "localaws", "serve", "--port", "0", "--state", str(folder / "state")]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            endpoint = server.stdout.readline().split()[-1]
            root = root_key(folder / "state" / "credentials")
            keys = {"aws_access_key_id": root.key, "aws_secret_access_key": root.secret, "region_name": "us-east-1"}
            clients = {kind: boto3.client(kind, endpoint_url=endpoint, **keys) for kind in ("s3", "glue", "athena")}
            load(clients.__getitem__, files)
            athena(clients.__getitem__, "select 1")
            sizes = (
                f"{kind} {sum(path.stat().st_size for path in paths) / 1e6:.0f} MB" for kind, paths in files.items()
            )
            print(f"{posts:,} posts; files: {', '.join(sizes)}")
            for kind, paths in files.items():
                for window, sql in QUERIES.items():
                    alone = bare(paths, kind, sql, threads)
                    local, scanned = athena(clients.__getitem__, sql.format(table=kind))
                    print(
                        f"{kind:8} {window:7} DuckDB {alone:6.2f} s   localaws {local:6.2f} s"
                        f"   ratio {local / alone:4.2f}   scanned {scanned / 1e6:7.1f} MB"
                    )
                    if asked.spark:
                        slow = pyspark(asked.spark, paths, kind, sql)
                        print(f"{'':16} PySpark {slow:6.2f} s   ratio to localaws {slow / local:5.2f}")
            print(f"the server's peak memory: {peak_megabytes(server.pid):.0f} MB")
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
