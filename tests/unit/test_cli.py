"""The command line as a whole."""

import subprocess
import sys
from importlib import import_module

import click
import pytest
from click.testing import CliRunner

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
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert all(name in shown.stdout for name in COMMANDS)


def test_an_unknown_command_is_named() -> None:
    result = CliRunner().invoke(postrank, ["rank"])
    assert result.exit_code == 2
    assert "No such command 'rank'" in result.output


@pytest.mark.parametrize("option", ["--port", "--aws-port"])
def test_a_port_that_cannot_be_is_refused_with_what_can(option: str) -> None:
    result = CliRunner().invoke(postrank, ["up", option, "99999"])
    assert result.exit_code == 2
    assert "99999 is not in the range 1<=x<=65535" in result.output
