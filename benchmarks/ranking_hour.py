"""What ranking one new hour costs with a day and with a year of history behind it, on the local AWS.

Each lake has as many posts on every day of its history; the year comes twice, with a partition for each day and, in
the catalogue, for each hour. The lakes take turns, hour by hour, so that noise falls on all; medians are compared.

    uv run python -m benchmarks.ranking_hour [--hours 8]
"""

import argparse
import statistics
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from postrank.aws.glue import Partition
from postrank.aws.resources import Resources
from postrank.aws.tables import prefix
from tests.sql.test_cost import POSTS, TODAY, _posts, _remember
from tests.support.lake import Lake
from tests.support.localaws import running_localaws

LAKES = {"a day": (1, False), "a year": (365, False), "a year, hourly partitions": (365, True)}


def every_hour(lake):
    """Give the catalogue a partition for every hour of the year, as hourly arrivals leave them."""
    for table in ("raw_posts", "post_versions"):
        known = {one.values for one in lake.catalogue.partitions(table)}
        made = []
        for back in range(1, 366):
            day = str(TODAY - timedelta(days=back))
            for hour in range(24):
                values = (day, f"{hour:02}") if table == "raw_posts" else (f"{day}T{hour:02}", day)
                if values not in known:
                    made.append(Partition(values, f"{prefix(table, lake.names)}empty/{day}/{hour:02}/"))
        lake.catalogue.point(table, made)


def rank(lake, hour):
    """Seconds to rank an hour of today that has just arrived."""
    name = f"{TODAY}T{hour:02}"
    lake.deliver(name, _posts(TODAY, POSTS, hour * 60 - 60, 60))
    started = time.monotonic()
    if not lake.rank([name]):
        raise SystemExit(f"nothing was ranked of {name}")
    return time.monotonic() - started


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=int, default=8)
    hours = parser.parse_args().hours
    with tempfile.TemporaryDirectory() as name, running_localaws(Path(name), speed=100) as aws:
        lakes = {}
        for number, (label, (days, hourly)) in enumerate(LAKES.items()):
            lakes[label] = Lake(aws.client, Resources.of(f"hour{number}", "123456789012")).create()
            _remember(lakes[label], days)
            if hourly:
                every_hour(lakes[label])
        taken = {label: [] for label in lakes}
        for hour in range(1, hours + 1):
            for label, lake in lakes.items():
                taken[label].append(rank(lake, hour))
        first = statistics.median(taken["a day"])
        for label, seconds in taken.items():
            middle = statistics.median(seconds)
            print(f"{label:26} median {middle:5.2f} s   {middle / first:4.2f} of a day's   {min(seconds):.2f} at best")


if __name__ == "__main__":
    main()
