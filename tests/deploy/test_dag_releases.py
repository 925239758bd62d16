"""Releases of the DAGs on the local AWS: published once, activated at once, rolled back, pulled and copied for MWAA."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from localaws.testing.patience import patient
from localaws.testing.server import LocalAws, running_localaws
from postrank.aws import policies
from postrank.aws.resources import Resources
from postrank.deploy.code_version import checkout_version, running_version
from postrank.deploy.dag_release import SUMS, DagRelease, build_dags, checksums
from postrank.deploy.dag_shelf import ActivatedMeanwhile, DagShelf, DamagedRelease, NotActivated
from postrank.deploy.release import BadRelease

ROOT = Path(__file__).parents[2]
NAMES = Resources.of("local", "123456789012")
BUCKET = NAMES.buckets["artifacts"]
BY = {"at": "2026-12-01T00:00:00.000Z", "by": "arn:aws:iam::123456789012:user/ann"}

pytestmark = pytest.mark.timeout(patient(600))


@dataclass
class Account:
    """A local AWS with the artifacts bucket, and the deployer's and Airflow's roles."""

    aws: LocalAws

    def shelf(self, role: str) -> DagShelf:
        options = self.aws.role_keys(NAMES.roles[role])
        return DagShelf(self.aws.client("s3", **options), BUCKET)

    def listed(self, prefix: str = "") -> set[str]:
        pages = self.aws.client("s3").get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        return {entry["Key"] for page in pages for entry in page.get("Contents", ())}


@pytest.fixture(scope="module")
def account(tmp_path_factory) -> Iterator[Account]:
    with running_localaws(tmp_path_factory.mktemp("localaws"), enforce_iam=True) as aws:
        aws.client("s3").create_bucket(Bucket=BUCKET)
        for role in ("deployer", "airflow"):
            name = NAMES.roles[role]
            trust = policies.policy(f"{role}.trust", NAMES)
            aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust)
            document = policies.policy(role, NAMES)
            aws.client("iam").put_role_policy(RoleName=name, PolicyName=name, PolicyDocument=document)
        yield Account(aws)


@pytest.fixture
def empty(account) -> Account:
    """The account with nothing in its bucket."""
    for key in account.listed():
        account.aws.client("s3").delete_object(Bucket=BUCKET, Key=key)
    return account


@pytest.fixture
def make_release(tmp_path):
    """Makes a small release under a version."""

    def make(version: str, **files: str) -> DagRelease:
        folder = tmp_path / f"built-{version}"
        include = folder / "dags/include"
        include.mkdir(parents=True)
        (include / "release.json").write_text(json.dumps({"version": version}))
        (folder / "dags/rank_authors.py").write_text(f"# {version}\n")
        for name, text in files.items():
            (folder / f"dags/{name}.py").write_text(text)
        plugins = tmp_path / f"plugins-{version}"
        plugins.mkdir()
        (plugins / "postrank_plugin.py").write_text(f"# {version}\n")
        shutil.make_archive(str(folder / "plugins"), "zip", plugins)
        for name in ("requirements.txt", "startup.sh"):
            (folder / name).write_text("\n")
        (folder / SUMS).write_text(checksums(folder))
        return DagRelease.of(folder)

    return make


def test_hosts_switch_to_a_release_at_once_and_back(empty, make_release, tmp_path):
    deployer = empty.shelf("deployer")
    host = empty.shelf("airflow")
    srv = tmp_path / "srv"
    for release in (make_release("0.2.0-aaaaaaaa", gone="1\n"), make_release("0.3.0-bbbbbbbb")):
        assert deployer.publish(release)
        deployer.activate(release.version, **BY)
        assert host.pull(srv) == (release.version, True)
        assert host.pull(srv) == (release.version, False)
        assert (srv / "current/dags/rank_authors.py").read_text() == f"# {release.version}\n"
        assert (srv / "current/plugins/postrank_plugin.py").read_text() == f"# {release.version}\n"
        assert running_version(srv / "current/dags/include") == release.version
    assert not (srv / "current/dags/gone.py").exists()
    assert deployer.roll_back(**BY).version == "0.2.0-aaaaaaaa"
    assert host.pull(srv) == ("0.2.0-aaaaaaaa", True)
    assert (srv / "current/dags/gone.py").exists()
    assert deployer.roll_back(**BY).version == "0.3.0-bbbbbbbb"


def test_only_the_active_release_and_the_one_before_stay_on_a_host(empty, make_release, tmp_path):
    shelf = empty.shelf("deployer")
    for number in range(3):
        release = make_release(f"0.{number}.0-aaaaaaaa")
        shelf.publish(release)
        shelf.activate(release.version, **BY)
        shelf.pull(tmp_path / "srv")
    releases = {path.name for path in (tmp_path / "srv/releases").iterdir()}
    assert releases == {"0.1.0-aaaaaaaa", "0.2.0-aaaaaaaa"}


def test_a_published_release_never_changes(empty, make_release, tmp_path):
    shelf = empty.shelf("deployer")
    release = make_release("0.2.0-aaaaaaaa")
    assert shelf.publish(release)
    assert not shelf.publish(release)
    (release.folder / "dags/rank_authors.py").write_text("# other\n")
    with pytest.raises(BadRelease, match="not those that its SHA256SUMS names"):
        DagRelease.of(release.folder)
    (release.folder / SUMS).write_text(checksums(release.folder))
    with pytest.raises(BadRelease, match=r"another build of 0\.2\.0-aaaaaaaa"):
        shelf.publish(DagRelease.of(release.folder))


def test_a_file_that_was_changed_in_the_bucket_reaches_no_host(empty, make_release, tmp_path):
    shelf = empty.shelf("deployer")
    release = make_release("0.2.0-aaaaaaaa")
    shelf.publish(release)
    shelf.activate(release.version, **BY)
    key = f"airflow/releases/{release.version}/dags/rank_authors.py"
    empty.aws.client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"# other\n")
    with pytest.raises(DamagedRelease, match=r"dags/rank_authors\.py"):
        empty.shelf("airflow").pull(tmp_path / "srv")
    assert not (tmp_path / "srv/current").exists()
    assert list((tmp_path / "srv/releases").iterdir()) == []


def test_what_is_not_there_is_not_activated(empty, make_release, tmp_path):
    shelf = empty.shelf("deployer")
    with pytest.raises(NotActivated, match="is not published"):
        shelf.activate("0.9.0-cccccccc", **BY)
    with pytest.raises(NotActivated, match="names no release"):
        shelf.pull(tmp_path / "srv")
    shelf.publish(make_release("0.2.0-aaaaaaaa"))
    shelf.activate("0.2.0-aaaaaaaa", **BY)
    with pytest.raises(NotActivated, match="no release was active before"):
        shelf.roll_back(**BY)


def test_of_two_activations_at_once_one_is_told(empty, make_release):
    shelf = empty.shelf("deployer")
    versions = [f"0.{number}.0-aaaaaaaa" for number in range(8)]
    for version in versions:
        shelf.publish(make_release(version))
    shelf.activate(versions[0], **BY)

    def activate(version: str) -> str | None:
        try:
            return replace(shelf.activate(version, **BY)).version
        except ActivatedMeanwhile:
            return None

    with ThreadPoolExecutor(8) as pool:
        activated = set(pool.map(activate, versions[1:])) - {None}
    assert activated
    active = shelf.active()
    assert active.version in activated
    assert active.previous_version in {*activated, versions[0]}


def test_mwaa_gets_what_changed_and_loses_what_is_gone(empty, make_release):
    shelf = empty.shelf("deployer")
    first = make_release("0.2.0-aaaaaaaa", gone="1\n")
    second = make_release("0.3.0-bbbbbbbb")
    empty.aws.client("s3").put_object(Bucket=BUCKET, Key="logs/kept", Body=b"x")
    for release in (first, second):
        shelf.publish(release)
    assert shelf.copy_for_mwaa(first.version) == (6, 0)
    assert shelf.copy_for_mwaa(first.version) == (0, 0)
    copied, removed = shelf.copy_for_mwaa(second.version)
    assert removed == 1
    assert 0 < copied < 6
    outside = {key for key in empty.listed() if not key.startswith("airflow/")}
    assert outside == {*(name for name in second.files if name != SUMS), "logs/kept"}


def test_the_command_publishes_this_checkout_and_rolls_back(empty, make_release, tmp_path):
    if not (shutil.which("uv") or os.environ.get("UV") or (ROOT / "var/uv/bin/uv").exists()):
        pytest.skip("uv is not here to build a wheel with")
    shelf = empty.shelf("deployer")
    earlier = make_release("0.0.1-aaaaaaaa")
    shelf.publish(earlier)
    shelf.activate(earlier.version, **BY)
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "POSTRANK_ACCOUNT": NAMES.account,
        "AWS_ENDPOINT_URL": empty.aws.endpoint,
        "AWS_REGION": NAMES.region,
        **empty.aws.role_environment(NAMES.roles["deployer"]),
    }

    def deploy(*words: str) -> str:
        command = [sys.executable, "-m", "postrank", "deploy", *words]
        completed = subprocess.run(
            command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=patient(120)
        )
        assert completed.returncode == 0, completed.stderr
        return completed.stdout

    printed = deploy("dags", "--mwaa")
    version = printed.split()[0]
    assert version.startswith(checkout_version(ROOT).removesuffix("+"))
    assert f"{version} published s3://{BUCKET}/airflow/releases/{version}/" in printed
    assert f"active: {version}, before it 0.0.1-aaaaaaaa" in printed
    assert "for MWAA: " in printed
    assert f"current is now {version}" in deploy("pull", str(tmp_path / "srv"))
    dags = {path.name for path in (tmp_path / "srv/current/dags").glob("*.py")}
    assert dags == {path.name for path in (ROOT / "dags").glob("*.py")}
    assert f"active: 0.0.1-aaaaaaaa, before it {version}" in deploy("dags", "--rollback")


def test_a_folder_that_is_no_checkout_builds_nothing(tmp_path):
    with pytest.raises(BadRelease, match="lacks dags, include, plugins"):
        build_dags(tmp_path, tmp_path / "out", environment="dev", account=NAMES.account)


def test_outside_of_a_repository_the_version_is_the_package_s(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "postrank"\nversion = "7.8.9"\n')
    (tmp_path / "include").mkdir()
    assert running_version(tmp_path / "include") == "7.8.9"
