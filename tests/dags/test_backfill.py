"""`backfill_posts` for real: slices as commands on an instance, servers that speak as X and Mastodon do, the ledger."""

import gzip
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from localaws.testing.patience import patient
from localaws.testing.server import LocalAws
from localaws.testing.waiting import wait_for
from postrank.aws.glue import Catalogue, Partition
from postrank.collectors.registry import Entry, Registry
from postrank.laptop.provision import Provision
from tests.dags.conftest import NAMES, UNIT, provisioned
from tests.support.fakes.mastodon import TOKEN as MASTODON_TOKEN
from tests.support.fakes.mastodon import FakeMastodon, fake_mastodon, status
from tests.support.fakes.x import TOKEN as X_TOKEN
from tests.support.fakes.x import FakeX, fake_x, post

pytestmark = [pytest.mark.timeout(patient(180)), pytest.mark.in_file_order]

RAW = NAMES.buckets["raw"]
NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
SINCE = NOW - timedelta(hours=30)  # a gap of two hours of yesterday


def at(minutes: float) -> str:
    return (SINCE + timedelta(minutes=minutes)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass
class Host:
    """The streamer's host, with its configuration, beside the networks that it would read."""

    aws: LocalAws
    x: FakeX
    mastodon: FakeMastodon
    config: Path

    def reads(self, text: str) -> None:
        state = self.config.parent / "state"
        self.config.write_text(f'state = "{state}"\ncollector = "host"\n{text}', encoding="utf-8")

    def reads_x(self, **more: Any) -> None:
        told = {"bearer_token": X_TOKEN, "host": self.x.url, "gap_query": "cats", "manage_rules": False, "margin": 0}
        told |= {"daily_budget": 10.0, "monthly_budget": 10.0, **more}
        self.reads('[source]\nkind = "x"\n' + "".join(f"{key} = {json.dumps(value)}\n" for key, value in told.items()))

    def ledger(self) -> list[dict[str, Any]]:
        rows = [json.loads(line) for body in self.bodies("ledgers/gaps/") for line in body.splitlines()]
        return sorted(rows, key=lambda row: row["noted_at"])

    def note(self, name: str, **row: Any) -> None:
        """A row of the gap ledger, as a streamer writes it."""
        base = {"collector": "host", "reason": "down", "recovered_by": None, "noted_at": at(200)}
        key = f"ledgers/gaps/dt={NOW:%Y-%m-%d}/{name}.ndjson"
        self.aws.client("s3").put_object(Bucket=RAW, Key=key, Body=json.dumps(base | row).encode() + b"\n")

    def bodies(self, prefix: str) -> list[bytes]:
        s3 = self.aws.client("s3")
        found = s3.list_objects_v2(Bucket=RAW, Prefix=prefix).get("Contents", [])
        return [s3.get_object(Bucket=RAW, Key=one["Key"])["Body"].read() for one in found]

    def delivered(self) -> list[dict[str, Any]]:
        lines = (line for body in self.bodies("raw/posts/") for line in gzip.decompress(body).splitlines())
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    folder = tmp_path_factory.mktemp("backfilled")
    config = folder / "streamer.toml"
    program = folder / "units" / "bin" / "postrank-backfill"
    with fake_x() as x, fake_mastodon() as mastodon, provisioned(folder, UNIT) as aws:
        program.parent.mkdir()
        told = f"POSTRANK_ACCOUNT={NAMES.account} exec {sys.executable} -m postrank backfill --config {config}"
        program.write_text(f'#!/bin/sh\n{told} "$@"\n')
        program.chmod(0o700)
        Provision(aws.client, NAMES).streamer(NAMES.streamer.service)
        ssm = aws.client("ssm")
        wait_for(lambda: ssm.describe_instance_information()["InstanceInformationList"], timeout=30, what="the agent")
        yield Host(aws, x, mastodon, config)


@pytest.fixture(scope="module")
def backfill(host, run_dag):
    usual = {"source": "ledger", "span_start": None, "span_end": None, "archives": [], "budget_usd": 5.0}

    def run(**conf: Any) -> Any:
        return run_dag("backfill_posts", **usual | {"slice_minutes": 60, "lookback_days": 7} | conf)

    return run


def test_an_open_gap_of_the_ledger_is_searched_in_slices_and_marked_as_recovered(host, backfill):
    host.reads_x()
    host.note("gap", source="x", gap_from=at(0), gap_to=at(90))
    host.note("far", source="bluesky", gap_from=at(0), gap_to=at(10))
    host.x.found = [post(number, created_at=at(number)) for number in range(89)]
    outcome = backfill()
    assert outcome.state == "success"
    whole_seconds = [[at(minute).replace(".000Z", "Z")] for minute in (0, 60)]
    assert sorted(query["start_time"] for query in host.x.search_queries) == whole_seconds  # slices, in any order
    marked = [row for row in host.ledger() if (row["gap_from"], row["gap_to"]) == (at(0), at(90))]
    assert [(row["source"], row["recovered_by"]) for row in marked] == [("x", None), ("x", "recent-search")]
    assert outcome.returned("close_gaps") == "89 posts delivered, 1 gaps stay open"
    wait_for(lambda: len(host.delivered()) >= 89, timeout=60, what="the posts in the raw zone")
    again = backfill()
    assert set(again.tasks.values()) == {"skipped"}


def test_a_slice_that_is_read_again_counts_no_post_twice(host, backfill, run_dag):
    host.reads_x()
    host.x.found = [post(number, created_at=at(number)) for number in range(89)]
    before = len(host.delivered())
    assert backfill(source="x-search", span_start=at(0), span_end=at(60)).state == "success"
    wait_for(lambda: len(host.delivered()) >= before + 60, timeout=60, what="the posts once more")
    s3 = host.aws.client("s3")
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket=RAW, Prefix="raw/posts/")["Contents"]]
    hours = {tuple(part.split("=")[1] for part in key.split("/")[2:4]): key.rsplit("/", 1)[0] for key in keys}
    known = [Partition(values, f"s3://{RAW}/{folder}/") for values, folder in hours.items()]
    Catalogue(host.aws.client("glue"), NAMES.database).point("raw_posts", known)
    assert run_dag("rank_authors", interval_start=None, interval_end=None, publish=True).state == "success"
    results = NAMES.buckets["results"]
    manifest = json.loads(s3.get_object(Bucket=results, Key="rankings/latest.json")["Body"].read())["manifest"]
    key = manifest.replace("manifest.json", "granularity=all/ranked_authors.json")
    rows = json.loads(s3.get_object(Bucket=results, Key=key)["Body"].read())
    assert [row["posts"] for row in rows] == [89]


def test_a_budget_that_does_not_reach_fails_at_once_and_leaves_the_gap_open(host, backfill):
    host.reads_x()
    host.x.found = [post(number, created_at=at(100)) for number in range(300)]
    before = len(host.x.search_queries)
    outcome = backfill(source="x-search", span_start=at(95), span_end=at(120), budget_usd=0.5)
    assert (outcome.state, outcome.tasks["read_slice"], outcome.tasks["close_gaps"]) == ("failed", "failed", "failed")
    assert len(host.x.search_queries) == before + 1  # a hundred posts are 50 cents
    assert not [row for row in host.ledger() if row["gap_from"] == at(95)]


def test_timelines_close_a_gap_of_mastodon(host, backfill):
    host.reads(
        f'[source]\nkind = "mastodon"\n[[source.instances]]\nurl = "{host.mastodon.url}"\ntoken = "{MASTODON_TOKEN}"\n'
    )
    first = int(SINCE.timestamp() * 1000) << 16
    host.mastodon.statuses = [status(first + one, created_at=at(1)) for one in range(1, 61)]
    host.mastodon.statuses.append(status(first + (7200000 << 16), created_at=at(120)))
    host.note("toots", source="mastodon", gap_from=at(0), gap_to=at(60))
    assert backfill().state == "success"
    marked = [row["recovered_by"] for row in host.ledger() if row["source"] == "mastodon"]
    assert marked == [None, "timeline"]  # one slice was the whole gap, so that its own row marks it


def test_files_of_an_archive_are_a_slice_each(host, backfill):
    host.reads('[source]\nkind = "bluesky"\n')
    for name in ("a.ndjson", "b.ndjson"):
        line = {"kind": "post", "network": "bluesky", "post_id": name, "author_id": "1", "posted_at": at(5)}
        body = json.dumps(line).encode() + b"\n"
        host.aws.client("s3").put_object(Bucket=RAW, Key=f"archives/old/{name}", Body=body)
    host.note("far", source="bluesky", gap_from=at(0), gap_to=at(10))
    asked = {"source": "archive", "span_start": at(0), "span_end": at(10)}
    missing = backfill(archives=["old/a.ndjson", "old/c.ndjson"], **asked)
    assert missing.state == "failed"
    assert [row["recovered_by"] for row in host.ledger() if row["source"] == "bluesky"] == [None]
    outcome = backfill(archives=["old/a.ndjson", "old/b.ndjson"], **asked)
    assert outcome.state == "success"
    assert outcome.returned("close_gaps").startswith("2 posts delivered, ")
    assert [row["recovered_by"] for row in host.ledger() if row["source"] == "bluesky"].count("archive") == 1


def test_gaps_of_several_collectors_are_read_by_each_and_a_failure_stops_no_other(host, backfill):
    host.config.write_text(
        f'state = "{host.config.parent / "state"}"\n'
        f'[collectors.main.source]\nkind = "x"\nbearer_token = "{X_TOKEN}"\nhost = "{host.x.url}"\n'
        'gap_query = "cats"\nmanage_rules = false\nmargin = 0\ndaily_budget = 0\nmonthly_budget = 0\n'
        f'[collectors.toots.source]\nkind = "mastodon"\n[[collectors.toots.source.instances]]\n'
        f'url = "{host.mastodon.url}"\ntoken = "{MASTODON_TOKEN}"\n',
        encoding="utf-8",
    )
    registry = Registry(host.aws.client("s3"), NAMES)
    registry.publish([Entry("main", "x"), Entry("toots", "mastodon")])
    names = NAMES.of_collector("toots")
    Provision(host.aws.client, names).streamer(NAMES.streamer.service)
    ssm = host.aws.client("ssm")
    wait_for(lambda: len(ssm.describe_instance_information()["InstanceInformationList"]) == 2, timeout=30, what="both")
    first = int(SINCE.timestamp() * 1000) << 16
    host.mastodon.statuses = [status(first + (7200000 << 16) + one, created_at=at(121)) for one in range(1, 31)]
    host.note("dry", source="x", gap_from=at(120), gap_to=at(130))
    host.note("toots-too", collector="toots", source="mastodon", gap_from=at(120), gap_to=at(130))
    outcome = backfill()
    registry.publish([])
    slice_ = at(120)[:16]
    assert outcome.of_collector[f"main x-search {slice_}"]["read_slice"] == "failed"
    assert outcome.of_collector[f"toots mastodon {slice_}"]["read_slice"] == "success"
    assert outcome.state == "failed"
    marked = [(row["collector"], row["recovered_by"]) for row in host.ledger() if row["gap_from"] == at(120)]
    assert marked == [("host", None), ("toots", None), ("toots-backfill", "timeline")]


def test_nothing_is_read_while_a_deployment_goes_on(host, backfill):
    marker = {"Bucket": RAW, "Key": NAMES.keys["deploy_marker"]}
    host.aws.client("s3").put_object(**marker, Body=b"{}")
    outcome = backfill(source="x-search", span_start=at(0), span_end=at(60))
    host.aws.client("s3").delete_object(**marker)
    assert set(outcome.tasks.values()) == {"skipped"}


@pytest.mark.parametrize(
    "conf",
    [
        {"source": "x-search' --file /etc/passwd"},
        {"span_start": "$(reboot)"},
        {"archives": ["a'; reboot; '"]},
        {"slice_minutes": 0},
        {"budget_usd": -1},
    ],
)
def test_params_that_are_no_params_are_refused_when_the_run_is_asked_for(backfill, conf):
    with pytest.raises(Exception, match=r"(?s)Invalid input for param"):
        backfill(**conf)


def test_posts_that_x_wants_deleted_are_tombstones_after_a_compliance_run(host, run_dag):
    host.reads_x()
    registry = Registry(host.aws.client("s3"), NAMES)
    assert set(run_dag("check_compliance").tasks.values()) == {"skipped"}
    registry.publish([Entry("main", "x")])
    host.x.gone = {"5": "deleted"}
    outcome = run_dag("check_compliance")
    registry.publish([])
    assert outcome.state == "success"
    assert outcome.returned("count_deletions") == "1 post and 0 users must go"
    assert sorted(map(int, host.x.uploads["1000"])) == list(range(89))
    assert [job["type"] for job in host.x.jobs] == ["tweets", "users"]
    assert host.x.uploads["1001"]
    wait_for(
        lambda: [line["post_id"] for line in host.delivered() if line["kind"] == "delete"] == ["5"],
        timeout=60,
        what="the tombstone in the raw zone",
    )
    notices = [json.loads(line) for body in host.bodies("ledgers/notices/") for line in body.splitlines()]
    assert [row["about"].rpartition(", ")[2] for row in notices] == ["1 deleted", "0 deleted"]
    assert host.x.leaked == 0
