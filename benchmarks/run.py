"""Where the time of `make run` goes: set-up, start, stream, deliver, crawl, query, export, each in seconds.

    python benchmarks/run.py [--runs 3] [--posts FILE ...]

Set-up is `uv sync` into an empty folder, from a warm package cache. Each run starts from nothing but the installed
environment (`postrank up --once`), in a folder of its own. Beside it, in the same minutes, DuckDB counts the same
file's authors alone: the ratio tells what the chain costs beyond the counting, whatever the machine.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import duckdb
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "include" / "sample" / "synthetic-posts.ndjson.gz"
COUNT = "select author_id, count(distinct post_id) from read_json(?, format = 'newline_delimited') group by 1"
STARTS = ("local AWS", "resources", "Airflow")
EXPORTS = ("publish_ranking", "write_report")


def set_up() -> float:
    """The seconds that an environment takes from the lock, its byte code included."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        environment = {**os.environ, "UV_PROJECT_ENVIRONMENT": str(Path(folder) / "venv")}
        command = [os.environ.get("UV", "uv"), "sync", "--locked", "--all-packages", "--all-extras", "--quiet"]
        subprocess.run(command, check=True, cwd=ROOT, env=environment)
        return time.perf_counter() - began


def one_run(posts: list[Path]) -> dict[str, float]:
    """The seconds of each part of one run, and of the whole process. Parts overlap: their sum is no whole."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["--project", str(ROOT), "--var", folder, "--once"]
        for path in posts:
            words += ["--posts", str(path)]
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "postrank", "up", *words], check=True, stdout=subprocess.DEVNULL)
        whole = time.perf_counter() - began
        timings = json.loads((Path(folder) / "log" / "timings.json").read_text())
    steps, tasks = timings["steps"], defaultdict(float, timings["tasks"]["rank_authors"])
    export = sum(tasks[one] for one in EXPORTS)
    return {
        **{f"start: {step}": steps[step] for step in STARTS},
        "stream": steps["streamer"],
        "deliver": steps["delivery"],
        "supervise and check": max(steps["supervise_streamer"], steps["check_delivery"]),
        "crawl": steps["refresh_catalog"],
        "rank": steps["rank_authors"],
        "rank: Athena": timings["athena"],
        "rank: export and report": export,
        "rank: Airflow, and the tasks between": steps["rank_authors"] - timings["athena"] - export,
        "whole": whole,
    }


def bare(posts: list[Path]) -> float:
    """The seconds that DuckDB takes to count the same files' authors."""
    began = time.perf_counter()
    duckdb.execute(COUNT, [[str(path) for path in posts]]).fetchall()
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--posts", type=Path, nargs="*", default=[SAMPLE])
    options = parser.parse_args()
    environment = set_up()
    runs, alone = [], []
    for _ in range(options.runs):
        runs.append(one_run(options.posts))
        alone.append(bare(options.posts))
    table = Table("part", "median s", "of the whole", title=f"{options.runs} runs")
    whole = statistics.median(run["whole"] for run in runs)
    table.add_row("set-up, once", f"{environment:.1f}", "")
    for step in runs[0]:
        seconds = statistics.median(run[step] for run in runs)
        table.add_row(step, f"{seconds:.1f}", f"{seconds / whole:.0%}")
    table.add_row(
        "DuckDB alone, same files", f"{statistics.median(alone):.2f}", f"{statistics.median(alone) / whole:.1%}"
    )
    Console().print(table)


if __name__ == "__main__":
    main()
