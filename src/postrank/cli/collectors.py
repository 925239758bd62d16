"""`postrank collectors`: check a configuration with several collectors, and write it for Terraform."""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import click

from postrank.cli.command_group import CommandGroup
from postrank.collectors.configuration import Collector
from postrank.collectors.toml_text import map_toml
from postrank.documents import Document
from postrank.options import WrongSettings
from postrank.streamer.assembly import build_filters, build_source
from postrank.streamer.config import Config, read_map

_config = click.option(
    "--config", "path", type=click.Path(path_type=Path), required=True, help="TOML file with [collectors.NAME.source]."
)


@click.group(cls=CommandGroup)
def collectors() -> None:
    """Check a configuration with several collectors, and write it for Terraform.

    \b
    Examples:
      postrank collectors check --config collectors.toml
    """


@collectors.command()
@_config
def check(path: Path) -> None:
    """Check all collectors of a file as a whole: names, keys, sources, filters, secrets, hosts.

    Every problem is reported at once, with its place in the file. Nothing is asked of a network.

    \b
    Examples:
      postrank collectors check --config collectors.toml
      X_BEARER_TOKEN=$(cat token) postrank collectors check --config collectors.toml
    """
    for collector, config in checked(path, os.environ):
        click.echo(f"{collector.name}: source {config.source}, sink {config.sink.kind}, state {config.state}")


@collectors.command()
@_config
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Such as terraform/prod.auto.tfvars.json.")
def tfvars(path: Path, out: Path) -> None:
    """Write the collectors of a file as Terraform's variable `collectors`.

    Tokens must be references to Secrets Manager (secretsmanager:NAME): a host has no others.

    \b
    Examples:
      postrank collectors tfvars --config collectors.toml --out terraform/collectors.auto.tfvars.json
    """
    document = terraform_variables([collector for collector, _ in checked(path, {})])
    out.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    click.echo(f"wrote {', '.join(document['collectors'])} to {out}")


def checked(path: Path, environ: Mapping[str, str]) -> list[tuple[Collector, Config]]:
    """The collectors of a file with their configurations. Raises NoConfig, and WrongSettings with every problem."""
    collector_map = read_map(path)
    problems: list[str] = []
    configs = []
    for collector in collector_map.collectors.values():
        config = Config.of_collector(collector, environ, path)
        build_filters(config)
        try:
            build_source(config, environ, None)
        except WrongSettings:
            problems += config.problems
        configs.append((collector, config))
    if problems:
        raise WrongSettings(list(dict.fromkeys(problems)))
    return configs


def terraform_variables(collectors: Iterable[Collector]) -> Document:
    """The variable `collectors` of terraform/variables.tf. `config` is what the collector's host reads."""
    return {"collectors": {collector.name: _variable(collector) for collector in collectors}}


def _variable(collector: Collector) -> Document:
    size = {"instance_type": collector.host.instance_type, "state_gib": collector.host.state_gib}
    return {
        "source": str(collector.table["source"]["kind"]),
        "config": map_toml([collector]),
        **{key: value for key, value in size.items() if value is not None},
    }
