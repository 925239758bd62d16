"""Pages of X: each post's original is what X would send of it alone."""

import json

import pytest

from postrank.posts.formats.detect import parse_line
from postrank.sources.net.batch_builder import Gathering
from postrank.sources.x.messages import absorb, add_page

AT = "2026-11-24T05:00:00.000Z"
FIRST = {"id": "1", "author_id": "7", "text": "a", "created_at": AT, "attachments": {"media_keys": ["3_1"]}, "vibe": 1}
SECOND = {"id": "2", "author_id": "8", "text": "b", "created_at": AT}
ANN = {"id": "7", "username": "ann"}
BOB = {"id": "8", "username": "bob"}
PHOTO = {"media_key": "3_1", "type": "photo", "url": "https://pbs.example/1.jpg"}
PAGE = {
    "data": [FIRST, SECOND],
    "includes": {"users": [BOB, ANN], "media": [PHOTO, {"media_key": "3_2", "type": "photo"}]},
    "meta": {"next_token": "t"},
}


@pytest.mark.parametrize("streamed", [False, True])
def test_a_post_of_a_page_comes_with_what_of_the_includes_it_names(streamed: bool) -> None:
    gathered = Gathering(where="x", keeps=True)
    if streamed:
        absorb(json.dumps(PAGE).encode(), gathered)
    else:
        add_page(PAGE, gathered)
    batch = gathered.take(None)
    assert [json.loads(original.json) for original in batch.originals] == [
        {"data": FIRST, "includes": {"users": [ANN], "media": [PHOTO]}},
        {"data": SECOND, "includes": {"users": [BOB]}},
    ]
    for original, event in zip(batch.originals, batch.events, strict=True):
        [again], _ = parse_line(original.json)
        assert original.post is event
        assert again == event


def test_a_page_is_read_alike_where_its_json_is_not_wanted() -> None:
    gathered = Gathering(where="x")
    add_page({"data": [FIRST, {"id": "broken"}, SECOND]}, gathered)
    batch = gathered.take(None)
    assert [event.post_id for event in batch.events] == ["1", "2"]
    assert len(batch.rejects) == 1
    assert batch.originals == []
