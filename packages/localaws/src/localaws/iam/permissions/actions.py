"""What a call needs permission for: actions on resources."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from localaws.core.cloud import ACCOUNT, REGION
from localaws.core.shapes import Params
from localaws.iam.permissions import s3_actions
from localaws.iam.permissions.resource_arns import TEMPLATES

_FIELD = re.compile(r"\{([A-Z][^}]*|(?:resource|log|application|jobRun)\w+(?:\|\w+)*)\}")
# The prefix of a service's actions where that is not its signing name.
_PREFIXES = {"monitoring": "cloudwatch"}
# "GetCallerIdentity": no permissions are required.
_FREE = frozenset({"sts:GetCallerIdentity"})
# Calls that the permission of another action covers ("Actions, resources, and condition keys" for Amazon SQS and SNS).
_COVERED = {
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sns:PublishBatch": "sns:Publish",
}
# Parameters that name a role which a service is to take on, and the service.
_PASSED = {
    "firehose": "firehose.amazonaws.com",
    "glue": "glue.amazonaws.com",
    "ssm": "ssm.amazonaws.com",
    "ec2": "ec2.amazonaws.com",
    "events": "events.amazonaws.com",
    "lambda": "lambda.amazonaws.com",
    "emr-serverless": "emr-serverless.amazonaws.com",
}
# How the actions begin that take a role.
_PASSING = ("Create", "Update", "Run", "Put", "Send", "Associate", "Replace", "StartJobRun")
_ROLE_FIELDS = ("RoleARN", "Role", "ServiceRoleArn", "RoleArn", "executionRoleArn")


@dataclass(frozen=True, slots=True)
class Need:
    """One permission; `passed_to` is the service that a role is passed to."""

    action: str
    resource: str
    passed_to: str = ""


class Lookup:
    """What the table asks of others: which workgroup a query belongs to, a role's path, a secret's ARN."""

    def __init__(
        self,
        *,
        workgroup: Callable[[str, Params], str | None],
        role_arn: Callable[[str], str | None],
        secret_arn: Callable[[str], str | None],
        profile_roles: Callable[[str], list[str]],
        stream: Callable[[str], str | None],
    ) -> None:
        self.workgroup = workgroup
        self.role_arn = role_arn
        self.secret_arn = secret_arn
        self.profile_roles = profile_roles
        self.stream = stream


def needs_of(service: str, action: str, params: Params, lookup: Lookup) -> list[Need]:
    """Every permission that a call needs; none where AWS asks for none."""
    prefix = _PREFIXES.get(service, service)
    if service == "s3":
        return [Need(*pair) for pair in s3_actions.pairs(action, params)]
    if f"{prefix}:{action}" in _FREE:
        return []
    if f"{prefix}:{action}" == "ssm:SendCommand":
        resources = _command(params)
    else:
        values = _completed(service, action, params, lookup)
        templates = TEMPLATES.get(service, {}).get(action, ())
        resources = [resource for template in templates for resource in fill(template, values)] or ["*"]
    if service == "iam":
        resources = [_exact(resource, lookup) for resource in resources]
    permission = _COVERED.get(f"{prefix}:{action}", f"{prefix}:{action}")
    needs = [Need(permission, resource) for resource in dict.fromkeys(resources)]
    return needs + _passing(service, action, params, lookup)


def _completed(service: str, action: str, params: Params, lookup: Lookup) -> Params:
    """The parameters with what the resource's name has to be found by."""
    if service == "kinesis" and action == "GetRecords" and not params.get("StreamARN"):
        return {**params, "StreamName": lookup.stream(str(params.get("ShardIterator", "")))}
    if service == "athena":
        group = lookup.workgroup(action, params)
        return {**params, "WorkGroup": group} if group else params
    if service == "secretsmanager" and params.get("SecretId"):
        return {**params, "SecretId": lookup.secret_arn(str(params["SecretId"])) or params["SecretId"]}
    if service == "sqs" and params.get("QueueUrl"):
        return {**params, "QueueUrl": str(params["QueueUrl"]).rstrip("/").rpartition("/")[2]}
    if service == "ssm":
        return {**params, **{name: _bare(params[name]) for name in ("Name", "Names", "Path") if params.get(name)}}
    return params


def _bare(names: Any) -> Any:
    """Parameter names as they stand in ARNs: "/a/b" is parameter/a/b."""
    if isinstance(names, list):
        return [_bare(name) for name in names]
    return str(names) if str(names).startswith("arn:") else str(names).lstrip("/")


def fill(template: str, params: Params) -> list[str]:
    """The ARNs that a template makes of parameters; [] where one that it needs is not there."""
    filled = [template.replace("{region}", REGION).replace("{account}", ACCOUNT)]
    for field in _FIELD.findall(template):
        values = _values(field, params)
        if not values:
            return []
        filled = [
            value if value.startswith("arn:") else partial.replace("{" + field + "}", value)
            for partial in filled
            for value in values
        ]
    return filled


def _values(field: str, params: Params) -> list[str]:
    for name in field.split("|"):
        value: Any = params
        for part in name.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        if value not in (None, "", []):
            return [str(item) for item in value] if isinstance(value, list) else [str(value)]
    return []


def _command(params: Params) -> list[str]:
    """A document, and the instances: those named, or all when they are chosen by tag."""
    document = str(params.get("DocumentName", "*"))
    owner = "" if document.startswith("AWS-") else ACCOUNT
    resources = [document if document.startswith("arn:") else f"arn:aws:ssm:{REGION}:{owner}:document/{document}"]
    instances = params.get("InstanceIds") or [
        value for target in params.get("Targets") or [] if target.get("Key") == "InstanceIds"
        for value in target.get("Values") or []
    ]  # fmt: skip
    return resources + [f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{instance}" for instance in instances or ["*"]]


def _exact(resource: str, lookup: Lookup) -> str:
    """A role's ARN with its path."""
    head, _, name = resource.rpartition(":role/")
    return lookup.role_arn(name) or resource if head and "/" not in name else resource


def _passing(service: str, action: str, params: Params, lookup: Lookup) -> list[Need]:
    """iam:PassRole for every role that the call hands to the service."""
    to = _PASSED.get(service)
    if to is None or not action.startswith(_PASSING):
        return []
    roles: list[str] = []
    if service == "ec2":
        profile = params.get("IamInstanceProfile") or {}
        name = profile.get("Arn") or profile.get("Name")
        roles = lookup.profile_roles(name) if name and action != "CreateLaunchTemplate" else []
    else:
        for name in _found_roles(params):
            roles.append(name if name.startswith("arn:") else lookup.role_arn(name.rpartition("/")[2]) or name)
    return [Need("iam:PassRole", role, to) for role in dict.fromkeys(roles)]


def _found_roles(value: Any) -> list[str]:
    roles: list[str] = []
    if isinstance(value, Mapping):
        for name, inner in value.items():
            roles += [inner] if name in _ROLE_FIELDS and isinstance(inner, str) and inner else _found_roles(inner)
    elif isinstance(value, list):
        roles += [role for inner in value for role in _found_roles(inner)]
    return roles
