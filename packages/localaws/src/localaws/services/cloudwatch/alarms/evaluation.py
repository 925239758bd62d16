"""What an alarm's data say: the state it should be in, and why.

Source: "Configuring how CloudWatch alarms treat missing data". More periods than asked for are looked at, the newest
existing points count, and only where there are too few does the treatment of missing data decide.
"""

import operator
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from localaws.services.cloudwatch.alarms.alarm_store import Alarm
from localaws.services.cloudwatch.metrics.queries import evaluate_queries
from localaws.services.cloudwatch.metrics.samples import SampleStore

EXTRA_PERIODS = 2  # looked at beyond EvaluationPeriods, so that one late point is not missing
_COMPARE: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}


class Point(NamedTuple):
    """A period's value; `at` is in epoch milliseconds."""

    at: int
    value: float


class Verdict(NamedTuple):
    """The state that follows from the data, and the reason in AWS's words."""

    state: str
    reason: str
    points: list[Point]


def period_of(alarm: Alarm) -> int:
    """The alarm's period in seconds; of several the longest."""
    if alarm.get("Metrics"):
        stats = [query["MetricStat"]["Period"] for query in alarm["Metrics"] if query.get("MetricStat")]
        stats += [query["Period"] for query in alarm["Metrics"] if query.get("Period")]
        return int(max(stats, default=60))
    return int(alarm["Period"])


def points(store: SampleStore, alarm: Alarm, speed: float) -> list[Point]:
    """The alarm's data, oldest first. Periods run `speed` times faster and end now."""
    period = max(1, round(period_of(alarm) * 1000 / speed))
    end = int(time.time() * 1000) + 1
    start = end - period * (alarm["EvaluationPeriods"] + EXTRA_PERIODS)
    queries = alarm.get("Metrics") or [_query(alarm)]
    returned_id = next(query["Id"] for query in queries if query.get("ReturnData", True))
    series = evaluate_queries(store, queries, start=start, end=end, scale=speed)[returned_id]
    return [Point(at, value) for at, value in sorted(series.items())]


def judge(alarm: Alarm, existing: Sequence[Point]) -> Verdict | None:
    """The verdict on an alarm's data; None where it is to keep its state."""
    periods = alarm["EvaluationPeriods"]
    needed = alarm.get("DatapointsToAlarm") or periods
    compare, _ = _COMPARE[alarm["ComparisonOperator"]]
    newest = list(existing[-periods:])
    breaching = [point for point in newest if compare(point.value, alarm["Threshold"])]
    absent = periods - len(newest)
    treatment = alarm["TreatMissingData"]
    if not newest and treatment == "missing":
        reason = f"Insufficient Data: {periods} datapoint{'s were' if periods > 1 else ' was'} unknown."
        return Verdict("INSUFFICIENT_DATA", reason, newest)
    bad = len(breaching) + (absent if treatment == "breaching" else 0)
    if treatment == "missing":
        needed = min(needed, len(newest))
    if bad >= needed:
        return Verdict("ALARM", _reason(alarm, newest, breaching, absent, alarming=True), newest)
    if treatment == "ignore" and bad + absent >= needed:
        return None
    good = [point for point in newest if point not in breaching]
    return Verdict("OK", _reason(alarm, newest, good, absent, alarming=False), newest)


def _query(alarm: Alarm) -> dict[str, object]:
    metric = {"Namespace": alarm["Namespace"], "MetricName": alarm["MetricName"], "Dimensions": alarm["Dimensions"]}
    stat = {
        "Metric": metric,
        "Period": alarm["Period"],
        "Stat": alarm.get("Statistic") or alarm["ExtendedStatistic"],
        "Unit": alarm.get("Unit"),
    }
    return {"Id": "m1", "MetricStat": stat}


def _reason(alarm: Alarm, newest: Sequence[Point], deciding: Sequence[Point], absent: int, *, alarming: bool) -> str:
    _, words = _COMPARE[alarm["ComparisonOperator"]]
    periods = alarm["EvaluationPeriods"]
    needed = alarm.get("DatapointsToAlarm") or periods
    relation = f"{'' if alarming else 'not '}{words} the threshold ({float(alarm['Threshold'])})"
    if not newest:
        return (
            f"Threshold Crossed: no datapoints were received for {periods} period{'s' if periods > 1 else ''} and "
            f"{absent} missing datapoint{'s were' if absent > 1 else ' was'} treated as "
            f"[{'Breaching' if alarming else 'NonBreaching'}]."
        )
    listed = ", ".join(f"{point.value} ({_stamp(point.at)})" for point in reversed(deciding or newest))
    count = len(deciding or newest)
    change = "OK -> ALARM" if alarming else "ALARM -> OK"
    least = needed if alarming else periods - needed + 1
    return (
        f"Threshold Crossed: {count} out of the last {periods} datapoint{'s' if periods > 1 else ''} [{listed}] "
        f"{'were' if count > 1 else 'was'} {relation} (minimum {least} datapoint{'s' if least > 1 else ''} "
        f"for {change} transition)."
    )


def _stamp(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%d/%m/%y %H:%M:%S")
