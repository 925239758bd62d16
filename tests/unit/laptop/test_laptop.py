"""The parts of `postrank up` that need nothing running: options, ports, layout, processes, the accounting of hops."""

import gzip
import socket
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from localaws.testing.server import LocalAws, running_localaws
from localaws.testing.waiting import wait_for
from postrank.aws.resources import Resources
from postrank.cli.up import listed_names
from postrank.delivery.lines import DeliveredLines, Hour
from postrank.delivery.run_accounting import Accounting
from postrank.heartbeat import Heartbeat
from postrank.laptop.services.local_aws import LocalCloud
from postrank.laptop.services.processes import PartDied, Parts
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
    return Accounting.of(heartbeat(**counts), delivered, manifest)


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


@pytest.mark.parametrize(
    ("text", "names"),
    [("a.gz b.csv", ["a.gz", "b.csv"]), ("'a b.gz' c", ["a b.gz", "c"]), ("", []), ("2026-*.gz", ["2026-*.gz"])],
)
def test_names_in_one_text_are_split_as_a_shell_does(text: str, names: list[str]) -> None:
    assert list(map(str, listed_names(text))) == names


def test_one_file_with_blanks_in_its_name_needs_no_quotes(tmp_path: Path) -> None:
    name = tmp_path / "my posts.csv"
    name.write_text("")
    assert listed_names(str(name)) == [name]


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
            [sys.executable, "-m", "postrank", *words], capture_output=True, text=True, check=False, timeout=60
        )
        assert ended.returncode == 2
        assert "MiB left, and a run needs 1024 MiB: make room" in ended.stderr
        assert "Traceback" not in ended.stderr + ended.stdout
        with pytest.raises(DiskFull):
            check_room(disk)


def test_a_part_that_dies_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    with Parts(tmp_path) as parts:
        parts.start("brief", [sys.executable, "-c", "print('the reason'); raise SystemExit(3)"], {}, tmp_path)
        with pytest.raises(PartDied, match=r"(?s)brief ended with status 3.*the reason"):
            parts.wait_until("brief", lambda: False, 20)


def test_parts_end_with_all_that_they_started(tmp_path: Path) -> None:
    script = "import signal, subprocess; print(subprocess.Popen(['sleep', '600']).pid, flush=True); signal.pause()"
    with Parts(tmp_path) as parts:
        parts.start("parent", [sys.executable, "-c", script], {"PATH": "/usr/bin:/bin"}, tmp_path)
        log = tmp_path / "parent.log"
        wait_for(lambda: log.read_text().strip().isdigit(), what="the child's pid")
        pid = int(log.read_text())
        assert Path(f"/proc/{pid}").exists()
    assert not Path(f"/proc/{pid}").exists()


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
