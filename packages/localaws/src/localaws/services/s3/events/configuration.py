"""What a bucket is configured to report: event types, filters and destinations, checked as S3 checks them.

Source of the rules: "Event notification types and destinations" and "Configuring event notifications using object key
name filtering".
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from localaws.core.cloud import ACCOUNT, REGION, AwsError
from localaws.core.shapes import Document, Structure

_KINDS = {"QueueConfigurations": ("QueueArn", "sqs"), "TopicConfigurations": ("TopicArn", "sns")}
_ABSENT = {
    "LambdaFunctionConfigurations": "there are no Lambda functions here: send events to a queue or a topic",
    "EventBridgeConfiguration": "events are not sent to EventBridge here: send them to a queue or a topic",
}
_EVENTS = {
    "s3:ObjectCreated": ("Put", "Post", "Copy", "CompleteMultipartUpload"),
    "s3:ObjectRemoved": ("Delete", "DeleteMarkerCreated"),
    "s3:ObjectRestore": ("Post", "Completed", "Delete"),
    "s3:ObjectTagging": ("Put", "Delete"),
    "s3:LifecycleExpiration": ("Delete", "DeleteMarkerCreated"),
    "s3:Replication": (
        "OperationFailedReplication",
        "OperationMissedThreshold",
        "OperationNotTracked",
        "OperationReplicatedAfterThreshold",
    ),
}
_NAMES = frozenset(f"{family}:{name}" for family, names in _EVENTS.items() for name in ("*", *names)) | {
    "s3:IntelligentTiering",
    "s3:LifecycleTransition",
    "s3:ObjectAcl:Put",
    "s3:ReducedRedundancyLostObject",
}
_ARN_PARTS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One configuration of a bucket: which events of which keys go to which queue or topic."""

    id: str
    destination: str  # ARN
    events: tuple[str, ...]
    prefix: str = ""
    suffix: str = ""

    def matches(self, event: str, key: str) -> bool:
        """Whether an event ("s3:ObjectCreated:Put") of a key is reported."""
        family = f"{event.rpartition(':')[0]}:*"
        return (
            (event in self.events or family in self.events)
            and key.startswith(self.prefix)
            and key.endswith(self.suffix)
        )

    def overlaps(self, other: "Rule") -> bool:
        """Whether some event of some key would match both rules."""
        prefixes = self.prefix.startswith(other.prefix) or other.prefix.startswith(self.prefix)
        suffixes = self.suffix.endswith(other.suffix) or other.suffix.endswith(self.suffix)
        return prefixes and suffixes and any(_same_event(mine, its) for mine in self.events for its in other.events)


def checked(configuration: Structure) -> Document:
    """The configuration as S3 stores it: ids are assigned, the names of filter rules capitalized.

    Raises AwsError InvalidArgument, MalformedXML; NotImplemented for destinations that do not exist here.
    """
    for kind, message in _ABSENT.items():
        if configuration.get(kind) is not None:
            raise AwsError("NotImplemented", message, status=501)
    stored = {
        kind: [_checked_entry(entry, *_KINDS[kind]) for entry in configuration[kind]]
        for kind in _KINDS
        if configuration.get(kind)
    }
    _check_overlaps(list(rules(stored)))
    return stored


def rules(stored: Structure) -> Iterator[Rule]:
    """The rules of a stored configuration."""
    for kind, (arn, _) in _KINDS.items():
        for entry in stored.get(kind) or []:
            filters = {item["Name"].lower(): item.get("Value") or "" for item in _filter_rules(entry)}
            yield Rule(id=entry["Id"], destination=entry[arn], events=tuple(entry["Events"]), **filters)


def invalid(message: str, argument: str = "") -> AwsError:
    return (
        AwsError("InvalidArgument", message, ArgumentValue=argument)
        if argument
        else AwsError("InvalidArgument", message)
    )


def _checked_entry(entry: Structure, arn_name: str, service: str) -> Document:
    arn = str(entry.get(arn_name) or "")
    _check_arn(arn, service)
    events = list(entry.get("Events") or [])
    if not events:
        raise AwsError("MalformedXML", "The XML you provided was not well-formed: a configuration needs an Event")
    for event in events:
        if event not in _NAMES:
            raise invalid("A specified event is not supported for notifications.", event)
    identifier = entry.get("Id") or secrets.token_urlsafe(36)
    if len(identifier) > 255:
        raise invalid("The ID must be at most 255 characters long.")
    stored: Document = {"Id": identifier, arn_name: arn, "Events": events}
    filters = _checked_filters(entry)
    return {**stored, "Filter": {"Key": {"FilterRules": filters}}} if filters else stored


def _check_arn(arn: str, service: str) -> None:
    parts = arn.split(":")
    if len(parts) != _ARN_PARTS or parts[:3] != ["arn", "aws", service] or not parts[5]:
        raise invalid("The ARN could not be parsed", arn)
    if parts[3] != REGION:
        message = "The notification destination service region is not valid for the bucket location constraint"
        raise invalid(message, arn)
    if parts[4] != ACCOUNT:
        raise unreachable(arn, "The destination queue or topic does not exist")
    if parts[5].endswith(".fifo"):
        raise unreachable(arn, "FIFO queues and topics are not supported")


def unreachable(arn: str, reason: str) -> AwsError:
    """A destination to which S3 cannot send its test event."""
    message = "Unable to validate the following destination configurations"
    return AwsError("InvalidArgument", message, ArgumentName1=arn, ArgumentValue1=reason)


def _checked_filters(entry: Structure) -> list[Document]:
    filters: dict[str, str] = {}
    for item in _filter_rules(entry):
        name = str(item.get("Name") or "").capitalize()
        if name not in ("Prefix", "Suffix"):
            raise invalid("filter rule name must be either prefix or suffix", str(item.get("Name")))
        if name in filters:
            raise invalid("Cannot specify more than one prefix rule or more than one suffix rule in a filter.")
        value = str(item.get("Value") or "")
        if len(value) > 1024:
            raise invalid("Size of filter rule value cannot exceed 1024 bytes in UTF-8 representation")
        filters[name] = value
    return [{"Name": name, "Value": value} for name, value in filters.items()]


def _filter_rules(entry: Structure) -> list[Document]:
    key = (entry.get("Filter") or {}).get("Key") or {}
    return list(key.get("FilterRules") or [])


def _check_overlaps(rules_of_bucket: list[Rule]) -> None:
    for number, rule in enumerate(rules_of_bucket):
        for other in rules_of_bucket[:number]:
            if rule.id == other.id:
                raise invalid(f"Same ID used for multiple configurations: {rule.id}")
            if rule.overlaps(other):
                message = (
                    "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the"
                    " prefixes are overlapping for the same event type."
                )
                raise invalid(message)


def _same_event(left: str, right: str) -> bool:
    if left == right:
        return True
    return any(
        pattern.endswith(":*") and event.startswith(pattern[:-1]) for pattern, event in ((left, right), (right, left))
    )
