"""`postrank provision`, as the compose file runs it: a local AWS elsewhere gets the resources and runs the streamer."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import yaml

from localaws.testing.patience import patient
from localaws.testing.server import running_localaws
from localaws.testing.waiting import wait_for
from postrank.aws.resources import Resources
from postrank.delivery.lines import DeliveredLines
from postrank.heartbeat import NoHeartbeat, read_heartbeat
from postrank.laptop.provision import Provision
from postrank.laptop.services.airflow import inherited_environment
from postrank.laptop.services.local_aws import LocalCloud
from postrank.laptop.services.processes import Parts
from postrank.laptop.services.streamer import Streamer
from postrank.laptop.setup.layout import Layout
from postrank.laptop.setup.options import Options
from postrank.laptop.setup.ports import any_free

ROOT = Path(__file__).parents[2]
NAMES = Resources.of("local", "123456789012")
IDENTITY = {"POSTRANK_ENVIRONMENT": "local", "POSTRANK_ACCOUNT": NAMES.account}


def provision(**env: str) -> "subprocess.CompletedProcess[str]":
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    argv = [sys.executable, "-m", "postrank", "provision", "--unit", NAMES.streamer.service]
    return subprocess.run(
        argv, env={**inherited, **IDENTITY, **env}, capture_output=True, text=True, check=False, timeout=patient(120)
    )


def test_the_compose_file_s_instance_replays_the_sample(tmp_path):
    compose = yaml.safe_load((ROOT / "docker-compose.yaml").read_text(encoding="utf-8"))
    configs = compose["configs"]
    credentials = tmp_path / "credentials"
    content = configs["root-credentials"]["content"].replace("${AWS_ACCESS_KEY_ID:-}", "localaws")
    credentials.write_text(content.replace("${AWS_SECRET_ACCESS_KEY:-}", "a-secret-from-dot-env"))
    options = [f"--credentials={credentials}"]
    options += [one for one in compose["services"]["localaws"]["command"] if one == "--enforce-iam"]
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
    with running_localaws(tmp_path, speed=60, units=tmp_path / "units", options=options) as aws:
        aws.credentials = credentials
        keys = aws.root_environment
        first = provision(**keys)
        assert first.returncode == 0, first.stderr
        assert provision(**keys).stdout == "the resources exist\n"

        def finished() -> bool:
            try:
                beat = read_heartbeat(aws.client("s3"), NAMES.buckets["raw"], NAMES.keys["heartbeat"])
            except NoHeartbeat:
                return False
            return beat.finished and beat.counts["delivered"] > 10_000

        wait_for(finished, timeout=90, what="the sample to be delivered", every=0.5)
        by_role = [line for line in aws.call_log() if line["action"] == "PutRecords"]
        assert {line["principal"].split("/")[1] for line in by_role} == {NAMES.roles["streamer"]}
        assert all(line["enforced"] for line in by_role)


def test_what_was_stopped_halfway_is_completed_by_the_next_attempt(tmp_path):
    with running_localaws(tmp_path, speed=60, units=tmp_path) as aws:
        for _ in range(2):
            provisioning = Provision(aws.client, NAMES)
            kinds = list(provisioning.base())
            provisioning.streamer(unit="none")
        assert "workgroup" in kinds
        groups = aws.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
        assert [group["AutoScalingGroupName"] for group in groups] == [NAMES.streamer.name]


def test_resources_and_the_sample_survive_kills_of_the_local_aws(tmp_path):
    layout = Layout.of(ROOT, tmp_path / "var")
    layout.create()
    with Parts(layout.logs, instances=layout.aws) as parts:
        cloud = LocalCloud(parts, layout, any_free(), NAMES.region)
        cloud.start(inherited_environment())
        cloud.wait()
        provisioning = Provision(cloud.client, NAMES)
        streamer = Streamer(layout, NAMES, cloud, Options(project=ROOT))
        for kind in provisioning.base():
            if kind in ("roles", "catalogue"):
                os.kill(parts.process_id("localaws"), signal.SIGKILL)
        streamer.describe()
        provisioning.streamer(unit=NAMES.streamer.service)
        wait_for(streamer.look, timeout=300, what="the first heartbeat", every=0.2)
        os.kill(parts.process_id("localaws"), signal.SIGKILL)
        prefix = NAMES.delivery["posts"].prefix.split("dt=")[0]
        delivered = DeliveredLines(cloud.client("s3"), NAMES.buckets["raw"], prefix)

        def complete() -> bool:
            heartbeat = streamer.look()
            return heartbeat is not None and heartbeat.finished and delivered.update() == streamer.acknowledged

        wait_for(complete, timeout=300, what="the sample to be delivered", every=0.5)
        assert streamer.acknowledged > 10_000
        assert parts.restarts == 3


def test_it_never_works_on_aws_itself():
    done = provision()
    assert done.returncode == 2
    assert "this command is for a local AWS; in an account, apply terraform/" in done.stderr
