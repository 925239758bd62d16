"""Which service and action an HTTP request is for.

A request says it in one of four ways: `X-Amz-Target` (JSON), an `Action` field (query, EC2), the credential scope of its
signature together with its path (REST), or nothing of these (S3, unsigned).
"""

from dataclasses import dataclass
from urllib.parse import parse_qs

# The prefix of X-Amz-Target, without its version date, to the service's signing name.
_TARGETS = {
    "AWSGlue": "glue",
    "AmazonAthena": "athena",
    "AmazonEC2ContainerRegistry": "ecr",
    "AmazonSQS": "sqs",
    "AmazonSSM": "ssm",
    "AWSBudgetServiceGateway": "budgets",
    "AWSEvents": "events",
    "Firehose": "firehose",
    "GraniteServiceVersion": "monitoring",
    "Kinesis": "kinesis",
    "Logs": "logs",
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
    "2016-11-15": "ec2",
}
# botocore's name of a service where that is not the signing name.
MODEL_NAMES = {"monitoring": "cloudwatch"}


@dataclass(frozen=True, slots=True)
class Route:
    """`service` is the signing name; `action` is empty where only the service's own router can tell."""

    service: str
    action: str


def route(headers: dict[str, str], query: str, body: bytes) -> Route:
    """The route of a request. `headers` have lower-case names."""
    if target := headers.get("x-amz-target"):
        prefix, _, action = target.partition(".")
        return Route(_TARGETS.get(prefix.split("_")[0].rstrip("0123456789"), _scope(headers, query)), action)
    if _is_form(headers):
        form = parse_qs(body.decode("utf-8", errors="replace"))
        version = form.get("Version", [""])[0]
        return Route(_VERSIONS.get(version) or _scope(headers, query), form.get("Action", [""])[0])
    return Route(_scope(headers, query), "")


def _is_form(headers: dict[str, str]) -> bool:
    return headers.get("content-type", "").startswith("application/x-www-form-urlencoded")


def _scope(headers: dict[str, str], query: str) -> str:
    """The service that a signature is for; "s3" for an unsigned request."""
    credential = credential_of(headers, query)
    parts = credential.split("/") if credential else []
    return parts[3].lower() if len(parts) == 5 else "s3"


def credential_of(headers: dict[str, str], query: str) -> str:
    """The Credential of a Signature Version 4 request (`<key>/<date>/<region>/<service>/aws4_request`), or ""."""
    authorization = headers.get("authorization", "")
    if "Credential=" in authorization:
        return authorization.split("Credential=", 1)[1].split(",")[0].strip()
    return parse_qs(query).get("X-Amz-Credential", [""])[0]
