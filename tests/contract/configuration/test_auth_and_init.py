"""`postrank auth` and `postrank init` as their users run them, with the networks on loopback."""

import os
import re
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from localaws.testing.patience import patient
from localaws.testing.server import running_localaws
from postrank.cli.configuration.checks import checked_bundles
from postrank.laptop.provision import Provision
from tests.support.fakes.jetstream import fake_jetstream
from tests.support.fakes.mastodon import APP_SECRET, TOKEN, FakeMastodon, fake_mastodon
from tests.support.fakes.x import TOKEN as X_TOKEN
from tests.support.fakes.x import fake_x
from tests.support.streaming.streamers import ACCOUNT, NAMES

ENV = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "BROWSER": "true", "PYTHONUNBUFFERED": "1"}


@pytest.fixture
def instance() -> Iterator[FakeMastodon]:
    with fake_mastodon() as fake:
        yield fake


def start(*words: str, **env: str) -> "subprocess.Popen[str]":
    argv = [sys.executable, "-m", "postrank", *words]
    pipe = subprocess.PIPE
    return subprocess.Popen(argv, env=ENV | env, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, text=True)


def run(*words: str, **env: str) -> tuple[int, str]:
    with start(*words, **env) as process:
        output, _ = process.communicate(timeout=patient(60))
    return process.returncode, output


def authorized(*words: str, **env: str) -> tuple[int, str]:
    """Run the command, and visit the page that it prints as a browser does."""
    with start("auth", "mastodon", *words, **env) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline(), process.stdout.readline()]
        page = re.search(r"http\S+", lines[1])
        assert page, lines
        with urllib.request.urlopen(page[0], timeout=patient(20)) as response:
            assert response.status == 200
        rest, _ = process.communicate(timeout=patient(60))
    return process.returncode, "".join(lines) + rest


def test_a_token_of_mastodon_is_obtained_and_written_for_its_owner_alone(
    tmp_path: Path, instance: FakeMastodon
) -> None:
    file = tmp_path / "mastodon.token"
    file.write_text("an older one")
    file.chmod(0o644)
    status, output = authorized(instance.url, "--file", str(file))
    assert status == 0, output
    assert file.read_text() == f"{TOKEN}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert TOKEN not in output
    assert APP_SECRET not in output


def test_a_user_who_declines_leaves_everything_as_it_was(tmp_path: Path, instance: FakeMastodon) -> None:
    instance.declines = True
    status, output = authorized(instance.url, "--file", str(tmp_path / "token"))
    assert status == 2
    assert "access_denied" in output
    assert list(tmp_path.iterdir()) == []


def test_without_a_browser_the_code_is_asked_for(tmp_path: Path, instance: FakeMastodon) -> None:
    file = tmp_path / "token"
    # Click reads a hidden answer from the terminal if there is one, else from standard input.
    with start("auth", "mastodon", instance.url, "--file", str(file), "--no-browser") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        page = re.search(r"http\S+", process.stdout.readline())
        assert page
        with urllib.request.urlopen(page[0], timeout=patient(20)) as response:
            code = orjson.loads(response.read())["code"]
        output, _ = process.communicate(f"{code}\n", timeout=patient(60))
    assert process.returncode == 0, output
    assert file.read_text() == f"{TOKEN}\n"
    assert code not in output


def test_a_token_goes_into_secrets_manager_beside_those_of_other_instances(
    tmp_path: Path, instance: FakeMastodon
) -> None:
    with running_localaws(tmp_path) as aws:
        list(Provision(aws.client, NAMES).base())
        name = NAMES.secrets["mastodon"]
        secrets = aws.client("secretsmanager")
        if name not in [entry["Name"] for entry in secrets.list_secrets()["SecretList"]]:
            secrets.create_secret(Name=name)
        secrets.put_secret_value(SecretId=name, SecretString='{"first.example": "t1"}')
        env = {**aws.root_environment, "AWS_REGION": NAMES.region, "POSTRANK_ACCOUNT": ACCOUNT}
        status, output = authorized(instance.url, "--secret", "default#second.example", **env)
        assert status == 0, output
        stored = orjson.loads(secrets.get_secret_value(SecretId=name)["SecretString"])
    assert stored == {"first.example": "t1", "second.example": TOKEN}
    assert f"token = 'secretsmanager:{name}#second.example'" in output
    assert TOKEN not in output


def test_a_token_is_not_sent_over_an_open_connection(tmp_path: Path) -> None:
    status, output = run("auth", "mastodon", "http://mastodon.example", "--file", str(tmp_path / "token"))
    assert status == 2
    assert "is not encrypted" in output


def test_the_tokens_of_x_and_the_hosts_of_bluesky_are_checked(tmp_path: Path) -> None:
    with fake_x() as x, fake_jetstream() as bluesky:
        config = tmp_path / "collectors.toml"
        config.write_text(
            f'state = "{tmp_path}/state"\n'
            f'[collectors.x.source]\nkind = "x"\nhost = "{x.url}"\nbearer_token = "env:X_BEARER_TOKEN"\n'
            'daily_budget = 5.0\nmonthly_budget = 50.0\nrules = [{value = "cats"}]\n'
            f'[collectors.bluesky.source]\nkind = "bluesky"\nhosts = ["{bluesky.url}"]\ndirectory = "none"\n'
        )
        where = ("--config", str(config), "--collector")
        assert run("auth", "x", *where, "x", X_BEARER_TOKEN=X_TOKEN)[0] == 0
        status, output = run("auth", "x", *where, "x", X_BEARER_TOKEN="another-token")
        assert status == 2
        assert "another-token" not in output
        assert run("auth", "bluesky", *where, "bluesky")[0] == 0


def test_init_writes_what_can_be_published_and_says_where_secrets_belong(tmp_path: Path) -> None:
    networks = [word for network in ("x", "mastodon", "bluesky") for word in ("--network", network)]
    status, output = run("init", str(tmp_path), *networks, "--environment", "prod")
    assert status == 0, output
    assert set(checked_bundles(tmp_path / "postrank.toml")) == {"x", "mastodon", "bluesky"}
    assert "secretsmanager:postrank-prod-x" in output
    assert "secretsmanager:postrank-prod-mastodon" in output
    status, output = run("init", str(tmp_path), *networks)
    assert status == 2
    assert "exists" in output
