"""What Postrank is called on AWS: `resources.json`, the one description of names that Terraform reads too."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

from postrank.documents import Document

MAIN = "main"  # the collector whose names have no suffix: the only one of an environment with a single source


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where one delivery stream writes: S3 prefixes with Firehose's `!{...}` expressions."""

    prefix: str
    error_prefix: str


@dataclass(frozen=True, slots=True)
class StreamerNames:
    """The streamer's instance, the service on it, and the SSM documents: for the service, its release, a backfill."""

    name: str
    service: str
    document: str
    release_document: str
    backfill_document: str


@dataclass(frozen=True, slots=True)
class SparkNames:
    """The EMR Serverless application of the job that counts windows, its bucket (checkpoints, logs), its role, and the
    prefix of its windows in the lake bucket.
    """

    application: str
    bucket: str
    role: str
    windows: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """All names in one environment ("local", "dev", "prod") of one account. Mappings are keyed by purpose, not by
    name.
    """

    environment: str
    account: str
    region: str
    streams: Mapping[str, str]
    delivery_streams: Mapping[str, str]
    delivery: Mapping[str, Delivery]
    buffer_mib: int
    buffer_seconds: int
    buckets: Mapping[str, str]
    keys: Mapping[str, str]
    database: str
    crawler: str
    crawler_table_prefix: str
    workgroup: str
    scan_limit_bytes: int  # of one query; Athena cancels what passes it
    retention_days: Mapping[str, int]  # by zone; lifecycle rules and maintain_lake share it
    streamer: StreamerNames
    spark: SparkNames
    topic: str
    warehouse_queue: str  # of SQS; S3 tells it of exports and trends
    secrets: Mapping[str, str]  # entries of Secrets Manager; those below `-connections/` are Airflow's connections
    metrics_namespace: str
    roles: Mapping[str, str]
    collector: str = MAIN  # whose heartbeat, marker, host and service these are

    @classmethod
    def of(cls, environment: str, account: str, region: str | None = None) -> "Resources":
        """The names of one environment; `region` is the description's own unless given."""
        filled = _fill(_description(), {"{environment}": environment, "{account}": account})
        delivery = filled["delivery"]
        return cls(
            environment=environment,
            account=account,
            region=region or filled["region"],
            streams=filled["streams"],
            delivery_streams=filled["delivery_streams"],
            delivery={kind: Delivery(**delivery[kind]) for kind in filled["streams"]},
            buffer_mib=delivery["buffer_mib"],
            buffer_seconds=delivery["buffer_seconds"],
            buckets=filled["buckets"],
            keys=filled["keys"],
            database=filled["database"],
            crawler=filled["crawler"],
            crawler_table_prefix=filled["crawler_table_prefix"],
            workgroup=filled["workgroup"],
            scan_limit_bytes=filled["scan_limit_bytes"],
            retention_days=filled["retention_days"],
            streamer=StreamerNames(**filled["streamer"]),
            spark=SparkNames(**{name: value for name, value in filled["spark"].items() if name != "comment"}),
            topic=filled["topic"],
            warehouse_queue=filled["warehouse_queue"],
            secrets=filled["secrets"],
            metrics_namespace=filled["metrics_namespace"],
            roles=filled["roles"],
        )

    def of_collector(self, name: str) -> "Resources":
        """The same environment, with the heartbeat, marker, host and service of one collector."""
        if name == self.collector:
            return self
        if self.collector != MAIN or name == MAIN:
            return Resources.of(self.environment, self.account, self.region).of_collector(name)
        own = _fill(_description()["collector"], {"{environment}": self.environment, "{collector}": name})
        keys = {key: own[key] for key in ("heartbeat", "deploy_marker", "supervision")}
        return replace(
            self,
            collector=name,
            keys={**self.keys, **keys},
            streamer=replace(self.streamer, name=own["name"], service=own["service"]),
        )


@cache
def _description() -> Document:
    text = files("postrank.aws").joinpath("resources.json").read_text(encoding="utf-8")
    description: Document = json.loads(text)
    return description


def _fill(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _fill(item, names) for key, item in value.items()}
    if isinstance(value, str):
        for placeholder, name in names.items():
            value = value.replace(placeholder, name)
    return value
