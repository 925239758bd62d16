"""What Postrank costs a month at 10, 100 and 1,000 posts a second: volumes times the prices of prices.toml.

The assumptions stand below as constants, each with its reason. `python scripts/cost.py` prints the table,
`--write` puts it into docs/deploy.md, where a test compares it.
"""

import math
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/deploy.md"
BEGIN = "<!-- cost: python scripts/cost.py --write -->\n"
END = "<!-- end of cost -->\n"
RATES = (10, 100, 1000)  # posts a second, day and night
HOURS = 730
SECONDS = 730 * 3600  # of a month
GB = 1e9
MB = 1e6

POST_BYTES = 637  # a native record on the wire; the mean of the posts that the benchmarks use
GZIP = 5.5  # how much smaller Firehose makes them; same posts
PARQUET = 3 * GZIP  # the lake's versions hold a third of that: no raw text of fields that nothing asks for
WINDOW_LINES = 0.8
WINDOW_BYTES = 280  # an author's minute: few write twice in one
SHARD_BYTES = 1e6
SHARD_LOAD = 0.5  # a shard takes 1 MB/s; half of it is for peaks
RAW_DAYS = 30
LAKE_DAYS = 365  # terraform's raw_days; a year of history
RAW_PASSES = 2
DAY_PASSES = 3  # statements of an hour that read what arrived, and the versions of the day so far
STATEMENTS = 20  # of an hour, checks and hashtags included; most of them scan less than the least that is counted
CRAWLS = 1
CRAWL_DPU_HOURS = 2 * 10 / 60  # an hour; two DPUs, for the ten minutes that are counted at least
OBJECTS_A_RUN = 400  # S3 calls of one ranking run: listings, Parquet, exports
METRICS = 24
ALARMS = 15
SECRETS = 5
ZONES = 2
LOG_GB = 1.0  # streamer, Firehose, host
SPARK_VCPUS = 4  # a driver of two, and one executor of two: one core counts more than 1,000 posts a second
SPARK_GB = 16
SPARK_PUTS = 20  # S3 calls of a batch: state, offsets, open windows
SPARK_SECONDS = 60  # between two batches of each of five queries


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the table: what it is, and dollars a month by rate."""

    name: str
    dollars: tuple[float, ...]


def items(prices: dict[str, Any]) -> list[Item]:
    """Every line, for each of RATES."""
    lines: dict[str, list[float]] = {}
    for rate in RATES:
        for name, dollars in _month(prices, rate).items():
            lines.setdefault(name, []).append(dollars)
    return [Item(name, tuple(dollars)) for name, dollars in lines.items()]


def _month(prices: dict[str, Any], rate: int) -> dict[str, float]:
    hour, gb, stored, million, month = (prices[key] for key in ("hour", "gb", "gb_month", "million", "month"))
    posts = rate * POST_BYTES
    windows = rate * WINDOW_LINES * WINDOW_BYTES  # bytes a second
    shards = sum(math.ceil(one / (SHARD_BYTES * SHARD_LOAD)) for one in (posts, windows))
    delivered = (posts + windows) / GZIP
    # Firehose writes each of two streams every 300 s, or every 64 MiB before compression.
    objects = sum(max(SECONDS / 300, one * SECONDS / (64 * 2**20)) for one in (posts, windows))
    versions_a_day = posts / PARQUET * 86400
    scanned_an_hour = max(RAW_PASSES * delivered * 3600 + DAY_PASSES * versions_a_day / 2, STATEMENTS * 10 * MB)
    return {
        "Streamer: instance, address, two disks": HOURS * (hour["instance"] + hour["public_ipv4"]) + 18 * stored["gp3"],
        "Kinesis: shards and payload units": HOURS * shards * hour["shard"]
        + math.ceil((posts + windows) * SECONDS / 25_000) / 1e6 * million["kinesis_put_units"],
        "Endpoint of Kinesis in two zones": HOURS * ZONES * hour["endpoint"]
        + (posts + windows) * SECONDS / GB * gb["endpoint"],
        "Firehose": (posts + windows) * SECONDS / GB * gb["firehose_in"],
        "S3: raw zone, a year of the lake, calls": (delivered * 86400 * RAW_DAYS + versions_a_day * LAKE_DAYS)
        / GB
        * stored["s3"]
        + (objects + HOURS * OBJECTS_A_RUN) / 1e6 * million["s3_put"],
        "Glue crawler, hourly": HOURS * CRAWLS * CRAWL_DPU_HOURS * hour["crawler_dpu"],
        "Athena": HOURS * scanned_an_hour / GB * gb["athena_scanned"],
        "CloudWatch, secrets": METRICS * month["metric"]
        + ALARMS * month["alarm"]
        + SECRETS * month["secret"]
        + LOG_GB * gb["logs_in"],
    }


def choices(prices: dict[str, Any]) -> list[Item]:
    """What may come on top or in place of a line above, for each of RATES."""
    hour = prices["hour"]
    gb = prices["gb"]
    database = HOURS * hour["database"] + 20 * prices["gb_month"]["database"]
    mwaa = HOURS * (hour["mwaa_small"] + hour["nat"] + hour["public_ipv4"])
    volumes = [rate * (POST_BYTES + WINDOW_LINES * WINDOW_BYTES) * SECONDS / GB for rate in RATES]
    on_demand = [2 * HOURS * hour["stream"] + one * (gb["stream_in"] + gb["stream_out"]) for one in volumes]
    spark = HOURS * (SPARK_VCPUS * hour["emr_vcpu"] + SPARK_GB * hour["emr_memory"])
    spark += 5 * SPARK_PUTS * SECONDS / SPARK_SECONDS / 1e6 * prices["million"]["s3_put"]
    return [
        Item("Kinesis on demand instead of shards (`shards = 0`)", tuple(on_demand)),
        Item("Airflow on your own host (t4g.large)", (HOURS * hour["airflow_host"],) * len(RATES)),
        Item("or Amazon MWAA (mw1.small) with its NAT gateway", (mwaa,) * len(RATES)),
        Item("or Airflow on ECS Fargate (dev: a database in one zone)", (_airflow_on_ecs(prices),) * len(RATES)),
        Item("its load balancer with a sign-in, and the NAT gateway", (_sign_in(hour),) * len(RATES)),
        Item("Postgres for rankings (prod's db.t4g.small, two zones)", (database,) * len(RATES)),
        Item("The app: two Fargate tasks behind a load balancer", (_app(hour),) * len(RATES)),
        Item("Spark on EMR Serverless (4 vCPUs, 16 GB, five queries)", (spark,) * len(RATES)),
    ]


def _app(hour: dict[str, float]) -> float:
    """The app (512 CPU units, 1 GB) and `postrank live` (256, 0.5 GB), their addresses, and the load balancer, whose
    readers use a unit of its capacity.
    """
    vcpus = 0.75
    gigabytes = 1.5
    tasks = vcpus * hour["fargate_vcpu"] + gigabytes * hour["fargate_gb"] + 2 * hour["public_ipv4"]
    return HOURS * (tasks + hour["balancer"] + hour["balancer_unit"])


def _airflow_on_ecs(prices: dict[str, Any]) -> float:
    """Four services with their addresses, as the variable's defaults size them, their database, and four keys."""
    hour = prices["hour"]
    vcpus = 0.5 + 1 + 0.5 + 0.5  # api-server, scheduler, dag-processor, triggerer
    gigabytes = 2 + 4 + 2 + 1
    services = vcpus * hour["fargate_vcpu"] + gigabytes * hour["fargate_gb"] + 4 * hour["public_ipv4"]
    database = HOURS * hour["metadata"] + 20 * prices["gb_month"]["metadata"]
    return float(HOURS * services + database + 4 * prices["month"]["secret"])


def _sign_in(hour: dict[str, float]) -> float:
    return HOURS * (hour["balancer"] + hour["balancer_unit"] + hour["nat"] + hour["public_ipv4"])


def table(prices: dict[str, Any]) -> str:
    """The table in Markdown, with the prices' date."""
    needed = items(prices)
    total = Item("**Sum without Airflow**", tuple(sum(item.dollars[n] for item in needed) for n in range(len(RATES))))
    head = ["US dollars a month", *(f"{rate:,} posts/s" for rate in RATES)]
    rows = [head, ["---", *("---:" for _ in RATES)]]
    rows += [
        [item.name, *(f"{dollars:,.0f}" for dollars in item.dollars)] for item in (*needed, total, *choices(prices))
    ]
    said = (
        f"List prices of {prices['region']} as of {prices['as_of']} (`scripts/prices.toml`); "
        "the assumptions are in `scripts/cost.py`.\n\n"
    )
    return said + "".join("| " + " | ".join(row) + " |\n" for row in rows)


def page_with(text: str, made: str) -> str:
    """The page with the table in its place."""
    before, rest = text.split(BEGIN)
    return before + BEGIN + made + END + rest.split(END)[1]


def main() -> None:
    """Print the table, or write it into the page."""
    made = table(tomllib.loads((ROOT / "scripts/prices.toml").read_text(encoding="utf-8")))
    if "--write" in sys.argv[1:]:
        PAGE.write_text(page_with(PAGE.read_text(encoding="utf-8"), made), encoding="utf-8")
    else:
        print(made, end="")


if __name__ == "__main__":
    main()
