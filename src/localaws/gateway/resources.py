"""Which resource a call is about, as an ARN: what a policy's Resource is matched against, and what the log names.

"Actions, resources, and condition keys for AWS services" (Service Authorization Reference) states the form of each.
"""

from collections.abc import Callable, Mapping
from typing import Any

from localaws.service import ACCOUNT, REGION

Params = Mapping[str, Any]


def _arn(service: str, resource: str, *, region: str = REGION) -> str:
    return f"arn:aws:{service}:{region}:{ACCOUNT}:{resource}"


def _named(service: str, kind: str, *fields: str) -> Callable[[Params], list[str]]:
    def of(params: Params) -> list[str]:
        for field in fields:
            if value := params.get(field):
                return [value if str(value).startswith("arn:") else _arn(service, f"{kind}{value}")]
        return ["*"]

    return of


def _glue(params: Params) -> list[str]:
    found = [_arn("glue", "catalog")]
    database = params.get("DatabaseName")
    if database:
        found.append(_arn("glue", f"database/{database}"))
        table = params.get("TableName") or params.get("Name") or (params.get("TableInput") or {}).get("Name")
        if table:
            found.append(_arn("glue", f"table/{database}/{table}"))
    return found


def _crawler(params: Params) -> list[str]:
    return [_arn("glue", f"crawler/{params.get('Name') or params.get('CrawlerName') or '*'}")]


def _instances(params: Params) -> list[str]:
    return [_arn("ec2", f"instance/{one}") for one in params.get("InstanceIds") or ()] or ["*"]


def _command(params: Params) -> list[str]:
    document = str(params.get("DocumentName", "*"))
    owner = "" if document.startswith("AWS-") else ACCOUNT
    found = [document if document.startswith("arn:") else f"arn:aws:ssm:{REGION}:{owner}:document/{document}"]
    return found + [_arn("ec2", f"instance/{one}") for one in params.get("InstanceIds") or ()]


_BY_ACTION: dict[str, Callable[[Params], list[str]]] = {
    "ssm:SendCommand": _command,
    "sts:AssumeRole": lambda params: [str(params.get("RoleArn", "*"))],
    "sns:Publish": lambda params: [str(params.get("TopicArn") or params.get("TargetArn") or "*")],
    **{f"ec2:{verb}Instances": _instances for verb in ("Start", "Stop", "Reboot", "Terminate")},
    **{f"glue:{verb}Crawler": _crawler for verb in ("Create", "Update", "Delete", "Get", "Start", "Stop")},
}
_BY_SERVICE: dict[str, Callable[[Params], list[str]]] = {
    "kinesis": _named("kinesis", "stream/", "StreamARN", "StreamName"),
    "firehose": _named("firehose", "deliverystream/", "DeliveryStreamName"),
    "athena": _named("athena", "workgroup/", "WorkGroup", "Name"),
    "glue": _glue,
    "secretsmanager": _named("secretsmanager", "secret:", "SecretId", "Name"),
    "ssm": _named("ssm", "document/", "Name"),
    "sns": _named("sns", "", "TopicArn", "ResourceArn", "Name"),
    "logs": _named("logs", "log-group:", "logGroupName"),
}


def resources_of(service: str, action: str, params: Params) -> list[str]:
    """The ARNs that a call needs permission on; ["*"] where its action knows no resource."""
    by = _BY_ACTION.get(f"{service}:{action}") or _BY_SERVICE.get(service)
    return by(params) if by else ["*"]
