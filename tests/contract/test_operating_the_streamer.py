"""How the streamer is operated: outages, the status page, metrics, filters, wrong settings, the doctor."""

import gzip
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from localaws.testing.patience import patient
from localaws.testing.waiting import wait_for
from tests.support.fakes.aws import AwsServer, aws_server
from tests.support.fakes.faulty_proxy import faulty_proxy
from tests.support.streaming.streamers import StreamerProcess, final_windows, heartbeat, record, write_lines

QUICK = {"patience_seconds": 0.2, "flush_seconds": 0.1, "read_seconds": 1}


@pytest.fixture
def aws() -> Iterator[AwsServer]:
    with aws_server() as server:
        yield server


@contextmanager
def running(streamer: StreamerProcess) -> Iterator["subprocess.Popen[bytes]"]:
    process = streamer.start()
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def status_url(streamer: StreamerProcess) -> str:
    """Where the status page is, from the log."""

    def find() -> str:
        rows = [orjson.loads(line) for line in streamer.log.splitlines() if line.startswith("{") and line.endswith("}")]
        return next((row["url"] for row in rows if row["event"] == "status"), "")

    return wait_for(find, what="the status page's address")


def page(url: str) -> Any:
    return httpx.get(url).json()


def test_while_aws_is_away_posts_wait_on_disk_and_then_leave_first(aws: AwsServer, tmp_path: Path) -> None:
    file = write_lines(tmp_path / "p.ndjson", [record(n, author=n % 9, seconds=n / 50) for n in range(10_000)])
    with faulty_proxy(aws.port) as proxy:
        proxy.fault = "refused"
        settings = {"sink": {**QUICK, "flush_bytes": 200_000}, "status": {"port": 0}}
        streamer = StreamerProcess(tmp_path, proxy.url, [file], settings)
        with running(streamer) as process:
            url = status_url(streamer)
            wait_for(lambda: page(f"{url}/heartbeat")["counts"]["spooled"] == 10_000, what="all in the spool")
            assert page(f"{url}/heartbeat")["counts"]["delivered"] == 0
            assert aws.lines("-posts") == []
            proxy.fault = ""
            assert process.wait(patient(60)) == 0
    assert {line["post_id"] for line in aws.lines("-posts")} == {str(n) for n in range(10_000)}
    assert sum(final_windows(aws.lines("author-windows")).values()) == 10_000
    counts = (heartbeat(aws) or {})["counts"]
    assert (counts["delivered"], counts["spooled"], counts["in_flight"]) == (10_000, 0, 0)


def test_a_full_spool_holds_the_source_back_and_drops_nothing(aws: AwsServer, tmp_path: Path) -> None:
    posts = [record(n, author=n % 9, seconds=n / 50, text="t" * 700) for n in range(8_000)]
    file = write_lines(tmp_path / "p.ndjson", posts)
    aws.failing = "500"
    settings: dict[str, dict[str, Any]] = {
        "sink": {**QUICK, "flush_bytes": 200_000},
        "spool": {"max_bytes": 1 << 20},
        "status": {"port": 0},
    }
    streamer = StreamerProcess(tmp_path, aws.url, [file], settings)
    with running(streamer) as process:
        url = status_url(streamer)
        wait_for(lambda: page(f"{url}/healthz")["problems"], what="the alarm")
        assert httpx.get(f"{url}/healthz").status_code == 503
        assert "postrank_spool_blocked 1.0" in httpx.get(f"{url}/metrics").text
        assert page(f"{url}/heartbeat")["counts"]["read"] < 8_000
        aws.failing = ""
        assert process.wait(patient(60)) == 0
    assert {line["post_id"] for line in aws.lines("-posts")} == {str(n) for n in range(8_000)}


def test_sigterm_while_aws_is_away_leaves_in_time_and_loses_nothing(aws: AwsServer, tmp_path: Path) -> None:
    file = write_lines(tmp_path / "p.ndjson", [record(n, seconds=n / 50) for n in range(500)])
    aws.failing = "throttled"
    streamer = StreamerProcess(tmp_path, aws.url, [file], {"sink": QUICK}, {"POSTRANK_STREAM_DRAIN_SECONDS": "0.5"})
    with running(streamer) as process:
        wait_for(lambda: list(streamer.state.glob("spool/*.ship")), what="the spool")
        process.terminate()
        assert process.wait(patient(60)) == 0
    aws.failing = ""
    assert streamer.run() == 0
    assert {line["post_id"] for line in aws.lines("-posts")} == {str(n) for n in range(500)}


def test_a_refused_permission_ends_the_streamer_with_what_aws_said(aws: AwsServer, tmp_path: Path) -> None:
    file = write_lines(tmp_path / "p.ndjson", [record(1)])
    aws.failing = "denied"
    streamer = StreamerProcess(tmp_path, aws.url, [file], {"sink": QUICK})
    assert streamer.run() == 2
    assert "postrank-local-posts refuses PutRecords: AccessDeniedException" in streamer.log
    assert "never-shown-secret" not in streamer.log
    aws.failing = ""
    assert streamer.run() == 0
    assert [line["post_id"] for line in aws.lines("-posts")] == ["1"]


def test_the_live_list_and_the_metrics_are_served_on_loopback(aws: AwsServer, tmp_path: Path) -> None:
    posts = [record(n, author=n % 3 // 2, seconds=n / 100) for n in range(3000)]
    file = write_lines(tmp_path / "p.ndjson", [{**posts[0], "mood": "good"}, *posts[1:]])
    settings = {"source": {"speed": 1}, "sink": QUICK, "status": {"port": 0}}
    streamer = StreamerProcess(tmp_path, aws.url, [file], settings)
    with running(streamer):
        url = status_url(streamer)

        def first_two() -> Any:
            authors = page(f"{url}/top?n=2")["authors"]
            return authors if len(authors) == 2 and authors[0]["posts"] > authors[1]["posts"] else None

        authors = wait_for(first_two, what="two authors, one ahead of the other")
        assert [author["author_handle"] for author in authors] == ["handle0", "handle1"]
        assert httpx.get(f"{url}/healthz").json() == {"well": True, "phase": "streaming", "problems": []}
        text = httpx.get(f"{url}/metrics").text
        assert "postrank_delivered_total" in text
        assert "postrank_ack_age_seconds" in text
        assert "postrank_lag_seconds" in text
        assert 'postrank_unknown_fields_by_name_total{field="postrank.mood"} 1.0' in text
        assert httpx.get(f"{url}/heartbeat").json()["unknown_fields"] == {"postrank.mood": 1}


def test_filters_are_read_again_while_it_runs(aws: AwsServer, tmp_path: Path) -> None:
    handles = tmp_path / "handles.txt"
    handles.write_text("# whom to follow\n@HANDLE1\n", encoding="utf-8")
    file = write_lines(tmp_path / "p.ndjson", [record(n, author=n % 2, seconds=n / 100) for n in range(3000)])
    settings = {"source": {"speed": 3}, "sink": QUICK, "filters": {"handles_file": str(handles)}}
    with running(StreamerProcess(tmp_path, aws.url, [file], settings)):
        wait_for(lambda: aws.lines("-posts"), what="the first posts")
        assert {line["author_id"] for line in aws.lines("-posts")} == {"a1"}
        handles.write_text("handle0\n", encoding="utf-8")
        wait_for(lambda: "a0" in {line["author_id"] for line in aws.lines("-posts")}, what="the other author")


def test_conditions_of_the_configuration_are_read_again_while_it_runs_and_wrong_ones_change_nothing(
    aws: AwsServer, tmp_path: Path
) -> None:
    langs = ["en-GB", "de", None]
    file = write_lines(tmp_path / "p.ndjson", [record(n, seconds=n / 100, lang=langs[n % 3]) for n in range(3000)])
    settings = {"source": {"speed": 3}, "sink": QUICK, "filters": {"languages": ["EN"], "keywords": ["post"]}}
    streamer = StreamerProcess(tmp_path, aws.url, [file], settings)

    def languages() -> set[str]:
        return {line.get("lang") for line in aws.lines("-posts")}

    with running(streamer) as process:
        wait_for(lambda: aws.lines("-posts"), what="the first posts")
        assert languages() == {"en-GB"}
        streamer.settings["filters"] = {"languages": "de"}
        streamer.write()
        wait_for(lambda: "filters.languages must be a list, not text" in streamer.log, what="the warning")
        streamer.settings["filters"] = {"languages": ["de"], "keywords": ["post"]}
        streamer.write()
        wait_for(lambda: "de" in languages(), what="the other language")
        assert process.wait(patient(60)) == 0
    assert languages() == {"en-GB", "de"}
    counts = (heartbeat(aws) or {})["counts"]
    assert counts["events"] == 3000 == counts["filtered"] + counts["delivered"]


def test_it_runs_for_a_set_time_and_leaves_nothing_undelivered(aws: AwsServer, tmp_path: Path) -> None:
    file = write_lines(tmp_path / "p.ndjson", [record(n, seconds=n) for n in range(3000)])
    streamer = StreamerProcess(
        tmp_path, aws.url, [file], {"source": {"speed": 10}, "sink": QUICK}, words=("--for", "3")
    )
    assert streamer.run() == 0
    counts, phase = (heartbeat(aws) or {})["counts"], (heartbeat(aws) or {})["phase"]
    assert phase == "stopped"
    assert 0 < counts["delivered"] == counts["events"] < 3000


def test_keywords_match_whole_words_whatever_their_case(aws: AwsServer, tmp_path: Path) -> None:
    texts = ["Straße am FLUSS", "strasse", "Flussbett", "kein Treffer", "am fluss!"]
    file = write_lines(tmp_path / "p.ndjson", [record(n, text=text) for n, text in enumerate(texts)])
    settings = {"filters": {"keywords": ["fluss", "STRASSE"]}}
    assert StreamerProcess(tmp_path, aws.url, [file], settings).run() == 0
    assert {line["post_id"] for line in aws.lines("-posts")} == {"0", "1", "4"}
    counts = (heartbeat(aws) or {})["counts"]
    assert (counts["events"], counts["filtered"], counts["delivered"]) == (5, 2, 3)


def test_every_wrong_setting_is_named_in_one_message(tmp_path: Path) -> None:
    streamer = StreamerProcess(tmp_path, "http://127.0.0.1:9", [])
    streamer.settings = {
        "source": {"kind": "mastodon", "instances": [{"url": "ftp://a", "token": "env:T"}, {"token": "two\nlines"}]},
        "sink": {"kind": "fax", "flush_bytes": "many", "gzip": 1, "in_flight": 0},
        "windows": {"latenes": 3},
        "metrics": {"second": 1},
        "filters": {"types": ["joke"], "handles_file": "nowhere"},
    }
    streamer.env = {"POSTRANK_STREAM_SPOOL__MAX_BYTES": "12", "AWS_REGION": "mars"}
    streamer.without = ("POSTRANK_ACCOUNT",)
    assert streamer.run() == 2
    for problem in (
        "sink.kind must be one of kinesis, kafka, files, s3, not 'fax'",
        "sink.flush_bytes must be a whole number, not text",
        "sink.gzip must be true or false, not a whole number",
        "sink.in_flight must be a whole number from 1 to 64",
        "windows.latenes is not a known key",
        "metrics.second is not a known key",
        "spool.max_bytes must be a whole number of at least 1048576",
        "filters.types must be some of original, reply, repost, quote, not joke",
        "filters.handles_file names nowhere, which cannot be read: No such file or directory",
        "source.instances[0].url must be a URL such as https://social.example, not 'ftp://a'",
        "source.instances[0].token cannot be had: the environment has no T",
        "source.instances[1].url is missing",
        "source.instances[1].token must be one word of visible ASCII characters",
        "POSTRANK_ACCOUNT is missing",
        "AWS_REGION must be a region such as us-east-1",
    ):
        assert problem in streamer.log, streamer.log
    assert "two" not in streamer.log
    assert "Traceback" not in streamer.log


def test_a_variable_for_a_key_of_what_is_no_table_is_named(tmp_path: Path) -> None:
    streamer = StreamerProcess(tmp_path, "http://127.0.0.1:9", [tmp_path / "p"], env={"POSTRANK_STREAM_STATE__X": "1"})
    assert streamer.run() == 2
    assert "POSTRANK_STREAM_STATE__X names a key of state, which is no table" in streamer.log
    assert "Traceback" not in streamer.log


def test_a_state_folder_that_cannot_be_made_is_one_clear_message(tmp_path: Path) -> None:
    streamer = StreamerProcess(tmp_path, "http://127.0.0.1:9", [write_lines(tmp_path / "p.ndjson", [record(1)])])
    streamer.state.write_text("a file where a folder should be", encoding="utf-8")
    assert streamer.run() == 2
    told = f"state = '{streamer.state}' cannot be used (File exists): name a folder that this user may write"
    assert told in streamer.log
    assert "Traceback" not in streamer.log


def test_a_second_streamer_on_the_same_state_or_port_is_refused_and_the_first_one_goes_on(
    aws: AwsServer, tmp_path: Path
) -> None:
    file = write_lines(tmp_path / "p.ndjson", [record(n, seconds=n) for n in range(10_000)])
    settings = {"source": {"speed": 1}, "sink": QUICK, "status": {"port": 0}}
    streamer = StreamerProcess(tmp_path, aws.url, [file], settings)
    with running(streamer) as process:
        url = status_url(streamer)
        assert streamer.run() == 2
        taken = f"process {process.pid} streams with the state in {streamer.state}: stop it, or name another folder"
        assert taken in streamer.log
        streamer.env = {
            "POSTRANK_STREAM_STATE": str(tmp_path / "other"),
            "POSTRANK_STREAM_STATUS__PORT": url.rpartition(":")[2],
        }
        assert streamer.run() == 2
        assert f"status.port {url.rpartition(':')[2]} cannot be had on 127.0.0.1" in streamer.log
        assert "Traceback" not in streamer.log
        assert httpx.get(f"{url}/healthz").status_code == 200


@pytest.mark.parametrize("kind", ["files", "files gz", "s3"])
def test_other_sinks_hold_the_same_lines(aws: AwsServer, tmp_path: Path, kind: str) -> None:
    file = write_lines(tmp_path / "p.ndjson", [record(n, author=n % 5) for n in range(2000)])
    sink = {"kind": kind.split()[0], "folder": str(tmp_path / "out"), "gzip": "gz" in kind, "file_bytes": 10_000}  # noqa: PLC0207
    assert StreamerProcess(tmp_path, aws.url, [file], {"sink": {**sink, "flush_bytes": 50_000}}).run() == 0
    if kind == "s3":
        bodies = [gzip.decompress(body) for key, body in aws.objects.items() if "/raw/posts/dt=" in key]
    else:
        bodies = [path.read_bytes() for path in sorted((tmp_path / "out" / "posts").glob("*.ndjson*"))]
        bodies = [gzip.decompress(body) for body in bodies] if "gz" in kind else bodies
        assert list((tmp_path / "out" / "open").iterdir()) == []
        assert len(bodies) > 1
    ids = [orjson.loads(line)["post_id"] for body in bodies for line in body.splitlines()]
    assert sorted(ids, key=int) == [str(n) for n in range(2000)]


def test_a_finished_replay_stays_up_and_finished_for_its_supervisor(aws: AwsServer, tmp_path: Path) -> None:
    file = write_lines(tmp_path / "p.ndjson", [record(n, seconds=n) for n in range(50)])
    streamer = StreamerProcess(tmp_path, aws.url, [file], {"status": {"port": 0}}, words=("--stay",))
    before = ""
    for _ in range(2):  # the second time as after a reboot
        with running(streamer) as process:
            wait_for(lambda earlier=before: _finished_since(aws, earlier), what="the end of the replay")
            written = (heartbeat(aws) or {})["written_at"]
            wait_for(lambda now=written: (heartbeat(aws) or {})["written_at"] > now, what="another heartbeat")
            assert process.poll() is None
            process.terminate()
            assert process.wait(patient(60)) == 0
        assert (heartbeat(aws) or {})["phase"] == "finished"
        before = written
    assert [line["post_id"] for line in aws.lines("-posts")] == [str(n) for n in range(50)]


def _finished_since(aws: AwsServer, instant: str) -> bool:
    last = heartbeat(aws)
    return last is not None and last["phase"] == "finished" and last["started_at"] > instant


def test_every_supervisor_that_restarts_what_ends_has_the_replay_stay() -> None:
    root = Path(__file__).parents[2]
    unit = (root / "terraform/modules/streamer/files/postrank-streamer.service").read_text()
    compose = (root / "docker-compose.yaml").read_text()
    assert "Restart=always" in unit
    assert "postrank stream --stay " in unit
    assert "command: [stream, --stay, " in compose
