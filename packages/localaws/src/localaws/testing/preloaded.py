"""Importing this loads what a server loads when it starts, and at the first call for a service."""

from importlib import import_module

from localaws.emulator import backend, clock  # before moto, whose settings the first makes
from localaws.wire.models import model

_USED_LATER = (
    "localaws.cli",
    "localaws.server",
    "moto.moto_server.werkzeug_app",
    "duckdb",
    "sqlglot",
    "pyarrow.parquet",
)
_OWN = ("kinesis", "firehose", "glue", "athena", "cloudwatch", "compute", "rds")
_EMULATED = ("autoscaling", "ec2", "ecr", "glue", "iam", "logs", "secretsmanager", "sns", "ssm", "sts")


def _load() -> None:
    clock.install()  # services of moto that are imported before it would keep moto's clock
    for name in (*_USED_LATER, *(f"localaws.services.{package}" for package in _OWN)):
        import_module(name)
    backends = import_module("moto.backends")
    for service in _EMULATED:
        backends.get_backend(service)
        model(service)


assert backend  # it is imported for what it sets
_load()
