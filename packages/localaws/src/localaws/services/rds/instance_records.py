"""The emulator's records of DB instances, told here in which state their servers are and on which port."""

import json
from typing import Any

from localaws.core.cloud import ACCOUNT, REGION
from localaws.core.shapes import Document
from localaws.services.rds.postgres import HOST


def prepare() -> None:
    """Have records answer with the endpoint that there is: none before the server took its port."""
    from moto.rds.models import DBInstance

    DBInstance.address = HOST  # type: ignore[method-assign, assignment]  # replaces moto's
    DBInstance.endpoint = property(_endpoint)  # type: ignore[method-assign, assignment]  # replaces moto's


def records() -> Document:
    """Every instance's record by its identifier."""
    from moto.rds.models import rds_backends

    return dict(rds_backends[ACCOUNT][REGION].databases)


def show(record: Any, status: str) -> None:
    """Have every answer say that the instance is in that state."""
    record.status = status


def place(record: Any, port: int) -> None:
    """Have every answer name that port."""
    record.port = record.localaws_port = port


def password(record: Any) -> str:
    """The master user's, out of its secret where RDS manages it."""
    if record.manage_master_user_password:
        secret = record.master_user_secret.secret
        current = secret.versions[secret.default_version_id]
        return str(json.loads(current["secret_string"])["password"])
    return str(record._master_user_password)


def _endpoint(record: Any) -> Document | None:
    port = getattr(record, "localaws_port", None)
    return {"Address": HOST, "Port": port, "HostedZoneId": "ZLOCALAWS"} if port else None
