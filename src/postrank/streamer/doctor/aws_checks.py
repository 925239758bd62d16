"""What a streamer needs of AWS: credentials, a clock that agrees, streams, bucket and metrics that take what it has."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from postrank.aws.clients import Clients
from postrank.aws.error_help import repair
from postrank.aws.resources import Resources
from postrank.errors import Fatal
from postrank.outbound import describe_aws
from postrank.streamer.doctor.check_result import Finding
from postrank.streamer.doctor.routes import routes

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.type_defs import MetricDatumTypeDef
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_kinesis.type_defs import PutRecordsRequestEntryTypeDef
    from mypy_boto3_sts.type_defs import GetCallerIdentityResponseTypeDef

SKEW_SECONDS = 60.0  # AWS refuses signatures that are 5 minutes off; the windows want better
# Out of range, so that the record is refused; but only to a caller who may put it (Amazon Kinesis, "PutRecords").
_NO_HASH_KEY = "9" * 39


def examine_aws(clients: Clients, names: Resources, *, streams: bool, metrics: bool) -> Iterator[Finding]:
    """The checks in their order; without valid credentials the others say nothing and are left out."""
    yield check("AWS route", lambda: routes(_endpoints(clients, streams=streams, metrics=metrics), describe_aws))
    caller = _Caller(clients)
    if caller.server_time is not None:
        yield _clock(caller.server_time)
    yield (credentials := caller.credentials(names))
    if not credentials.well:
        return
    for stream in names.streams.values() if streams else ():
        yield _stream(clients, stream)
    yield _bucket(clients, names)
    if metrics:
        yield _metrics(clients, names)


def _endpoints(clients: Clients, *, streams: bool, metrics: bool) -> list[str]:
    services = ["sts", "s3"] + ["kinesis"] * streams + ["cloudwatch"] * metrics
    return [clients.get(service).meta.endpoint_url for service in services]


class _Caller:
    """Who AWS says that we are, and what time it has; also a refusal tells the time."""

    def __init__(self, clients: Clients) -> None:
        self.server_time: datetime | None = None
        self._clients = clients
        self._identity: GetCallerIdentityResponseTypeDef | None = None
        self._credentials = check("credentials", self._ask)

    def credentials(self, names: Resources) -> Finding:
        account = self._identity["Account"] if self._identity else None
        if not self._credentials.well or account == names.account:
            return self._credentials
        seen = f"they belong to account {account}, POSTRANK_ACCOUNT is {names.account}"
        return Finding("credentials", False, seen, "use credentials of that account, or correct POSTRANK_ACCOUNT")

    def _ask(self) -> str:
        try:
            identity = self._clients.get("sts", attempts=2).get_caller_identity()
            self._note(identity)
        except ClientError as error:
            self._note(error.response)
            raise
        self._identity = identity
        return identity["Arn"]

    def _note(self, answer: Any) -> None:
        server_date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
        self.server_time = parsedate_to_datetime(server_date) if server_date else None


def _clock(server_time: datetime) -> Finding:
    off = abs((datetime.now(UTC) - server_time).total_seconds())
    return Finding(
        "clock", off < SKEW_SECONDS, f"{off:.0f} s off AWS's clock", "synchronize it (chrony, systemd-timesyncd)"
    )


def _stream(clients: Clients, stream: str) -> Finding:
    def call() -> str:
        kinesis = clients.get("kinesis", attempts=2)
        summary = kinesis.describe_stream_summary(StreamName=stream)
        _try_to_put(kinesis, stream)
        return f"{summary['StreamDescriptionSummary']['StreamStatus'].lower()}"

    finding = check(f"stream {stream}", call)
    if finding.well and finding.seen not in ("active", "updating"):
        return Finding(finding.what, False, finding.seen, "wait until it is active")
    return finding


def _try_to_put(kinesis: "KinesisClient", stream: str) -> None:
    """Put what cannot be put: the refusal says whether we might. Nothing is written."""
    record: PutRecordsRequestEntryTypeDef = {"Data": b"\n", "PartitionKey": "doctor", "ExplicitHashKey": _NO_HASH_KEY}
    try:
        kinesis.put_records(StreamName=stream, Records=[record])
    except ClientError as error:
        if error.response["Error"].get("Code") != "InvalidArgumentException":
            raise


def _bucket(clients: Clients, names: Resources) -> Finding:
    def call() -> str:
        key = f"{names.keys['heartbeat'].rpartition('/')[0]}/doctor.json"
        clients.get("s3", attempts=2).put_object(Bucket=names.buckets["raw"], Key=key, Body=b"{}\n")
        return f"s3://{names.buckets['raw']}/{key} could be written"

    return check("heartbeat", call)


def _metrics(clients: Clients, names: Resources) -> Finding:
    def call() -> str:
        datum: MetricDatumTypeDef = {"MetricName": "Doctor", "Value": 1.0, "Unit": "Count"}
        client = clients.get("cloudwatch", attempts=2)
        client.put_metric_data(Namespace=names.metrics_namespace, MetricData=[datum])
        return f"namespace {names.metrics_namespace} accepts metrics"

    return check("metrics", call)


def check(what: str, call: Callable[[], str]) -> Finding:
    """A finding from a call of AWS: its answer, or its error with what to do."""
    try:
        seen = call()
    except (ClientError, BotoCoreError) as error:
        return Finding(what, False, *repair(error))
    except Fatal as error:
        return Finding(what, False, str(error), "correct the environment")
    return Finding(what, True, seen)
