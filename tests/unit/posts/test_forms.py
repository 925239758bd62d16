"""Posts in the forms of other tools: recognised by all of their shape, read, and repaired where a detail is odd."""

from typing import Any

import orjson
import pytest

from postrank.posts import Ignored, Malformed, Post, Tombstone
from postrank.posts.formats.detect import read_line
from postrank.posts.formats.recognise import form_of
from postrank.posts.repairs import Repairs

DID = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"
URI = f"at://{DID}/app.bsky.feed.post/3lb"
AT = "2024-11-19T07:06:40.000Z"
RECORD = {"$type": "app.bsky.feed.post", "createdAt": AT, "text": "hi #a", "langs": ["en"], "tags": ["a"]}
COMMIT = {"operation": "create", "collection": "app.bsky.feed.post", "rkey": "3lb", "record": RECORD}
EVENT = {"did": DID, "time_us": 1732000001000000, "kind": "commit", "commit": COMMIT}
VIEW = {"uri": URI, "cid": "b", "author": {"did": DID, "handle": "a.example"}, "record": RECORD, "indexedAt": AT}
TWEET = {
    "__typename": "Tweet",
    "rest_id": "1500000000000000001",
    "core": {"user_results": {"result": {"rest_id": "2001", "legacy": {"screen_name": "a", "name": "A"}}}},
    "legacy": {"created_at": "Sat Mar 05 07:00:00 +0000 2022", "full_text": "x", "id_str": "1500000000000000001"},
}
CAPTURE = {"item_id": "1", "timestamp_collected": 1, "source_platform": "twitter.com", "data": TWEET}
GNIP = {
    "id": "tag:search.twitter.com,2005:1160000000000000001",
    "objectType": "activity",
    "verb": "post",
    "postedTime": "2019-08-10T11:00:00.000Z",
    "actor": {"id": "id:twitter.com:1001", "preferredUsername": "ann"},
    "body": "synthetic",
    "twitter_entities": {"hashtags": [{"text": "a"}]},
}
STATUS = {
    "id": "7",
    "created_at": "2024-11-19T07:06:40.000Z",
    "account": {"id": "9", "acct": "ann", "url": "https://social.example/@ann"},
    "content": "<p>hi</p>",
    "uri": "https://social.example/users/ann/statuses/7",
}
ACTIVITY = {
    "id": "https://social.example/users/ann/statuses/7/activity",
    "type": "Create",
    "actor": "https://social.example/users/ann",
    "published": "2022-11-21T14:45:56Z",
    "object": {"id": "https://social.example/users/ann/statuses/7", "type": "Note", "content": "<p>x</p>"},
}
V1 = {
    "created_at": "Sat Aug 10 11:00:00 +0000 2019",
    "id_str": "1160000000000000000",
    "text": "a",
    "user": {"id_str": "1001", "screen_name": "ann"},
}


def read(message: Any) -> list[Any]:
    return list(read_line(message if isinstance(message, bytes) else orjson.dumps(message), Repairs())[0])


def repaired(message: Any) -> tuple[list[Any], int]:
    repairs = Repairs()
    outcomes = list(read_line(message if isinstance(message, bytes) else orjson.dumps(message), repairs)[0])
    return outcomes, repairs.count


@pytest.mark.parametrize(
    ("message", "network", "post_id", "author_id", "posted_at"),
    [
        (EVENT, "bluesky", URI, DID, AT),
        (VIEW, "bluesky", URI, DID, AT),
        ({"post": VIEW, "reason": {"$type": "x"}}, "bluesky", URI, DID, AT),
        ({"feed": [{"post": VIEW}], "cursor": "c"}, "bluesky", URI, DID, AT),
        ({"posts": [VIEW]}, "bluesky", URI, DID, AT),
        ({"thread": {"post": VIEW, "replies": []}}, "bluesky", URI, DID, AT),
        ({"records": [{"uri": URI, "cid": "c", "value": RECORD}]}, "bluesky", URI, DID, AT),
        ({"id": URI, "text": "hi", "created_at": AT, "author_id": DID}, "bluesky", URI, DID, AT),
        (CAPTURE, "x", "1500000000000000001", "2001", "2022-03-05T07:00:00.000Z"),
        ({**CAPTURE, "data": VIEW, "source_platform": "bsky.app"}, "bluesky", URI, DID, AT),
        (TWEET, "x", "1500000000000000001", "2001", "2022-03-05T07:00:00.000Z"),
        ({**TWEET, "__import_meta": {}}, "x", "1500000000000000001", "2001", "2022-03-05T07:00:00.000Z"),
        (GNIP, "x", "1160000000000000001", "1001", "2019-08-10T11:00:00.000Z"),
        (STATUS, "mastodon:social.example", "7", "9", AT),
        (ACTIVITY, "mastodon:social.example", "7", "https://social.example/users/ann", "2022-11-21T14:45:56.000Z"),
        (
            {"type": "OrderedCollection", "orderedItems": [ACTIVITY]},
            "mastodon:social.example",
            "7",
            "https://social.example/users/ann",
            "2022-11-21T14:45:56.000Z",
        ),
        ({"statuses": [V1]}, "x", "1160000000000000000", "1001", "2019-08-10T11:00:00.000Z"),
        ({"for_user": "5", "message": V1}, "x", "1160000000000000000", "1001", "2019-08-10T11:00:00.000Z"),
    ],
)
def test_each_form_gives_its_post(message: Any, network: str, post_id: str, author_id: str, posted_at: str) -> None:
    [post] = read(message)
    assert isinstance(post, Post)
    assert (post.network, post.post_id, post.author_id, post.posted_at) == (network, post_id, author_id, posted_at)
    assert form_of(message)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"data": {"user": {"result": {}}}}, "data holds user"),
        ({"data": {"search_by_raw_query": {}}}, "data holds search_by_raw_query"),
        ({"tweet": "a", "username": "b", "friends": 1, "warning": False}, "it has tweet, username, friends, warning"),
        ({"warning": "careful", "text": "a"}, "it has warning, text"),
        ({"limit": {"track": 1}, "user": "a"}, "it has limit, user"),
        ({"delete": {"status": {"id": 1}}, "more": 1}, "it has delete, more"),
        ({"id": "5", "action": "click"}, ""),
        ({"id": "5", "action": "delete", "session": "a"}, "it has id, action, session"),
        ({"id": "1", "text": "a", "created_at": AT}, "names no author"),
        ({"id": "tag:1", "text": "a", "author_id": "7", "created_at": AT}, "ids of X are numbers"),
        ({"id": URI, "text": "a", "author_id": "did:plc:other", "created_at": AT}, "the at-URI names"),
        ({**CAPTURE, "data": {"video": 1}, "source_platform": "tiktok.com"}, "a Zeeschuimer capture of 'tiktok.com'"),
        ({"data": [{"id": "1", "username": "a"}]}, "no post but a user"),
        ({"data": [{"start": "a", "end": "b", "tweet_count": 1}]}, "no post but a count of posts"),
        ({"account": {"id": "1"}, "content": "x", "id": "1", "created_at": AT}, "which instance"),
        ([1, 2], "a list that holds no objects"),
    ],
)
def test_what_only_shares_a_key_with_a_form_is_a_reject_that_says_so(message: Any, reason: str) -> None:
    [outcome] = read(message)
    if isinstance(outcome, Ignored):
        assert not reason
        return
    assert isinstance(outcome, Malformed)
    assert reason in str(outcome)


@pytest.mark.parametrize(
    "record",
    [
        {"createdAt": "2024-11-19T07:06:00"},
        {"createdAt": "1960-01-01T00:00:00Z"},
        {"createdAt": 5},
        {"langs": [""]},
        {"tags": [""]},
        {"facets": [{"features": [{"$type": "app.bsky.richtext.facet#link", "uri": ""}]}]},
        {"facets": [{"features": [{"$type": "app.bsky.richtext.facet#tag"}]}]},
        {"facets": [None]},
        {"reply": {"parent": []}},
        {"text": 7},
    ],
)
def test_a_bluesky_post_with_an_odd_detail_counts_and_is_repaired(record: dict[str, Any]) -> None:
    outcomes, count = repaired({**EVENT, "commit": {**COMMIT, "record": {**RECORD, **record}}})
    assert [type(outcome) for outcome in outcomes] == [Post]
    assert count


@pytest.mark.parametrize(
    "change",
    [
        {"lang": ""},
        {"entities": {"hashtags": [{"indices": [1, 2]}]}},
        {"entities": {"user_mentions": [{"id": 5}]}},
        {"entities": {"urls": ["a"]}},
        {"entities": [1]},
        {"timestamp_ms": "soon"},
        {"text": ["a"]},
        {"extended_tweet": "a"},
    ],
)
def test_a_v1_post_with_an_odd_detail_counts_and_is_repaired(change: dict[str, Any]) -> None:
    outcomes, count = repaired({**V1, **change})
    assert [type(outcome) for outcome in outcomes] == [Post]
    assert count


@pytest.mark.parametrize("text", [b'"\\ud800"', b"NaN", b'"a\x01b"', b'"\xff"'])
def test_a_line_that_is_almost_json_is_repaired(text: bytes) -> None:
    outcomes, count = repaired(orjson.dumps(V1)[:-1] + b', "quote_count": Infinity, "text": ' + text + b"}")
    assert [type(outcome) for outcome in outcomes] == [Post]
    assert count


def test_several_objects_on_a_line_are_several_posts() -> None:
    assert [type(outcome) for outcome in read(orjson.dumps(V1) * 3)] == [Post, Post, Post]


CHAIN = ["1160000000000000000", "1160000000000000011"]


@pytest.mark.parametrize(
    "message",
    [
        {**V1, "id_str": CHAIN[1], "edit_history": {"initial_tweet_id": CHAIN[0], "edit_tweet_ids": CHAIN}},
        {**V1, "id_str": CHAIN[1], "edit_history": {"initial_tweet_id": CHAIN[0]}},
        {"id": CHAIN[1], "author_id": "1001", "text": "a", "created_at": AT, "edit_history_tweet_ids": CHAIN},
        {**GNIP, "id": f"tag:search.twitter.com,2005:{CHAIN[1]}", "edit_history": {"edit_tweet_ids": CHAIN}},
        {**TWEET, "rest_id": CHAIN[1], "edit_control": {"edit_tweet_ids": CHAIN}},
        {
            **TWEET,
            "rest_id": CHAIN[1],
            "edit_control": {"initial_tweet_id": CHAIN[0], "edit_control_initial": {"edit_tweet_ids": CHAIN}},
        },
    ],
)
def test_an_edit_in_any_form_is_a_version_of_the_first_post(message: dict[str, Any]) -> None:
    [post] = read(message)
    assert (post.kind, post.post_id, post.versions) == ("edit", CHAIN[0], CHAIN)


def test_a_repost_of_a_long_post_keeps_all_its_tags() -> None:
    long = {"full_text": "all", "entities": {"hashtags": [{"text": "one"}, {"text": "two"}]}}
    short = {"hashtags": [{"text": "one"}]}
    [post] = read({**V1, "entities": short, "retweeted_status": {"id_str": "3", "extended_tweet": long}})
    assert (post.repost_of, post.hashtags) == ("3", ["one", "two"])
    data = {"id": "5", "author_id": "7", "created_at": AT, "referenced_tweets": [{"type": "retweeted", "id": "3"}]}
    tags = {"hashtags": [{"tag": "one"}, {"tag": "two"}]}
    includes = {"users": [{"id": "7", "username": "a"}], "tweets": [{"id": "3", "note_tweet": {"entities": tags}}]}
    [post] = read({"data": {**data, "entities": {"hashtags": [{"tag": "one"}]}}, "includes": includes})
    assert (post.repost_of, post.hashtags) == ("3", ["one", "two"])


@pytest.mark.parametrize(
    ("line", "post_ids"),
    [
        ({"id": "1482680858", "created_at": "2013-06-04T16:25:04+00:00", "reason": "protected"}, ["author:1482680858"]),
        ({"id": "1482680858", "created_at": "2009-06-04T16:25:04+00:00", "reason": "protected"}, ["1482680858"]),
        ({"id": "1500000000000000001", "created_at": "2010-01-01T00:00:00Z"}, ["author:1500000000000000001"]),
        (
            {"id": "1500000000000000001", "created_at": "2022-03-05T06:47:23Z", "reason": "suspended"},
            ["1500000000000000001", "author:1500000000000000001"],
        ),
        ({"id": "5", "reason": "deleted"}, ["5"]),
    ],
)
def test_a_compliance_result_deletes_the_post_or_the_user_that_it_lists(
    line: dict[str, Any], post_ids: list[str]
) -> None:
    outcomes = read({"action": "delete", **line})
    assert all(isinstance(outcome, Tombstone) for outcome in outcomes)
    assert [outcome.post_id for outcome in outcomes] == post_ids


def test_a_compliance_result_that_may_be_either_says_what_to_do() -> None:
    [outcome] = read({"id": "1482680858", "action": "delete", "reason": "protected"})
    assert isinstance(outcome, Malformed)
    assert "post or user?" in str(outcome)
