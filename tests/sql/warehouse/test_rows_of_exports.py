"""Postgres holds what was exported of real posts, after late ones, replays, deletions and loads that were killed."""

import gzip
import itertools
import json

import pytest

from localaws.testing.databases import PASSWORD, create
from postrank.warehouse.connection import Login, Server, WarehouseAway, connect, fixed
from postrank.warehouse.loader import Loader
from postrank.warehouse.objects import Objects
from postrank.warehouse.schema import migrate
from tests.sql.test_given_posts import INTERVALS, given_events
from tests.support.lake.ranked_lake import delete
from tests.support.lake.warehouse import exported_rows, statement, stored_rows
from tests.support.stack.laptop_run import ROOT

SAMPLE = ROOT / "include" / "sample" / "synthetic-posts.ndjson.gz"
LOGIN = fixed(Login(user="keeper", password=PASSWORD))


def events_of(name):
    if name != "sample":
        return given_events(name)
    with gzip.open(SAMPLE) as lines:
        return [{"received_at": "2026-11-24T05:00:00.000Z", **json.loads(line)} for line in lines]


def span_of(name, events):
    """The interval that all posts are in."""
    if name in INTERVALS:
        return INTERVALS[name]
    times = sorted(event["posted_at"] for event in events if event.get("kind") == "post")
    return f"{times[0][:16]}:00Z", f"{times[-1][:10]}T23:59:00Z"


@pytest.fixture
def server(aws, request):
    endpoint = create(aws, f"rows-{abs(hash(request.node.name)) % 10**6}", DBName="postrank")["Endpoint"]
    return Server(host=endpoint["Address"], port=endpoint["Port"], database="postrank")


@pytest.mark.parametrize("name", ["sample", *(pytest.param(name, marks=pytest.mark.slow) for name in INTERVALS)])
def test_rows_equal_the_newest_export_whatever_happened_before(lake, server, name):
    events = events_of(name)
    start, end = span_of(name, events)
    posts = [event for event in events if event.get("kind") == "post"]
    cuts = len(events) // 3
    lake.deliver("2026-11-24T03", events[:cuts])
    lake.deliver("2026-11-24T04", events[cuts : 2 * cuts])
    runs = [lake.rank(interval_start=start, interval_end=end)["run"]]
    late_and_replayed = [*events[2 * cuts :], *events[:cuts]]
    gone = [delete(post["post_id"], network=post["network"]) for post in posts[:: len(posts) // 20]]
    lake.deliver("2026-11-24T05", [*late_and_replayed, *gone])
    runs.append(lake.rank(interval_start=start, interval_end=end)["run"])
    keys = [f"rankings/run={run}/manifest.json" for run in runs]
    objects = Objects(lake.client("s3"), lake.names.buckets["results"])
    with connect(server, LOGIN) as connection:
        migrate(connection)
        kill = (
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name = 'postrank' and pid <> pg_backend_pid()"
        )
        calls = itertools.count()

        def killed_once(statement_name):
            if next(calls) == 6:
                connection.execute(kill)
            return statement(statement_name)

        loader = Loader(connect=lambda: connect(server, LOGIN), statement=killed_once, objects=objects)
        with pytest.raises(WarehouseAway):
            loader.load(keys)
        for order in (keys, reversed(keys), keys):
            loader.load(order)
        assert stored_rows(connection) == exported_rows(lake.results, runs[1])
