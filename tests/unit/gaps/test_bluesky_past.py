"""Bluesky's past: the archive of the network and the repositories of followed authors, and gaps that they close."""

import json
import threading
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from localaws.testing.waiting import wait_for
from postrank.options import Options, Secret, WrongSettings
from postrank.posts import Malformed, Post, Tombstone
from postrank.sources import Batch, Surroundings
from postrank.sources.bluesky import Jetstream
from postrank.sources.bluesky.archive import dag_cbor
from postrank.sources.bluesky.archive.blocks import rows
from postrank.sources.bluesky.archive.record_keys import first_key, time_of
from postrank.sources.bluesky.archive.replay import NetworkReplay
from postrank.sources.bluesky.archive.repositories import Repositories
from postrank.sources.bluesky.archive.requests import PastAway, PastRefused, read
from tests.support.fakes.bluesky_archive import KEY, POSTS, Archived, FakePast, block, cbor, fake_past
from tests.support.fakes.jetstream import commit, fake_jetstream, record
from tests.unit.gaps.test_backfill_files import backfill

SINCE = datetime(2026, 11, 1, 5, tzinfo=UTC)
UNTIL = datetime(2026, 11, 1, 6, tzinfo=UTC)
ANN = "did:plc:ann"
BOB = "did:plc:bob"
LIKES = "app.bsky.feed.like"


def written(seq: int, at: str, did: str = ANN, **more: Any) -> Archived:
    payload = {"$type": POSTS, "text": f"post {seq}", "createdAt": f"2026-11-01T{at}Z", "langs": ["en"]}
    return Archived(seq, f"2026-11-01T{at}+00:00", did, rkey=f"r{seq}", **{"payload": payload, **more})


SEGMENTS = [
    [[written(1, "04:00:00"), written(2, "04:59:59.999")], [written(3, "05:00:00"), written(4, "05:10:00", BOB)]],
    [
        [
            written(5, "05:20:00", kind=3, payload=None),
            Archived(6, "2026-11-01T05:21:00+00:00", BOB, kind=5, payload={"active": False, "status": "deleted"}),
            Archived(7, "2026-11-01T05:22:00+00:00", ANN, kind=4, payload={"handle": "ann.example"}),
        ],
        [written(8, "05:59:59"), written(9, "06:00:00")],
    ],
]


def replay(past: FakePast, **more: Any) -> NetworkReplay:
    return NetworkReplay(host=past.url, collections=(POSTS,), key=Secret(KEY), **more)


def events(batches: list[Batch]) -> list[str]:
    return [event.post_id.rsplit("/", 1)[-1] for batch in batches for event in batch.events]


def texts_of(batches: list[Batch]) -> list[str]:
    return [event.text or "" for batch in batches for event in batch.events if isinstance(event, Post)]


def all_of(pages: Any, place: str | None = None) -> list[Batch]:
    return list(read(pages, SINCE, UNTIL, threading.Event(), place))


@pytest.mark.parametrize("whole", [False, True])
def test_the_archive_gives_the_span_with_its_deletes_and_nothing_else(whole: bool) -> None:
    with fake_past(segments=SEGMENTS, whole=whole, trouble=[503, 429]) as past:
        batches = all_of(replay(past))
        assert past.keys == {f"Bearer {KEY}"}
    assert events(batches) == ["r3", "r4", "r5", f"author:{BOB}", "r8"]
    found = [event for batch in batches for event in batch.events]
    assert isinstance(found[2], Tombstone)
    assert (texts_of(batches)[0], found[0].source_cursor) == ("post 3", "3")


def test_the_archive_is_read_on_from_any_page() -> None:
    with fake_past(segments=SEGMENTS) as past:
        batches = [batch for batch in all_of(replay(past)) if batch.cursor or batch.events]
        for index, batch in enumerate(batches[:-1]):
            if batch.cursor:
                assert events(all_of(replay(past), batch.cursor)) == events(batches[index + 1 :])


def test_the_archive_gives_the_wanted_accounts_and_collections() -> None:
    like = {"$type": LIKES, "subject": {"uri": f"at://{ANN}/{POSTS}/r1"}, "createdAt": "2026-11-01T05:30:00Z"}
    liked = Archived(10, "2026-11-01T05:30:00+00:00", BOB, collection=LIKES, rkey="l1", payload=like)
    with fake_past(segments=[*SEGMENTS[:1], [[liked, written(11, "06:30:00")]]]) as past:
        assert events(all_of(replay(past, dids=(BOB,)))) == ["r4"]
        both = NetworkReplay(host=past.url, collections=(POSTS, LIKES))
        assert events(all_of(both)) == ["r3", "r4", "l1"]


def test_a_span_whose_end_is_not_sealed_yet_is_read_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("postrank.sources.bluesky.archive.replay._SEALING", 0.01)
    with fake_past(segments=SEGMENTS[:1]) as past, pytest.raises(PastAway, match="has not sealed"):
        all_of(replay(past))


def test_an_answer_of_another_form_ends_no_streamer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("postrank.sources.bluesky.archive.requests._LONGEST", 0.01)
    with fake_past(segments=SEGMENTS, times="SeenAt") as past, pytest.raises(PastAway, match="not of the protocol"):
        all_of(replay(past))
    with fake_past(segments=SEGMENTS, times="WitnessedAt") as past:
        assert events(all_of(replay(past)))[0] == "r3"


def test_a_span_before_the_archive_is_refused() -> None:
    late = [[written(20, "07:00:00")]]
    with fake_past(segments=[late]) as past, pytest.raises(PastRefused, match="begins at 2026-11-01 07:00 UTC"):
        all_of(replay(past))


def test_repositories_give_what_was_written_in_the_span() -> None:
    with fake_past() as past:
        for number in range(250):
            past.write(ANN, f"2026-11-01T05:{number // 10:02}:{number % 10:02}.000+00:00", f"post {number}")
        past.write(ANN, "2026-11-01T03:00:00.000+00:00", "too early")
        past.write(ANN, "2026-11-01T07:00:00.000+00:00", "too late")
        past.write(BOB, "2026-11-01T05:30:00.000+00:00", "of Bob")
        dids = (ANN, "did:plc:left", "did:plc:gone", BOB)
        past.gone.add("did:plc:gone")
        host = urlsplit(past.url).netloc
        followed = Repositories(dids=dids, collections=(POSTS,), directory=f"{past.url}/directory", trusted=(host,))
        batches = all_of(followed)
        assert sorted(texts_of(batches)) == sorted([*(f"post {number}" for number in range(250)), "of Bob"])
        assert sum(batch.ignored.get("repository_gone", 0) for batch in batches) == 2
        places = [batch.cursor for batch in batches if batch.cursor]
        assert len(places) == 6
        assert texts_of(all_of(followed, "[3,0,null]")) == ["of Bob"]


def test_a_repository_on_a_private_host_is_not_asked_unless_it_is_trusted() -> None:
    with fake_past() as past:
        past.write(ANN, "2026-11-01T05:30:00.000+00:00", "private")
        followed = Repositories(dids=(ANN,), collections=(POSTS,), directory=f"{past.url}/directory")
        with pytest.raises(PastRefused, match="trusted_hosts"):
            all_of(followed)
        assert past.calls == [f"/directory/{ANN}"]


def test_a_backfill_of_bluesky_writes_a_file(tmp_path: Path) -> None:
    with fake_past(segments=SEGMENTS) as past:
        config = tmp_path / "bluesky.toml"
        config.write_text(
            f'[source]\nkind = "bluesky"\ngap_source = "replay"\nreplay_host = "{past.url}"\nreplay_key = "env:KEY"\n',
            encoding="utf-8",
        )
        span = ("--from", "2026-11-01T05:00:00Z", "--to", "2026-11-01T06:00:00Z")
        out = tmp_path / "posts.ndjson"
        done = backfill("--source", "bluesky", *span, "--config", config, "--out", out, KEY=KEY)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["recovered_by"] == "replay"
    lines = [json.loads(line) for line in out.read_bytes().splitlines()]
    assert sorted(line["post_id"].rsplit("/", 1)[-1] for line in lines) == [
        "author:did:plc:bob",
        "r3",
        "r4",
        "r5",
        "r8",
    ]
    assert KEY not in done.stdout + done.stderr


def test_a_streamer_starts_with_the_past_and_its_gap_closes(tmp_path: Path) -> None:
    with fake_past() as past, fake_jetstream() as jetstream:
        past.write(ANN, "2026-11-01T05:30:00.000+00:00", "from the repository")
        options = {
            "hosts": [jetstream.url],
            "dids": [ANN],
            "gap_source": "repositories",
            "trusted_hosts": [urlsplit(past.url).netloc],
            "directory": f"{past.url}/directory",
            "start_from": "2026-11-01T05:00:00Z",
        }
        source = Jetstream.build(Options(options, "source"), Surroundings(state=tmp_path))
        source.recovery.settling *= 0
        gaps = []
        cursors = []
        texts = []
        jetstream.publish(commit(ANN, "live", record("from the stream")))
        for batch in source.read(after=None):
            gaps += batch.gaps
            cursors += [batch.cursor] if batch.cursor else []
            texts += texts_of([batch])
            if jetstream.connected and len(gaps) == 1 and len(cursors) == 1:
                jetstream.publish(commit(ANN, "live", record("from the stream")))
            if len(gaps) == 2 and "from the stream" in texts:
                break
        source.stop()
    assert set(texts) == {"from the repository", "from the stream"}
    assert [(gap.reason, gap.recovered_by) for gap in gaps] == [
        ("start_from", None),
        ("start_from", "repositories"),
    ]
    assert json.loads(cursors[0])["gaps"][0]["reason"] == "start_from"
    assert "gaps" not in json.loads(cursors[-1])
    assert "wantedDids=did%3Aplc%3Aann" in jetstream.requests[0]


def test_accounts_of_a_file_are_asked_for_and_a_change_reconnects(tmp_path: Path) -> None:
    file = tmp_path / "dids.txt"
    file.write_text(f"{ANN}\n", encoding="utf-8")
    with fake_jetstream() as jetstream:
        options = {"hosts": [jetstream.url], "dids_file": str(file), "directory": "none"}
        source = Jetstream.build(Options(options, "source"), Surroundings(state=tmp_path))
        reader = threading.Thread(target=lambda: list(source.read(after=None)), daemon=True)
        reader.start()
        wait_for(lambda: jetstream.connected == 1, what="a connection")
        file.write_text(f"{ANN}\n{BOB}\n", encoding="utf-8")
        wait_for(lambda: any("bob" in path for path in jetstream.requests), what="a subscription to both")
        source.stop()
        reader.join(10)
        assert not reader.is_alive()
    assert "cursor=" in jetstream.requests[-1]


def test_many_accounts_are_sent_behind_the_connection() -> None:
    dids = tuple(f"did:plc:{number}" for number in range(51))
    wire = Jetstream.build(
        Options({"dids": list(dids), "directory": "none"}, "source"), Surroundings(state=Path())
    ).wire
    assert "requireHello=true" in wire.path(None, "host", 0)
    assert "wantedDids" not in wire.path(None, "host", 0)
    hello = json.loads(wire.hello() or "")
    assert (hello["type"], hello["payload"]["wantedDids"]) == ("options_update", list(dids))
    second = Jetstream.build(
        Options({"dids": list(dids), "directory": "none", "protocol": "v2"}, "source"), Surroundings(state=Path())
    ).wire
    assert second.path(None, "host", 0).count("dids=") == 51
    assert second.hello() is None


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"dids": ["@ann"]}, "holds '@ann', which is no DID"),
        ({"gap_source": "repositories"}, "name them as dids or in dids_file"),
        ({"start_from": "2026-11-01T05:00:00Z"}, "needs a gap_source"),
        ({"start_from": "yesterday", "gap_source": "replay"}, "must be a time such as"),
        ({"dids": [f"did:plc:{number}" for number in range(10_001)]}, "a server takes 10000"),
    ],
)
def test_wrong_options_are_named(options: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    table = Options(options, "source")
    with pytest.raises(WrongSettings, match=sentence):  # noqa: PT012 both belong to it
        Jetstream.build(table, Surroundings(state=tmp_path))
        table.finish()


@pytest.mark.parametrize(
    "value",
    [
        {"a": [1, -1, 23, 24, 255, 256, 65536, 1 << 40], "text": "Grüße", "yes": True, "no": False, "none": None},
        {"half": 0.5, "deep": [{"deeper": [[]]}]},
        {"ref": {"$link": "bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a"}},
    ],
)
def test_records_are_decoded_as_the_network_shows_them(value: Any) -> None:
    assert dag_cbor.decode(cbor(value)) == value
    assert dag_cbor.decode(b"\x42\x01\x02") == {"$bytes": "AQI"}


def test_damaged_records_and_blocks_are_rejected() -> None:
    for data in (b"", b"\xa1", b"\x9f", b"\x62a", b"\x01\x01", b"\xf7", b"\x81" * 100 + b"\x01", b"\xa1\x01\x01"):
        with pytest.raises(Malformed, match="no DAG-CBOR"):
            dag_cbor.decode(data)
    whole = block(SEGMENTS[0][0])
    for data in (b"", whole[:-3], block([])[:4]):
        with pytest.raises(Malformed, match="cannot be read"):
            rows(data)


def test_record_keys_are_ordered_as_their_times() -> None:
    times = [datetime(2026, 11, day, 5, 0, 0, day, tzinfo=UTC) for day in range(1, 28)]
    assert [time_of(first_key(moment)) for moment in times] == times
    assert all(first < second for first, second in pairwise(map(first_key, times)))
    assert time_of("self") is None
    assert time_of("z" * 13) is None
