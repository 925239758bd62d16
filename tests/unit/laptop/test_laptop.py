"""The parts of `postrank up` that need nothing running: options, ports, layout, processes, the accounting of hops."""

import gzip
import os
import socket
import stat
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import boto3
import pytest

from localaws.testing.patience import patient
from localaws.testing.server import LocalAws, running_localaws
from postrank.aws.resources import Resources
from postrank.delivery.lines import DeliveredLines, Hour
from postrank.delivery.run_accounting import Accounting
from postrank.heartbeat import Heartbeat
from postrank.laptop.services.airflow import write_environment
from postrank.laptop.services.local_aws import LocalCloud, root_key, stream_limits
from postrank.laptop.services.processes import Parts
from postrank.laptop.services.streamer import Streamer
from postrank.laptop.setup.layout import Layout, NotAProject
from postrank.laptop.setup.options import DiskFull, NoSuchInput, Options, check_room
from postrank.laptop.setup.ports import PortTaken, any_free, claim
from tests.support.streaming.disks import small_disk

ROOT = Path(__file__).resolve().parents[3]


def heartbeat(**counts: int) -> Heartbeat:
    return Heartbeat(
        phase="finished",
        finished=True,
        collector="c",
        instance_id="i",
        source="replay",
        version="0",
        started_at="",
        written_at="",
        counts=counts,
    )


class Delivered(DeliveredLines):
    """What was counted, without a bucket to count it in."""

    def __init__(self, **lines: int) -> None:
        super().__init__(None, "", "raw/")
        self.hours = {f"raw/dt=2026-11-24/hour={hour[1:]}": Hour(1, count, count) for hour, count in lines.items()}


def account(counts: dict[str, int], delivered: DeliveredLines, arrived: dict[str, int]) -> Accounting:
    manifest: dict[str, Any] = {"arrived_lines": arrived, "arrival_hours": ["2026-11-24T05"]}
    return Accounting.of({"main": heartbeat(**counts)}, delivered, manifest)


COUNTS = {"read": 12, "events": 10, "rejected": 1, "ignored": 1, "delivered": 10}


def test_a_run_in_which_every_line_is_somewhere_has_lost_nothing() -> None:
    assert account(COUNTS, Delivered(h05=10), {"post": 8, "delete": 2}).lost == 0


def test_a_line_that_no_hop_accounts_for_is_lost() -> None:
    assert account(COUNTS, Delivered(h05=9), {"post": 9}).lost == 1
    assert account(COUNTS, Delivered(h05=10), {"post": 9}).lost == 1
    assert account({**COUNTS, "ignored": 0}, Delivered(h05=10), {"post": 10}).lost == 1


def test_what_waits_in_the_spool_is_not_lost() -> None:
    assert account({**COUNTS, "delivered": 7, "spooled": 3}, Delivered(h05=7), {"post": 7}).lost == 0


def test_a_line_delivered_twice_is_told_and_makes_up_for_no_lost_one() -> None:
    accounting = account(COUNTS, Delivered(h05=11), {"post": 10})
    assert [hop.more for hop in accounting.hops] == [0, 0, 1, 0]
    assert accounting.lost == 1


def test_hours_that_an_earlier_run_read_are_not_expected_again() -> None:
    assert account(COUNTS, Delivered(h04=6, h05=4), {"post": 4}).lost == 0


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("exists", [True, False])
def test_what_a_run_writes_is_closed_to_other_users(tmp_path: Path, exists: bool) -> None:
    layout = Layout.of(ROOT, tmp_path / "var")
    if exists:
        layout.var.mkdir(mode=0o755)
        (layout.var / "airflow.env").touch(mode=0o644)
    layout.create()
    LocalCloud(Parts(layout.logs), layout, 1, "us-east-1")
    write_environment(layout.var / "airflow.env", {"AWS_CONTAINER_AUTHORIZATION_TOKEN": "t"})
    assert mode(layout.var) == 0o700
    assert mode(layout.var / "airflow.env") == 0o600
    assert mode(layout.aws / "state" / "credentials") == 0o600


def test_a_part_is_its_role_and_the_run_is_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layout = Layout.of(ROOT, tmp_path / "var")
    layout.create()
    secret = root_key(layout.aws / "state" / "credentials")[1]
    with running_localaws(layout.aws, enforce_iam=True) as aws:
        cloud = LocalCloud(Parts(layout.logs), layout, int(aws.endpoint.rpartition(":")[2]), "us-east-1")
        assert cloud.client("sts").get_caller_identity()["Arn"].endswith(":root")
        cloud.client("iam").create_role(RoleName="part", AssumeRolePolicyDocument="{}")
        environment = cloud.role_environment("part")
        assert secret not in "".join(environment.values())
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        assert ":assumed-role/part/" in boto3.session.Session().client("sts").get_caller_identity()["Arn"]


@pytest.mark.parametrize(("kind", "throttled"), [("replay", False), ("bluesky", True)])
def test_only_a_replay_is_not_held_to_what_shards_take(tmp_path: Path, kind: str, throttled: bool) -> None:
    limits = stream_limits([kind]).get("LOCALAWS_KINESIS_LIMITS")
    with running_localaws(tmp_path, kinesis_limits=limits) as aws:
        kinesis = aws.client("kinesis")
        kinesis.create_stream(StreamName="posts", ShardCount=1)
        kinesis.get_waiter("stream_exists").wait(StreamName="posts", WaiterConfig={"Delay": 1})
        records = [{"Data": b"x" * 900_000, "PartitionKey": "k"}] * 4
        response = kinesis.put_records(StreamName="posts", Records=records)
        assert (response["FailedRecordCount"] > 0) is throttled


def test_delivered_lines_are_counted_once_an_object(tmp_path: Path) -> None:
    with running_localaws(tmp_path) as aws:
        s3 = aws.client("s3")
        s3.create_bucket(Bucket="raw-zone")
        delivered = DeliveredLines(s3, "raw-zone", "raw/")
        s3.put_object(Bucket="raw-zone", Key="raw/dt=2026-11-24/hour=05/a", Body=gzip.compress(b"1\n2\n"))
        s3.put_object(Bucket="raw-zone", Key="other/b", Body=gzip.compress(b"1\n"))
        assert delivered.update() == 2
        s3.put_object(Bucket="raw-zone", Key="raw/dt=2026-11-24/hour=06/c", Body=gzip.compress(b"3\n"))
        assert delivered.update() == 3
        assert delivered.lines_in(["2026-11-24T06"]) == 1


def test_an_hour_that_has_not_changed_is_not_read_again(tmp_path: Path) -> None:
    with running_localaws(tmp_path) as aws:
        s3 = aws.client("s3")
        s3.create_bucket(Bucket="raw-zone")
        s3.put_object(Bucket="raw-zone", Key="raw/dt=2026-11-24/hour=05/a", Body=gzip.compress(b"1\n2\n"))
        first = DeliveredLines(s3, "raw-zone", "raw/")
        first.update()
        s3.put_object(Bucket="raw-zone", Key="raw/dt=2026-11-24/hour=06/b", Body=gzip.compress(b"3\n"))
        before = len(_reads(aws))
        second = DeliveredLines(s3, "raw-zone", "raw/", first.hours)
        assert second.update() == 3
        assert _reads(aws)[before:] == ["arn:aws:s3:::raw-zone/raw/dt=2026-11-24/hour=06/b"]
        assert second.newest is not None


def _reads(aws: LocalAws) -> list[str]:
    return [entry["resource"] for entry in aws.call_log() if entry["action"].endswith("GetObject")]


def test_a_missing_file_a_folder_and_a_taken_port_are_named(tmp_path: Path) -> None:
    base = {"project": ROOT, "var": tmp_path / "var", "port": any_free(), "aws_port": any_free()}
    with pytest.raises(NoSuchInput, match="there is no such file"):
        Options(**base, posts=(tmp_path / "nowhere",)).check()
    with pytest.raises(NoSuchInput, match="the directory holds no files"):
        Options(**base, posts=(tmp_path,)).check()
    with pytest.raises(NoSuchInput, match="no file matches"):
        Options(**base, posts=(tmp_path / "*.gz",)).check()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=f"port {port}"):
            claim(port)


def test_a_directory_and_a_pattern_stand_for_their_files_each_once(tmp_path: Path) -> None:
    folder = tmp_path / "some posts"
    (folder / "deep").mkdir(parents=True)
    (folder / ".hidden").write_text("")
    names = [folder / "b.csv", folder / "a b.jsonl", folder / "deep" / "c.parquet"]
    for name in names:
        name.write_text("")
    options = Options(project=ROOT, posts=(folder, folder / "*.csv"))
    expected = [folder / "a b.jsonl", folder / "b.csv", folder / "deep" / "c.parquet"]
    assert list(options.files(Layout.of(ROOT))) == expected


def test_a_folder_that_is_no_checkout_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotAProject, match="has no dags/"):
        Layout.of(tmp_path)


def test_a_full_disk_is_told_with_what_is_left_and_what_is_needed(tmp_path: Path) -> None:
    with pytest.raises(DiskFull, match="MiB left, and a run needs"):
        check_room(tmp_path, 1 << 62)


def test_a_disk_that_is_too_small_ends_the_command_with_one_sentence(tmp_path: Path) -> None:
    with small_disk(tmp_path, megabytes=48) as disk:
        words = ["up", "--once", "--project", str(ROOT), "--var", str(disk / "var")]
        words += ["--port", str(any_free()), "--aws-port", str(any_free())]
        ended = subprocess.run(
            [sys.executable, "-m", "postrank", *words], capture_output=True, text=True, check=False, timeout=patient(60)
        )
        assert ended.returncode == 2
        assert "MiB left, and a run needs 1024 MiB: make room" in ended.stderr
        assert "Traceback" not in ended.stderr + ended.stdout
        with pytest.raises(DiskFull):
            check_room(disk)


def test_what_the_instance_runs_is_written_as_toml_whatever_the_file_is_called(tmp_path: Path) -> None:
    odd = tmp_path / 'a "quoted" file, ünïcode.ndjson'
    odd.touch()
    layout = Layout.of(ROOT, tmp_path / "var")
    layout.create()
    names = Resources.of("local", "123456789012")
    options = Options(project=ROOT, posts=(odd,))
    cloud = LocalCloud(Parts(tmp_path), layout, 1, names.region)
    Streamer(layout, names, cloud, options).describe()
    config = tomllib.loads((layout.streamer / "streamer.toml").read_text(encoding="utf-8"))
    assert config["source"] == {"kind": "replay", "files": [str(odd)]}
    unit = tomllib.loads((layout.units / "postrank-streamer.toml").read_text(encoding="utf-8"))
    assert unit["argv"][-1] == str(layout.streamer / "streamer.toml")
