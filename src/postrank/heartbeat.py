"""The streamer's heartbeat: one small object in the raw bucket that says how the streamer is."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import orjson

from postrank.documents import JsonObject
from postrank.errors import Fatal

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# `phase` is starting, streaming, spooling, draining or failed; stopped: told to stop, and did; finished: its source
# ended, and all of it is acknowledged.


class NoHeartbeat(Fatal):
    """There is no heartbeat where one should be, or it cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """How a streamer is. Instants are RFC 3339 UTC with milliseconds, null where there was none yet.

    `counts` (since the state folder was made, so across restarts): `read` = `events` + `rejected` + `ignored`;
    `events` = `posts` + `edits` + `deletes`; `events` = `delivered` + `spooled` + `in_flight` + `filtered`.
    `windows_*` count lines of the second stream.
    """

    phase: str
    finished: bool  # a source with an end was read to it, and all of it is acknowledged
    collector: str
    instance_id: str
    source: str
    version: str
    started_at: str
    written_at: str
    last_source_contact: str | None = None
    last_ack: str | None = None
    first_posted_at: str | None = None  # the event times seen so far
    last_posted_at: str | None = None
    cursor: str | None = None  # the last one saved: everything before it is durable
    counts: Mapping[str, int] = field(default_factory=dict)
    gauges: Mapping[str, float] = field(default_factory=dict)
    unknown_fields: Mapping[str, int] = field(default_factory=dict)  # `<form>.<name>`: how often it came
    error: str | None = None
    configuration: JsonObject | None = None  # the published bundle: version, checksum, phase; what was rejected

    def configuration_text(self) -> str:
        """The published configuration that the streamer runs, for a person: `configuration 7 (3f9a01c2b4d6)`; empty
        where none was ever published for it.
        """
        if not self.configuration:
            return ""
        text = "configuration of the host"
        if version := self.configuration.get("version"):
            text = f"configuration {version} ({str(self.configuration.get('checksum'))[:12]})"
            text += ", on trial" if self.configuration.get("phase") == "trial" else ""
        if rejected := self.configuration.get("rejected"):
            text += f"; {rejected['version']} ({str(rejected['checksum'])[:12]}) was rejected: {rejected['reason']}"
        return text

    def to_json(self) -> bytes:
        """The object's body."""
        return orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)

    @classmethod
    def from_json(cls, body: bytes) -> "Heartbeat":
        """Reads the object's body; fields that this version does not know are passed over. Raises NoHeartbeat."""
        try:
            document = orjson.loads(body)
            fields = {name: document[name] for name in cls.__dataclass_fields__ if name in document}
            return cls(**fields)
        except (orjson.JSONDecodeError, TypeError) as error:
            raise NoHeartbeat(f"the heartbeat cannot be read: {error}") from error


def read_heartbeat(s3: "S3Client", bucket: str, key: str) -> Heartbeat:
    """The heartbeat as it is now. `s3` is boto3's client. Raises NoHeartbeat."""
    try:
        body: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except s3.exceptions.NoSuchKey as error:
        raise NoHeartbeat(f"no streamer has written s3://{bucket}/{key}") from error
    return Heartbeat.from_json(body)
