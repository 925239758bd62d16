"""The ledgers as tables: what collectors write is what Athena reads, without a crawler between."""

from datetime import UTC, datetime

import pytest

from postrank.aws.resources import Resources
from postrank.posts import Notice, Reject
from postrank.sources import Gap
from postrank.streamer.engine.ledgers import Ledgers
from postrank.streamer.telemetry.reporter import hops
from tests.support.lake.ranked_lake import Lake, render

SINCE, UNTIL, LATER = (datetime(2026, 11, 23, 10, minute, tzinfo=UTC) for minute in (0, 5, 9))
COUNTS = {"read": 9, "events": 7, "rejected": 1, "ignored": 1, "filtered": 2, "delivered": 4, "spooled": 1}


@pytest.fixture(scope="module")
def lake(aws, tmp_path_factory) -> Lake:
    """A lake whose collector has noted two gaps, one of them recovered, a reject, a notice and what its hops did."""
    lake = Lake(aws.client, Resources.of("ledgers", "123456789012")).create()
    s3, bucket = lake.client("s3"), lake.names.buckets["raw"]
    ledgers = Ledgers(tmp_path_factory.mktemp("state") / "ledgers", lake.names.keys["ledgers"], "test")
    gap = {"since": SINCE, "until": UNTIL, "reason": "stalled"}
    ledgers.note_gaps("x", [Gap(**gap), Gap(since=UNTIL, until=LATER, reason="refused")])
    ledgers.note_gaps("x", [Gap(**gap, recovered_by="search")])
    ledgers.note_rejects([Reject(reason="no JSON", line=b'it"s \\xff\xff', where="a.ndjson", offset=7)])
    ledgers.note_notices("x", [Notice(kind="withheld", post_id="1", author_id=None, about="DE,FR", at=None)])
    ledgers.note_hops(hops({**COUNTS, "delivered": 0, "spooled": 0, "in_flight": 5}))
    ledgers.flush()
    assert ledgers.upload(lambda key, body: s3.put_object(Bucket=bucket, Key=key, Body=body)) == 4
    ledgers.note_hops(hops({**COUNTS, "in_flight": 0}))
    ledgers.flush()
    assert ledgers.upload(lambda key, body: s3.put_object(Bucket=bucket, Key=key, Body=body)) == 1
    return lake


def test_every_column_that_collectors_write_is_one_of_the_table(lake):
    (notice,) = lake.rows("select * from notices")
    assert (notice["source"], notice["kind"], notice["post_id"], notice["about"]) == ("x", "withheld", "1", "DE,FR")
    assert (notice["author_id"], notice["event_at"], notice["collector"]) == (None, None, "test")
    (reject,) = lake.rows("select * from rejects")
    assert (reject["source"], reject["offset"], reject["reason"]) == ("a.ndjson", "7", "no JSON")
    assert (reject["line_encoding"], reject["dt"]) == ("base64", f"{datetime.now(UTC):%Y-%m-%d}")
    recoveries = [row["recovered_by"] for row in lake.rows("select * from gaps order by recovered_by")]
    assert recoveries == ["search", None, None]


def test_a_gap_is_open_until_something_recovered_it(lake):
    (gap,) = lake.rows(render("queries/open_gaps.sql"))
    assert (gap["source"], gap["gap_from"], gap["reason"]) == ("x", "2026-11-23T10:05:00.000Z", "refused")


def test_each_hop_shows_its_last_count_and_loses_nothing(lake):
    rows = lake.rows(render("queries/lines_by_hop.sql"))
    assert [row["hop"] for row in rows] == ["filters", "sink", "source"]
    for row in rows:
        counts = [int(row[name]) for name in ("delivered", "rejected", "ignored", "spooled", "in_flight")]
        assert int(row["received"]) == sum(counts)
    assert (rows[1]["delivered"], rows[1]["spooled"], rows[1]["in_flight"]) == ("4", "1", "0")


def test_rejects_are_counted_by_reason(lake):
    (row,) = lake.rows(render("queries/rejects_by_reason.sql"))
    assert (row["source"], row["reason"], row["lines"]) == ("a.ndjson", "no JSON", "1")
