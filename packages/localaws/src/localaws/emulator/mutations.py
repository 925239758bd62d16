"""Which calls change the emulator, and which of them make an earlier one of no account."""

import re

from localaws.wire.request import HttpRequest

_READS = re.compile(
    r"(Get|List|Describe|Head|Search|Lookup|BatchGet|Query|Scan|Select|Filter|Simulate|Test|Validate|Check|Preview|Decode)"
)
# Reads by name that change something: a message that was received is hidden for a while.
_CHANGES = {("sqs", "ReceiveMessage"), ("secretsmanager", "GetRandomPassword")}
# Calls about a bucket that set the whole of one of its configurations.
_SETTINGS = re.compile(r"Put(Bucket\w+|PublicAccessBlock)$")


def changes(service: str, action: str, method: str) -> bool:
    """Whether a call may change what later calls see; where no action is known, its method says so."""
    if not action:
        return method not in ("GET", "HEAD", "OPTIONS")
    return (service, action) in _CHANGES or not _READS.match(action)


def subject_of(service: str, action: str, request: HttpRequest) -> str | None:
    """What the call sets as a whole, so that the journal need not keep the calls that set it before."""
    if service == "s3" and _SETTINGS.match(action) and "id=" not in request.query:
        return f"s3:{action}:{request.path}"
    return None
