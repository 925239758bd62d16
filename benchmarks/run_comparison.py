"""`make run ONCE=1` compared with the same run of another checkout, in pairs: seconds of each, and their ratio.

    python -m benchmarks.run_comparison --other CHECKOUT [--cases sample million months years] [--pairs 3]

Each run starts from nothing but the installed environment (`.venv` of its checkout), in a folder of its own. The two
checkouts take turns, and which of them begins alternates, because machines are noisy. `--alone` leaves the other
checkout out: the cases are then compared with the bundled sample of the same minutes.

Cases: the bundled sample; a million X posts at 100 a second; 14,940 posts spread over five months; 8,140 posts spread
over 22 months, in some 4,300 distinct hours.
"""

import argparse
import random
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import orjson
from rich.console import Console
from rich.table import Table

from benchmarks.x_posts import START, write_x_posts, x_post

ROOT = Path(__file__).resolve().parents[1]
_MILLION = 1_000_000


def write_spread_posts(path: Path, instants: Iterable[datetime], seed: int = 7) -> Path:
    """A file of one X stream object for each instant."""
    draw = random.Random(seed)
    with path.open("wb") as file:
        for number, instant in enumerate(instants):
            post = x_post(number, draw)
            post["data"]["created_at"] = f"{instant:%Y-%m-%dT%H:%M:%S}.000Z"
            file.write(orjson.dumps(post, option=orjson.OPT_APPEND_NEWLINE))
    return path


def spread_evenly(posts: int, days: int) -> Iterator[datetime]:
    """The instants of posts that are evenly apart."""
    return (START + timedelta(days=days) * number / posts for number in range(posts))


def spread_over_hours(posts: int, days: int, hours: int, seed: int = 7) -> Iterator[datetime]:
    """The instants of posts that fall into exactly so many distinct hours, in order of time."""
    draw = random.Random(seed)
    chosen = draw.sample(range(days * 24), hours)
    of_posts = sorted([*chosen, *draw.choices(chosen, k=posts - hours)])
    return (START + timedelta(hours=hour, seconds=draw.randrange(3600)) for hour in of_posts)


def files(case: str, folder: Path) -> list[Path]:
    """The files of a case; none for the bundled sample."""
    path = folder / f"{case}.ndjson"
    if case == "million":
        return [write_x_posts(path, _MILLION)]
    if case == "months":
        return [write_spread_posts(path, spread_evenly(14_940, 150))]
    if case == "years":
        return [write_spread_posts(path, spread_over_hours(8_140, 670, 4_337))]
    return []


def run_seconds(checkout: Path, posts: list[Path]) -> float:
    """The seconds of a whole `postrank up --once` with a checkout's own environment."""
    with tempfile.TemporaryDirectory() as folder:
        command = [checkout / ".venv" / "bin" / "python", "-m", "postrank", "up", "--project", checkout]
        command += ["--var", Path(folder) / "var", "--once"]
        for path in posts:
            command += ["--posts", path]
        began = time.perf_counter()
        run = subprocess.run(command, check=False, cwd=folder, capture_output=True, text=True)
        seconds = time.perf_counter() - began
    if run.returncode:
        raise SystemExit(
            f"{checkout}: `postrank up` ended with status {run.returncode}:\n{run.stdout[-2000:]}{run.stderr[-2000:]}"
        )
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    compared = parser.add_mutually_exclusive_group(required=True)
    compared.add_argument("--other", type=Path, help="a checkout with an environment in .venv")
    compared.add_argument("--alone", action="store_true", help="compare the cases with the bundled sample instead")
    parser.add_argument("--cases", nargs="+", choices=("sample", "million", "months", "years"), default=["sample"])
    parser.add_argument("--pairs", type=int, default=3)
    options = parser.parse_args()
    checkouts = [ROOT] if options.alone else [ROOT, options.other.resolve()]
    names = list(dict.fromkeys(["sample", *options.cases])) if options.alone else options.cases
    seconds: dict[tuple[str, Path], list[float]] = {(case, checkout): [] for case in names for checkout in checkouts}
    with tempfile.TemporaryDirectory() as folder:
        posts = {case: files(case, Path(folder)) for case in names}
        for pair in range(options.pairs):
            for case in names:
                for checkout in checkouts[:: -1 if pair % 2 else 1]:
                    taken = run_seconds(checkout, posts[case])
                    seconds[case, checkout].append(taken)
                    print(f"pair {pair + 1}, {case}, {checkout}: {taken:.1f} s", flush=True)
    _print(seconds, names, checkouts)


def _print(seconds: dict[tuple[str, Path], list[float]], names: list[str], checkouts: list[Path]) -> None:
    baseline = "the sample" if len(checkouts) == 1 else "the other"
    table = Table("case", "median s", f"median s of {baseline}", "ratio (median of the pairs)")
    for case in names:
        own = seconds[case, checkouts[0]]
        other = seconds[("sample", ROOT) if len(checkouts) == 1 else (case, checkouts[1])]
        ratio = statistics.median(a / b for a, b in zip(own, other, strict=True))
        table.add_row(case, f"{statistics.median(own):.1f}", f"{statistics.median(other):.1f}", f"{ratio:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
