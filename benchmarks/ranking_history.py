"""What ranking one new hour costs with a day and with a year of hours behind it.

Fills two lakes on one local AWS, an arrival hour of posts for each hour of their history (8,760 partitions of
`raw_posts` and of `post_versions` for a year), then ranks the same new hours in both, turn by turn. Ratios within one
run are what counts.

    uv run python -m benchmarks.ranking_history [--days 365] [--hours 5]
"""

import argparse
import statistics
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from postrank.aws.resources import Resources
from tests.sql.test_cost import TODAY, cost, remember
from tests.support.lake import Lake
from tests.support.localaws import running_localaws

DAYS_AT_ONCE = 30  # of history, ranked in one run


def filled(aws, name, days):
    """A lake with that many days of hourly arrivals, all ranked."""
    lake = Lake(aws.client, Resources.of(name, "123456789012")).create()
    started = time.monotonic()
    for back in range(days, 0, -DAYS_AT_ONCE):
        some = min(back, DAYS_AT_ONCE)
        remember(lake, some, before=TODAY - timedelta(days=back - some), hours=range(24))
    known = len(lake.catalogue.partitions("post_versions"))
    print(f"{days} days: {known:,} partitions, filled in {time.monotonic() - started:.0f} s", flush=True)
    return lake


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
