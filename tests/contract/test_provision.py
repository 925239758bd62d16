"""`postrank provision`, as the compose file runs it: a local AWS elsewhere gets the resources and runs the streamer."""

import os
import subprocess
import sys
from pathlib import Path

import yaml

from localaws.testing.server import running_localaws
from localaws.testing.waiting import wait_for
from postrank.aws.resources import Resources
from postrank.heartbeat import NoHeartbeat, read_heartbeat

ROOT = Path(__file__).parents[2]
NAMES = Resources.of("local", "123456789012")
IDENTITY = {"POSTRANK_ENVIRONMENT": "local", "POSTRANK_ACCOUNT": NAMES.account}


def provision(**env: str) -> "subprocess.CompletedProcess[str]":
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    argv = [sys.executable, "-m", "postrank", "provision", "--unit", NAMES.streamer.service]
    return subprocess.run(
        argv, env={**inherited, **IDENTITY, **env}, capture_output=True, text=True, check=False, timeout=120
    )


def test_the_compose_file_s_instance_replays_the_sample(tmp_path):
    configs = yaml.safe_load((ROOT / "docker-compose.yaml").read_text(encoding="utf-8"))["configs"]
    streamer, unit = (configs[name]["content"] for name in ("sample-streamer", "sample-unit"))
    sample = ROOT / "include/sample/synthetic-posts.ndjson.gz"
    streamer = streamer.replace("/usr/share/postrank/sample/synthetic-posts.ndjson.gz", str(sample))
    (tmp_path / "streamer.toml").write_text(streamer.replace("/var/lib/postrank", str(tmp_path)))
    unit = unit.replace('"postrank"', f'"{sys.executable}", "-m", "postrank"')
    unit = unit.replace("/etc/postrank/streamer.toml", str(tmp_path / "streamer.toml"))
    for name, value in IDENTITY.items():
        unit = unit.replace(f"${{{name}}}", value)
    (tmp_path / "units").mkdir()
    (tmp_path / "units" / f"{NAMES.streamer.service}.toml").write_text(unit)
    with running_localaws(tmp_path, speed=60, units=tmp_path / "units") as aws:
        keys = {"AWS_ACCESS_KEY_ID": "localaws", "AWS_SECRET_ACCESS_KEY": "localaws", "AWS_ENDPOINT_URL": aws.endpoint}
        first = provision(**keys)
        assert first.returncode == 0, first.stderr
        assert provision(**keys).stdout == "the resources are there\n"

        def finished() -> bool:
            try:
                beat = read_heartbeat(aws.client("s3"), NAMES.buckets["raw"], NAMES.keys["heartbeat"])
            except NoHeartbeat:
                return False
            return beat.finished and beat.counts["delivered"] > 10_000

        wait_for(finished, timeout=90, what="the sample to be delivered", every=0.5)


def test_it_never_works_on_aws_itself():
    done = provision()
    assert done.returncode == 2
    assert "this is for a local AWS; in an account, apply terraform/" in done.stderr
