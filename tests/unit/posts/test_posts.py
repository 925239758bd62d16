"""Foreign and native lines become events of the contract, or say why not."""

import copy
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postrank.posts import Ignored, Malformed, Notice, Post, Tombstone
from postrank.posts.encoding import encode
from postrank.posts.formats.detect import parse_line, read_line
from postrank.posts.formats.x_stream import stream_post
from postrank.posts.repairs import Repairs
from postrank.posts.times import instant, moment, to_text
from tests.support.streaming.streamers import record

V1 = {
    "created_at": "Sat Aug 10 11:00:00 +0000 2013",
    "id_str": "366151943065833472",
    "text": "cut of",
    "extended_tweet": {"full_text": "cut off no more", "entities": {"hashtags": [{"text": "Long"}]}},
    "user": {"id_str": "7", "screen_name": "Ann", "name": "Ann A."},
    "in_reply_to_status_id_str": "1",
    "quoted_status_id_str": "2",
    "retweeted_status": {"id_str": "3"},
    "lang": "en",
    "entities": {"hashtags": [], "urls": [], "user_mentions": []},
}
V2 = {
    "id": "1800000000000000000",
    "text": "hello",
    "author_id": "7",
    "created_at": "2024-06-10T03:00:17.000Z",
    "referenced_tweets": [{"type": "replied_to", "id": "1"}, {"type": "quoted", "id": "2"}],
}
USERS = {"users": [{"id": "7", "username": "ann", "name": "Ann A."}]}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def outcomes(message: Any) -> list[Any]:
    return list(parse_line(message if isinstance(message, bytes) else orjson.dumps(message))[0])


def only(message: Any) -> Any:
    (outcome,) = outcomes(message)
    return outcome


def test_a_v1_post_keeps_its_full_text_and_what_it_refers_to() -> None:
    post = only(V1)
    assert (post.text, post.hashtags, post.author_handle) == ("cut off no more", ["Long"], "Ann")
    assert (post.reply_to, post.quote_of, post.repost_of) == ("1", "2", "3")


def test_v1_time_is_timestamp_ms_where_there_is_one_and_created_at_where_not() -> None:
    assert only(V1).posted_at == "2013-08-10T11:00:00.000Z"
    assert only({**V1, "timestamp_ms": "1376132400657"}).posted_at == "2013-08-10T11:00:00.657Z"


def test_a_v1_delete_is_a_tombstone_with_its_author() -> None:
    found = only({"delete": {"status": {"id_str": "5", "user_id_str": "7"}}})
    assert found == Tombstone(network="x", post_id="5", author_id="7")


@pytest.mark.parametrize("kind", ["limit", "scrub_geo", "status_withheld", "disconnect", "warning"])
def test_v1_notices_are_counted_by_kind(kind: str) -> None:
    assert only({kind: {"track": 1}}) == Ignored(kind)


def test_a_v2_page_takes_its_authors_from_includes() -> None:
    found = outcomes(
        {"data": [V2, {**V2, "id": "6", "author_id": "8"}], "includes": USERS, "meta": {"result_count": 2}}
    )
    assert [(post.author_id, post.author_handle) for post in found] == [("7", "ann"), ("8", None)]
    assert (found[0].reply_to, found[0].quote_of, found[0].repost_of) == ("1", "2", None)


def test_a_v2_page_with_one_bad_post_keeps_the_others() -> None:
    found = outcomes({"data": [V2, {"id": "6", "text": "no author"}], "includes": USERS})
    assert [type(one) for one in found] == [Post, Malformed]
    assert str(found[1]) == "no v2 post: author_id is missing"


def test_a_stream_object_and_a_bare_post_are_read_alike() -> None:
    streamed = only({"data": V2, "includes": USERS, "matching_rules": [{"id": "1"}]})
    flattened = only({**V2, "author": USERS["users"][0]})
    assert streamed == flattened


def test_a_v2_post_that_lacks_its_time_has_that_of_its_id_and_one_that_lacks_its_author_says_so() -> None:
    bare = {name: value for name, value in V2.items() if name != "created_at"}
    post = only({"data": {**bare, "id": "1500000000000000000"}, "includes": USERS})
    assert isinstance(post, Post)
    assert post.posted_at == "2022-03-05T06:47:23.000Z"
    for lacking, why in (
        ({**bare, "id": "12"}, "created_at"),
        ({"id": "12", "text": "a", "created_at": "x"}, "author"),
    ):
        outcome = only({"data": lacking})
        assert isinstance(outcome, Malformed)
        assert why in str(outcome)


STREAMED = {
    "data": {
        **V2,
        "lang": "en",
        "entities": {
            "hashtags": [{"start": 1, "tag": "a"}],
            "mentions": [{"username": "b"}],
            "urls": [
                {"url": "https://t.example/1", "expanded_url": "https://long.example"},
                {"url": "https://t.example/2"},
            ],
        },
        "edit_history_tweet_ids": [V2["id"]],
    },
    "includes": USERS,
}


def test_a_plain_stream_object_is_read_in_one_pass() -> None:
    post = stream_post(orjson.dumps(STREAMED))
    assert post is not None
    assert (post.author_handle, post.hashtags, post.mentions, post.reply_to) == ("ann", ["a"], ["b"], "1")
    assert post.urls == ["https://long.example", "https://t.example/2"]


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_the_one_pass_gives_what_the_general_way_gives_or_leaves_it_alone(data: st.DataObject) -> None:
    message: dict[str, Any] = copy.deepcopy(STREAMED)
    for _ in range(data.draw(st.integers(0, 2))):
        inner: Any = message
        while True:
            places = [*inner] if isinstance(inner, dict) else [*range(len(inner))]
            place = data.draw(st.sampled_from([*places, "kind", "note_tweet"] if isinstance(inner, dict) else places))
            deeper = isinstance(inner, list) or place in inner
            if deeper and isinstance(inner[place], dict | list) and inner[place] and data.draw(st.booleans()):
                inner = inner[place]
                continue
            inner[place] = data.draw(json_values | st.sampled_from(["retweeted", "", "7", [V2["id"], "2"]]))
            break
    try:
        line = orjson.dumps(message)
    except TypeError:  # an integer that JSON readers do not agree on
        return
    post = stream_post(line)
    assert post is None or outcomes(b" " + line) == [post]


def test_an_edit_has_the_id_and_the_time_of_the_first_version() -> None:
    first = "1800000000000000000"
    edit = only({**V2, "id": "1800000123456789012", "edit_history_tweet_ids": [first, "1800000123456789012"]})
    assert (edit.kind, edit.post_id) == ("edit", first)
    assert edit.posted_at == "2024-06-10T03:00:17.000Z"
    assert only({**V2, "edit_history_tweet_ids": [first]}).kind == "post"


AT = "2022-12-23T12:34:56.789Z"
TWEET = {"tweet": {"id": "5", "author_id": "7"}, "event_at": AT}


def notice(kind: str, post_id: str | None, about: str) -> Ignored:
    asked = Notice(kind=kind, post_id=post_id, author_id="7", about=about, at=AT)
    return Ignored(f"compliance_{kind}", asked)


def scrubbed(post_id: str, about: str) -> Ignored:
    asked = Notice(kind="scrub_geo", post_id=post_id, author_id="7", about=about, at=None)
    return Ignored("compliance_scrub_geo", asked)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"delete": TWEET}, Tombstone(network="x", post_id="5", author_id="7")),
        ({"drop": TWEET}, Tombstone(network="x", post_id="5", author_id="7")),
        (
            {"withheld": {**TWEET, "withheld_in_countries": ["XY"]}},
            Tombstone(network="x", post_id="5", author_id="7"),
        ),
        ({"withheld": {**TWEET, "withheld_in_countries": ["DE", "FR"]}}, notice("withheld", "5", "DE,FR")),
        (
            {"user_withheld": {"user": {"id": "7"}, "withheld_in_countries": ["XX"], "event_at": AT}},
            Tombstone.of_author("x", "7", AT),
        ),
        (
            {"user_withheld": {"user": {"id": "7"}, "withheld_in_countries": ["DE"], "event_at": AT}},
            notice("user_withheld", None, "DE"),
        ),
        (
            {"tweet_edit": {"tweet": {"id": "5", "author_id": "7", "edit_tweet_ids": ["5", "6"]}, "event_at": AT}},
            notice("tweet_edit", "5", "6"),
        ),
        ({"undrop": TWEET}, Ignored("compliance_undrop")),
        ({"scrub_geo": TWEET}, scrubbed("5", "place of the post")),
        (
            {"scrub_geo": {"user": {"id": "7"}, "up_to_tweet_id": "9"}},
            scrubbed("9", "places of the author's posts up to this one"),
        ),
    ],
)
def test_each_compliance_event_takes_a_post_out_or_is_a_notice_or_is_counted(event: Any, expected: Any) -> None:
    assert only({"data": event}) == expected


@pytest.mark.parametrize(
    "event",
    [
        {"drop": {}},
        {"drop": {"tweet": {"id": 5}}},
        {"withheld": {"tweet": {"id": "5"}, "withheld_in_countries": [1]}},
        {"user_withheld": {"user": {}}},
        {"tweet_edit": None},
        {"delete": {**TWEET, "event_at": "yesterday"}},
    ],
)
def test_a_compliance_event_that_is_none_is_rejected(event: Any) -> None:
    assert isinstance(only({"data": event}), Malformed)


def test_a_result_of_a_compliance_job_is_a_tombstone() -> None:
    assert only({"id": "5", "action": "delete", "reason": "deleted"}) == Tombstone(network="x", post_id="5")


@pytest.mark.parametrize("kind", ["user_delete", "user_protect", "user_suspend"])
def test_an_author_who_left_x_is_a_tombstone_of_all_posts_until_then(kind: str) -> None:
    event = {"user": {"id": "7"}, "event_at": "2022-12-23T12:34:56.789Z"}
    gone = only({"data": {kind: event}})
    assert gone == Tombstone.of_author("x", "7", "2022-12-23T12:34:56.789Z")
    assert only({kind: {"id": 7}}) == Tombstone.of_author("x", "7", None)
    assert only(encode(gone, received_at="2026-05-01T12:00:00.000Z", collector="c")) == gone
    assert isinstance(only({"data": {kind: {"user": {}}}}), Malformed)


@pytest.mark.parametrize("kind", ["user_undelete", "user_unprotect", "user_unsuspend"])
def test_other_events_of_users_are_counted(kind: str) -> None:
    assert only({"data": {kind: {"user": {"id": "7"}}}}) == Ignored(f"compliance_{kind}")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"kind": "follow"}, "kind is 'follow', none of post, edit, repost, like, metrics, log, delete"),
        ({"post_id": None}, "post_id is missing"),
        ({"post_id": 7}, "post_id is 7, not text"),
        ({"author_id": ""}, "author_id is missing"),
        ({"author_id": ["7"]}, "author_id is a list of 1, not text"),
        ({"posted_at": None}, "posted_at is missing"),
        ({"posted_at": "2026-05-01"}, "posted_at is '2026-05-01', no RFC 3339 instant with an offset"),
        (
            {"posted_at": "2026-02-30T00:00:00Z"},
            "posted_at is '2026-02-30T00:00:00Z', no RFC 3339 instant with an offset",
        ),
        ({"posted_at": 1777636800}, "posted_at is 1777636800, no RFC 3339 instant with an offset"),
        (
            {"posted_at": "0001-01-01T00:00:00+23:59"},
            "posted_at is '0001-01-01T00:00:00+23:59', no RFC 3339 instant with an offset",
        ),
    ],
)
def test_a_record_that_breaks_the_contract_says_how(change: dict[str, Any], reason: str) -> None:
    found = only({**record(1), **change})
    assert isinstance(found, Malformed)
    assert str(found) == reason


@pytest.mark.parametrize(
    ("change", "field"),
    [({"text": ["a"]}, "text"), ({"hashtags": "a"}, "hashtags"), ({"lang": 5}, "lang"), ({"urls": [1]}, "urls")],
)
def test_a_detail_of_the_wrong_type_is_left_out_and_counted(change: dict[str, Any], field: str) -> None:
    repairs = Repairs()
    [post], _ = read_line(orjson.dumps({**record(1), **change}), repairs)
    assert isinstance(post, Post)
    assert getattr(post, field) is None
    assert repairs.count == 1


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("1901-02-03T04:05:06.789Z", "1901-02-03T04:05:06.789Z"),
        ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
        ("2026-05-01T12:00:00+02:00", "2026-05-01T10:00:00.000Z"),
        ("2026-05-01t12:00:00.123456789z", "2026-05-01T12:00:00.123Z"),
    ],
)
def test_an_instant_of_any_age_and_offset_is_kept_in_utc_to_the_millisecond(text: str, kept: str) -> None:
    assert instant(text, "posted_at") == kept


def test_fields_that_the_contract_does_not_know_are_left_out_and_counted() -> None:
    found, unknown = parse_line(orjson.dumps({**record(1), "mood": "good", "likes": 3}))
    assert unknown == 2
    line = orjson.loads(encode(next(iter(found)), received_at="2026-05-01T12:00:00.000Z", collector="c"))  # type: ignore[arg-type]
    assert "mood" not in line


def test_what_is_encoded_reads_back_the_same() -> None:
    post = only({**record(1), "hashtags": ["Ä", "b"], "reply_to": "0", "lang": "de"})
    line = encode(post, received_at="2026-05-01T12:00:00.000Z", collector="c")
    assert line.endswith(b"}\n")
    assert only(line) == post
    assert line.count(b'"kind"') == 1


@pytest.mark.parametrize(
    "line",
    [
        b"\xff\xfe{}",
        b'{"kind": "post", "network": "\xed\xa0\x80"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"data": {"id": [], "text": {}}}',
        b'{"data": [[], 1, null, {"id": 7}], "includes": {"users": [1]}}',
        b'{"data": {"delete": []}}',
        b'{"delete": 7}',
        b'{"user": 7, "created_at": 7}',
        b'{"user": {}, "created_at": "Sat Aug 10 11:00:00 +0000 2013", "id": 1, "entities": [1]}',
        b'{"id": {}, "action": []}',
        b"NaN",
        b'"text"',
        b"1e999",
        b'{"kind": {}, "network": []}',
    ],
)
def test_bad_bytes_are_rejected_with_a_reason(line: bytes) -> None:
    found = outcomes(line)
    assert found
    assert all(isinstance(one, Malformed) and str(one) for one in found)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([record(1), V1, {"data": V2, "includes": USERS}, {"delete": {"status": {"id_str": "5"}}}]),
    st.data(),
)
def test_no_message_of_any_shape_makes_the_parser_fall(base: dict[str, Any], data: st.DataObject) -> None:
    keys = data.draw(st.lists(st.sampled_from(sorted(base)), max_size=3))
    message = {**base, **{key: data.draw(json_values) for key in keys}}
    try:
        line = orjson.dumps(message)
    except TypeError:  # an integer that JSON readers do not agree on
        return
    for outcome in outcomes(line):
        assert isinstance(outcome, Post | Tombstone | Ignored | Malformed)
        if isinstance(outcome, Post):
            assert orjson.loads(encode(outcome, received_at="2026-05-01T12:00:00.000Z", collector="c"))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_make_the_parser_fall(line: bytes) -> None:
    assert all(isinstance(one, Post | Tombstone | Ignored | Malformed) for one in outcomes(line))


@given(st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)))  # noqa: DTZ001 made aware below
def test_the_contract_s_form_of_an_instant_reads_back(naive: datetime) -> None:
    kept = naive.replace(microsecond=naive.microsecond // 1000 * 1000, tzinfo=UTC)
    text = to_text(kept)
    assert len(text) == 24
    assert instant(text, "posted_at") == text
    assert moment(text) == kept


def test_the_mark_with_which_some_programs_begin_a_file_is_no_part_of_its_first_line() -> None:
    line = orjson.dumps(record(1))
    assert only(b"\xef\xbb\xbf" + line) == only(line)
    assert isinstance(only(b"\xef\xbb\xbf" * 100_000), Ignored)
