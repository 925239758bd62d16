"""The crawler verbs of the Glue API."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from localaws.core.cloud import ACCOUNT, REGION, AwsError, Caller, Cloud
from localaws.core.paging import offset, page_at
from localaws.core.shapes import Document, Params, Response, Structure
from localaws.services.glue.crawlers.crawler import Crawler
from localaws.services.glue.crawlers.crawler_store import Register
from localaws.services.glue.crawls.s3_paths import Place
from localaws.services.glue.runner import Runner
from localaws.services.glue.schedules import Cron, Schedules

_PAGE = 100
_SUPPORTED = ("S3Targets", "CatalogTargets")


class CrawlerService:
    """Creates, describes, runs and schedules crawlers."""

    name = "glue"

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self.register = Register(cloud.state / "glue")
        self._runner = Runner(cloud, self.register)
        self.schedules = Schedules(self.register, self._runner)
        self._verbs: dict[str, Callable[[Params], Document]] = {
            "UpdateCrawler": self._update,
            "DeleteCrawler": self._delete,
            "GetCrawler": lambda params: {"Crawler": self._find(params).describe()},
            "GetCrawlers": self._get_all,
            "BatchGetCrawlers": self._get_batch,
            "ListCrawlers": self._list,
            "GetCrawlerMetrics": self._metrics,
            "ListCrawls": self._crawls,
            "StartCrawler": self._start,
            "StopCrawler": self._stop,
            "UpdateCrawlerSchedule": self._reschedule,
            "StartCrawlerSchedule": self._start_schedule,
            "StopCrawlerSchedule": self._stop_schedule,
        }
        self.actions = frozenset({"CreateCrawler", *self._verbs})

    def start(self) -> None:
        self.register.load()
        self.schedules.start()

    def stop(self) -> None:
        self.schedules.stop()
        self._runner.stop()

    def handle(self, action: str, params: Params, caller: Caller) -> Structure:
        if action == "CreateCrawler":
            return self._create(params, caller)
        return self._verbs[action](params)

    def _find(self, params: Params) -> Crawler:
        return self.register.find(params.get("Name") or params.get("CrawlerName"))

    def _create(self, params: Params, caller: Caller) -> Response:
        definition = {key: value for key, value in params.items() if key != "Tags"}
        _check(definition)
        self._runner.role(str(definition["Role"]))
        now = datetime.now(UTC).timestamp()
        self.register.add(Crawler(definition=definition, created=now, updated=now))
        if tags := params.get("Tags"):
            arn = f"arn:aws:glue:{REGION}:{ACCOUNT}:crawler/{definition['Name']}"
            self._cloud.call("glue", "TagResource", {"ResourceArn": arn, "TagsToAdd": tags}, caller)
        return {}

    def _update(self, params: Params) -> Response:
        crawler = self._find(params)
        self._require_ready(crawler)
        definition = {**crawler.definition, **params}
        _check(definition)
        with self.register.turn:
            crawler.definition, crawler.updated = definition, datetime.now(UTC).timestamp()
            crawler.version += 1
            self.register.save()
        return {}

    def _delete(self, params: Params) -> Response:
        crawler = self._find(params)
        self._require_ready(crawler)
        self.register.remove(crawler)
        return {}

    def _require_ready(self, crawler: Crawler) -> None:
        if crawler.state != "READY":
            raise AwsError("CrawlerRunningException", f"Crawler with name {crawler.name} is {crawler.state.lower()}")

    def _get_all(self, params: Params) -> Response:
        return _page("Crawlers", [crawler.describe() for crawler in self.register.all()], params)

    def _get_batch(self, params: Params) -> Response:
        names = params.get("CrawlerNames") or []
        crawlers = {crawler.name: crawler.describe() for crawler in self.register.all() if crawler.name in names}
        return {
            "Crawlers": list(crawlers.values()),
            "CrawlersNotFound": [name for name in names if name not in crawlers],
        }

    def _list(self, params: Params) -> Response:
        return _page("CrawlerNames", [crawler.name for crawler in self.register.all()], params)

    def _metrics(self, params: Params) -> Response:
        names = params.get("CrawlerNameList")
        metrics = [crawler.metrics() for crawler in self.register.all() if not names or crawler.name in names]
        return _page("CrawlerMetricsList", metrics, params)

    def _crawls(self, params: Params) -> Response:
        return _page("Crawls", self._find(params).history(), params)

    def _start(self, params: Params) -> Response:
        self._runner.start(self._find(params))
        return {}

    def _stop(self, params: Params) -> Response:
        self._runner.cancel(self._find(params))
        return {}

    def _reschedule(self, params: Params) -> Response:
        crawler = self._find(params)
        schedule = str(params.get("Schedule") or "")
        if schedule:
            Cron.of(schedule)
        with self.register.turn:
            crawler.definition = {**crawler.definition, "Schedule": schedule}
            self.register.save()
        return {}

    def _start_schedule(self, params: Params) -> Response:
        crawler = self._find(params)
        if not crawler.schedule:
            raise AwsError("NoScheduleException", f"Crawler {crawler.name} has no schedule")
        return self._set_schedule(crawler, "SCHEDULED", "SchedulerRunningException", "is already scheduled")

    def _stop_schedule(self, params: Params) -> Response:
        crawler = self._find(params)
        return self._set_schedule(crawler, "NOT_SCHEDULED", "SchedulerNotRunningException", "is not scheduled")

    def _set_schedule(self, crawler: Crawler, state: str, error: str, message: str) -> Document:
        with self.register.turn:
            if crawler.schedule_state == state or not crawler.schedule:
                raise AwsError(error, f"Crawler {crawler.name} {message}")
            crawler.schedule_state = state
            self.register.save()
        return {}


def _page(field: str, items: list[Any], params: Params) -> Response:
    """A page of a list; the token is the place of the next item."""
    start = offset(params.get("NextToken"), _refused_token)
    shown, more = page_at(items, start, int(params.get("MaxResults") or _PAGE))
    return {field: shown, **more}


def _refused_token(_token: str) -> AwsError:
    return AwsError("InvalidInputException", "the token is not one that this action gave")


def _check(definition: Params) -> None:
    """Raises AwsError InvalidInputException for what no crawl could be made of."""
    targets = definition.get("Targets") or {}
    used = [kind for kind, entries in targets.items() if entries]
    if not used:
        raise AwsError("InvalidInputException", "Crawler targets must not be empty")
    if other := [kind for kind in used if kind not in _SUPPORTED]:
        raise AwsError("InvalidInputException", f"NOT_SUPPORTED: {', '.join(other)} are not crawled by the local AWS")
    if definition.get("Schedule"):
        Cron.of(str(definition["Schedule"]))
    for target in targets.get("S3Targets") or []:
        Place.of(str(target.get("Path", "")))
    try:
        configuration = json.loads(definition.get("Configuration") or "{}")
    except ValueError as error:
        raise AwsError("InvalidInputException", f"Configuration is not valid JSON: {error}") from error
    if not isinstance(configuration, dict):
        raise AwsError("InvalidInputException", "Configuration is not a JSON object")
    if targets.get("S3Targets") and not definition.get("DatabaseName"):
        raise AwsError("InvalidInputException", "Database name must not be empty for a crawler of S3 paths")
    _check_policies(definition, targets)


def _check_policies(definition: Params, targets: Structure) -> None:
    """What a crawler does with changes fits what it crawls, and how it crawls again."""
    policy = definition.get("SchemaChangePolicy") or {}
    recrawl = (definition.get("RecrawlPolicy") or {}).get("RecrawlBehavior", "CRAWL_EVERYTHING")
    if recrawl == "CRAWL_EVENT_MODE":
        raise AwsError("InvalidInputException", "NOT_SUPPORTED: the local AWS does not crawl by events")
    if recrawl != "CRAWL_EVERYTHING" and set(policy.values()) != {"LOG"}:
        message = "can have only LOG DeleteBehavior value and LOG UpdateBehavior value"
        raise AwsError("InvalidInputException", f'The SchemaChangePolicy for "Crawl new folders only" {message}.')
    if targets.get("CatalogTargets") and policy.get("DeleteBehavior") != "LOG":
        raise AwsError("InvalidInputException", "The DeleteBehavior of a crawler of catalogue tables must be LOG")
