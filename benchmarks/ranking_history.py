"""What ranking one new hour costs with a day and with a year of hours behind it.

Fills two lakes on one local AWS, an arrival hour of posts for each hour of the newest 31 days of their history: as far
as a run may look back. Older hours are partitions (8,760 of `raw_posts`, as many of `post_versions` for a year) that
point at the oldest day's objects, so that a statement that read them would be seen to. Then ranks the same new hours in
both, turn by turn. Ratios within one run are what counts.

    uv run python -m benchmarks.ranking_history [--days 365] [--hours 5]
"""

import argparse
import statistics
import tempfile
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from localaws.testing.server import running_localaws
from postrank.aws.resources import Resources
from tests.sql.test_cost import TODAY, cost, remember
from tests.support.lake.ranked_lake import Lake

LOOKED_BACK = 31  # days
TABLES = ("raw_posts", "post_versions", "author_minutes", "author_ranking_revisions")


def filled(aws, name, days):
    """A lake with that many days of hourly arrivals, all ranked."""
    lake = Lake(aws.client, Resources.of(name, "123456789012")).create()
    started, ranked = time.monotonic(), min(days, LOOKED_BACK)
    remember(lake, ranked, hours=range(24))
    oldest = TODAY - timedelta(days=ranked)
    for table in TABLES:
        known = [one for one in lake.catalogue.partitions(table) if str(oldest) in one.values[0]]
        older = [str(oldest - timedelta(days=back)) for back in range(1, days - ranked + 1)]
        lake.catalogue.point(table, [_moved(one, str(oldest), day) for day in older for one in known])
    known = ", ".join(f"{len(lake.catalogue.partitions(table)):,} of {table}" for table in TABLES)
    print(f"{days} days, filled in {time.monotonic() - started:.0f} s: partitions {known}", flush=True)
    return lake


def _moved(partition, day, to):
    """The partition as one of another day."""
    return replace(partition, values=tuple(value.replace(day, to) for value in partition.values))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--hours", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running_localaws(Path(folder), speed=100) as aws:
        lakes = [filled(aws, "day", 1), filled(aws, "year", arguments.days)]
        found = [[cost(lake, hour) for lake in lakes] for hour in range(1, arguments.hours + 1)]
    for what, unit in enumerate(("bytes", "seconds")):
        day, year = (statistics.median(hour[n][what] for hour in found) for n in range(2))
        print(f"{unit}: {day:,.1f} with a day, {year:,.1f} with {arguments.days} days: {year / day:.2f} of it")


if __name__ == "__main__":
    main()
