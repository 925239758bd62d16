"""What passes the filters, and what becomes of them while their files are written."""

from pathlib import Path
from typing import Any

import pytest

from postrank.options import Options, WrongSettings
from postrank.posts import Like, Metrics, Post, Tombstone
from postrank.posts.times import EPOCH
from postrank.streamer.engine.filters import Filters


def filters(**table: Any) -> Filters:
    options = Options(table, "filters")
    found = Filters.build(options, lambda: Options(table, "filters"))
    options.finish()
    return found


def post(**fields: Any) -> Post:
    return Post(network="x", post_id="1", author_id="7", posted_at=EPOCH, **fields)


@pytest.mark.parametrize(
    ("types", "passing"),
    [
        (["original"], {"plain"}),
        (["reply"], {"reply", "reply that quotes"}),
        (["repost", "quote"], {"repost", "reply that quotes"}),
        (["original", "reply", "repost", "quote"], {"plain", "reply", "repost", "reply that quotes"}),
    ],
)
def test_types_choose_among_originals_replies_reposts_and_quotes(types: list[str], passing: set[str]) -> None:
    chosen = filters(types=types)
    posts = {
        "plain": post(),
        "reply": post(reply_to="2"),
        "repost": post(repost_of="3"),
        "reply that quotes": post(reply_to="2", quote_of="4"),
    }
    assert {name for name, one in posts.items() if chosen.wants(one)} == passing
    assert chosen.wants(Tombstone(network="x", post_id="1"))


def test_a_like_passes_unless_authors_are_watched_who_neither_gave_nor_received_it(tmp_path: Path) -> None:
    like = Like(network="x", post_id="9", author_id="7", posted_at=EPOCH, like_of="1", like_of_author="8")
    assert filters(keywords=["rain"], languages=["en"]).wants(like)
    for watched, passes in (("7", True), ("8", True), ("6", False)):
        (tmp_path / "handles").write_text(f"{watched}\n", encoding="utf-8")
        assert filters(handles_file=str(tmp_path / "handles")).wants(like) is passes
    observation = Metrics(network="x", post_id="1", author_id="7", posted_at=EPOCH, like_count=1)
    assert filters(keywords=["rain"]).wants(observation)
    assert not filters(handles_file=str(tmp_path / "handles")).wants(observation)


def test_an_author_is_known_by_the_handle_or_by_the_id_and_a_language_holds_its_regions(tmp_path: Path) -> None:
    handles = tmp_path / "handles.txt"
    handles.write_text("did:plc:Ann\n@bob\n", encoding="utf-8")
    chosen = filters(handles_file=str(handles), languages=["en", "pt-BR"])
    wanted = [("did:plc:ann", None, "en"), ("7", "Bob", "en-GB"), ("7", "bob", "pt-br")]
    others = [("did:plc:cy", "ann", "en"), ("7", "bob", "pt"), ("7", "bob", None), ("7", "bob", "enm")]

    def passes(author_id: str, handle: str | None, lang: str | None) -> bool:
        return chosen.wants(
            Post(network="x", post_id="1", author_id=author_id, posted_at=EPOCH, author_handle=handle, lang=lang)
        )

    assert [passes(*one) for one in wanted] == [True] * 3
    assert [passes(*one) for one in others] == [False] * 4


def test_where_handles_come_late_authors_are_named_by_their_ids(tmp_path: Path) -> None:
    handles = tmp_path / "handles.txt"
    handles.write_text("did:plc:ann\n", encoding="utf-8")
    options = Options({"handles_file": str(handles)}, "filters")
    chosen = Filters.build(options, lambda: Options({"handles_file": str(handles)}, "filters"), by_id=True)
    assert options.problems == []
    handles.write_text("did:plc:ann\nbob.example\n", encoding="utf-8")
    assert not chosen.refresh()
    assert not chosen.refresh(), "it is wrong, and leaves what held before"
    again = Options({"handles_file": str(handles)}, "filters")
    Filters.build(again, lambda: again, by_id=True)
    assert "holds 'bob.example', but posts come without" in again.problems[0]


def test_hashtags_are_keywords_and_a_comment_stands_apart(tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("# of the sky\n#Eclipse\nc#  # the language\n#\n", encoding="utf-8")
    chosen = filters(keywords_file=str(words))
    texts = ["an #eclipse!", "in C# too", "eclipse", "c", "the language"]
    assert [text for text in texts if chosen.wants(post(text=text))] == texts[:2]


def test_keywords_of_scripts_without_blanks_are_found_within_what_looks_like_a_word() -> None:
    chosen = filters(keywords=["猫", "고양이", "แมว", "cat"])
    texts = ["黒猫がいる", "고양이가 좋아", "รักแมวมาก", "a cat.", "concatenate", "犬がいる"]
    assert [text for text in texts if chosen.wants(post(text=text))] == texts[:4]


def test_a_type_that_nobody_knows_and_a_file_that_is_not_there_are_told_together(tmp_path: Path) -> None:
    with pytest.raises(WrongSettings) as wrong:
        filters(types=["joke"], handles_file=str(tmp_path / "none"))
    assert "types must be some of original, reply, repost, quote, not joke" in str(wrong.value)
    assert "cannot be read" in str(wrong.value)


@pytest.mark.parametrize("content", [b"", b"# nobody\n", b"\xff\xfe"])
def test_a_file_that_says_nothing_is_refused_at_the_start_and_passed_over_later(tmp_path: Path, content: bytes) -> None:
    handles = tmp_path / "handles.txt"
    handles.write_bytes(content)
    with pytest.raises(WrongSettings, match="handles_file names"):
        filters(handles_file=str(handles))
    handles.write_text("@Ann", encoding="utf-8")
    chosen = filters(handles_file=str(handles))
    handles.write_bytes(content)
    assert not chosen.refresh()
    assert not chosen.refresh()
    assert chosen.wants(post(author_handle="ann"))


def test_a_file_is_taken_over_once_nobody_writes_it_any_more(tmp_path: Path) -> None:
    handles = tmp_path / "handles.txt"
    handles.write_text("ann\n", encoding="utf-8")
    chosen = filters(handles_file=str(handles))
    handles.write_text("bob\n", encoding="utf-8")
    assert not chosen.refresh()
    handles.write_text("bob\ncy\n", encoding="utf-8")
    assert not chosen.refresh(), "it changed again"
    assert chosen.wants(post(author_handle="ann"))
    assert chosen.refresh()
    assert chosen.wants(post(author_handle="Cy"))
    assert not chosen.wants(post(author_handle="ann"))
    assert not chosen.refresh()
