"""`postrank stream` on Bluesky, as `make run SOURCE=bluesky` starts it: killed and cut off."""

import signal
from pathlib import Path

from localaws.testing.patience import patient
from localaws.testing.waiting import wait_for
from tests.support.fakes.aws import aws_server
from tests.support.fakes.jetstream import FakeJetstream, commit, fake_jetstream, record
from tests.support.streaming.streamers import StreamerProcess, heartbeat, ledger

DID = "did:plc:ann"


def uri(number: int) -> str:
    return f"at://{DID}/app.bsky.feed.post/{number}"


def post_to(server: FakeJetstream, *numbers: int) -> None:
    for number in numbers:
        server.publish(commit(DID, str(number), record(f"post {number}")))


def test_kills_and_disconnects_lose_no_post_and_every_gap_is_told(tmp_path: Path) -> None:
    with aws_server() as aws, fake_jetstream() as first, fake_jetstream() as second:
        hosts = {"kind": "bluesky", "hosts": [first.url, second.url], "directory": "none"}
        settings = {"source": hosts, "sink": {"flush_seconds": 0.1}}
        streamer = StreamerProcess(tmp_path, aws.url, [], settings)

        def arrived(number: int) -> bool:
            return uri(number) in {line["post_id"] for line in aws.lines("-posts")}

        process = streamer.start()
        try:
            wait_for(lambda: first.connected, timeout=60, what=f"the connection; {streamer.log}")
            post_to(first, *range(10))
            wait_for(lambda: arrived(9), timeout=30, what="the first posts")
            wait_for(lambda: (heartbeat(aws) or {}).get("cursor"), timeout=30, what="a saved cursor")
            process.send_signal(signal.SIGKILL)
            process.wait()
            post_to(first, *range(10, 20))
            process = streamer.start()
            wait_for(lambda: arrived(19), timeout=60, what=f"the posts of the time between; {streamer.log}")
            second.events = list(first.events)
            post_to(second, *range(20, 30))
            first.down = 503
            first.disconnect()
            wait_for(lambda: arrived(29), timeout=60, what="the posts of the next host")
            wait_for(lambda: len(ledger(aws, "gaps")) == 2, timeout=30, what="the rows of the gaps")
            process.terminate()
            assert process.wait(patient(60)) == 0
        finally:
            process.kill()
            process.wait()
        assert {line["post_id"] for line in aws.lines("-posts")} == {uri(number) for number in range(30)}
        gaps = sorted(ledger(aws, "gaps"), key=lambda row: row["gap_from"])
        assert [row["recovered_by"] for row in gaps] == ["cursor", "cursor"]
        assert "not running" in gaps[0]["reason"]
        assert heartbeat(aws)["counts"]["delivered"] >= 30
