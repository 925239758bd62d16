"""What each network's form says of a post beside its text: threads, authors, media, programs, tags, reposts, likes."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from postrank.posts import Event, Ignored, Like, Malformed, Metrics, Post
from postrank.posts.encoding import encode
from postrank.posts.field_counts import MOST_FIELDS, OTHER_FIELDS
from postrank.posts.formats import observations
from postrank.posts.formats.detect import parse_line, read_line
from postrank.posts.formats.networks.bluesky_records import COLLECTIONS, LIKES, REPOSTS, commit
from postrank.posts.formats.x_stream import stream_post
from postrank.posts.repairs import Repairs
from postrank.sources.files.line_batches import LineBatch
from postrank.sources.files.replay import Replay
from tests.unit.posts.test_forms import ACTIVITY, AT, DID, EVENT, GNIP, RECORD, STATUS, TWEET, URI, V1

OTHER = "did:plc:bbbbbbbbbbbbbbbbbbbbbbbb"
ROOT = f"at://{OTHER}/app.bsky.feed.post/3la"
X = {"id": "1800000000000000000", "text": "a", "author_id": "7", "created_at": "2024-06-10T03:00:17.000Z"}
X_MORE = {
    **X,
    "conversation_id": "17",
    "in_reply_to_user_id": "8",
    "possibly_sensitive": False,
    "attachments": {"media_keys": ["3_1", "7_2", "9_9"]},
    "referenced_tweets": [{"type": "replied_to", "id": "17"}, {"type": "quoted", "id": "18"}],
}
X_INCLUDES = {
    "users": [{"id": "7", "username": "ann"}],
    "tweets": [{"id": "18", "author_id": "9", "text": "b"}],
    "media": [
        {"media_key": "3_1", "type": "photo", "url": "https://pbs.example/1.jpg"},
        {"media_key": "7_2", "type": "video", "preview_image_url": "https://pbs.example/2.jpg"},
    ],
}
RETWEET = {
    **X,
    "text": "RT @bob: b",
    "referenced_tweets": [{"type": "retweeted", "id": "18"}],
    "entities": {"mentions": [{"start": 3, "end": 7, "username": "bob", "id": "9"}]},
}
NOTE = {
    **ACTIVITY["object"],
    "to": ["https://social.example/users/ann/followers"],
    "cc": ["https://www.w3.org/ns/activitystreams#Public"],
    "sensitive": True,
    "attachment": [{"type": "Document", "mediaType": "image/png", "url": "https://files.example/1.png"}],
}
IMAGES = {
    "$type": "app.bsky.embed.recordWithMedia",
    "record": {"record": {"uri": ROOT}},
    "media": {"images": [{"alt": "", "image": {"ref": {"$link": "bafy"}, "mimeType": "image/jpeg"}}, {"alt": ""}]},
}
CARD = {"$type": "app.bsky.embed.external", "external": {"uri": "https://news.example", "title": "t"}}
DETAILS: dict[str, tuple[Any, dict[str, Any]]] = {
    "X API v2": (
        {
            "data": X_MORE,
            "includes": X_INCLUDES,
            "matching_rules": [{"id": "1", "tag": "cats"}, {"id": "2", "tag": ""}],
        },
        {
            "conversation_id": "17",
            "reply_to": "17",
            "reply_to_author": "8",
            "quote_of_author": "9",
            "sensitive": False,
            "media_kinds": ["photo", "video"],
            "media_urls": ["https://pbs.example/1.jpg", "https://pbs.example/2.jpg"],
            "tags": ["cats"],
        },
    ),
    "a repost in the stream of X": (
        {"data": RETWEET, "includes": {"users": X_INCLUDES["users"]}},
        {"repost_of": "18", "repost_of_author": "9", "kind": "post"},
    ),
    "a repost with its post": (
        {"data": {**RETWEET, "entities": {}}, "includes": X_INCLUDES},
        {"repost_of": "18", "repost_of_author": "9"},
    ),
    "Twitter API v1.1": (
        {
            **V1,
            "source": '<a href="https://app.example" rel="nofollow">An App</a>',
            "possibly_sensitive": True,
            "in_reply_to_user_id_str": "8",
            "quoted_status": {"id_str": "18", "user": {"id_str": "9"}},
            "extended_entities": {"media": [{"type": "photo", "media_url_https": "https://pbs.example/1.jpg"}]},
            "retweeted_status": {"id_str": "19", "user": {"id": 10}},
        },
        {
            "source_app": "An App",
            "sensitive": True,
            "reply_to_author": "8",
            "quote_of_author": "9",
            "repost_of_author": "10",
            "media_kinds": ["photo"],
            "media_urls": ["https://pbs.example/1.jpg"],
        },
    ),
    "X web client posts": (
        {
            **TWEET,
            "legacy": {
                **TWEET["legacy"],
                "conversation_id_str": "17",
                "in_reply_to_user_id_str": "8",
                "retweeted_status_result": {
                    "result": {"rest_id": "18", "core": {"user_results": {"result": {"rest_id": "9"}}}, "legacy": {}}
                },
            },
        },
        {"conversation_id": "17", "reply_to_author": "8", "repost_of": "18", "repost_of_author": "9"},
    ),
    "Gnip activities": (
        {
            **GNIP,
            "generator": {"displayName": "An App"},
            "gnip": {"matching_rules": [{"value": "cats", "tag": "pets"}, {"value": "x", "tag": None}]},
            "twitter_quoted_status": {
                "id": "tag:search.twitter.com,2005:18",
                "actor": {"id": "id:twitter.com:9"},
            },
        },
        {"source_app": "An App", "tags": ["pets"], "quote_of": "18", "quote_of_author": "9"},
    ),
    "Mastodon statuses": (
        {
            **STATUS,
            "in_reply_to_account_id": "8",
            "visibility": "unlisted",
            "sensitive": True,
            "application": {"name": "An App"},
            "media_attachments": [{"type": "gifv", "url": None, "remote_url": "https://files.example/1.mp4"}],
            "quote": {"state": "accepted", "quoted_status": {"id": "18", "account": {"id": "19"}}},
            "reblog": {"id": "28", "account": {"id": "29"}},
        },
        {
            "reply_to_author": "8",
            "visibility": "unlisted",
            "sensitive": True,
            "source_app": "An App",
            "uri": STATUS["uri"],
            "media_kinds": ["gifv"],
            "media_urls": ["https://files.example/1.mp4"],
            "quote_of_author": "19",
            "repost_of": "28",
            "repost_of_author": "29",
        },
    ),
    "ActivityPub activities": (
        {**ACTIVITY, "object": NOTE},
        {
            "visibility": "unlisted",
            "sensitive": True,
            "uri": NOTE["id"],
            "media_kinds": ["image"],
            "media_urls": ["https://files.example/1.png"],
        },
    ),
    "Bluesky": (
        {
            **EVENT,
            "commit": {
                **EVENT["commit"],
                "record": {
                    **RECORD,
                    "reply": {"parent": {"uri": URI}, "root": {"uri": ROOT}},
                    "embed": IMAGES,
                    "labels": {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": "nudity"}]},
                },
            },
        },
        {
            "reply_to_author": DID,
            "conversation_id": ROOT,
            "quote_of_author": OTHER,
            "media_kinds": ["image", "image"],
            "media_urls": [f"https://cdn.bsky.app/img/feed_fullsize/plain/{DID}/bafy@jpeg", ""],
            "sensitive": True,
        },
    ),
    "a card of Bluesky": (
        {**EVENT, "commit": {**EVENT["commit"], "record": {**RECORD, "embed": CARD}}},
        {"urls": ["https://news.example"], "media_kinds": None, "sensitive": None},
    ),
}


def _parsed(message: Any) -> tuple[Event, int]:
    [outcome], unknown = parse_line(orjson.dumps(message))
    assert not isinstance(outcome, Malformed | Ignored), outcome
    return outcome, unknown


@pytest.mark.parametrize("form", DETAILS)
def test_a_form_gives_its_details_which_are_fields_of_the_contract(form: str) -> None:
    message, expected = DETAILS[form]
    post, unknown = _parsed(message)
    assert {name: getattr(post, name) for name in expected} == expected
    assert unknown == 0
    back, unknown = _parsed(orjson.loads(encode(post, received_at=AT, collector="c")))
    assert (back, unknown) == (post, 0)


@pytest.mark.parametrize(
    ("message", "unknown"),
    [
        ({"data": {**X, "vibe": 1, "mood": 2}}, 2),
        ({"data": [{**X, "vibe": 1}, {**X, "id": "2", "vibe": 1}]}, 2),
        ({**V1, "vibe": 1}, 1),
        ({**TWEET, "legacy": {**TWEET["legacy"], "vibe": 1}}, 1),
        ({**GNIP, "vibe": 1}, 1),
        ({**STATUS, "vibe": 1}, 1),
        ({**ACTIVITY, "object": {**NOTE, "vibe": 1}}, 1),
        ({**EVENT, "commit": {**EVENT["commit"], "record": {**RECORD, "vibe": 1}}}, 1),
    ],
    ids=["X", "X page", "v1.1", "web client", "Gnip", "Mastodon", "ActivityPub", "Bluesky"],
)
def test_fields_that_a_network_did_not_have_are_counted_by_name(message: Any, unknown: int) -> None:
    repairs = Repairs()
    assert read_line(orjson.dumps(message), repairs)[1] == unknown
    fields = repairs.take_fields()
    assert sum(fields.values()) == unknown
    assert {name.partition(".")[2] for name in fields} <= {"vibe", "mood"}
    assert repairs.take_fields() == {}


def test_invented_names_of_fields_cannot_fill_the_table_or_a_screen() -> None:
    repairs = Repairs()
    repairs.note_fields({f"field{number}": 1 for number in range(200)} | {"\x1b[2J": 1, "a b": 1}, frozenset(), "x")
    fields = repairs.take_fields()
    assert len(fields) <= MOST_FIELDS + 1
    assert sum(fields.values()) == 202
    assert all(name == OTHER_FIELDS or name.startswith("x.field") for name in fields)


def test_a_stream_object_with_a_field_that_is_new_is_left_to_the_general_way() -> None:
    streamed = {"data": X, "includes": {"users": X_INCLUDES["users"]}}
    assert stream_post(orjson.dumps(streamed)) is not None
    assert stream_post(orjson.dumps({**streamed, "data": {**X, "vibe": 1}})) is None


def _committed(collection: str, record: dict[str, Any] | None, collections: tuple[str, ...] = COLLECTIONS) -> Any:
    body = {"operation": "create" if record else "delete", "collection": collection, "rkey": "3l", "record": record}
    return commit(DID, body, datetime(2026, 11, 1, tzinfo=UTC), None, collections)


def test_a_like_and_a_repost_of_bluesky_name_the_post_and_its_author() -> None:
    record = {"subject": {"uri": ROOT, "cid": "c"}, "createdAt": AT}
    like = _committed(LIKES, record)
    assert like == Like(
        network="bluesky",
        post_id=f"at://{DID}/{LIKES}/3l",
        author_id=DID,
        posted_at=AT,
        like_of=ROOT,
        like_of_author=OTHER,
    )
    repost = _committed(REPOSTS, record)
    assert isinstance(repost, Post)
    assert (repost.kind, repost.repost_of, repost.repost_of_author) == ("repost", ROOT, OTHER)
    for event in (like, repost):
        assert _parsed(orjson.loads(encode(event, received_at=AT, collector="c")))[0] == event
    assert _committed(LIKES, None).post_id == like.post_id
    assert _committed(LIKES, record, COLLECTIONS[:1]) == Ignored("other_collection")
    feed = {**record, "subject": {"uri": f"at://{OTHER}/app.bsky.feed.generator/f"}}
    assert _committed(LIKES, feed) == Ignored("like_of_other")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"kind": "like"}, "like_of is missing"),
        ({"kind": "repost"}, "repost_of is missing"),
        ({"kind": "follow"}, "kind is 'follow', none of post, edit, repost, like, metrics, log, delete"),
    ],
)
def test_a_record_of_an_engagement_that_breaks_the_contract_says_how(change: dict[str, Any], reason: str) -> None:
    record = {"kind": "post", "network": "x", "post_id": "1", "author_id": "7", "posted_at": AT, **change}
    [outcome], _ = parse_line(orjson.dumps(record))
    assert isinstance(outcome, Malformed)
    assert str(outcome) == reason


def test_media_whose_urls_do_not_go_with_their_kinds_are_left_out() -> None:
    record = {"kind": "post", "network": "x", "post_id": "1", "author_id": "7", "posted_at": AT}
    post, _ = _parsed(
        {**record, "media_kinds": ["photo", "video"], "media_urls": ["https://a.example"], "sensitive": 1}
    )
    assert isinstance(post, Post)
    assert (post.media_kinds, post.media_urls, post.sensitive) == (None, None, None)


STREAMED = {
    "data": {**X, "public_metrics": {"like_count": 0, "retweet_count": 0}},
    "includes": {
        "tweets": [
            {
                "id": "18",
                "edit_history_tweet_ids": ["17", "18"],
                "author_id": "9",
                "public_metrics": {"like_count": 5, "retweet_count": 2, "impression_count": 90, "bookmark_count": 1},
            }
        ],
        "users": [{"id": "7", "public_metrics": {"followers_count": 3, "following_count": 4, "tweet_count": 5}}],
    },
}
COUNTED_STATUS = {
    **STATUS,
    "favourites_count": 4,
    "reblogs_count": "many",
    "account": {**STATUS["account"], "followers_count": 8, "statuses_count": 2},
    "reblog": {"id": "28", "account": {"id": "29"}, "replies_count": 1},
}
COUNTED_V1 = {
    **V1,
    "user": {**V1["user"], "followers_count": 6, "friends_count": 7},
    "retweeted_status": {"id_str": "19", "favorite_count": 3, "user": {"id_str": "10"}},
}


def test_counts_of_each_network_are_observations_of_posts_and_authors() -> None:
    repairs = Repairs()
    assert list(observations.of_x_v2(STREAMED, AT, repairs)) == [
        Metrics(network="x", post_id="17", author_id="9", posted_at=AT, like_count=5, repost_count=2, view_count=90),
        Metrics.of_author("x", "7", AT, {"follower_count": 3, "following_count": 4, "post_count": 5}),
    ]
    assert list(observations.of_x_v1(COUNTED_V1, AT, repairs)) == [
        Metrics.of_author("x", "1001", AT, {"follower_count": 6, "following_count": 7}),
        Metrics(network="x", post_id="19", author_id="10", posted_at=AT, like_count=3),
    ]
    assert repairs.count == 0
    network = "mastodon:social.example"
    assert list(observations.of_status(COUNTED_STATUS, "social.example", AT, repairs)) == [
        Metrics(network=network, post_id="7", author_id="9", posted_at=AT, like_count=4),
        Metrics.of_author(network, "9", AT, {"follower_count": 8, "post_count": 2}),
        Metrics(network=network, post_id="28", author_id="29", posted_at=AT, reply_count=1),
    ]
    assert repairs.count == 1


def test_an_observation_is_a_line_of_the_contract_that_reads_back_the_same() -> None:
    observation = Metrics.of_author("x", "7", AT, {"follower_count": 3})
    assert _parsed(orjson.loads(encode(observation, received_at=AT, collector="c"))) == (observation, 0)
    record = {"kind": "metrics", "network": "x", "post_id": "1", "posted_at": AT}
    [outcome], _ = parse_line(orjson.dumps({**record, "like_count": -1}))
    assert isinstance(outcome, Malformed)
    assert str(outcome).startswith("metrics have none of like_count")


@pytest.mark.parametrize("observes", [False, True])
def test_counts_in_files_are_observations_of_the_moment_at_which_a_stream_gave_them(observes: bool) -> None:
    lines = LineBatch(where="a", observes=observes)
    streamed = {**COUNTED_V1, "timestamp_ms": "1565434800000"}
    lines.add_all([orjson.dumps(streamed), orjson.dumps(COUNTED_V1), orjson.dumps({"data": X_MORE})], 0)
    batch = lines.take(None)
    found = [event for event in batch.events if isinstance(event, Metrics)]
    assert [event.posted_at for event in found] == ["2019-08-10T11:00:00.000Z"] * 2 * observes
    assert batch.read == len(batch.events) == 3 + len(found)


def test_a_replay_keeps_the_likes_and_reposts_that_it_is_asked_for(tmp_path: Path) -> None:
    subject = {"subject": {"uri": ROOT, "cid": "b"}, "createdAt": AT}
    lines = [
        {"did": DID, "kind": "commit", "time_us": 1793509200000000, "commit": {"rev": "3l", "rkey": "3l", **commit}}
        for commit in (
            {"collection": LIKES, "operation": "create", "record": subject},
            {"collection": REPOSTS, "operation": "create", "record": subject},
            {"collection": LIKES, "operation": "delete"},
        )
    ]
    file = tmp_path / "dump.ndjson"
    file.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    kinds = {}
    for collections in ((), (LIKES,), COLLECTIONS):
        events = [event for batch in Replay([file], collections=collections).read(after=None) for event in batch.events]
        kinds[collections] = [type(event).__name__ for event in events]
    assert kinds == {(): [], (LIKES,): ["Like", "Tombstone"], COLLECTIONS: ["Like", "Post", "Tombstone"]}


def test_a_place_is_the_name_that_x_gives_it() -> None:
    place = {"id": "01a9", "full_name": "Boulder, CO", "name": "Boulder"}
    second = {"data": {**X, "geo": {"place_id": "01a9"}}, "includes": {**X_INCLUDES, "places": [place]}}
    for message in (
        {**V1, "place": place},
        second,
        {**GNIP, "location": {"objectType": "place", "displayName": "Boulder, CO"}},
    ):
        post, _ = _parsed(message)
        assert isinstance(post, Post)
        assert post.place == "Boulder, CO"
    assert stream_post(orjson.dumps(second)) is None
