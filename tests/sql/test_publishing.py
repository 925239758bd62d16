"""When an export becomes the ranking that everybody sees, and when it does not."""

import threading
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Any

import pytest

from postrank.ranking.export_reader import NothingExported
from postrank.ranking.export_writer import LATEST
from postrank.ranking.run_identity import Run
from postrank.ranking.steps import MADE_VIEWS
from tests.support.lake.ranked_lake import Lake, finish, post

HOURS = ("2026-11-24T01", "2026-11-24T02")


@pytest.fixture
def delivered(lake) -> Lake:
    for number, hour in enumerate(HOURS):
        lake.deliver(hour, [post(f"{number}", f"author {number}", f"2026-11-23T10:0{number}:00.000Z")])
    return lake


class Recorded:
    """AWS clients that note the keys of the results bucket in the order in which they are written."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._clients: dict[str, Any] = {}
        self.keys: list[str] = []

    def client(self, service: str) -> Any:
        if service not in self._clients:
            client: Any = self._lake.client(service, region_name="us-east-1")  # type: ignore[call-arg]
            client.meta.events.register("provide-client-params.s3.PutObject", self._note)
            self._clients[service] = client
        return self._clients[service]

    def _note(self, params: dict[str, Any], **_: Any) -> None:
        if params["Bucket"] == self._lake.names.buckets["results"]:
            self.keys.append(params["Key"])


def test_files_come_before_their_manifest_and_the_pointer_comes_last(delivered):
    recorded = Recorded(delivered)
    manifest = Lake(recorded.client, delivered.names).rank()
    prefix = f"rankings/run={manifest['run']}/"
    files = [file["key"] for file in manifest["files"]]
    assert len(files) == 12
    assert recorded.keys == [*files, f"{prefix}windows.json", f"{prefix}manifest.json", LATEST]


def test_an_export_says_when_it_was_made(delivered):
    before = datetime.now(UTC) - timedelta(seconds=1)
    manifest = delivered.rank()
    exported_at = datetime.fromisoformat(manifest["exported_at"])
    assert before <= exported_at <= datetime.now(UTC)
    assert delivered.results.latest()["exported_at"] == manifest["exported_at"]


def test_a_ranking_that_does_not_publish_has_an_address_and_leaves_the_newest_alone(delivered):
    alone = finish(delivered.acts(delivered.ranking("alone", publishes=False)))
    with pytest.raises(NothingExported):
        delivered.results.latest()
    public = delivered.rank(interval_start="2026-11-23T10:00:00Z", interval_end="2026-11-23T10:01:00Z")
    finish(delivered.acts(delivered.ranking("apart", publishes=False, interval_start="2026-11-23T10:00:00Z")))
    assert delivered.results.latest()["run"] == public["run"]
    assert [row["author_id"] for row in delivered.results.rows("all", alone["run"])] == ["author 0", "author 1"]


def test_a_slow_export_does_not_replace_that_of_a_later_ranking(delivered):
    slow = delivered.acts(delivered.ranking("slow", [HOURS[0]]))
    for _ in range(11):
        next(slow)
    delivered.over.add("slow")
    later = delivered.rank([HOURS[1]], run_id="later")
    manifest = finish(slow)
    assert manifest["run"].startswith("slow")
    assert delivered.results.latest()["run"] == later["run"]


def test_what_an_interrupted_export_left_is_in_nobodys_way(delivered):
    s3 = delivered.client("s3")
    bucket = delivered.names.buckets["results"]
    run = Run("again").slug
    for name in ("ranking_hour.csv", "ranking_hour.parquet", "ranking_gone.json"):
        s3.put_object(Bucket=bucket, Key=f"rankings/run={run}/{name}", Body=b"half")
    manifest = delivered.rank(run_id="again")
    assert manifest["run"] == run
    for file in manifest["files"]:
        assert s3.head_object(Bucket=bucket, Key=file["key"])["ContentLength"] == file["bytes"]
    assert [row["author_id"] for row in delivered.results.rows("all")] == ["author 0", "author 1"]


def test_a_reader_sees_a_whole_ranking_while_the_pointer_moves(delivered):
    delivered.rank(run_id="first")
    bucket = delivered.names.buckets["results"]
    s3 = delivered.client("s3")
    pointers = [s3.get_object(Bucket=bucket, Key=LATEST)["Body"].read()]
    delivered.deliver("2026-11-24T03", [post("9", "author 9", "2026-11-23T10:09:00.000Z")])
    delivered.rank(run_id="second")
    pointers.append(s3.get_object(Bucket=bucket, Key=LATEST)["Body"].read())
    stopped = threading.Event()

    def move() -> None:
        for body in cycle(pointers):
            if stopped.is_set():
                return
            s3.put_object(Bucket=bucket, Key=LATEST, Body=body)

    mover = threading.Thread(target=move)
    mover.start()
    try:
        seen = {tuple(row["author_id"] for row in delivered.results.rows("all")) for _ in range(30)}
    finally:
        stopped.set()
        mover.join()
    assert seen <= {("author 0", "author 1"), ("author 9",)}


def test_a_view_of_an_earlier_version_is_replaced_before_it_is_read(delivered):
    delivered.rank()
    delivered.athena.run("create or replace view posts as select * from post_versions where 1 = 0")
    delivered.client("s3").delete_object(Bucket=delivered.names.buckets["lake"], Key=MADE_VIEWS)
    delivered.rank(interval_start="2026-11-23T10:00:00Z")
    assert delivered.rows("select count(*) as posts from posts") == [{"posts": "2"}]
