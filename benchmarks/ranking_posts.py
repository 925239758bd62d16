"""A day's posts through the project's ranking statements: the local Athena, and bare DuckDB doing the same steps.

Writes synthetic posts (12 gz files, one an arrival hour) and ranks them with every statement of a run on the local AWS.
The same statements, put into DuckDB's words by sqlglot and reading the same files, then run on DuckDB in a process of
its own, bounded as the local Athena is; with `--spark`, on PySpark local[2] too. Staging, de-duplication, rolling
minutes, ranks and exports are all in them. Ratios within one run are what counts.

    uv run python -m benchmarks.ranking_posts [--posts 5000000] [--spark PYTHON, which has pyspark 4]
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import psutil
import sqlglot

from benchmarks.localaws_athena import peak_megabytes
from localaws.testing.server import running_localaws
from postrank.aws.glue import Partition
from postrank.aws.resources import Resources
from postrank.aws.tables import glue_tables, prefix
from tests.support.lake.ranked_lake import Lake, render

HOURS, DAY = 12, "2026-01-01"
POSTS = """
select 'post' as kind, 'x' as network, printf('%019d', i) as post_id,
    'a' || (floor(power(hash(i) % 1000003 / 1000003.0, 4) * 200000))::BIGINT as author_id, author_id as author_handle,
    strftime(timestamp '{day}' + to_hours({hour}) + to_milliseconds((hash(i + 1) % 3600000)::BIGINT),
        '%Y-%m-%dT%H:%M:%S.%gZ') as posted_at,
    repeat(md5(i::VARCHAR) || md5((i + 1)::VARCHAR) || md5((i * 7)::VARCHAR), 5)[:400] as text, 'en' as lang,
    posted_at as received_at
from range({start}, {stop}) as t (i)
"""


class Recording(Lake):
    """A lake that notes the statements of a run, and how long each took."""

    def write(self, path, statements, *attempt):
        started = time.monotonic()
        done = super().write(path, statements, *attempt)
        self.steps += [{"path": path, "sql": render(path, **one), "run": "", **one} for one in statements]
        self.seconds[path] = time.monotonic() - started
        return done


def write(folder, posts):
    """The files, by arrival hour."""
    each, database = posts // HOURS, duckdb.connect()
    for hour in range(HOURS):
        target = folder / f"dt={DAY}" / f"hour={hour:02}"
        target.mkdir(parents=True)
        source = POSTS.format(day=DAY, hour=hour, start=hour * each, stop=(hour + 1) * each)
        database.execute(f"copy ({source}) to '{target}/posts.ndjson.gz' (format json, compression gzip)")


def local(aws, files):
    """Rank on the local AWS; the lake, with what ran, and the seconds of the whole run."""
    lake = Recording(aws.client, Resources.of("bench", "123456789012")).create()
    lake.steps, lake.seconds, partitions = [], {}, []
    root = prefix("raw_posts", lake.names)
    for path in sorted(files.rglob("*.gz")):
        day, hour = (part.partition("=")[2] for part in path.parent.parts[-2:])
        key = f"{root.split('/', 3)[3]}{path.relative_to(files)}"
        lake.client("s3").upload_file(str(path), lake.names.buckets["raw"], key)
        partitions.append(Partition((day, hour), f"{root}dt={day}/hour={hour}/"))
    lake.catalogue.point("raw_posts", partitions)
    lake.athena.rows("select 1")  # the engine is loaded
    started = time.monotonic()
    lake.rank([f"{DAY}T{hour:02}" for hour in range(HOURS)])
    return lake, time.monotonic() - started


def plan(lake, files, folder, dialect):
    """What an engine is to do: the tables as they are before, and each step's query in its words."""
    tables = {
        table["Name"]: {
            "columns": [
                (one["Name"], one["Type"])
                for one in [*table["StorageDescriptor"]["Columns"], *table.get("PartitionKeys", [])]
            ],
            "keys": [one["Name"] for one in table.get("PartitionKeys", [])],
        }
        for table in glue_tables(lake.names)
    }
    view = render("ddl/posts.sql").split(" as\n", 1)[1]
    steps = []
    for step in lake.steps:
        body = step["sql"].split("\n) as\n", 1)[-1]
        relation = Path(step["path"]).stem
        keys = step["sql"].split("partitioned_by = array[")[1].split("]")[0] if "partitioned_by" in step["sql"] else ""
        steps.append(
            {
                "relation": "author_ranking_revisions" if relation == "author_ranking" else relation,
                "table": step.get("table"),
                "run": step.get("run"),
                "keys": [key.strip(" '") for key in keys.split(",") if key],
                "sql": _spoken(body, dialect),
            }
        )
    debt = next(step["debt_runs"][0] for step in lake.steps if step["path"] == "marts/author_ranking.sql")
    return {
        "files": str(files),
        "folder": str(folder),
        "tables": tables,
        "view": _spoken(view, dialect),
        "steps": steps,
        "debt": debt,
    }


def _spoken(sql, dialect):
    """A query in another engine's words."""
    tree = sqlglot.parse_one(sql, read="athena")
    if dialect == "spark":
        for node in list(tree.find_all(sqlglot.exp.DateAdd)):  # would become date_add, which counts days only
            words = [sqlglot.exp.var(node.text("unit").upper()), node.expression.copy(), node.this.copy()]
            node.replace(sqlglot.exp.Anonymous(this="timestampadd", expressions=words))
        for node in list(tree.find_all(sqlglot.exp.Try)):  # its casts give null by themselves
            node.replace(node.this.copy())
    return tree.sql(dialect=dialect)


def apart(python, engine, work, folder):
    """Seconds that another engine takes for the steps, in a process of its own, and CPU seconds, its start included."""
    told = folder / f"{engine}.json"
    told.write_text(json.dumps(work))
    script = Path(__file__).with_name(f"ranking_posts_{engine}.py")
    before = _of_children()
    done = subprocess.run([python, str(script), str(told)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    return {**json.loads(done.stdout.splitlines()[-1]), "cpu": _of_children() - before}


def _of_children():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--posts", type=int, default=5_000_000)
    parser.add_argument("--spark", metavar="PYTHON")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = folder / "files"
        write(files, arguments.posts)
        size = sum(path.stat().st_size for path in files.rglob("*.gz"))
        print(f"{arguments.posts:,} posts, {size / 1e6:.0f} MB in {HOURS} gz files", flush=True)
        (folder / "aws").mkdir()
        with running_localaws(folder / "aws", speed=100) as aws:
            lake, whole = local(aws, files)
            used = psutil.Process(aws.process.pid).cpu_times()
            peak = peak_megabytes(aws.process.pid)
            exported = lake.results.manifest()
        mine = sum(lake.seconds.values())
        told = ", ".join(f"{Path(path).stem} {taken:.1f}" for path, taken in lake.seconds.items())
        cpu = used.user + used.system
        print(f"local AWS: {mine:.1f} s for the statements ({told}); {whole:.1f} s for the run; {cpu:.1f} CPU s")
        print(f"   {peak:.0f} MB at most")
        print(f"   {exported['posts']:,} posts ranked", flush=True)
        engines = {"duckdb": sys.executable, **({"spark": arguments.spark} if arguments.spark else {})}
        for engine, python in engines.items():
            work = plan(lake, files, folder / engine, engine)
            report(engine, apart(python, engine, work, folder), mine, cpu)


def report(engine, found, mine, cpu):
    """Print what an engine took, and how the local AWS compares, which took `mine` seconds, and `cpu` of CPU."""
    told = ", ".join(f"{step} {taken:.1f}" for step, taken in found["seconds"].items())
    alone = sum(found["seconds"].values())
    print(f"{engine}: {alone:.1f} s ({told}); {found['rows']} rows; {found['cpu']:.1f} CPU s")
    print(f"   local AWS {mine / alone:.2f} of its seconds, {cpu / found['cpu']:.2f} of its CPU", flush=True)


if __name__ == "__main__":
    main()
