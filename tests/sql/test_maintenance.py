"""Deleted posts leave the lake with evidence, and the stream's windows are held to it."""

from datetime import UTC, datetime

import pytest

from postrank.results.maintenance import ApprovalNeeded, Maintenance
from postrank.results.run import Run
from tests.support.lake import author_delete, delete, post, render


def _maintenance(lake) -> Maintenance:
    return Maintenance(
        run=Run("maintenance"),
        as_of=datetime(2026, 11, 25, tzinfo=UTC),
        resources=lake.names,
        athena=lake.athena,
        catalogue=lake.catalogue,
        s3=lake.client("s3"),
        render=render,
    )


def test_the_words_of_a_deleted_post_are_gone_and_the_ranking_stays(lake):
    lake.deliver("2026-11-24T01", [post("1", "ann", "2026-11-23T10:00:00.000Z", text="a secret"), delete("1")])
    lake.deliver("2026-11-24T02", [post("2", "bob", "2026-11-23T10:00:00.000Z")])
    lake.rank()
    before = lake.rows("select author_id, posts from author_ranking where granularity = 'day'")
    work = _maintenance(lake)
    with pytest.raises(ApprovalNeeded, match="1 deleted posts"):
        work.redactions(allowed=0)
    planned = work.redactions(allowed=10)
    lake.write("maintenance/redacted_versions.sql", planned)
    assert "evidence/redactions/dt=2026-11-25/" in str(work.redact(planned))
    assert lake.rows("select text from post_versions where text = 'a secret'") == []
    assert lake.rows("select post_id from posts") == [{"post_id": "2"}]
    assert work.redactions(allowed=0) == []
    assert lake.rows("select author_id, posts from author_ranking where granularity = 'day'") == before


def test_the_words_of_an_author_who_left_are_gone(lake):
    words = [post(n, "ann", f"2026-11-23T1{n}:00:00.000Z", text=f"secret {n}") for n in ("0", "1", "2")]
    lake.deliver("2026-11-24T01", [*words, author_delete("ann", "2026-11-23T11:30:00.000Z")])
    lake.rank()
    work = _maintenance(lake)
    planned = work.redactions(allowed=10)
    lake.write("maintenance/redacted_versions.sql", planned)
    work.redact(planned)
    assert [row["text"] for row in lake.rows("select text from post_versions where text is not null")] == ["secret 2"]
    assert work.redactions(allowed=0) == []
