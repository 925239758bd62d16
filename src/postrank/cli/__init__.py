"""The `postrank` command: one table of commands, each imported only when it is used."""

import os
import sys
from importlib import import_module
from typing import NoReturn

import click

from postrank.cli.command_group import CommandGroup
from postrank.errors import PostrankError, Retryable
from postrank.extras import missing_extra
from postrank.outbound import exempt_local_hosts

# Command: (module, attribute, what `postrank --help` says). Nothing is imported for the help.
COMMANDS = {
    "up": ("postrank.cli.up", "up", "Run everything on this machine: local AWS, streamer, Airflow, ranking."),
    "inspect": ("postrank.cli.inspect", "inspect_file", "Say what a file is and what a ranking of it would hold."),
    "status": ("postrank.cli.current", "status", "Show the run that is up on this machine."),
    "stop": ("postrank.cli.current", "stop", "Stop the run that is up on this machine."),
    "logs": ("postrank.cli.current", "logs", "Show the logs of the run's parts."),
    "runs": ("postrank.cli.current", "runs", "List the newest DAG runs of the run that is up."),
    "stream": ("postrank.cli.stream", "stream", "Read posts from a source and send them to AWS, until stopped."),
    "live": ("postrank.cli.live", "live", "Keep the newest author windows of the stream in the warehouse."),
    "init": ("postrank.cli.configuration.init", "init", "Write a commented configuration for chosen networks."),
    "auth": ("postrank.cli.configuration.auth", "auth", "Obtain a token of Mastodon; check those of X and Bluesky."),
    "doctor": ("postrank.cli.doctor", "doctor", "Check everything that a streamer needs."),
    "collectors": ("postrank.cli.collectors", "collectors", "Check a configuration with several collectors."),
    "config": (
        "postrank.cli.configuration.publication",
        "config",
        "Publish configurations to the hosts, and see what they run.",
    ),
    "results": ("postrank.cli.results", "results", "Print exported rankings."),
    "posts": ("postrank.cli.history.posts", "posts", "Read posts out of the lake: CSV, Parquet or ids."),
    "x": ("postrank.cli.history.x", "x", "Ask X about a query before it is paid for."),
    "report": ("postrank.cli.report", "report", "Write the report of a ranking run as an HTML file."),
    "backfill": ("postrank.cli.history.backfill", "backfill", "Read a past span again to close a gap."),
    "deploy": ("postrank.cli.deploy", "deploy", "Publish a release of the streamer and deploy it to the host."),
    "airflow": ("postrank.cli.airflow.service", "airflow", "Fill the keys and prepare the database of Airflow on ECS."),
    "restore": (
        "postrank.cli.deployment.restore",
        "restore",
        "Bring back deleted objects of an environment from their versions.",
    ),
    "provision": ("postrank.cli.provision", "provision", "Create Postrank's resources on a local AWS."),
    "labels": ("postrank.cli.labels", "labels", "Train, evaluate and use models that label posts."),
    "rules": ("postrank.cli.rules", "rules", "Check or apply the rules of X's filtered stream."),
}


class _LazyGroup(CommandGroup):
    """A group whose commands are found in COMMANDS and imported on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 click's signature
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 click's signature
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in COMMANDS.items()])


@click.group(cls=_LazyGroup)
@click.version_option(package_name="postrank")
def postrank() -> None:
    """Rank the authors of public posts per minute, hour and day, with Kinesis, S3 and Athena.

    \b
    Exit status of every command, unless its own help says more:
      0   done
      1   a check failed, or Ctrl-C stopped the command
      2   something must be changed first: the message says what
      75  the same command may succeed later

    \b
    Examples:
      postrank up --once
      postrank results --granularity hour --top 20
      eval "$(_POSTRANK_COMPLETE=bash_source postrank)"     # complete commands and options in this shell
    """


_TRY_AGAIN = 75  # EX_TEMPFAIL (sysexits.h)


def main() -> None:
    """Run the command line. Expected errors, errors of AWS and of the disk become one message and status 2.

    Status 75 means that the same command may succeed later.
    """
    exempt_local_hosts(os.environ)
    try:
        postrank()
    except (PostrankError, OSError) as error:  # OSError: a full disk, a folder that may not be written
        _end(error)
    except ModuleNotFoundError as error:
        if (missing := missing_extra(error)) is None:
            raise
        _end(missing)
    except Exception as error:
        from postrank.aws.error_help import explain  # boto3 is slow to import

        if (explained := explain(error)) is None:
            raise
        _end(explained)


def _end(error: Exception) -> NoReturn:
    click.echo(f"postrank: {error}", err=True)
    sys.exit(_TRY_AGAIN if isinstance(error, Retryable) else 2)
