"""Which service and action an HTTP request is for, and in which protocol it speaks.

A request says it in one of four ways: `X-Amz-Target` (JSON), a path `/service/<target>/operation/<action>` (Smithy RPC
v2 CBOR), an `Action` field (query, EC2), or method and path (REST) with the credential scope naming the service.
"""

import re
from dataclasses import dataclass, field

from localaws.core.cloud import AwsError
from localaws.wire import rest
from localaws.wire.models import model
from localaws.wire.request import HttpRequest

# The target prefix of X-Amz-Target, without its version date, to the service's signing name.
_TARGETS = {
    "AWSEvents": "events",
    "AWSGlue": "glue",
    "AWSStepFunctions": "states",
    "AmazonAthena": "athena",
    "AmazonEC2ContainerRegistry_V": "ecr",
    "AmazonSQS": "sqs",
    "AmazonSSM": "ssm",
    "DynamoDB_": "dynamodb",
    "Firehose_": "firehose",
    "GraniteServiceVersion": "monitoring",
    "Kinesis_": "kinesis",
    "Logs_": "logs",
    "ResourceGroupsTaggingAPI_": "tagging",
    "TrentService": "kms",
    "secretsmanager": "secretsmanager",
}
# Services whose actions come as a form field, by the API version that the form names.
_VERSIONS = {
    "2010-03-31": "sns",
    "2010-05-08": "iam",
    "2010-08-01": "monitoring",
    "2011-01-01": "autoscaling",
    "2011-06-15": "sts",
    "2012-11-05": "sqs",
    "2014-10-31": "rds",
    "2015-12-01": "elasticloadbalancing",
    "2016-11-15": "ec2",
}
_PROTOCOLS = {"smithy-rpc-v2-cbor": "cbor"}  # botocore's name of a protocol where it differs
_RPC_PATH = re.compile(r"^/service/(?P<target>[^/]+)/operation/(?P<action>[^/]+)/?$")
_BUCKET_HOST = re.compile(r"^(?P<bucket>[a-z0-9][a-z0-9.-]+?)\.(?:s3[a-z0-9.-]*\.)?localhost(?::\d+)?$")


@dataclass(frozen=True, slots=True)
class Route:
    """`service` is the signing name, `action` empty where no model names one, `labels` what a REST path holds."""

    service: str
    action: str
    protocol: str  # "json", "cbor", "query", "ec2", "rest-xml", "rest-json"
    labels: dict[str, str] = field(default_factory=dict)


def route(request: HttpRequest) -> Route:
    """The route of a request. Raises AwsError for a target that no service has."""
    if target := request.headers.get("x-amz-target"):
        prefix, _, action = target.partition(".")
        return Route(_target(prefix) or _scope(request), action, "json")
    if request.headers.get("smithy-protocol") == "rpc-v2-cbor" and (rpc := _RPC_PATH.match(request.path)):
        return Route(_target(rpc["target"]) or _scope(request), rpc["action"], "cbor")
    if request.is_form and request.method == "POST":
        return _form(request)
    return _rest(request)


def _target(prefix: str) -> str:
    return _TARGETS.get(re.sub(r"\d{8}$", "", prefix), "")


def _form(request: HttpRequest) -> Route:
    form = dict(request.form)
    service = _VERSIONS.get(form.get("Version", "")) or _scope(request)
    if service == "s3":  # a form without an API's version: an object whose content type is that of a form
        return _rest(request)
    return Route(service, form.get("Action", ""), "ec2" if service == "ec2" else "query")


def _rest(request: HttpRequest) -> Route:
    fields = dict(request.fields)
    if fields.get("Version") in _VERSIONS and "Action" in fields:  # the query protocol by GET
        service = _VERSIONS[fields["Version"]]
        return Route(service, fields["Action"], "ec2" if service == "ec2" else "query")
    service = _scope(request)
    path = request.path
    if service == "s3" and (host := _BUCKET_HOST.match(request.headers.get("host", ""))):
        path = f"/{host['bucket']}{path}"
    described = model(service)
    protocol = described.protocol if described else "rest-json"
    if not protocol.startswith("rest"):  # its calls have another form, and say so
        return Route(service, "", _PROTOCOLS.get(protocol, protocol))
    matched = rest.match(service, request.method, path, fields, request.headers)
    if matched is None:
        return Route(service, "", protocol)
    return Route(service, matched[0], protocol, matched[1])


def _scope(request: HttpRequest) -> str:
    """The service that a signature is for; "s3" for an unsigned request."""
    credential = credential_of(request)
    parts = credential.split("/") if credential else []
    if credential and len(parts) != 5:
        raise AwsError("IncompleteSignature", "Credential should be scoped to a valid region and service.", status=403)
    return parts[3].lower() if parts else "s3"


def credential_of(request: HttpRequest) -> str:
    """The Credential of a Signature Version 4 request (`<key>/<date>/<region>/<service>/aws4_request`), or ""."""
    authorization = request.headers.get("authorization", "")
    if "Credential=" in authorization:
        return authorization.split("Credential=", 1)[1].split(",")[0].strip()
    return dict(request.fields).get("X-Amz-Credential", "") if "X-Amz-Credential" in request.query else ""
