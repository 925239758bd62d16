"""The calls about alarms: made, described, switched, deleted, tagged.

Source of the rules: "PutMetricAlarm", "PutCompositeAlarm", "DescribeAlarms" (API reference).
"""

import time
from collections.abc import Callable, Sequence

from localaws.core.cloud import ACCOUNT, REGION
from localaws.core.paging import offset, page_at
from localaws.core.shapes import Document, Params, Response, Structure
from localaws.core.times import utc
from localaws.services.cloudwatch.alarms import composite_rules
from localaws.services.cloudwatch.alarms.alarm_store import Alarm, AlarmStore
from localaws.services.cloudwatch.alarms.transitions import Transitions
from localaws.services.cloudwatch.metrics import statistics
from localaws.services.cloudwatch.metrics.errors import conflicting, invalid, invalid_token, missing, not_valid, unknown
from localaws.services.cloudwatch.metrics.queries import checked_period
from localaws.services.cloudwatch.metrics.samples import dimensions

COMPARISONS = (
    "GreaterThanOrEqualToThreshold",
    "GreaterThanThreshold",
    "LessThanThreshold",
    "LessThanOrEqualToThreshold",
)
STATES = ("OK", "ALARM", "INSUFFICIENT_DATA")
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")
_TIMES = ("AlarmConfigurationUpdatedTimestamp", "StateUpdatedTimestamp", "StateTransitionedTimestamp")
_OURS = ("Kind", "Tags")
_PAGE = 100


class AlarmActions:
    """Answers the calls about alarms. `changed` is told when there is something to evaluate anew."""

    def __init__(self, store: AlarmStore, transitions: Transitions, changed: Callable[[str | None], None]) -> None:
        self._store = store
        self._transitions = transitions
        self._changed = changed
        self.actions: dict[str, Callable[[Structure], Document]] = {
            "PutMetricAlarm": self.put_metric_alarm,
            "PutCompositeAlarm": self.put_composite_alarm,
            "DescribeAlarms": self.describe,
            "DescribeAlarmsForMetric": self.describe_for_metric,
            "DescribeAlarmHistory": self.describe_history,
            "SetAlarmState": self.set_state,
            "EnableAlarmActions": lambda params: self._switch(params, enabled=True),
            "DisableAlarmActions": lambda params: self._switch(params, enabled=False),
            "DeleteAlarms": self.delete,
            "TagResource": self.tag,
            "UntagResource": self.untag,
            "ListTagsForResource": self.list_tags,
        }

    def put_metric_alarm(self, params: Params) -> Response:
        _check_metric_alarm(params)
        defaults = {"TreatMissingData": params.get("TreatMissingData") or "missing"}
        return self._put("MetricAlarm", {**params, **defaults})

    def put_composite_alarm(self, params: Params) -> Response:
        names = composite_rules.names(composite_rules.parse(params["AlarmRule"]))
        if absent := sorted(name for name in names if self._store.get(_plain(name)) is None):
            raise invalid(f"Could not save the composite alarm as alarms {absent} in the alarm rule do not exist")
        return self._put("CompositeAlarm", params)

    def describe(self, params: Params) -> Response:
        kinds = params.get("AlarmTypes") or ["MetricAlarm"]
        names = params.get("AlarmNames")
        alarms = [
            alarm
            for alarm in self._store.all()
            if alarm["Kind"] in kinds
            and (not names or alarm["AlarmName"] in names)
            and alarm["AlarmName"].startswith(params.get("AlarmNamePrefix") or "")
            and params.get("StateValue") in (None, alarm["StateValue"])
            and alarm["AlarmName"] > (params.get("NextToken") or "")
            and any(action.startswith(params.get("ActionPrefix") or "") for action in _all_actions(alarm) or [""])
        ]
        size = params.get("MaxRecords") or _PAGE
        result: Document = {
            f"{kind}s": [_shown(alarm) for alarm in alarms[:size] if alarm["Kind"] == kind]
            for kind in ("MetricAlarm", "CompositeAlarm")
        }
        if len(alarms) > size:
            result["NextToken"] = alarms[size - 1]["AlarmName"]
        return result

    def describe_for_metric(self, params: Params) -> Response:
        members = [name for name in ("Statistic", "ExtendedStatistic", "Period", "Unit") if params.get(name)]
        return {
            "MetricAlarms": [
                _shown(alarm)
                for alarm in self._store.all()
                if (alarm.get("Namespace"), alarm.get("MetricName")) == (params["Namespace"], params["MetricName"])
                and dimensions(alarm.get("Dimensions")) == dimensions(params.get("Dimensions"))
                and all(alarm.get(name) == params[name] for name in members)
            ]
        }

    def describe_history(self, params: Params) -> Response:
        start = params["StartDate"].timestamp() if params.get("StartDate") else 0.0
        end = params["EndDate"].timestamp() if params.get("EndDate") else float("inf")
        kinds = params.get("AlarmTypes") or ["MetricAlarm"]
        items = [
            item
            for item in self._store.history()
            if params.get("AlarmName") in (None, item.alarm)
            and params.get("HistoryItemType") in (None, item.type)
            and item.kind in kinds
            and start <= item.at <= end
        ]
        if params.get("ScanBy") == "TimestampAscending":
            items.reverse()
        start_at = offset(params.get("NextToken"), invalid_token)
        shown, more = page_at(items, start_at, int(params.get("MaxRecords") or _PAGE))
        return {
            "AlarmHistoryItems": [
                {
                    "AlarmName": item.alarm,
                    "AlarmType": item.kind,
                    "Timestamp": utc(item.at),
                    "HistoryItemType": item.type,
                    "HistorySummary": item.summary,
                    "HistoryData": item.data,
                }
                for item in shown
            ],
            **more,
        }

    def set_state(self, params: Params) -> Response:
        if self._store.get(params["AlarmName"]) is None:
            raise unknown(f"Alarm {params['AlarmName']} not found.")
        if params["StateValue"] not in STATES:
            raise invalid(f"StateValue must be one of {', '.join(STATES)}.")
        data = params.get("StateReasonData") or "{}"
        self._transitions.change(params["AlarmName"], params["StateValue"], params["StateReason"], data)
        self._changed(None)
        return {}

    def delete(self, params: Params) -> Response:
        """DeleteAlarms passes incorrect names over, "the alarms you specify with correct names are still
        deleted". So a second deletion succeeds; Terraform's provider would not take ResourceNotFound for one.
        """
        names = set(params["AlarmNames"])
        with self._store.lock:
            self._require_deletable(names)
            for name in names:
                self._store.delete(name)
        return {}

    def _require_deletable(self, names: set[str]) -> None:
        """Raise AwsError ValidationError for two composite alarms, or an alarm that a composite one depends on."""
        composites = [alarm for alarm in self._store.all() if alarm["Kind"] == "CompositeAlarm"]
        if sum(alarm["AlarmName"] in names for alarm in composites) > 1:
            raise not_valid("Only one composite alarm can be deleted at a time.")
        for alarm in composites:
            rule = composite_rules.parse(alarm["AlarmRule"])
            needed = names & {_plain(name) for name in composite_rules.names(rule)}
            if needed and alarm["AlarmName"] not in names:
                raise not_valid(f"Cannot delete {min(needed)} as there are composite alarm(s) depending on it.")

    def tag(self, params: Params) -> Response:
        added = {tag["Key"]: tag["Value"] for tag in params["Tags"]}
        return self._retag(params, lambda tags: {**tags, **added})

    def untag(self, params: Params) -> Response:
        gone = set(params["TagKeys"])
        return self._retag(params, lambda tags: {key: value for key, value in tags.items() if key not in gone})

    def list_tags(self, params: Params) -> Response:
        tags = self._by_arn(params["ResourceARN"])["Tags"]
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def _put(self, kind: str, params: Params) -> Response:
        now = time.time()
        with self._store.lock:
            old = self._store.get(params["AlarmName"])
            state = {name: value for name, value in (old or {}).items() if name.startswith("State")} or {
                "StateValue": "INSUFFICIENT_DATA",
                "StateReason": "Unchecked: Initial alarm creation",
                "StateUpdatedTimestamp": now,
                "StateTransitionedTimestamp": now,
            }
            tags = old["Tags"] if old else {tag["Key"]: tag["Value"] for tag in params.get("Tags") or []}
            alarm: Alarm = {
                "ActionsEnabled": True,
                "OKActions": [],
                "AlarmActions": [],
                "InsufficientDataActions": [],
                **{name: value for name, value in params.items() if value is not None and name != "Tags"},
                **state,
                "AlarmArn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{params['AlarmName']}",
                "AlarmConfigurationUpdatedTimestamp": now,
                "Kind": kind,
                "Tags": tags,
            }
            if kind == "MetricAlarm" and "Metrics" not in alarm:
                alarm.setdefault("Dimensions", [])
            self._store.save(alarm)
            verb = "updated" if old else "created"
            self._store.record(alarm, "ConfigurationUpdate", f'Alarm "{alarm["AlarmName"]}" {verb}', {"type": verb})
        self._changed(params["AlarmName"])
        return {}

    def _switch(self, params: Params, *, enabled: bool) -> Response:
        for name in params["AlarmNames"]:
            with self._store.lock:
                alarm = self._store.get(name)
                if alarm is not None:
                    self._store.save({**alarm, "ActionsEnabled": enabled})
        return {}

    def _retag(self, params: Params, change: Callable[[dict[str, str]], dict[str, str]]) -> Response:
        with self._store.lock:
            alarm = self._by_arn(params["ResourceARN"])
            self._store.save({**alarm, "Tags": change(alarm["Tags"])})
        return {}

    def _by_arn(self, arn: str) -> Alarm:
        alarm = self._store.get(_plain(arn))
        if alarm is None or alarm["AlarmArn"] != arn:
            raise unknown(f"Resource {arn} not found.")
        return alarm


def _check_metric_alarm(params: Params) -> None:
    for name in ("EvaluationPeriods", "ComparisonOperator", "Threshold"):
        if params.get(name) is None:
            raise missing(f"The parameter {name} is required.")
    if params["ComparisonOperator"] not in COMPARISONS or params.get("ThresholdMetricId"):
        raise invalid("Anomaly detection is not supported locally; ComparisonOperator compares with a Threshold.")
    periods = params["EvaluationPeriods"]
    needed = params.get("DatapointsToAlarm")
    if periods < 1 or (needed is not None and not 1 <= needed <= periods):
        raise invalid("EvaluationPeriods must be at least 1, and DatapointsToAlarm between 1 and EvaluationPeriods.")
    if params.get("TreatMissingData") not in (None, *TREATMENTS):
        raise invalid(f"TreatMissingData must be one of {', '.join(TREATMENTS)}.")
    if params.get("Metrics"):
        _check_queries(params)
    else:
        _check_single_metric(params)


def _check_queries(params: Params) -> None:
    if params.get("MetricName"):
        raise conflicting("Metrics and MetricName are mutually exclusive.")
    if sum(query.get("ReturnData", True) for query in params["Metrics"]) != 1:
        raise invalid("Exactly one element of Metrics must have ReturnData true.")


def _check_single_metric(params: Params) -> None:
    for name in ("MetricName", "Namespace", "Period"):
        if params.get(name) is None:
            raise missing(f"The parameter {name} is required.")
    checked_period(params["Period"])
    chosen = [params[name] for name in ("Statistic", "ExtendedStatistic") if params.get(name)]
    if len(chosen) != 1:
        raise missing("Exactly one of Statistic and ExtendedStatistic must be specified.")
    statistics.check(chosen[0])


def _shown(alarm: Alarm) -> Document:
    return {name: utc(value) if name in _TIMES else value for name, value in alarm.items() if name not in _OURS}


def _all_actions(alarm: Alarm) -> Sequence[str]:
    return [*alarm["OKActions"], *alarm["AlarmActions"], *alarm["InsufficientDataActions"]]


def _plain(name: str) -> str:
    """An alarm's name, out of its ARN where that is given."""
    return name.split(":alarm:", 1)[1] if name.startswith("arn:") and ":alarm:" in name else name
