"""The tutorial of docs/deploy.md, followed block by block from an empty account on the local AWS.

What differs from a reader's machine is in the environment, not in the commands: endpoints, how Terraform addresses S3,
that there is no budget, as there is nothing to pay, and that changes are approved without a question. The host is
production's script on this machine; the network is a Jetstream on loopback.
"""

import json
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from localaws.testing.patience import patient
from localaws.testing.server import LocalAws, running_localaws
from postrank.aws.resources import Resources
from tests.support.stack.page_commands import Step, Terminal, steps
from tests.support.stack.streamer_host import make_host
from tests.support.stack.terraform import mirror
from tests.support.streaming.networks import NETWORKS, Network

ROOT = Path(__file__).parents[2]
TUTORIAL = (ROOT / "docs/deploy.md").read_text(encoding="utf-8").split("\n## Reference\n")[0]
NAMES = Resources.of("dev", "123456789012")
FOLDERS = ("terraform", "src", "include", "dags", "plugins", "packages")
FILES = ("pyproject.toml", "uv.lock", "README.md", "LICENSE")
GENERATED = (".terraform", "*.tfstate*", "__pycache__", "*.pyc")
BLOCK_SECONDS = 400
NO_BUDGET = 'resource "aws_budgets_budget" "month" {\n  count = 0\n}\n'
PATH_STYLE = 'provider "aws" {\n  s3_use_path_style = true\n}\n'


@pytest.mark.slow
@pytest.mark.timeout(patient(1500))
def test_each_step_of_the_tutorial_works_and_prints_what_the_page_shows(tmp_path):
    checkout = copy_of_the_checkout(tmp_path / "checkout")
    units = tmp_path / "units"
    units.mkdir()
    host = make_host(tmp_path, artifacts=NAMES.buckets["artifacts"], service=NAMES.streamer.service)
    path = f"{host / 'bin'}:{os.environ['PATH']}"
    with (
        NETWORKS["bluesky"]() as network,
        running_localaws(tmp_path, speed=60, enforce_iam=True, units=units, env={"PATH": path}) as aws,
        posting(network),
    ):
        write_unit(units, host, checkout, tmp_path, network)
        terminal = Terminal(checkout, {**reader_environment(tmp_path, aws), **source_environment(network)})
        for step in local_steps():
            printed = terminal.run(step.commands, timeout=patient(BLOCK_SECONDS))
            print(step.commands, printed, sep="\n")
            assert step.missing(printed) == [], f"{step.commands}\n{printed[-6000:]}"


def test_the_tutorial_marks_what_only_an_account_can_show():
    left_out = "".join(step.commands for step in steps(TUTORIAL) if step.is_elsewhere)
    assert "docker compose up" in left_out
    assert "deploy dags --mwaa" in left_out
    assert len(list(local_steps())) > 10


def local_steps() -> Iterator[Step]:
    """The steps of the tutorial but those that need an account."""
    for step in steps(TUTORIAL):
        if not step.is_elsewhere:
            yield step


def copy_of_the_checkout(folder: Path) -> Path:
    """What the commands read of this tree, with its environment, and a token for the secret."""
    folder.mkdir()
    for name in FOLDERS:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns(*GENERATED))
    for name in FILES:
        shutil.copyfile(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / "token").write_text("AAAA", encoding="utf-8")
    for root in ("terraform", "terraform/bootstrap"):
        (folder / root / "path_style_override.tf").write_text(PATH_STYLE, encoding="utf-8")
    (folder / "terraform/modules/alarms/budget_override.tf").write_text(NO_BUDGET, encoding="utf-8")
    return folder


def write_unit(units: Path, host: Path, checkout: Path, folder: Path, network: Network) -> None:
    """The service of the host, as the instance of the local AWS runs it."""
    command = [f"{host}/opt/postrank/current/bin/postrank", "stream", "--stay"]
    command += ["--config", str(checkout / "terraform/environments/streamer.toml")]
    env = {
        **source_environment(network),
        "POSTRANK_ACCOUNT": NAMES.account,
        "POSTRANK_ENVIRONMENT": NAMES.environment,
        "POSTRANK_STREAM_STATE": str(folder / "state"),
        "POSTRANK_STREAM_METRICS__SECONDS": "1",  # a minute of the local AWS, whose alarms would miss metrics
    }
    lines = [f"argv = {json.dumps(command)}", 'restart = "always"', "stop_timeout_seconds = 5", "[env]"]
    lines += [f"{name} = {json.dumps(value)}" for name, value in env.items()]
    (units / f"{NAMES.streamer.service}.toml").write_text("\n".join(lines), encoding="utf-8")


def source_environment(network: Network) -> dict[str, str]:
    """Variables by which a streamer reads the network on loopback."""
    return {
        "POSTRANK_STREAM_SOURCE__HOSTS": json.dumps(network.table["hosts"]),
        "POSTRANK_STREAM_SOURCE__DIRECTORY": "none",
    }


def reader_environment(folder: Path, aws: LocalAws) -> dict[str, str]:
    """The environment of a reader whose account is the local AWS."""
    plugins = mirror()
    if not shutil.which("terraform") or plugins is None:
        pytest.skip("terraform and a mirror of its AWS provider are needed (POSTRANK_TF_MIRROR)")
    settings = folder / "terraform.rc"
    installation = f'filesystem_mirror {{\n    path = "{plugins}"\n  }}'
    settings.write_text(f"provider_installation {{\n  {installation}\n}}\n", encoding="utf-8")
    path = os.pathsep.join((str(ROOT / "var/uv/bin"), os.environ["PATH"]))
    if shutil.which("uv", path=path) is None:
        pytest.skip("uv is not here")
    own = ("AWS_", "TF_", "AIRFLOW", "POSTRANK_")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    credentials = {name: value for name, value in aws.root_environment.items() if name != "AWS_DEFAULT_REGION"}
    return {
        **inherited,
        "PATH": path,
        **credentials,
        "AWS_ENDPOINT_URL_S3": aws.endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
        "CHECKPOINT_DISABLE": "1",
        "POSTRANK_POLL_SECONDS": "1",
        "TF_CLI_CONFIG_FILE": str(settings),
        "TF_CLI_ARGS": "-no-color",
        "TF_CLI_ARGS_init": "-backend-config=use_path_style=true",
        "TF_CLI_ARGS_apply": "-auto-approve -parallelism=20",
        "TF_CLI_ARGS_destroy": "-auto-approve -parallelism=20",
        "TF_INPUT": "0",
        "TF_VAR_require_tls": "false",
        "TF_VAR_instance_tags": json.dumps({"localaws:units": NAMES.streamer.service}),
    }


@contextmanager
def posting(network: Network) -> Iterator[None]:
    """Somebody posts all the time."""
    ended = threading.Event()

    def post() -> None:
        number = 0
        while not ended.wait(0.5):
            if network.connected():
                network.publish(number)
                number += 1

    thread = threading.Thread(target=post)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
