"""Which lines of deleted posts give way, and what of them may stay."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest

from postrank.lake.redaction.raw_zone import STUBS, stub_of
from postrank.lake.redaction.undelivered_lines import Deleted

GONE = {("x", "1")}
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def line(**fields: object) -> bytes:
    event = {"kind": "post", "network": "x", "post_id": "1", "author_id": "ann", "text": "words", **fields}
    return orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE)


@pytest.mark.parametrize(("kind", "stub"), STUBS.items())
def test_a_stub_says_which_post_was_there_and_nothing_that_somebody_wrote(kind: str, stub: str) -> None:
    whole = line(kind=kind, posted_at="2026-11-23T10:00:07.123Z", collector="c1", versions=["0"], author_handle="Ann")
    redacted = stub_of(whole, GONE, "run")
    assert redacted is not None
    assert redacted.endswith(b"}\n")
    assert orjson.loads(redacted) == {
        "kind": stub,
        "network": "x",
        "post_id": "1",
        "posted_at": "2026-11-23T10:00:00.000Z",
        "redacted_by": "run",
        "collector": "c1",
        "versions": ["0"],
    }
    assert stub_of(redacted, GONE, "run") is None, "it is no line of a post any more"


@pytest.mark.parametrize(
    "other",
    [
        line(post_id="2"),
        line(network="bluesky"),
        line(kind="delete"),
        line(kind="log"),
        line(kind=None),
        b"[1]\n",
        b'"post"\n',
        b'{"kind": "post", "network": "x", "post_id": "1"',
    ],
)
def test_other_lines_stay(other: bytes) -> None:
    assert stub_of(other, GONE, "run") is None


@pytest.mark.parametrize(
    ("posted_at", "minute"),
    [
        ("2026-11-23T10:59:59Z", "2026-11-23T10:59:00.000Z"),
        ("2026-11-23T10:59Z", None),
        ("2026-11-23T10:59:59.000+01:00", None),
        ("yesterday", None),
        (1763895600, None),
        (None, None),
    ],
)
def test_a_stub_has_the_minute_of_a_time_in_the_contract_s_form(posted_at: object, minute: str | None) -> None:
    redacted = stub_of(line(posted_at=posted_at), GONE, "run")
    assert redacted is not None
    assert orjson.loads(redacted)["posted_at"] == minute


def test_a_stub_leaves_out_collectors_and_versions_that_are_none() -> None:
    redacted = stub_of(line(collector=7, versions="0"), GONE, "run")
    assert redacted is not None
    assert orjson.loads(redacted).keys() == {"kind", "network", "post_id", "posted_at", "redacted_by"}


DELETED = Deleted(
    posts=frozenset({("x", "1"), ("x", "author:ann")}),
    authors={("x", "ann"): NOON, ("x", "bob"): None},
)


@pytest.mark.parametrize(
    ("text", "post"),
    [
        (line(author_id="eve"), ("x", "1")),
        (line(network="bluesky", author_id="eve"), None),
        (line(post_id="2", posted_at="2026-11-23T12:00:00.000Z"), ("x", "2")),
        (line(post_id="2", posted_at="2026-11-23T12:00:00.001Z"), None),
        (line(post_id="2", posted_at="2026-11-23 11:00:00"), ("x", "2")),  # a time without a zone is UTC
        (line(post_id="2", posted_at="sometime"), ("x", "2")),  # no time to keep it for
        (line(post_id="2"), ("x", "2")),
        (line(post_id="2", author_id="bob", posted_at="2030-01-01T00:00:00.000Z"), ("x", "2")),
        (line(post_id="2", author_id="eve", posted_at="2026-11-23T10:00:00.000Z"), None),
        (line(post_id="2", network="bluesky"), None),
        (b"no event\n", None),
        (b"[]\n", None),
    ],
)
def test_a_post_is_gone_by_its_own_tombstone_or_its_author_s_up_to_the_leaving(
    text: bytes, post: tuple[str, str] | None
) -> None:
    assert DELETED.post_of(text) == post


def test_the_moment_of_leaving_is_an_instant_in_any_zone() -> None:
    later = Deleted(frozenset({("x", "author:ann")}), {("x", "ann"): NOON + timedelta(hours=1)})
    assert later.post_of(line(post_id="2", posted_at="2026-11-23T14:00:00+01:00")) == ("x", "2")
    assert later.post_of(line(post_id="2", posted_at="2026-11-23T13:00:01+00:00")) is None
