"""The `postrank` command: one table of commands, each imported only when it is asked for."""

import sys
from importlib import import_module
from typing import NoReturn

import click

from postrank.errors import PostrankError, Retryable
from postrank.extras import missing_extra

# Command: (module, attribute, what `postrank --help` says). Nothing is imported for the help.
COMMANDS = {
    "up": ("postrank.cli.up", "up", "Everything on this machine: local AWS, streamer, Airflow, ranking."),
    "inspect": ("postrank.cli.inspect", "inspect_file", "Say what a file is, and what a ranking of it would hold."),
    "stream": ("postrank.cli.stream", "stream", "Read posts from a source and send them to AWS, until stopped."),
    "doctor": ("postrank.cli.doctor", "doctor", "Check what a streamer needs, and say what to do."),
    "results": ("postrank.cli.results", "results", "Print what was ranked and exported."),
    "report": ("postrank.cli.report", "report", "Write the report of a ranking run as an HTML file."),
    "backfill": ("postrank.cli.backfill", "backfill", "Read a span of time again, to close a gap."),
    "deploy": ("postrank.cli.deploy", "deploy", "Publish a release of the streamer, and bring one to its host."),
    "provision": ("postrank.cli.provision", "provision", "Make Postrank's resources on a local AWS."),
    "rules": ("postrank.cli.rules", "rules", "Try the rules of X's filtered stream, or make them so."),
}


class _LazyGroup(click.Group):
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
    """Who wrote most: public posts through Kinesis, S3 and Athena, ranked per minute, hour and day."""


_TRY_AGAIN = 75  # EX_TEMPFAIL (sysexits.h)


def main() -> None:
    """Run the command line; what was raised on purpose, by AWS or by the disk is one message and status 2.

    Status 75 instead says that the same command may succeed later.
    """
    try:
        postrank()
    except (PostrankError, OSError) as error:  # OSError: a full disk, a folder that may not be written
        _end(error)
    except ModuleNotFoundError as error:
        if (missing := missing_extra(error)) is None:
            raise
        _end(missing)
    except Exception as error:
        from postrank.aws.error_help import told  # boto3 is slow to import

        if (told_as := told(error)) is None:
            raise
        _end(told_as)


def _end(error: Exception) -> NoReturn:
    click.echo(f"postrank: {error}", err=True)
    sys.exit(_TRY_AGAIN if isinstance(error, Retryable) else 2)
