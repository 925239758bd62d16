"""Two overlapping collectors, as `make run CONFIG=collectors.toml ONCE=1` runs them: every hop, one lake."""

import json
from pathlib import Path

import pytest

from localaws.testing.patience import patient
from postrank.aws.resources import Resources
from tests.support.stack.laptop_run import RANKED_SECONDS, exported, running_stack

pytestmark = [pytest.mark.slow, pytest.mark.system, pytest.mark.timeout(patient(600))]

NAMES = Resources.of("local", "123456789012").of_collector("second")
CONFIG = '[collectors.{name}.source]\nkind = "replay"\nfiles = ["{file}"]\n'


def _posts(path: Path, numbers: range) -> Path:
    lines = [
        {
            "kind": "post",
            "network": "x",
            "post_id": str(number),
            "author_id": str(number % 3),
            "author_handle": f"sim_{number % 3}",
            "posted_at": f"2024-05-01T10:00:{number % 60:02d}.000Z",
            "text": "synthetic",
        }
        for number in numbers
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def test_two_collectors_that_overlap_are_ranked_as_one_and_accounted_for_each(tmp_path: Path) -> None:
    config = tmp_path / "collectors.toml"
    files = {"main": _posts(tmp_path / "a", range(30)), "second": _posts(tmp_path / "b", range(15, 60))}
    config.write_text("".join(CONFIG.format(name=name, file=file) for name, file in files.items()), encoding="utf-8")
    with running_stack(tmp_path, (), "--config", str(config), "--once") as running:
        assert running.process.wait(timeout=patient(RANKED_SECONDS)) == 0, running.said()
        calls = running.calls()
    rows = exported(tmp_path / "var" / "results", "all")
    assert [(row["author_id"], row["posts"]) for row in rows] == [("0", "20"), ("1", "20"), ("2", "20")]
    said = running.said()
    assert "75 acknowledged by Kinesis (main: 30 read, 30 acknowledged by Kinesis; second: 45 read" in said
    hops = [line.split() for line in said.splitlines() if "Firehose → S3" in line]
    figures = [[word for word in hop if word.isdigit()][:2] for hop in hops]
    assert figures == [["30", "30"], ["45", "45"], ["75", "75"]]
    puts = {str(call["resource"]) for call in calls if call["action"] == "PutObject"}
    assert any(resource.endswith(NAMES.keys["heartbeat"]) for resource in puts)
    assert (tmp_path / "var" / "log" / "streamer-second.log").exists()
