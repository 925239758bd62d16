"""Write docs/operations.md: which operations of AWS's services are implemented here, which moto answers, which neither.

    python packages/localaws/scripts/operations.py

"Here" are the actions that a service of this package owns. Moto's are those for which its responses have a method.
"""

import tempfile
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

from moto.core.responses import BaseResponse
from moto.core.utils import camelcase_to_underscores

from localaws.gateway.platform import Platform
from localaws.server import SERVICES
from localaws.wire.models import model

PAGE = Path(__file__).parents[1] / "docs" / "operations.md"
# Signing name -> moto's package, for services that a data pipeline uses.
_MOTO = {
    "athena": "athena", "autoscaling": "autoscaling", "cloudformation": "cloudformation", "dynamodb": "dynamodb",
    "ec2": "ec2", "ecr": "ecr", "elasticloadbalancing": "elbv2", "events": "events", "firehose": "firehose",
    "glue": "glue", "iam": "iam", "kinesis": "kinesis", "kms": "kms", "lambda": "awslambda", "logs": "logs",
    "monitoring": "cloudwatch", "rds": "rds", "s3": "s3", "secretsmanager": "secretsmanager", "sns": "sns",
    "sqs": "sqs", "ssm": "ssm", "states": "stepfunctions", "sts": "sts",
}  # fmt: skip


def owned() -> dict[str, set[str]]:
    """The actions of each service that are implemented here."""
    with tempfile.TemporaryDirectory() as folder:
        platform = Platform(Path(folder))
        platform.endpoint = "http://127.0.0.1:0"
        for package in SERVICES:
            settings = (None,) if package == "compute" else ()
            created = import_module(f"localaws.services.{package}").create(platform, *settings)
            for service in created if isinstance(created, list) else [created]:
                platform.register(service)
        actions: dict[str, set[str]] = {}
        for name, services in platform.services.items():
            actions[name] = {action for service in services for action in service.actions}
        platform.stop()
    return actions


def page(here: dict[str, set[str]]) -> str:
    """The page, in Markdown."""
    lines = [
        "# Operations",
        "",
        "Written by `scripts/operations.py`. *Here*: implemented by this package, as the service's README states.",
        "*moto*: answered by moto, which keeps records and does no work. *Neither*: rejected with status 501.",
        "",
        "| Service | Operations of AWS | Here | moto | Neither |",
        "|---|---|---|---|---|",
    ]
    details: list[str] = []
    for name in sorted(_MOTO):
        described: Any = model(name)
        operations = set(described.operation_names)
        mine = here.get(name, set()) & operations
        motos = {operation for operation in operations - mine if _answers(_MOTO[name], operation)}
        rest = operations - mine - motos
        lines.append(f"| {described.service_name} | {len(operations)} | {len(mine)} | {len(motos)} | {len(rest)} |")
        if mine:
            details += [
                "",
                f"## {described.service_name}",
                "",
                f"Here: {_listed(mine)}.",
                "",
                f"moto: {_listed(motos)}.",
            ]
            details += ["", f"Neither: {_listed(rest)}."] if rest else []
    return "\n".join([*lines, *details, ""])


def _answers(package: str, operation: str) -> bool:
    responses = import_module(f"moto.{package}.responses")
    name = camelcase_to_underscores(operation)
    return any(
        isinstance(kind, type) and issubclass(kind, BaseResponse) and hasattr(kind, name)
        for kind in vars(responses).values()
    )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(owned()), encoding="utf-8")
