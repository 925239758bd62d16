"""What the table of permissions asks of the services: names that a call refers to only by an id."""

from typing import Protocol

from localaws.core.cloud import ACCOUNT, AwsError, Caller, Service
from localaws.core.shapes import Params
from localaws.iam.directory import Directory
from localaws.iam.permissions.actions import Lookup

_ASKING = Caller(arn=f"arn:aws:iam::{ACCOUNT}:root", source="localaws")
_PRIMARY = "primary"  # the workgroup of calls that name none


class _Owners(Protocol):
    def owner(self, service: str, action: str) -> Service | None: ...


def lookup_for(owners: _Owners, directory: Directory) -> Lookup:
    """The lookups over the services of a platform."""

    def role_arn(name: str) -> str | None:
        role = directory.role(name)
        return role.arn if role else None

    def stream(token: str) -> str | None:
        from localaws.services.kinesis.streams.iterators import stream_of

        return stream_of(token)

    return Lookup(
        workgroup=lambda action, params: _workgroup(owners, action, params),
        role_arn=role_arn,
        secret_arn=directory.secret_arn,
        profile_roles=directory.profile_roles,
        stream=stream,
    )


def _workgroup(owners: _Owners, action: str, params: Params) -> str | None:
    """The workgroup of a query (of several: the first's), or the one that is meant where a call names none."""
    query = params.get("QueryExecutionId") or next(iter(params.get("QueryExecutionIds") or ()), None)
    if not query:
        named = params.get("WorkGroup") or (params.get("Name") if action.endswith("WorkGroup") else None)
        return str(named) if named else _PRIMARY
    owner = owners.owner("athena", "GetQueryExecution")
    if owner is None:
        return None
    try:
        response = owner.handle("GetQueryExecution", {"QueryExecutionId": query}, _ASKING)
    except AwsError:  # a query of nobody's: the call itself will say so
        return None
    return str(response["QueryExecution"].get("WorkGroup") or _PRIMARY)
