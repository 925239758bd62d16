"""`SOURCE=bluesky make run ONCE=1` as its user meets it, with a Jetstream on loopback instead of the public ones."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from localaws.testing.patience import patient
from localaws.testing.waiting import wait_for
from postrank.posts.times import to_text
from tests.support.fakes.jetstream import FakeJetstream, commit, fake_jetstream, record
from tests.support.stack.laptop_run import RANKED_SECONDS, exported, running_stack

pytestmark = [pytest.mark.slow, pytest.mark.system, pytest.mark.timeout(patient(600))]

POSTS = {"did:plc:busy": 30, "did:plc:calm": 20, "did:plc:gone": 40}


def tell(server: FakeJetstream) -> None:
    """Who the authors are, what they post just now, and that one of them leaves afterwards."""
    for did, posts in POSTS.items():
        name = did.rpartition(":")[2]
        server.publish({"did": did, "kind": "identity", "identity": {"did": did, "handle": f"{name}.example"}})
        for number in range(posts):
            server.publish(commit(did, str(number), record(f"post {number}", createdAt=to_text(datetime.now(UTC)))))
    server.publish(commit("did:plc:calm", "0", None, "delete"))
    server.publish({"did": "did:plc:gone", "kind": "account", "account": {"active": False, "status": "deleted"}})


def test_a_live_source_is_collected_and_ranked_through_every_hop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with fake_jetstream() as server:
        monkeypatch.setenv("POSTRANK_STREAM_SOURCE__HOSTS", json.dumps([server.url]))
        monkeypatch.setenv("POSTRANK_STREAM_SOURCE__DIRECTORY", "none")
        with running_stack(tmp_path, (), "--source", "bluesky", "--once") as running:
            wait_for(
                lambda: server.connected or running.process.poll() is not None,
                timeout=RANKED_SECONDS,
                what="the streamer to connect",
            )
            tell(server)
            assert running.process.wait(timeout=patient(RANKED_SECONDS)) == 0, running.said()
            said = running.said()
    ranked = [
        (row["network"], row["author_id"], row["author_handle"], row["posts"])
        for row in exported(tmp_path / "var" / "results", "all")
    ]
    assert ranked == [
        ("bluesky", "did:plc:busy", "busy.example", "30"),
        ("bluesky", "did:plc:calm", "calm.example", "19"),
    ]
    assert "busy.example" in said
    assert server.requests[0].startswith("/subscribe?wantedCollections=app.bsky.feed.post")
