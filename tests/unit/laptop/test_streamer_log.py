"""Why no posts come: the streamer's own words reach the person who waits."""

from pathlib import Path

import pytest

from localaws.testing.server import running_localaws
from postrank.aws.resources import Resources
from postrank.laptop.services.local_aws import LocalCloud, root_key
from postrank.laptop.services.processes import Parts
from postrank.laptop.services.streamer import Streamer, StreamerFailed
from postrank.laptop.services.streamer_log import StreamerLog
from postrank.laptop.setup.layout import Layout
from postrank.laptop.setup.options import Options

ROOT = Path(__file__).resolve().parents[3]
LOST = '{"at":"t","level":"warning","event":"jetstream lost","logger":"l","host":"ws://a","why":"cannot connect"}\n'
INFO = '{"at":"t","level":"info","event":"started","logger":"l"}\n'
ENDED = "postrank: settings cannot be used:\n  source.rules is missing\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", ""),
        (INFO, ""),
        (LOST + INFO, "jetstream lost: host ws://a, why cannot connect"),
        (LOST + ENDED, "settings cannot be used: source.rules is missing"),
        (ENDED + "  -> do it\n" + INFO + "  else\n", "settings cannot be used: source.rules is missing -> do it"),
        ('not json\n[1]\n{"level": "error", "event": "x"}\n{"cut', "x"),
        ("a" * 100_000 + "\n" + LOST, "jetstream lost: host ws://a, why cannot connect"),
    ],
)
def test_the_newest_problem_of_a_log_is_told_in_one_line(text: str, problem: str, tmp_path: Path) -> None:
    log = tmp_path / "streamer.log"
    log.write_text(text, encoding="utf-8")
    assert StreamerLog(log).last_problem() == problem


def test_a_log_that_is_not_there_yet_has_no_problem(tmp_path: Path) -> None:
    assert (StreamerLog(tmp_path / "none").last_problem(), StreamerLog(tmp_path / "none").endings()) == ("", 0)


def test_a_streamer_without_a_heartbeat_shows_why_and_fails_after_it_ended_repeatedly(tmp_path: Path) -> None:
    layout = Layout.of(ROOT, tmp_path / "var")
    layout.create()
    names = Resources.of("local", "123456789012")
    log = layout.logs / "streamer.log"
    root_key(layout.aws / "state" / "credentials")
    with running_localaws(layout.aws, enforce_iam=False) as aws:
        cloud = LocalCloud(Parts(layout.logs), layout, int(aws.endpoint.rpartition(":")[2]), names.region)
        cloud.client("s3").create_bucket(Bucket=names.buckets["raw"])
        streamer = Streamer(layout, names, cloud, Options(project=ROOT, source="bluesky"))
        assert streamer.look() is None
        assert streamer.progress == "waiting for its first heartbeat"
        log.write_text(ENDED * 2, encoding="utf-8")
        assert streamer.look() is None
        assert streamer.progress == "waiting for its first heartbeat: settings cannot be used: source.rules is missing"
        log.write_text(ENDED * 3, encoding="utf-8")
        with pytest.raises(StreamerFailed, match=r"settings cannot be used: source.rules is missing; its log is below"):
            streamer.look()
