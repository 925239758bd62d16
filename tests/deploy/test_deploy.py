"""`postrank deploy` on the local AWS, under the deployer's own role: real wheels and processes."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from localaws.testing.patience import patient
from localaws.testing.server import LocalAws, running_localaws
from localaws.testing.waiting import wait_for
from postrank.aws import policies
from postrank.aws.resources import Resources
from postrank.deploy.release import Release, build
from postrank.heartbeat import Heartbeat, NoHeartbeat, read_heartbeat
from postrank.laptop.provision import Provision
from tests.support import permissions
from tests.support.stack.releases import release_as
from tests.support.stack.streamer_host import make_host

ROOT = Path(__file__).parents[2]
NAMES = Resources.of("local", "123456789012")
RAW, ARTIFACTS = NAMES.buckets["raw"], NAMES.buckets["artifacts"]
MARKER = {"Bucket": RAW, "Key": NAMES.keys["deploy_marker"]}
DEPLOYED, NOBODY_ELSE, NOT_INSTALLED, TAKEN_BACK, SILENT = 0, 3, 4, 5, 6
SECONDS = 250

pytestmark = [pytest.mark.timeout(patient(600)), pytest.mark.in_file_order]


@dataclass
class Site:
    """A local AWS with the streamer's instance, and whoever deploys to it."""

    aws: LocalAws
    host: Path
    releases: dict[str, Release]

    def beat(self) -> Heartbeat | None:
        try:
            return read_heartbeat(self.aws.client("s3"), RAW, NAMES.keys["heartbeat"])
        except NoHeartbeat:
            return None

    def runs(self, version: str) -> bool:
        beat = self.beat()
        fresh = beat and datetime.now(UTC) - datetime.fromisoformat(beat.written_at) < timedelta(seconds=5)
        return bool(fresh and beat and beat.version == version and beat.phase == "streaming")

    def await_run(self, version: str) -> None:
        wait_for(lambda: self.runs(version), timeout=60, what=f"{version} to beat")

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """A `postrank deploy` in a process of its own, as the deployer's role."""
        env = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
            "POSTRANK_ACCOUNT": NAMES.account,
            "AWS_ENDPOINT_URL": self.aws.endpoint,
            "AWS_REGION": NAMES.region,
            **self.aws.role_environment(NAMES.roles["deployer"]),
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        argv = [sys.executable, "-m", "postrank", "deploy", *words]
        return subprocess.Popen(
            argv, cwd=self.host, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def deploy(self, version: str, *words: str, patience: int = 60) -> tuple[int, str]:
        """Bring a version; returns the exit status and what was said."""
        dist = ("--dist", str(self.releases[version].folder)) if version in self.releases else ()
        process = self.start(
            "streamer", "--version", version, *dist, "--steady", "1", "--patience", str(patience), *words
        )
        said, _ = process.communicate(timeout=patient(SECONDS))
        return process.returncode, said

    def marker(self) -> dict[str, Any] | None:
        s3 = self.aws.client("s3")
        try:
            return dict(json.loads(s3.get_object(**MARKER)["Body"].read()))
        except s3.exceptions.NoSuchKey:
            return None

    def current(self) -> str:
        return self.aws.client("s3").get_object(Bucket=ARTIFACTS, Key="streamer/current")["Body"].read().decode()


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    """The wheel of this tree, built as a release is."""
    if not (shutil.which("uv") or os.environ.get("UV") or (ROOT / "var/uv/bin/uv").exists()):
        pytest.skip("uv is not here to build a wheel with")
    release = build(ROOT, tmp_path_factory.mktemp("release"))
    return next(release.folder.glob("*.whl"))


@pytest.fixture(scope="module")
def site(tmp_path_factory, wheel) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    host = make_host(folder, artifacts=ARTIFACTS, service=NAMES.streamer.service)
    posts = folder / "growing.ndjson"
    posts.touch()
    config = folder / "streamer.toml"
    config.write_text(
        f'state = "{folder / "state"}"\n[source]\nkind = "tail"\nfiles = ["{posts}"]\n'
        "[heartbeat]\nseconds = 0.3\n[metrics]\nseconds = 0\n"
    )
    units = folder / "units"
    units.mkdir()
    (units / f"{NAMES.streamer.service}.toml").write_text(
        f'argv = ["{host}/opt/postrank/current/bin/postrank", "stream", "--config", "{config}"]\n'
        f'restart = "always"\nstop_timeout_seconds = 5\n[env]\nPOSTRANK_ACCOUNT = "{NAMES.account}"\n'
    )
    releases = {
        version: release_as(wheel, folder / version, version, broken=version == "0.8.2")
        for version in ("0.8.1", "0.8.2", "0.8.3")
    }
    path = f"{host / 'bin'}:{os.environ['PATH']}"
    with running_localaws(folder, speed=60, enforce_iam=True, units=units, env={"PATH": path}) as aws:
        provision = Provision(aws.client, NAMES)
        list(provision.base())
        # What Terraform gives the host beside the streamer's own rights.
        aws.client("iam").put_role_policy(
            RoleName=NAMES.roles["streamer"], PolicyName="host", PolicyDocument=policies.policy("streamer-host", NAMES)
        )
        provision.streamer(NAMES.streamer.service)
        site = Site(aws, host, releases)
        status, said = site.deploy("0.8.1")
        assert status == DEPLOYED, said
        yield site
    permissions.gather(aws.call_log())


@pytest.fixture
def running(site) -> Site:
    """The site with 0.8.1 at work and no deployment."""
    if not site.runs("0.8.1"):
        status, said = site.deploy("0.8.1")
        assert status == DEPLOYED, said
    assert site.marker() is None
    return site


def test_a_good_release_is_published_installed_and_kept(running):
    before = running.beat().started_at
    status, said = running.deploy("0.8.3")
    assert status == DEPLOYED, said
    running.await_run("0.8.3")
    assert running.beat().started_at != before
    assert running.marker() is None
    assert running.current() == f"0.8.3 {running.releases['0.8.3'].sums_digest}\n"
    assert (running.host / "opt/postrank/releases/0.8.1/installed").exists()  # to go back to


@pytest.mark.slow
def test_a_published_release_needs_no_checkout(running):
    running.deploy("0.8.3")
    process = running.start("streamer", "--version", "0.8.1", "--steady", "1")
    said, _ = process.communicate(timeout=patient(SECONDS))
    assert process.returncode == DEPLOYED, said
    assert "published" not in said
    running.await_run("0.8.1")


def test_a_release_that_stays_silent_is_taken_back(running):
    pointer = running.current()
    status, said = running.deploy("0.8.2", patience=6)
    assert status == TAKEN_BACK, said
    assert "0.8.2 sent no heartbeat within 6 s" in said
    running.await_run("0.8.1")
    assert running.marker() is None
    assert running.current() == pointer


@pytest.mark.slow
def test_an_interrupted_deployment_is_taken_back_and_clears_its_marker(running):
    dist = str(running.releases["0.8.2"].folder)
    process = running.start("streamer", "--version", "0.8.2", "--dist", dist, "--patience", "600", "--steady", "1")
    wait_for(lambda: _link(running).endswith("0.8.2"), timeout=SECONDS, what="0.8.2 to be activated")
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=patient(SECONDS))
    assert process.returncode == TAKEN_BACK, said
    assert "signal SIGTERM" in said
    running.await_run("0.8.1")
    assert running.marker() is None


@pytest.mark.slow
def test_a_second_deployment_is_refused_while_one_goes_on(running):
    dist = str(running.releases["0.8.2"].folder)
    process = running.start("streamer", "--version", "0.8.2", "--dist", dist, "--patience", "600", "--steady", "1")
    wait_for(running.marker, timeout=SECONDS, what="the first to take the marker")
    status, said = running.deploy("0.8.3")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=patient(SECONDS))
    assert status == NOBODY_ELSE
    assert "another deployment is running: 0.8.2, by arn:aws:sts::123456789012:assumed-role/" in said
    running.await_run("0.8.1")


@pytest.mark.slow
def test_what_a_killed_deployment_leaves_lapses_and_is_taken_over(running):
    dist = str(running.releases["0.8.2"].folder)
    process = running.start("streamer", "--version", "0.8.2", "--dist", dist, "--patience", "600", "--steady", "1")
    wait_for(lambda: _link(running).endswith("0.8.2"), timeout=SECONDS, what="0.8.2 to be activated")
    process.kill()
    process.communicate()
    left = running.marker()
    assert left
    assert datetime.fromisoformat(left["until"]) <= datetime.now(UTC) + timedelta(seconds=120)
    status, said = running.deploy("0.8.3")
    assert status == NOBODY_ELSE
    assert "another deployment is running: 0.8.2" in said
    # Two minutes later.
    late = json.dumps({**left, "until": left["since"]})
    running.aws.client("s3").put_object(**MARKER, Body=late.encode())
    status, said = running.deploy("0.8.3")
    assert status == DEPLOYED, said
    assert running.marker() is None


@pytest.mark.slow
def test_a_marker_put_by_hand_holds(running):
    running.aws.client("s3").put_object(**MARKER, Body=b'{"by": "an operator", "since": "this morning"}')
    status, said = running.deploy("0.8.3")
    running.aws.client("s3").delete_object(**MARKER)
    assert status == NOBODY_ELSE
    assert "by an operator, since this morning, until it is cleared by hand" in said


@pytest.mark.slow
def test_files_that_were_changed_in_the_bucket_are_not_installed(running):
    release = running.releases["0.8.3"]
    wheel = next(release.folder.glob("*.whl"))
    shutil.rmtree(running.host / "opt/postrank/releases/0.8.3", ignore_errors=True)
    _publish(running, "0.8.3")
    key = {"Bucket": ARTIFACTS, "Key": f"streamer/0.8.3/{wheel.name}"}
    running.aws.client("s3").put_object(**key, Body=wheel.read_bytes() + b"more")
    status, said = running.deploy("0.8.3")
    running.aws.client("s3").put_object(**key, Body=wheel.read_bytes())
    assert status == NOT_INSTALLED, said
    assert "the files are not those published" in said
    running.await_run("0.8.1")
    assert running.marker() is None


@pytest.mark.slow
def test_another_build_of_a_published_version_is_refused(running, wheel, tmp_path):
    _publish(running, "0.8.3")
    other = release_as(wheel, tmp_path / "other", "0.8.3", broken=True)
    process = running.start("publish", "--dist", str(other.folder))
    said, _ = process.communicate(timeout=patient(SECONDS))
    assert process.returncode == 2
    assert "holds another build of 0.8.3: a release is never changed" in said


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["streamer", "--version", "9.9.9"], "9.9.9 is not published"),
        (["streamer", "--version", "newest"], "'newest' is no version such as 0.2.0"),
        (["publish"], "this folder is not a checkout of Postrank"),
    ],
)
def test_wrong_use_touches_nothing_and_says_why(running, words, reason):
    process = running.start(*words)
    said, _ = process.communicate(timeout=patient(SECONDS))
    assert (process.returncode, running.marker()) == (2, None)
    assert reason in said


def test_the_deployer_s_role_holds_what_a_deployment_calls_and_no_more(running):
    mine = [one for one in running.aws.call_log() if NAMES.roles["deployer"] in str(one.get("principal"))]
    used = {f"{one['service']}:{one['action'].rpartition(':')[2]}" for one in mine}
    held = {
        action
        for statement in json.loads(policies.policy("deployer", NAMES))["Statement"]
        for action in statement["Action"]
    }
    assert held - used == set()


def _publish(site: Site, version: str) -> None:
    process = site.start("publish", "--dist", str(site.releases[version].folder))
    said, _ = process.communicate(timeout=patient(SECONDS))
    assert process.returncode == 0, said


def _link(site: Site) -> str:
    return str((site.host / "opt/postrank/current").readlink())
