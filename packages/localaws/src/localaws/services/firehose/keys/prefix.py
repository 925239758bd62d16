"""Prefix expressions `!{namespace:value}`: checking them when configured, evaluating them for an object.

Source of the rules: "Understand custom prefixes for Amazon S3 objects" (Data Firehose).
"""

import re
import secrets
import string
from collections.abc import Mapping
from datetime import datetime

from localaws.core.cloud import AwsError
from localaws.services.firehose.keys import time_pattern

DEFAULT_TIME = "!{timestamp:yyyy/MM/dd/HH/}"
_EXPRESSION = re.compile(r"!\{([A-Za-z]*):([^}]*)\}")
_RANDOM_LENGTH = 11
_RANDOM_LETTERS = string.ascii_letters + string.digits
PARTITION_KEYS = ("partitionKeyFromQuery", "partitionKeyFromLambda")
_FIREHOSE_VALUES = ("random-string", "error-output-type")


def complete(prefix: str | None, error_prefix: str | None, *, dynamic: bool) -> tuple[str, str]:
    """The two prefixes with the defaults filled in. Raises AwsError InvalidArgumentException for a broken one."""
    plain = prefix or ""
    _check(plain, "Prefix")
    _check(error_prefix or "", "ErrorOutputPrefix")
    if "error-output-type" in values(plain, "firehose"):
        raise _invalid("Prefix cannot contain !{firehose:error-output-type}.")
    if _EXPRESSION.search(plain) and not error_prefix:
        raise _invalid("ErrorOutputPrefix cannot be null or empty when Prefix contains expressions.")
    if error_prefix and _EXPRESSION.search(error_prefix):
        if "error-output-type" not in values(error_prefix, "firehose"):
            raise _invalid(
                "ErrorOutputPrefix must contain at least one instance of !{firehose:error-output-type} "
                "if it contains expressions."
            )
        for namespace in PARTITION_KEYS:
            if values(error_prefix, namespace):
                raise _invalid(f"ErrorOutputPrefix cannot contain !{{{namespace}:...}}.")
    full = plain if dynamic or values(plain, "timestamp") else plain + DEFAULT_TIME
    return full, error_prefix or plain + "!{firehose:error-output-type}/" + DEFAULT_TIME


def values(prefix: str, namespace: str) -> list[str]:
    """The values that a prefix asks of a namespace."""
    return [value for name, value in _EXPRESSION.findall(prefix) if name == namespace]


def evaluate(prefix: str, *, moment: datetime, partition: Mapping[str, str], error_type: str = "") -> str:
    """The prefix for one object. `moment` is the arrival of its oldest record, in the zone that was configured;
    `partition` holds the keys of the query by name, those of a function by "lambda:name".
    """

    def replacement(match: re.Match[str]) -> str:
        namespace, value = match.groups()
        if namespace == "timestamp":
            return time_pattern.render(value, moment)
        if namespace == "partitionKeyFromQuery":
            return partition[value]
        if namespace == "partitionKeyFromLambda":
            return partition[f"lambda:{value}"]
        if value == "error-output-type":
            return error_type
        return "".join(secrets.choice(_RANDOM_LETTERS) for _ in range(_RANDOM_LENGTH))

    return _EXPRESSION.sub(replacement, prefix)


def _check(prefix: str, name: str) -> None:
    if "!{" in _EXPRESSION.sub("", prefix):
        raise _invalid(f"{name} {prefix!r} has a !{{ that is not of the form !{{namespace:value}}.")
    for namespace, value in _EXPRESSION.findall(prefix):
        if namespace == "timestamp":
            try:
                time_pattern.check(value)
            except ValueError as error:
                raise _invalid(f"{name}: {error}.") from error
        elif namespace == "firehose":
            if value not in _FIREHOSE_VALUES:
                raise _invalid(f"{name}: the firehose namespace has no value {value!r}.")
        elif namespace not in PARTITION_KEYS:
            raise _invalid(f"{name}: there is no namespace {namespace!r}.")


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidArgumentException", message)
