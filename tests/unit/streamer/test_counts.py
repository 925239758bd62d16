"""The streamer's counts: every event in one of them, whatever its kind."""

from datetime import UTC, datetime, timedelta

from postrank.posts import Like, Log, Metrics, Post, Reject, Tombstone
from postrank.sources import Batch, Gap
from postrank.streamer.engine.counts import Counts

AT = "2026-05-01T12:00:0{}.000Z"
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def batch() -> Batch:
    """Of each kind another number."""
    posts = [Post(network="x", post_id=f"p{n}", author_id="a", posted_at=AT.format(n + 2)) for n in range(3)]
    edits = [Post(network="x", post_id=f"e{n}", author_id="a", posted_at=AT.format(3), kind="edit") for n in range(2)]
    likes = [Like(network="x", post_id=f"l{n}", author_id="a", posted_at=AT.format(0), like_of="p0") for n in range(4)]
    observations = [
        Metrics(network="x", post_id=f"p{n % 3}", posted_at=AT.format(9), like_count=n + 1) for n in range(5)
    ]
    logs = [Log(network="web", post_id="r", posted_at=AT.format(1), host="192.0.2.1")]
    deletes = [Tombstone(network="x", post_id=f"d{n}") for n in range(6)]
    rejects = [Reject(reason="no author", line=b"{}", where="file:1")] * 7
    return Batch(
        cursor="1",
        read=3 + 2 + 4 + 5 + 1 + 6 + 7 + 8,
        events=[*likes, *posts, *deletes, *edits, *observations, *logs],
        rejects=rejects,
        ignored={"block": 8},
    )


def test_likes_and_observations_are_no_deletes() -> None:
    counts = Counts()
    counts.take(batch())
    by_kind = (counts.posts, counts.edits, counts.likes, counts.observations, counts.logs, counts.deletes)
    assert by_kind == (3, 2, 4, 5, 1, 6)
    assert counts.read == counts.events + counts.rejected + counts.ignored
    assert (counts.events, counts.lines, counts.rejected, counts.ignored_by_kind) == (21, 21, 7, {"block": 8})


def test_first_and_last_are_those_of_posts_and_requests() -> None:
    counts = Counts()
    counts.take(batch())
    assert (counts.first_posted_at, counts.last_posted_at) == (AT.format(1), AT.format(4))
    counts.take(Batch(cursor="2", events=[Post(network="x", post_id="9", author_id="a", posted_at=AT.format(0))]))
    counts.take(Batch(cursor="3", events=[Tombstone(network="x", post_id="9")]))
    assert (counts.first_posted_at, counts.last_posted_at) == (AT.format(0), AT.format(4))


def test_counts_of_batches_add_up_and_a_copy_stays() -> None:
    counts = Counts()
    counts.take(batch())
    copy = counts.copy()
    counts.take(batch())
    counts.filtered = 2
    assert (copy.read, copy.ignored_by_kind) == (36, {"block": 8})
    assert (counts.read, counts.lines, counts.ignored_by_kind) == (72, 40, {"block": 16})


def test_a_gap_that_is_told_again_counts_once() -> None:
    counts = Counts()
    gap = Gap(since=NOON, until=NOON + timedelta(seconds=90), reason="down")
    again = Gap(since=NOON, until=NOON + timedelta(seconds=90), reason="down", again=True)
    counts.take(Batch(cursor="1", gaps=[again, gap]))
    assert (counts.gaps, counts.gap_seconds) == (1, 90)
