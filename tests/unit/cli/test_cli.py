"""The command line as a whole."""

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from localaws.testing.patience import patient
from postrank.cli import COMMANDS, postrank


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_table_is_there(name: str) -> None:
    module, attribute, _ = COMMANDS[name]
    assert isinstance(getattr(import_module(module), attribute), click.Command)


def test_the_help_names_every_command_and_imports_none() -> None:
    program = (
        "import sys\nfrom postrank.cli import postrank\n"
        "try:\n    postrank(['--help'])\nexcept SystemExit:\n    pass\n"
        "assert 'boto3' not in sys.modules\n"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=patient(60)
    )
    assert all(name in shown.stdout for name in COMMANDS)


def test_an_unknown_command_is_named() -> None:
    result = CliRunner().invoke(postrank, ["rank"])
    assert result.exit_code == 2
    assert "No such command 'rank'" in result.output


@pytest.mark.parametrize(("typed", "meant"), [("result", "results"), ("stauts", "status"), ("reprot", "report")])
def test_an_unknown_command_gets_the_nearest_one(typed: str, meant: str) -> None:
    result = CliRunner().invoke(postrank, [typed])
    assert result.exit_code == 2
    assert f"No such command {typed!r} (did you mean {meant!r}?)" in result.output


def _commands(words: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    """A command and all below it, with what a person types."""
    yield words, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from _commands(f"{words} {name}", inner)


def test_every_help_teaches_with_an_example() -> None:
    commands = dict(_commands("postrank", postrank))
    assert len(commands) > len(COMMANDS)
    for words, command in commands.items():
        text = command.get_help(click.Context(command, info_name=words))
        examples = text.partition("Examples:")[2]
        assert f"{words} " in examples or f"{words}\n" in examples, words


def test_an_unknown_command_of_a_group_gets_the_nearest_one() -> None:
    result = CliRunner().invoke(postrank, ["deploy", "steamer"])
    assert result.exit_code == 2
    assert "No such command 'steamer' (did you mean 'streamer'?)" in result.output
    assert "commands: build, dags, publish, pull, streamer" in CliRunner().invoke(postrank, ["deploy", "zzz"]).output


@pytest.mark.parametrize(("typed", "completed"), [("st", {"status", "stop", "stream"}), ("up --aw", {"--aws-port"})])
def test_a_shell_completes_commands_and_options(typed: str, completed: set[str]) -> None:
    words = f"postrank {typed}"
    variables = {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1), "_POSTRANK_COMPLETE": "bash_complete"}
    shown = subprocess.run(
        [Path(sys.executable).parent / "postrank"],
        capture_output=True,
        text=True,
        env={**os.environ, **variables},
        check=False,
        timeout=patient(60),
    )
    assert {line.partition(",")[2] for line in shown.stdout.splitlines()} == completed


@pytest.mark.parametrize("option", ["--port", "--aws-port"])
def test_a_port_that_cannot_be_is_refused_with_what_can(option: str) -> None:
    result = CliRunner().invoke(postrank, ["up", option, "99999"])
    assert result.exit_code == 2
    assert "99999 is not in the range 1<=x<=65535" in result.output


KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "never-shown-secret"}
AWAY = {**KEYS, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
BACKFILL = "backfill --config streamer.toml --source archive --from 2026-01-01T00:00:00Z --to 2026-01-02T00:00:00Z"


@pytest.mark.parametrize(
    ("line", "environment", "status", "said"),
    [
        ("results", AWAY, 75, "Could not connect to the endpoint URL"),
        ("report", AWAY, 75, "-> check the route to AWS (endpoint, proxy, security group)"),
        ("provision", AWAY, 75, "-> check the route to AWS (endpoint, proxy, security group)"),
        ("results", {}, 2, "boto3 found none\n  -> attach the role to the instance, or set AWS_PROFILE"),
        ("results", {"AWS_PROFILE": "nobody"}, 2, "-> set AWS_PROFILE to a profile of ~/.aws/config, or unset it"),
        ("results", {**KEYS, "AWS_ENDPOINT_URL": "here"}, 2, "AWS_ENDPOINT_URL must be a URL such as"),
        ("stream --config streamer.toml", {**KEYS, "AWS_ENDPOINT_URL": "here"}, 2, "AWS_ENDPOINT_URL must be a URL"),
        (
            "doctor --config streamer.toml",
            {**KEYS, "AWS_ENDPOINT_URL": "here"},
            1,
            "FAIL  credentials: Invalid",
        ),
        (f"{BACKFILL} --file /nowhere", AWAY, 2, "cannot replay /nowhere: No such file or directory"),
        (f"{BACKFILL} --file s3://b", AWAY, 2, "s3://b names no object: write s3://bucket/key"),
        (
            f"{BACKFILL} --from soon --file a",
            AWAY,
            2,
            "'soon' is not an RFC 3339 time: write it as 2026-11-24T05:00:00Z",
        ),
        ("stream --config nowhere.toml", AWAY, 2, "cannot read the configuration nowhere.toml: No such file"),
    ],
)
def test_what_a_user_gets_wrong_is_one_message_with_what_to_do(
    line: str, environment: dict[str, str], status: int, said: str, tmp_path: Path
) -> None:
    (tmp_path / "streamer.toml").write_text('state = "state"\n[source]\nkind = "replay"\nfiles = ["a"]\n')
    base = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "POSTRANK_ACCOUNT": "123456789012"}
    env = {**base, "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true", **environment}
    argv = [sys.executable, "-m", "postrank", *line.split()]
    shown = subprocess.run(
        argv, capture_output=True, text=True, cwd=tmp_path, env=env, check=False, timeout=patient(60)
    )
    assert said in shown.stdout + shown.stderr
    assert shown.returncode == status
    assert "Traceback" not in shown.stderr
    assert "never-shown-secret" not in shown.stdout + shown.stderr
