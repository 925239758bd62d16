"""Importing this loads what a server loads when it starts, and at the first call for a service.

Modules are named, not imported by statement: nothing here uses them, they only have to be there before the fork.
"""

from importlib import import_module

_OWN = ("kinesis", "firehose", "glue", "athena", "cloudwatch", "compute", "rds")
_EMULATED = ("autoscaling", "ec2", "ecr", "glue", "iam", "logs", "secretsmanager", "sns", "ssm", "sts")
_LIBRARIES = ("moto.moto_server.werkzeug_app", "duckdb", "sqlglot", "pyarrow.parquet")


def _load() -> None:
    for name in ("localaws.cli", "localaws.server", *(f"localaws.services.{package}" for package in _OWN)):
        import_module(name)
    import_module("localaws.emulator.clock").install()  # a service of moto that is imported earlier keeps moto's clock
    for name in _LIBRARIES:
        import_module(name)
    backends = import_module("moto.backends")
    models = import_module("localaws.wire.models")
    for service in _EMULATED:
        backends.get_backend(service)
        models.model(service)


_load()
