"""What a streamer needs, checked one by one: what is wrong comes with what to do about it."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from postrank.aws.clients import Clients
from postrank.aws.resources import Resources
from postrank.errors import PostrankError, Retryable
from postrank.settings import Settings
from postrank.sources import Askable
from postrank.streamer.assembly import build_source
from postrank.streamer.config import Config

SKEW_SECONDS = 60.0  # AWS refuses signatures that are 5 minutes off; the windows want better
ROOM = 2  # times the spool's bound that the disk should have free
_REPAIRS = {
    "AccessDenied": "give the role the permission that the message names (policies/streamer.json)",
    "AccessDeniedException": "give the role the permission that the message names (policies/streamer.json)",
    "ResourceNotFoundException": "create it: terraform apply, in the environment and account of POSTRANK_*",
    "NoSuchBucket": "create it: terraform apply, in the environment and account of POSTRANK_*",
    "ExpiredToken": "renew the credentials",
    "ExpiredTokenException": "renew the credentials",
    "InvalidClientTokenId": "use other credentials: these are not known to AWS",
    "UnrecognizedClientException": "use other credentials: these are not known to AWS",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was looked at, whether it is well, what was seen, and what to do if it is not."""

    what: str
    well: bool
    seen: str
    advice: str = ""


def examine(path: Path, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Every check, in an order in which the first failure is the one to mend first."""
    try:
        config = Config.load(path, environ)
        settings = Settings.of(environ)
    except PostrankError as error:
        yield Finding("configuration", False, str(error), "mend the file or the environment")
        return
    yield Finding("configuration", True, f"{path}: source {config.source}, sink {config.sink.kind}")
    names = Resources.of(settings.environment, settings.account, settings.region)
    clients = Clients(names.region)
    yield _source(config, environ, clients)
    yield _disk(config)
    yield (credentials := _credentials(clients, names))
    if credentials.well:
        yield _clock(clients)
        for stream in names.streams.values():
            yield _stream(clients, stream)
        yield _bucket(clients, names)
        yield _metrics(clients, names)


def _source(config: Config, environ: Mapping[str, str], clients: Clients) -> Finding:
    """Builds the source, which looks at its options and files; has it ask its network, which looks at its tokens."""
    try:
        source = build_source(config, environ, clients)
        seen = source.ask() if isinstance(source, Askable) else f"{config.source} can be built from its options"
    except Retryable as error:
        return Finding("source", False, str(error), "check the route to the network, or wait until it is well")
    except PostrankError as error:
        return Finding("source", False, str(error), "mend the table [source], or the variable that holds its token")
    return Finding("source", True, seen)


def _disk(config: Config) -> Finding:
    try:
        config.state.mkdir(parents=True, exist_ok=True)
        probe = config.state / ".doctor"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        return Finding("disk", False, f"{config.state}: {error.strerror}", "make the folder writable for this user")
    free, wanted = shutil.disk_usage(config.state).free, ROOM * config.spool_bytes
    seen = f"{config.state} has {free >> 20} MiB free; the spool may take {config.spool_bytes >> 20} MiB"
    return Finding("disk", free >= wanted, seen, "make room, or lower max_bytes in [spool]")


def _credentials(clients: Clients, names: Resources) -> Finding:
    def call() -> str:
        identity = clients.get("sts", attempts=2).get_caller_identity()
        if identity["Account"] != names.account:
            raise _WrongAccount(identity["Account"])
        return str(identity["Arn"])

    try:
        return _asked("credentials", call)
    except _WrongAccount as wrong:
        seen = f"they belong to account {wrong}, POSTRANK_ACCOUNT says {names.account}"
        return Finding("credentials", False, seen, "use credentials of that account, or correct POSTRANK_ACCOUNT")


def _clock(clients: Clients) -> Finding:
    answer = clients.get("sts", attempts=2).get_caller_identity()
    theirs = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    off = abs((datetime.now(UTC) - theirs).total_seconds())
    return Finding("clock", off < SKEW_SECONDS, f"{off:.0f} s off AWS's", "synchronise it (chrony, systemd-timesyncd)")


def _stream(clients: Clients, stream: str) -> Finding:
    def call() -> str:
        found = clients.get("kinesis", attempts=2).describe_stream_summary(StreamName=stream)
        return f"{found['StreamDescriptionSummary']['StreamStatus'].lower()}"

    found = _asked(f"stream {stream}", call)
    if found.well and found.seen not in ("active", "updating"):
        return Finding(found.what, False, found.seen, "wait until it is active")
    return found


def _bucket(clients: Clients, names: Resources) -> Finding:
    def call() -> str:
        key = f"{names.keys['heartbeat'].rpartition('/')[0]}/doctor.json"
        clients.get("s3", attempts=2).put_object(Bucket=names.buckets["raw"], Key=key, Body=b"{}\n")
        return f"s3://{names.buckets['raw']}/{key} could be written"

    return _asked("heartbeat", call)


def _metrics(clients: Clients, names: Resources) -> Finding:
    def call() -> str:
        datum = {"MetricName": "Doctor", "Value": 1.0, "Unit": "Count"}
        client = clients.get("cloudwatch", attempts=2)
        client.put_metric_data(Namespace=names.metrics_namespace, MetricData=[datum])
        return f"namespace {names.metrics_namespace} takes metrics"

    return _asked("metrics", call)


class _WrongAccount(Exception):
    pass


def _asked(what: str, call: Callable[[], str]) -> Finding:
    """A finding from a call of AWS: its answer, or its error with what to do."""
    try:
        seen = call()
    except NoCredentialsError:
        return Finding(what, False, "boto3 found none", "give the instance its role, or set AWS_PROFILE")
    except ClientError as error:
        code, message = error.response["Error"].get("Code", ""), error.response["Error"].get("Message", "")
        return Finding(what, False, f"{code}: {message}", _REPAIRS.get(code, "see AWS's documentation of this error"))
    except BotoCoreError as error:
        return Finding(what, False, str(error), "check the route to AWS (endpoint, proxy, security group)")
    return Finding(what, True, seen)
