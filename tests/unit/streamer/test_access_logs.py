"""`postrank stream` that follows an access log: requests down one stream, their windows down the other."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from localaws.testing.patience import patient
from localaws.testing.waiting import wait_for
from tests.support.fakes.aws import AwsServer, aws_server
from tests.support.streaming.streamers import StreamerProcess, heartbeat

LINE = '192.0.2.{host} - - [01/May/2026:12:{minute:02d}:00 +0000] "GET /{host} HTTP/1.1" {status} 12 "-" "ua"\n'


@pytest.fixture
def aws() -> Iterator[AwsServer]:
    with aws_server() as server:
        yield server


def test_requests_and_their_windows_go_through_a_restart_and_are_accounted_for(aws: AwsServer, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_text("".join(LINE.format(host=n % 3, minute=0, status=200) for n in range(6)) + "nonsense\n")
    settings = {
        "source": {"kind": "tail", "files": [str(log)], "format": "apache", "network": "web"},
        "sink": {"flush_seconds": 0.1},
        "windows": {"lateness_seconds": 1},
    }
    streamer = StreamerProcess(tmp_path, aws.url, [], settings)

    def run_until(delivered: int) -> None:
        process = streamer.start()
        try:
            counts = lambda: (heartbeat(aws) or {"counts": {}})["counts"]  # noqa: E731
            wait_for(lambda: counts().get("delivered") == delivered, what=f"{delivered} lines: {streamer.log}")
            process.terminate()
            assert process.wait(patient(30)) == 0, streamer.log
        finally:
            process.kill()
            process.wait()

    run_until(6)
    with log.open("a") as file:
        file.writelines(LINE.format(host=9, minute=minute, status=503) for minute in (0, 1, 3))
    run_until(9)
    requests = aws.lines("-posts")
    assert [line["kind"] for line in requests] == ["log"] * 9
    assert requests[0].keys() >= {"network", "post_id", "posted_at", "host", "method", "path", "status", "received_at"}
    newest = {
        (line["view"], line["value"], line["window_start"][11:16]): line["posts"] for line in aws.lines("windows")
    }
    assert newest["status_windows", "200", "12:00"] == 6, "counted before the restart, and emitted after it"
    assert newest["status_windows", "503", "12:01"] == 1
    assert newest["server_errors", "503", "11:57"] == 2
    assert all(line["kind"] == "keyed" for line in aws.lines("windows"))
    counts = (heartbeat(aws) or {})["counts"]
    assert (counts["logs"], counts["posts"], counts["deletes"], counts["rejected"]) == (9, 0, 0, 1)
    assert counts["read"] == counts["events"] + counts["rejected"] + counts["ignored"]
