"""The `localaws` command."""

import os
import resource
import signal
import socket
import subprocess
import sys
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from localaws.testing.patience import patient
from localaws.testing.server import running_localaws


def test_it_says_when_it_is_ready_and_stops_on_sigterm_with_status_zero(tmp_path):
    with running_localaws(tmp_path) as aws:
        aws.client("s3").list_buckets()
        assert aws.stop() == 0
    assert "Traceback" not in aws.stderr.read_text()


def test_sigint_stops_it_as_well(tmp_path):
    with running_localaws(tmp_path) as aws:
        aws.process.send_signal(signal.SIGINT)
        assert aws.process.wait(patient(20)) == 0


def test_a_taken_port_gets_one_clear_message(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        argv = [sys.executable, "-m", "localaws", "serve", "--port", str(port), "--state", str(tmp_path / "state")]
        ended = subprocess.run(argv, capture_output=True, text=True, timeout=patient(30), check=False)
    assert ended.returncode == 1
    assert ended.stderr.strip().splitlines()[-1].startswith(f"localaws: cannot listen on 127.0.0.1:{port}: ")
    assert "Traceback" not in ended.stderr


def test_two_servers_do_not_share_a_state(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    with running_localaws(tmp_path / "one") as item, running_localaws(tmp_path / "two") as two:
        item.client("s3").create_bucket(Bucket="of-one-only")
        assert two.client("s3").list_buckets()["Buckets"] == []
        assert urlsplit(item.endpoint).port != urlsplit(two.endpoint).port


def serve(*options, env=None):
    """Run the command until it gives up."""
    argv = [sys.executable, "-m", "localaws", "serve", "--port", "0", *map(str, options)]
    ended = subprocess.run(
        argv, capture_output=True, text=True, timeout=patient(60), check=False, env={**os.environ, **(env or {})}
    )
    assert "Traceback" not in ended.stderr
    return ended.returncode, ended.stderr.strip().splitlines()[-1]


def test_a_state_belongs_to_one_server_at_a_time(tmp_path):
    with running_localaws(tmp_path) as aws:
        code, output = serve("--state", aws.state)
        assert (code, output) == (1, f"localaws: {aws.state} is in use by another localaws, process {aws.process.pid}")
        aws.kill()
    with running_localaws(tmp_path) as aws:
        assert aws.client("s3").list_buckets()["Buckets"] == []


@pytest.mark.parametrize("below", ["", "state"])
def test_a_state_that_cannot_be_a_folder_is_named(tmp_path, below):
    (tmp_path / "file").touch()
    code, output = serve("--state", tmp_path / "file" / below)
    assert code == 1
    assert output.startswith(f"localaws: the state cannot be kept in {tmp_path / 'file'}")


@pytest.mark.parametrize("what", ["emulator/journal.sqlite", "kinesis/records.sqlite", "firehose/firehose.sqlite"])
def test_a_damaged_state_is_named_and_left_alone(tmp_path, what):
    path = tmp_path / what
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no database " * 500)
    code, output = serve("--state", tmp_path)
    assert (code, output) == (1, f"localaws: the state in {tmp_path} cannot be used: file is not a database")
    assert path.read_bytes() == b"no database " * 500


@pytest.mark.parametrize("options", [("--speed", "0"), ("--port", "70000"), ("--call-log", "{}"), ()])
def test_settings_that_are_none_are_named(tmp_path, options):
    words = [text.format(tmp_path) for text in options]
    env = {} if options else {"LOCALAWS_KINESIS_LIMITS": "zero"}
    code, output = serve("--state", tmp_path / "state", *words, env=env)
    assert code in (1, 2)
    assert (options or ["LOCALAWS_KINESIS_LIMITS"])[0] in output or str(tmp_path) in output


def test_a_full_disk_is_said_and_waited_out(tmp_path):
    """As far as a file may grow stands for what is left of a disk: the errors are of one family."""
    with running_localaws(tmp_path) as aws:
        s3, glue = aws.client("s3"), aws.client("glue")
        s3.create_bucket(Bucket="bucket")
        glue.create_database(DatabaseInput={"Name": "d"})
        unlimited = resource.prlimit(aws.process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        calls = (
            lambda: s3.put_object(Bucket="bucket", Key="k", Body=b"x" * 100_000),
            lambda: glue.create_table(DatabaseName="d", TableInput={"Name": "t"}),
        )
        for call in calls:
            with pytest.raises(ClientError) as error:
                call()
            assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
        resource.prlimit(aws.process.pid, resource.RLIMIT_FSIZE, unlimited)
        for call in calls:
            call()
        assert s3.get_object(Bucket="bucket", Key="k")["Body"].read() == b"x" * 100_000
