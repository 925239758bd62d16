"""The condition keys of a request: "AWS global condition context keys", and those of the services in use."""

from datetime import UTC, datetime
from typing import Any

from localaws.core.cloud import ACCOUNT, REGION, Caller
from localaws.core.shapes import Params
from localaws.iam.directory import Directory
from localaws.wire.request import HttpRequest

Context = dict[str, list[str]]
_KEYS = {  # action -> condition key -> the parameter that it takes its value from
    "s3:ListBucket": {"s3:prefix": "Prefix", "s3:delimiter": "Delimiter", "s3:max-keys": "MaxKeys"},
    "s3:ListBucketVersions": {"s3:prefix": "Prefix", "s3:delimiter": "Delimiter", "s3:max-keys": "MaxKeys"},
    "s3:GetObjectVersion": {"s3:VersionId": "VersionId"},
    "s3:DeleteObjectVersion": {"s3:VersionId": "VersionId"},
    "s3:PutObject": {
        "s3:x-amz-server-side-encryption": "ServerSideEncryption",
        "s3:x-amz-acl": "ACL",
        "s3:x-amz-storage-class": "StorageClass",
    },
    "cloudwatch:PutMetricData": {"cloudwatch:namespace": "Namespace"},
    "secretsmanager:GetSecretValue": {"secretsmanager:VersionStage": "VersionStage"},
    "sns:Subscribe": {"sns:Protocol": "Protocol", "sns:Endpoint": "Endpoint"},
    "iam:AttachRolePolicy": {"iam:PolicyARN": "PolicyArn"},
    "iam:DetachRolePolicy": {"iam:PolicyARN": "PolicyArn"},
    "iam:CreateRole": {"iam:PermissionsBoundary": "PermissionsBoundary"},
    "iam:PutRolePermissionsBoundary": {"iam:PermissionsBoundary": "PermissionsBoundary"},
    "sts:AssumeRole": {"sts:ExternalId": "ExternalId", "sts:RoleSessionName": "RoleSessionName"},
}


# Of these iam:PermissionsBoundary is the boundary that the role has ("Actions, resources, and condition keys for AWS
# Identity and Access Management").
_OF_BOUNDED_ROLES = frozenset(
    f"iam:{action}"
    for action in (
        "AttachRolePolicy",
        "DeleteRolePermissionsBoundary",
        "DeleteRolePolicy",
        "DetachRolePolicy",
        "PutRolePolicy",
    )
)


def of_caller(caller: Caller, directory: Directory, principal_id: str) -> Context:
    """What is so of every request of a caller."""
    now = datetime.now(UTC)
    context: Context = {
        "aws:currenttime": [now.strftime("%Y-%m-%dT%H:%M:%SZ")],
        "aws:epochtime": [str(int(now.timestamp()))],
        "aws:requestedregion": [REGION],
        # What goes over loopback is seen by nobody, which is what the key asks about.
        "aws:securetransport": ["true"],
        "aws:sourceip": ["127.0.0.1"],
        "aws:viaawsservice": ["false" if caller.source == "external" else "true"],
    }
    if caller.account:
        context |= {"aws:principalarn": [_principal(caller, directory)], "aws:principalaccount": [caller.account]}
        context |= {"aws:userid": [principal_id], "aws:principaltype": [_kind(caller)]}
    if ":user/" in caller.arn:
        context["aws:username"] = [caller.arn.rpartition("/")[2]]
    if caller.source != "external":
        context["aws:calledvia"] = [f"{caller.source}.amazonaws.com"]
    if role := _role_of(caller, directory):
        context |= {f"aws:principaltag/{name.lower()}": [value] for name, value in role.tags.items()}
    return context


def of_request(request: HttpRequest) -> Context:
    """What the HTTP request itself says."""
    context = {"aws:sourceip": [request.address]}
    if agent := request.headers.get("user-agent"):
        context["aws:useragent"] = [agent]
    if referer := request.headers.get("referer"):
        context["aws:referer"] = [referer]
    return context


def of_call(action: str, resource: str, params: Params, directory: Directory) -> Context:
    """What the call says: parameters that are condition keys, tags that it gives, and tags of its resource."""
    context: Context = {}
    for key, name in _KEYS.get(action, {}).items():
        if params.get(name) is not None:
            context[key.lower()] = [str(params[name])]
    if action in _OF_BOUNDED_ROLES:
        role = directory.role(resource.rpartition("/")[2])
        if role is not None and role.boundary_arn is not None:
            context["iam:permissionsboundary"] = [role.boundary_arn]
    tags = _request_tags(params)
    if tags:
        context |= {f"aws:requesttag/{name.lower()}": [value] for name, value in tags.items()}
        context["aws:tagkeys"] = list(tags)
    context |= _resource_tags(resource, directory)
    if resource.startswith("arn:aws:"):
        context["aws:resourceaccount"] = [ACCOUNT]
    return context


def _resource_tags(resource: str, directory: Directory) -> Context:
    """The tags of an instance, a volume or a secret, by every key that a policy may name them by."""
    if resource.startswith(tuple(f"arn:aws:ec2:{REGION}:{ACCOUNT}:{kind}/" for kind in ("instance", "volume"))):
        tags = directory.ec2_tags(resource.rpartition("/")[2])
        prefixes: tuple[str, ...] = ("aws:resourcetag/", "ec2:resourcetag/", "ssm:resourcetag/")
    elif resource.startswith("arn:aws:secretsmanager:"):
        tags = directory.secret_tags(resource)
        prefixes = ("aws:resourcetag/", "secretsmanager:resourcetag/")
    else:
        return {}
    return {f"{prefix}{name.lower()}": [value] for prefix in prefixes for name, value in tags.items()}


def _request_tags(params: Params) -> dict[str, str]:
    tags = params.get("Tags") or params.get("TagList") or []
    for specification in params.get("TagSpecifications") or []:
        tags = specification.get("Tags") or []
    if isinstance(tags, dict):
        return {str(name): str(value) for name, value in tags.items()}
    return {str(tag.get("Key")): str(tag.get("Value", "")) for tag in tags if isinstance(tag, dict) and tag.get("Key")}


def _principal(caller: Caller, directory: Directory) -> str:
    role = _role_of(caller, directory)
    return role.arn if role else caller.arn


def _role_of(caller: Caller, directory: Directory) -> Any:
    if ":assumed-role/" not in caller.arn:
        return None
    return directory.role(caller.arn.split("/")[1])


def _kind(caller: Caller) -> str:
    if ":assumed-role/" in caller.arn:
        return "AssumedRole"
    return "User" if ":user/" in caller.arn else "Account"
