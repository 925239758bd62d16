"""Where the time of `make run` goes: set-up, start, stream, deliver, crawl, query, export, each in seconds.

    python benchmarks/run.py [--runs 3] [--posts FILE ...]

Each run starts from nothing but the installed environment (`postrank up --once`), in a folder of its own. Beside it,
in the same minutes,
DuckDB counts the same file's authors alone: the ratio tells what the chain costs beyond the counting, whatever the
machine.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "include" / "sample" / "synthetic-posts.ndjson.gz"
COUNT = "select author_id, count(distinct post_id) from read_json(?, format = 'newline_delimited') group by 1"


def one_run(posts: list[Path]) -> dict[str, float]:
    """The seconds of each step of one run, and of the whole process."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["--project", str(ROOT), "--var", folder, "--once"]
        for path in posts:
            words += ["--posts", str(path)]
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "postrank", "up", *words], check=True, stdout=subprocess.DEVNULL)
        whole = time.perf_counter() - began
        timings: dict[str, float] = json.loads((Path(folder) / "log" / "timings.json").read_text())
    return {**timings, "whole": whole}


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
    runs, alone = [], []
    for _ in range(options.runs):
        runs.append(one_run(options.posts))
        alone.append(bare(options.posts))
    table = Table("step", "median s", "share of the whole", title=f"{options.runs} runs")
    whole = statistics.median(run["whole"] for run in runs)
    for step in runs[0]:
        seconds = statistics.median(run[step] for run in runs)
        table.add_row(step, f"{seconds:.1f}", f"{seconds / whole:.0%}")
    table.add_row(
        "DuckDB alone, same files", f"{statistics.median(alone):.2f}", f"{statistics.median(alone) / whole:.1%}"
    )
    Console().print(table)


if __name__ == "__main__":
    main()
