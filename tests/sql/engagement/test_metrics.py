"""Rankings by reposts, likes and engagement, and by tag, held to the rules in plain Python."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localaws.testing.patience import patient
from postrank.ranking.request import ENGAGEMENT, EVENTS, RankingRequest
from postrank.report.post_content import scope_of
from tests.support.lake.ranked_lake import Lake, author_delete, delete, like, post, render, repost
from tests.support.lake.ranking_model import rankings, shown, weighed
from tests.support.lake.upkeep import redact, redaction

HOURS = ("2026-11-24T01", "2026-11-24T02", "2026-11-24T03")
MOMENTS = tuple(
    f"2026-11-2{clock}Z" for clock in ("1T23:59:30.000", "2T00:00:00.000", "2T00:00:20.000", "2T05:00:30.000")
)
AUTHORS = ("ann", "bob", "cem")
INTERVAL = {"interval_start": "2026-11-21T00:00:00Z", "interval_end": "2026-11-24T00:00:00Z"}


@st.composite
def _streams(draw: st.DrawFn) -> list[list[dict]]:
    """What three arrival hours bring: posts, reposts and likes, some withdrawn or delivered again, in any order."""
    events = []
    for number in range(draw(st.integers(2, 14))):
        name = f"e{number}"
        author = draw(st.sampled_from(AUTHORS))
        at = draw(st.sampled_from(MOMENTS))
        subject = (f"e{draw(st.integers(0, 14))}", draw(st.sampled_from((*AUTHORS, "unseen"))))
        event = draw(
            st.sampled_from(
                (
                    post(name, author, at),
                    post(name, author, at, repost_of=subject[0], repost_of_author=subject[1]),
                    repost(name, author, at, *subject),
                    like(name, author, at, *subject),
                )
            )
        )
        events += [event] * draw(st.integers(1, 2))
        if draw(st.integers(0, 3)) == 0:
            events.append(delete(name))
    if draw(st.booleans()):
        events.append(author_delete(draw(st.sampled_from(AUTHORS)), draw(st.sampled_from(MOMENTS))))
    shuffled = draw(st.permutations(events))
    hours = [draw(st.integers(0, len(HOURS) - 1)) for _ in shuffled]
    return [[event for event, hour in zip(shuffled, hours, strict=True) if hour == n] for n in range(len(HOURS))]


@pytest.mark.timeout(patient(900))
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arrivals=_streams(), redacts=st.booleans())
def test_a_metric_is_true_after_every_arrival_in_whatever_order_things_came(new_lake, arrivals, redacts):
    lake: Lake = new_lake()
    seen: list[dict] = []
    metrics = [
        {"metric": "reposts_received"},
        {"metric": "likes_received"},
        {
            "metric": "engagement",
            "weights": {"posts": 1, "reposts_made": 2, "reposts_received": 3, "likes_received": 5},
        },
    ]
    for number, (hour, events) in enumerate(zip(HOURS, arrivals, strict=True)):
        if not events:
            continue
        lake.deliver(hour, events)
        seen += events
        params = metrics[number]
        lake.rank(**INTERVAL, **params)
        request = RankingRequest.of(params)
        assert shown(lake, request.scope) == rankings(weighed(seen, request.weights))
        if redacts and redaction(lake, f"care {number}").plan().count:
            redact(lake, f"care {number}")


def _ranked(lake: Lake, **params) -> list[tuple]:
    manifest = lake.rank(**INTERVAL, **params)
    return [(row["author_id"], row["author_handle"], row["posts"]) for row in lake.results.rows("all", manifest["run"])]


def test_a_liked_author_is_ranked_without_a_post_and_no_longer_once_the_like_is_withdrawn(lake):
    lake.deliver(
        HOURS[0],
        [
            like("l1", "ann", MOMENTS[0], "p1", "unseen"),
            like("l2", "bob", MOMENTS[1], "p1", "unseen"),
            like("l3", "bob", MOMENTS[1], "p2", "cem"),
        ],
    )
    assert _ranked(lake, metric="likes_received") == [("unseen", None, 2), ("cem", None, 1)]
    lake.deliver(HOURS[1], [delete("l1"), delete("l2")])
    assert _ranked(lake, metric="likes_received") == [("cem", None, 1)]
    assert _ranked(lake) == [], "likes are no posts"


def test_a_repost_counts_for_whoever_made_it_and_whoever_wrote_the_post_on_every_network(lake):
    own = {"network": "bluesky"}
    lake.deliver(
        HOURS[0],
        [
            post("p1", "ann", MOMENTS[0]),
            post("r1", "bob", MOMENTS[1], repost_of="p1"),  # of X, from before reposted authors were known
            post("p2", "cem", MOMENTS[0], **own),
            repost("r2", "dan", MOMENTS[1], "p2", "cem", **own),
            repost("r3", "dan", MOMENTS[2], "p2", "cem", **own),
        ],
    )
    assert _ranked(lake, metric="reposts_received") == [("cem", "cem", 2), ("ann", "ann", 1)]
    assert _ranked(lake, metric="reposts_made") == [("dan", "dan", 2), ("bob", "bob", 1)]
    assert _ranked(lake) == [("dan", "dan", 2), ("cem", "cem", 1), ("ann", "ann", 1), ("bob", "bob", 1)]
    assert _ranked(lake, include_reposts=False) == [("cem", "cem", 1), ("ann", "ann", 1)]
    by_default = _ranked(lake, metric="engagement")
    assert by_default == [("cem", "cem", 2 * ENGAGEMENT["reposts_received"]), ("ann", "ann", 2)]


def test_a_repost_of_a_post_by_an_unknown_author_counts_for_its_maker_alone(lake):
    lake.deliver(HOURS[0], [post("r1", "bob", MOMENTS[1], repost_of="unseen"), post("p1", "ann", MOMENTS[0])])
    assert _ranked(lake, metric="reposts_received") == []
    assert _ranked(lake, metric="reposts_made") == [("bob", "bob", 1)]


def test_only_posts_of_a_tag_are_ranked_whichever_of_their_lines_has_it(lake):
    lake.deliver(
        HOURS[0],
        [
            post("1", "ann", MOMENTS[0], tags=["rain"]),
            post("1", "ann", MOMENTS[0], tags=["sun"], received_at="2026-11-24T05:00:01.000Z"),
            post("2", "ann", MOMENTS[1], tags=["sun"]),
            post("3", "bob", MOMENTS[1]),
            post("4", "cem", MOMENTS[1], tags=["sun"]),
        ],
    )
    lake.deliver(HOURS[1], [post("4", "cem", MOMENTS[1], tags=["it's"], received_at="2026-11-24T06:00:00.000Z")])
    assert _ranked(lake, tag="rain") == [("ann", "ann", 1)]
    assert _ranked(lake, tag="sun") == [("ann", "ann", 2), ("cem", "cem", 1)]
    assert _ranked(lake, tag="it's") == [("cem", "cem", 1)]
    assert _ranked(lake, tag="snow") == []
    manifest = lake.rank(**INTERVAL, tag="sun")
    assert (manifest["scope"], manifest["tag"], manifest["metric"]) == ("* tagged sun", "sun", "posts")


def test_hashtags_types_and_lengths_of_a_tag_are_those_of_its_posts(lake):
    words = {"hashtags": ["Wind"], "text": "12345"}
    lake.deliver(
        HOURS[0],
        [
            post("1", "ann", MOMENTS[0], tags=["sun"], **words),
            post("1", "ann", MOMENTS[0], received_at="2026-11-24T05:00:01.000Z", **words),  # without a tag
            post("2", "ann", MOMENTS[1], hashtags=["rain"]),
            post("3", "bob", MOMENTS[1], tags=["snow"], hashtags=["rain", "wind"], quote_of="1"),
        ],
    )
    manifest = lake.rank(**INTERVAL, tag="sun")

    def of_tag(name, tag):
        scope = {**scope_of({**manifest, "tag": tag}), "limit": 10}
        return [tuple(row.values()) for row in lake.rows(render(f"exports/{name}.sql", **scope))]

    assert of_tag("hashtags", "sun") == [("wind", "1", "1", "5.0")]
    assert [row[2:] for row in of_tag("hashtag_days", "sun")] == [("wind", "1")]
    assert [row[1:] for row in of_tag("posts_by_type", "sun")] == [("original", "1", "1", "5.0")]
    assert of_tag("author_lengths", "sun") == [("x", "ann", "1", "5.0")]
    assert [row[0] for row in of_tag("hashtags", "snow")] == ["rain", "wind"]
    assert of_tag("hashtags", "it's") == []
    assert [row[:2] for row in of_tag("hashtags", "")] == [("rain", "2"), ("wind", "2")]


def test_a_mastodon_post_that_two_instances_show_is_one_post_of_its_author_s_own(lake):
    uri = "https://home.example/users/ann/statuses/1"
    copies = [
        post("77", "5", MOMENTS[0], network="mastodon:away.example", uri=uri, received_at="2026-11-24T05:00:09.000Z"),
        post("1", "9", MOMENTS[0], network="mastodon:home.example", uri=uri),
    ]
    lake.deliver(HOURS[0], [copies[0]])
    lake.rank([HOURS[0]])
    assert [row["post_id"] for row in lake.rows("select post_id from posts")] == ["77"]
    lake.deliver(HOURS[1], [copies[1]])
    manifest = lake.rank([HOURS[1]])
    assert [row["post_id"] for row in lake.rows("select post_id from posts")] == ["1"]
    assert (manifest["post_lines"], manifest["posts"], manifest["duplicates"]) == (2, 1, 1)
    ranked = lake.rows("select network, author_id, posts from author_ranking where granularity = 'day'")
    assert [tuple(row.values()) for row in ranked] == [("mastodon:home.example", "9", "1")]
    lake.deliver(HOURS[2], [delete("1", network="mastodon:home.example")])
    lake.rank([HOURS[2]])
    assert [row["post_id"] for row in lake.rows("select post_id from posts")] == ["77"]


def test_words_of_a_withdrawn_like_and_of_a_deleted_repost_are_gone_from_parquet_and_raw(lake):
    gone = [like("l1", "ann", MOMENTS[0], "p1", "bob"), repost("r1", "ann", MOMENTS[0], "p1", "bob")]
    stay = [like("l2", "cem", MOMENTS[0], "p1", "bob"), repost("r2", "cem", MOMENTS[0], "p1", "bob")]
    lake.deliver(HOURS[0], [*gone, *stay])
    lake.rank([HOURS[0]])
    lake.deliver(HOURS[1], [delete("l1"), delete("r1")])
    lake.rank([HOURS[1]])
    redact(lake)
    held = lake.rows("select author_id from post_versions where author_id is not null and kind <> 'delete'")
    assert [row["author_id"] for row in held] == ["cem", "cem"]
    raw = lake.rows("select kind, post_id, author_id, like_of from raw_posts where kind <> 'delete' order by post_id")
    assert [tuple(row.values()) for row in raw] == [
        ("redacted_like", "l1", None, None),
        ("like", "l2", "cem", "p1"),
        ("redacted_post", "r1", None, None),
        ("repost", "r2", "cem", None),
    ]
    assert _ranked(lake, metric="engagement", weights=dict.fromkeys(EVENTS, 1)) == [("bob", None, 2), ("cem", "cem", 2)]
