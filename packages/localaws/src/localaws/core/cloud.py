"""What a service of the local AWS is, and what it may use of the others.

The gateway owns the wire (parsing, signatures, authorisation, the call log). A service answers decoded calls. What it
needs of other services it asks of the `Cloud`, which authorises and logs those calls as it does the ones from outside.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from localaws.core.shapes import Params, Response, Structure

ACCOUNT = "123456789012"
REGION = "us-east-1"


class AwsError(Exception):
    """An error that the caller sees in the wire form of its protocol.

    `code` is the error's documented name (without "Exception" only where AWS has it so), `status` the HTTP status.
    """

    def __init__(self, code: str, message: str, *, status: int = 400, **fields: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.fields = fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who makes a call. `arn` is the principal's: root, a user, or an assumed role's session."""

    arn: str
    account: str = ACCOUNT
    region: str = REGION
    source: str = "external"  # "external", or the service that calls on the principal's behalf
    session: str = ""  # the access key of the temporary credentials that signed the call


class Service(Protocol):
    """One AWS service, or the part of one that is answered here rather than by the emulator."""

    name: str  # signing name: "kinesis", "firehose", "glue", "athena", "ec2", "ssm", "autoscaling", "monitoring", ...
    actions: frozenset[str]  # what it answers; any other action of the service goes to the emulator

    def handle(self, action: str, params: Params, caller: Caller) -> Structure:
        """Answer one call: input and output have the shapes of botocore's service model (blobs are bytes, times aware).

        Raises AwsError for all that the caller did wrong. Runs on any thread.
        """
        ...

    def start(self) -> None:
        """Take up the work that goes on between calls, from what the state folder holds."""
        ...

    def stop(self) -> None:
        """Bring that work to rest and return; nothing acknowledged may be lost."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectInfo:
    """One stored object. `path` is the file that holds its bytes, as stored; never write to it."""

    key: str
    size: int
    etag: str
    modified: datetime
    path: Path


class ObjectStore(Protocol):
    """The bytes behind S3, for engines that read much (a query, a crawl). Not authorised: ask `Cloud.authorize`
    first.
    """

    def head(self, bucket: str, key: str) -> ObjectInfo | None: ...

    def list(self, bucket: str, prefix: str = "") -> Iterator[ObjectInfo]:
        """Newest versions under a prefix, by key. Raises AwsError NoSuchBucket."""
        ...

    def put_file(self, bucket: str, key: str, source: Path) -> ObjectInfo:
        """Move a finished local file in as an object, atomically."""
        ...


class Cloud(Protocol):
    """What a service may use of the rest."""

    state: Path  # the state folder; each service keeps to state / its name
    speed: float  # how many times faster than AWS waits run (buffers, state changes); never changes a timestamp
    objects: ObjectStore
    endpoint: str  # where processes on this machine reach this cloud: http://127.0.0.1:<port>

    def call(self, service: str, action: str, params: Params, caller: Caller) -> Response:
        """Make a public API call in-process: authorised as `caller`, logged, answered by a service or the emulator."""
        ...

    def emulated(self, service: str, action: str, params: Params) -> Response:
        """Have the emulator answer, and keep, a call that a service of ours owns and was authorised for."""
        ...

    def authorize(self, caller: Caller, action: str, resource: str, context: Mapping[str, str] | None = None) -> None:
        """Raise AwsError AccessDenied unless `caller` may do `action` ("s3:GetObject") on `resource` (an ARN); log
        it.
        """
        ...

    def authorize_service(
        self, principal: str, action: str, resource: str, context: Mapping[str, str] | None = None
    ) -> None:
        """Raise AwsError AccessDenied unless the resource's own policy lets an AWS service ("s3.amazonaws.com") do
        `action` on it; log it.
        """
        ...

    def role(self, arn: str, *, service: str, session: str) -> Caller:
        """The caller that a service ("firehose.amazonaws.com") becomes by assuming a role; checks the trust policy."""
        ...

    def delegate(self, caller: Caller) -> tuple[str, str]:
        """A new access key and its secret: what is signed with it is `caller`'s, for an engine that a service runs and
        that reaches other services by itself. It is good until this process ends.
        """
        ...

    def role_token(self, name: str) -> str:
        """What a process shows to be given the credentials of a role (AWS_CONTAINER_AUTHORIZATION_TOKEN)."""
        ...

    def after(self, service: str, action: str, hook: "Hook") -> None:
        """Have `hook` called after `action` of `service` was answered with success."""
        ...

    def holds(self, service: str) -> bool:
        """Whether the emulator has been told anything of `service`; true to what it held before a restart."""
        ...


class Hook(Protocol):
    def __call__(self, params: Params, result: Structure, caller: Caller) -> None: ...
