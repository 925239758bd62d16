"""The `localaws` command."""

import signal
import socket
import subprocess
import sys
from urllib.parse import urlsplit

from tests.support.localaws import running_localaws


def test_it_says_when_it_is_ready_and_stops_on_sigterm_with_status_zero(tmp_path):
    with running_localaws(tmp_path) as aws:
        aws.client("s3").list_buckets()
        assert aws.stop() == 0
    assert "Traceback" not in aws.stderr.read_text()


def test_sigint_stops_it_as_well(tmp_path):
    with running_localaws(tmp_path) as aws:
        aws.process.send_signal(signal.SIGINT)
        assert aws.process.wait(20) == 0


def test_a_taken_port_gets_one_clear_message(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        argv = [sys.executable, "-m", "localaws", "serve", "--port", str(port), "--state", str(tmp_path / "state")]
        ended = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 1
    assert ended.stderr.strip().splitlines()[-1].startswith(f"localaws: cannot listen on 127.0.0.1:{port}: ")
    assert "Traceback" not in ended.stderr


def test_two_servers_do_not_share_a_state(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    with running_localaws(tmp_path / "one") as one, running_localaws(tmp_path / "two") as two:
        one.client("s3").create_bucket(Bucket="of-one-only")
        assert two.client("s3").list_buckets()["Buckets"] == []
        assert urlsplit(one.endpoint).port != urlsplit(two.endpoint).port
