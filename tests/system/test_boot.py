"""The whole first boot of a host from Terraform's user data, in a mount namespace; and of the host that replaces it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from localaws.testing.patience import patient
from localaws.testing.server import LocalAws, running_localaws
from postrank.aws import policies
from postrank.aws.resources import Resources
from postrank.deploy.release import build
from postrank.deploy.shelf import Shelf
from postrank.laptop.provision import Provision
from tests.support.stack.releases import release_as
from tests.support.stack.streamer_host import NEEDED, render_user_data

ROOT = Path(__file__).parents[2]
NAMES = Resources.of("local", "123456789012")
BOOT = ROOT / "tests/support/stack/host_boot.py"
VERSION, DEPLOYED = "0.8.1", "0.8.4"
TRY = (
    "mkdir {0}/m && mount -t tmpfs t {0}/m && mkdir {0}/m/u {0}/m/w"
    " && mount -t overlay o -o lowerdir=/opt,upperdir={0}/m/u,workdir={0}/m/w /opt"
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(patient(600))]


@pytest.fixture
def namespace(tmp_path) -> None:
    """Skips where this machine cannot have one, or lacks a tool."""
    for tool in (*NEEDED, "unshare", "losetup", "mkfs.ext4", "blkid", "python3.11"):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed")
    (tmp_path / "try").mkdir()
    can = ["unshare", "--mount", "sh", "-c", TRY.format(tmp_path / "try")]
    if os.getuid() != 0 or subprocess.run(can, capture_output=True, check=False, timeout=patient(30)).returncode:
        pytest.skip("no mount namespace with layers can be made here")
    probe = tmp_path / "probe"
    probe.write_bytes(bytes(1 << 20))
    loop = subprocess.run(["losetup", "--find", "--show", probe], capture_output=True, text=True, check=False)
    if loop.returncode:
        pytest.skip("no loop device can be had here")
    subprocess.run(["losetup", "--detach", loop.stdout.strip()], check=True)


def launch(aws: LocalAws) -> str:
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": NAMES.streamer.name}]}]
    ec2 = aws.client("ec2")
    made = ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1, TagSpecifications=tags)
    instance = str(made["Instances"][0]["InstanceId"])
    ec2.get_waiter("instance_running").wait(InstanceIds=[instance], WaiterConfig={"Delay": 1})
    return instance


def boot(aws: LocalAws, folder: Path, **spec: str) -> dict[str, Any]:
    """Boot an instance from its user data; returns what came of it."""
    (folder / "layer").mkdir()
    root = {"aws_access_key_id": aws.root.key, "aws_secret_access_key": aws.root.secret, "region_name": "us-east-1"}
    (folder / "spec.json").write_text(json.dumps({**spec, "folder": str(folder / "layer"), "root": root}))
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "POSTRANK_"))},
        "AWS_ENDPOINT_URL": aws.endpoint,
        **aws.role_environment(NAMES.roles["streamer"]),
        "PATH": f"/usr/local/bin:{os.environ['PATH']}",
    }
    argv = ["unshare", "--mount", sys.executable, BOOT, folder / "spec.json"]
    try:
        done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False, timeout=patient(250))
    finally:
        left = subprocess.run(["losetup", "-j", spec["disk"]], capture_output=True, text=True, check=True).stdout
        for line in left.splitlines():
            subprocess.run(["losetup", "--detach", line.split(":")[0]], check=True)
    assert done.returncode == 0, done.stdout + done.stderr
    told = next(line for line in done.stdout.splitlines() if line.startswith("booted "))
    return dict(json.loads(told.removeprefix("booted ")))


def test_a_host_boots_from_its_user_data_and_the_next_one_goes_on_with_its_volume(namespace, tmp_path):
    try:
        release = build(ROOT, tmp_path / "built")
    except Exception as error:
        pytest.skip(f"no wheel can be built here: {error}")
    wheel = next(release.folder.glob("*.whl"))
    disk = tmp_path / "disk"
    with disk.open("wb") as image:
        image.truncate(256 << 20)
    with running_localaws(tmp_path, speed=60, enforce_iam=True) as aws:
        list(Provision(aws.client, NAMES).base())
        iam, role = aws.client("iam"), NAMES.roles["streamer"]
        iam.put_role_policy(RoleName=role, PolicyName="host", PolicyDocument=policies.policy("streamer-host", NAMES))
        shelf = Shelf(aws.client("s3"), NAMES.buckets["artifacts"])
        for version in (VERSION, DEPLOYED):
            shelf.publish(release_as(wheel, tmp_path / version, version))
        named = [{"ResourceType": "volume", "Tags": [{"Key": "Name", "Value": NAMES.streamer.name}]}]
        ec2 = aws.client("ec2")
        volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=8, TagSpecifications=named)["VolumeId"]
        user_data = render_user_data(tmp_path / "terraform", NAMES, version=VERSION, volume=volume)
        spec = {"user_data": user_data, "disk": str(disk), "volume": volume}

        (tmp_path / "first").mkdir()
        first = boot(aws, tmp_path / "first", instance=(one := launch(aws)), **spec)
        assert first["said"] == [
            "systemctl daemon-reload",
            "mkfs.xfs",
            "systemctl restart postrank-streamer.service",
            f"postrank, version {VERSION}",
            "systemctl enable postrank-streamer.service",
            "systemctl enable --now logrotate.timer",
            "agent file:/etc/postrank/cloudwatch-agent.json",
        ]
        assert (first["current"], first["mounted"], first["mode"]) == (f"releases/{VERSION}", True, "0o700")
        assert first["fstab"].endswith(" /var/lib/private xfs defaults,nofail,nodev,nosuid 0 2")
        assert first["found"] is None

        # A deployment later, the host is replaced: another release, the same state.
        shelf.point(DEPLOYED, shelf.digest(DEPLOYED) or "")
        ec2.detach_volume(VolumeId=volume, InstanceId=one, Device="/dev/sdf")
        ec2.terminate_instances(InstanceIds=[one])
        (tmp_path / "second").mkdir()
        second = boot(aws, tmp_path / "second", instance=launch(aws), **spec)
        assert "mkfs.xfs" not in second["said"]
        assert f"postrank, version {DEPLOYED}" in second["said"]
        assert (second["current"], second["found"]) == (f"releases/{DEPLOYED}", one)
