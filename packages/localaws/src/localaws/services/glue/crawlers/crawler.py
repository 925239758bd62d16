"""A crawler: its definition, its state and the crawls that it has made, in the shapes of the Glue API."""

import json
import statistics
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

LOG_GROUP = "/aws-glue/crawlers"
_DEFAULTS: dict[str, Any] = {
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
    """`given` is what CreateCrawler and UpdateCrawler said. `cancelled` is set while a crawl is to end early."""

    given: dict[str, Any]
    created: float
    updated: float
    version: int = 1
    schedule_state: str = "SCHEDULED"
    crawls: list[Crawl] = field(default_factory=list)
    state: str = "READY"
    cancelled: threading.Event = field(default_factory=threading.Event)

    @property
    def name(self) -> str:
        return str(self.given["Name"])

    @property
    def policy(self) -> Mapping[str, str]:
        """UpdateBehavior and DeleteBehavior."""
        return {**_DEFAULTS["SchemaChangePolicy"], **(self.given.get("SchemaChangePolicy") or {})}

    @property
    def recrawl(self) -> str:
        return str((self.given.get("RecrawlPolicy") or _DEFAULTS["RecrawlPolicy"])["RecrawlBehavior"])

    @property
    def configuration(self) -> dict[str, Any]:
        """The Configuration's JSON ("Setting crawler configuration options", Glue developer guide)."""
        found: dict[str, Any] = json.loads(self.given.get("Configuration") or "{}")
        return found

    @property
    def schedule(self) -> str:
        return str(self.given.get("Schedule") or "")

    def told(self) -> dict[str, Any]:
        """The API's `Crawler`."""
        told = {**_DEFAULTS, **{key: value for key, value in self.given.items() if key in _DEFINED}}
        told["Targets"] = {kind: [] for kind in _TARGETS} | dict(self.given.get("Targets") or {})
        told |= {
            "State": self.state,
            "CrawlElapsedTime": 0,
            "CreationTime": moment(self.created),
            "LastUpdated": moment(self.updated),
            "Version": self.version,
        }
        if self.state != "READY" and self.crawls:
            told["CrawlElapsedTime"] = int((datetime.now(UTC).timestamp() - self.crawls[-1].started) * 1000)
        if self.schedule:
            told["Schedule"] = {"ScheduleExpression": self.schedule, "State": self.schedule_state}
        ended = [crawl for crawl in self.crawls if crawl.ended is not None]
        if ended:
            told["LastCrawl"] = self._last(ended[-1])
        return told

    def _last(self, crawl: Crawl) -> dict[str, Any]:
        return {
            "Status": crawl.status,
            "LogGroup": LOG_GROUP,
            "LogStream": self.name,
            "MessagePrefix": crawl.id,
            "StartTime": moment(crawl.started),
            **({"ErrorMessage": crawl.error} if crawl.error else {}),
        }

    def metrics(self) -> dict[str, Any]:
        """The API's `CrawlerMetrics`."""
        took = [crawl.ended - crawl.started for crawl in self.crawls if crawl.ended is not None]
        tables = [crawl.summary.get("TABLE", {}) for crawl in self.crawls]
        return {
            "CrawlerName": self.name,
            "TimeLeftSeconds": 0.0,
            "StillEstimating": self.state == "RUNNING",
            "LastRuntimeSeconds": took[-1] if took else 0.0,
            "MedianRuntimeSeconds": statistics.median(took) if took else 0.0,
            "TablesCreated": sum(one.get("ADD", 0) for one in tables),
            "TablesUpdated": sum(one.get("UPDATE", 0) for one in tables),
            "TablesDeleted": sum(one.get("DELETE", 0) for one in tables),
        }

    def history(self) -> list[dict[str, Any]]:
        """The API's `CrawlerHistory` entries, newest first."""
        states = {"SUCCEEDED": "COMPLETED", "CANCELLED": "STOPPED"}
        return [
            {
                "CrawlId": crawl.id,
                "State": states.get(crawl.status, crawl.status),
                "StartTime": moment(crawl.started),
                **({"EndTime": moment(crawl.ended)} if crawl.ended is not None else {}),
                "Summary": json.dumps(crawl.summary),
                **({"ErrorMessage": crawl.error} if crawl.error else {}),
                "LogGroup": LOG_GROUP,
                "LogStream": self.name,
                "MessagePrefix": crawl.id,
            }
            for crawl in reversed(self.crawls)
        ]

    def kept(self) -> dict[str, Any]:
        """What is written to disk."""
        return {
            "given": self.given,
            "created": self.created,
            "updated": self.updated,
            "version": self.version,
            "schedule_state": self.schedule_state,
            "crawls": [asdict(crawl) for crawl in self.crawls],
        }

    @classmethod
    def restored(cls, kept: Mapping[str, Any]) -> "Crawler":
        """What was written to disk; a crawl that a crash cut off has failed."""
        made = cls(**{**kept, "crawls": [Crawl(**one) for one in kept["crawls"]]})
        for crawl in made.crawls:
            if crawl.ended is None:
                crawl.status, crawl.error, crawl.ended = "FAILED", "Internal Service Exception", crawl.started
        return made


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
