"""A crawler: its definition, its state and the crawls that it has made, in the shapes of the Glue API."""

import json
import statistics
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

from localaws.core.shapes import Document, Structure
from localaws.core.times import utc

LOG_GROUP = "/aws-glue/crawlers"
_DEFAULTS: Document = {
    "Classifiers": [],
    "RecrawlPolicy": {"RecrawlBehavior": "CRAWL_EVERYTHING"},
    "SchemaChangePolicy": {"UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": "DEPRECATE_IN_DATABASE"},
    "LineageConfiguration": {"CrawlerLineageSettings": "DISABLE"},
    "LakeFormationConfiguration": {"UseLakeFormationCredentials": False, "AccountId": ""},
}
_TARGETS = (
    "S3Targets",
    "JdbcTargets",
    "MongoDBTargets",
    "DynamoDBTargets",
    "CatalogTargets",
    "DeltaTargets",
    "IcebergTargets",
    "HudiTargets",
)
_DEFINED = {
    "Name", "Role", "DatabaseName", "Description", "Classifiers", "TablePrefix", "SchemaChangePolicy", "RecrawlPolicy",
    "LineageConfiguration", "LakeFormationConfiguration", "Configuration", "CrawlerSecurityConfiguration",
}  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Crawl:
    """One run. Times are seconds since 1970; `status` is RUNNING, SUCCEEDED, FAILED or CANCELLED."""

    id: str
    started: float
    ended: float | None = None
    status: str = "RUNNING"
    error: str = ""
    summary: dict[str, dict[str, int]] = field(default_factory=dict)

    def count(self, kind: str, act: str, how_many: int = 1) -> None:
        """Note that tables or partitions ("TABLE", "PARTITION") were ADDed, UPDATEd or DELETEd."""
        acts = self.summary.setdefault(kind, {})
        acts[act] = acts.get(act, 0) + how_many


@dataclass(slots=True, kw_only=True)
class Crawler:
    """`definition` holds the parameters of CreateCrawler and UpdateCrawler; `cancelled` is set to end a crawl early."""

    definition: Document
    created: float
    updated: float
    version: int = 1
    schedule_state: str = "SCHEDULED"
    crawls: list[Crawl] = field(default_factory=list)
    state: str = "READY"
    cancelled: threading.Event = field(default_factory=threading.Event)

    @property
    def name(self) -> str:
        return str(self.definition["Name"])

    @property
    def policy(self) -> Mapping[str, str]:
        """UpdateBehavior and DeleteBehavior."""
        return {**_DEFAULTS["SchemaChangePolicy"], **(self.definition.get("SchemaChangePolicy") or {})}

    @property
    def recrawl(self) -> str:
        return str((self.definition.get("RecrawlPolicy") or _DEFAULTS["RecrawlPolicy"])["RecrawlBehavior"])

    @property
    def configuration(self) -> Document:
        """The Configuration's JSON ("Setting crawler configuration options", Glue developer guide)."""
        configuration: Document = json.loads(self.definition.get("Configuration") or "{}")
        return configuration

    @property
    def schedule(self) -> str:
        return str(self.definition.get("Schedule") or "")

    def describe(self) -> Document:
        """The API's `Crawler`."""
        description = {**_DEFAULTS, **{key: value for key, value in self.definition.items() if key in _DEFINED}}
        description["Targets"] = {kind: [] for kind in _TARGETS} | dict(self.definition.get("Targets") or {})
        description |= {
            "State": self.state,
            "CrawlElapsedTime": 0,
            "CreationTime": utc(self.created),
            "LastUpdated": utc(self.updated),
            "Version": self.version,
        }
        if self.state != "READY" and self.crawls:
            description["CrawlElapsedTime"] = int((datetime.now(UTC).timestamp() - self.crawls[-1].started) * 1000)
        if self.schedule:
            description["Schedule"] = {"ScheduleExpression": self.schedule, "State": self.schedule_state}
        ended = [crawl for crawl in self.crawls if crawl.ended is not None]
        if ended:
            description["LastCrawl"] = self._last(ended[-1])
        return description

    def _last(self, crawl: Crawl) -> Document:
        return {
            "Status": crawl.status,
            "LogGroup": LOG_GROUP,
            "LogStream": self.name,
            "MessagePrefix": crawl.id,
            "StartTime": utc(crawl.started),
            **({"ErrorMessage": crawl.error} if crawl.error else {}),
        }

    def metrics(self) -> Document:
        """The API's `CrawlerMetrics`."""
        seconds = [crawl.ended - crawl.started for crawl in self.crawls if crawl.ended is not None]
        tables = [crawl.summary.get("TABLE", {}) for crawl in self.crawls]
        return {
            "CrawlerName": self.name,
            "TimeLeftSeconds": 0.0,
            "StillEstimating": self.state == "RUNNING",
            "LastRuntimeSeconds": seconds[-1] if seconds else 0.0,
            "MedianRuntimeSeconds": statistics.median(seconds) if seconds else 0.0,
            "TablesCreated": sum(table.get("ADD", 0) for table in tables),
            "TablesUpdated": sum(table.get("UPDATE", 0) for table in tables),
            "TablesDeleted": sum(table.get("DELETE", 0) for table in tables),
        }

    def history(self) -> list[Document]:
        """The API's `CrawlerHistory` entries, newest first."""
        states = {"SUCCEEDED": "COMPLETED", "CANCELLED": "STOPPED"}
        return [
            {
                "CrawlId": crawl.id,
                "State": states.get(crawl.status, crawl.status),
                "StartTime": utc(crawl.started),
                **({"EndTime": utc(crawl.ended)} if crawl.ended is not None else {}),
                "Summary": json.dumps(crawl.summary),
                **({"ErrorMessage": crawl.error} if crawl.error else {}),
                "LogGroup": LOG_GROUP,
                "LogStream": self.name,
                "MessagePrefix": crawl.id,
            }
            for crawl in reversed(self.crawls)
        ]

    def to_state(self) -> Document:
        """What is written to disk."""
        return {
            "definition": self.definition,
            "created": self.created,
            "updated": self.updated,
            "version": self.version,
            "schedule_state": self.schedule_state,
            "crawls": [asdict(crawl) for crawl in self.crawls],
        }

    @classmethod
    def restored(cls, state: Structure) -> "Crawler":
        """What was written to disk; a crawl that a crash cut off has failed."""
        fields = {**state, "crawls": [Crawl(**crawl) for crawl in state["crawls"]]}
        if "given" in fields:  # the key that 0.1.0 wrote
            fields["definition"] = fields.pop("given")
        crawler = cls(**fields)
        for crawl in crawler.crawls:
            if crawl.ended is None:
                crawl.status = "FAILED"
                crawl.error = "Internal Service Exception"
                crawl.ended = crawl.started
        return crawler
