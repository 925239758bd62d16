"""Reading metrics: GetMetricStatistics, GetMetricData, ListMetrics.

Source of the bounds and of the rounding: these actions' pages in the API reference.
"""

import math
import time
from collections.abc import Mapping, Sequence

from localaws.core.paging import offset, page_at
from localaws.core.shapes import Document, Params, Response, Structure
from localaws.core.times import utc
from localaws.services.cloudwatch.metrics import metric_math, statistics
from localaws.services.cloudwatch.metrics.errors import conflicting, invalid, invalid_token, missing, not_valid
from localaws.services.cloudwatch.metrics.metric_math import Series
from localaws.services.cloudwatch.metrics.samples import MetricKey, SampleStore, dimensions

MAX_DATAPOINTS = 1440  # GetMetricStatistics
MAX_QUERIES = 500  # GetMetricData
MAX_SERIES = 100_800  # GetMetricData: datapoints of an answer
PAGE = 500  # ListMetrics
LISTED_FOR = 14 * 86400  # seconds after its last sample for which ListMetrics shows a metric
_FINE_PERIODS = (1, 5, 10, 20, 30)


def get_metric_statistics(store: SampleStore, params: Params) -> Response:
    period = checked_period(params["Period"])
    requested = [*(params.get("Statistics") or []), *(params.get("ExtendedStatistics") or [])]
    if not requested:
        raise missing("Must specify either Statistics or ExtendedStatistics.")
    for statistic in requested:
        statistics.check(statistic)
    start, end = _range(params, period)
    if (end - start) // (period * 1000) > MAX_DATAPOINTS:
        raise conflicting(
            f"You have requested more than {MAX_DATAPOINTS} datapoints. You may reduce the datapoints requested by "
            "increasing Period, or decreasing the time range."
        )
    key = MetricKey(params["Namespace"], params["MetricName"], dimensions(params.get("Dimensions")))
    samples = store.read(key, start, end, params.get("Unit"))
    points = []
    for at, held in statistics.by_period(samples, start=start, period=period * 1000).items():
        point: Document = {"Timestamp": utc(at / 1000), "Unit": held[0].unit}
        values = {name: statistics.compute(name, held) for name in requested}
        present = {name: value for name, value in values.items() if value is not None}
        point.update({name: value for name, value in present.items() if name in statistics.SIMPLE})
        if extended := {name: value for name, value in present.items() if name not in statistics.SIMPLE}:
            point["ExtendedStatistics"] = extended
        points.append(point)
    return {"Label": params["MetricName"], "Datapoints": points}


def get_metric_data(store: SampleStore, params: Params) -> Response:
    queries = params["MetricDataQueries"]
    if len(queries) > MAX_QUERIES:
        raise not_valid(f"The collection MetricDataQueries must not have a size greater than {MAX_QUERIES}.")
    start, end = (int(params[name].timestamp() * 1000) for name in ("StartTime", "EndTime"))
    if start >= end:
        raise not_valid("The parameter StartTime must be less than the parameter EndTime.")
    series = evaluate_queries(store, queries, start=start, end=end)
    newest_first = params.get("ScanBy", "TimestampDescending") != "TimestampAscending"
    results = []
    for query in queries:
        if query.get("ReturnData", True):
            points = sorted(series[query["Id"]].items(), reverse=newest_first)
            results.append(
                {
                    "Id": query["Id"],
                    "Label": query.get("Label") or _label(query),
                    "Timestamps": [utc(at / 1000) for at, _ in points],
                    "Values": [value for _, value in points],
                    "StatusCode": "Complete",
                }
            )
    return {"MetricDataResults": results, "Messages": []}


def evaluate_queries(
    store: SampleStore, queries: Sequence[Structure], *, start: int, end: int, scale: float = 1.0
) -> dict[str, Series]:
    """Every query's series by its id, from `start` to `end` (epoch ms). `scale` divides the periods."""
    results: dict[str, Series] = {}
    periods: list[int] = []
    _check_queries(queries)
    for query in queries:
        if (stat := query.get("MetricStat")) is not None:
            period = max(1, round(checked_period(stat["Period"]) * 1000 / scale))
            periods.append(period)
            results[query["Id"]] = _metric_series(store, stat, start, end, period)
    waiting = [query for query in queries if query.get("MetricStat") is None]
    while waiting:
        # Expressions may use each other's ids, in any order.
        ready = [query for query in waiting if not _unknown_ids(query, waiting)]
        if not ready:
            raise not_valid("The expressions refer to each other in a circle.")
        for query in ready:
            waiting.remove(query)
            results[query["Id"]] = _expression_series(query, results, periods, start, end)
    return results


def list_metrics(store: SampleStore, params: Params) -> Response:
    recent = 3 * 3600 if params.get("RecentlyActive") == "PT3H" else LISTED_FOR
    start_at = offset(params.get("NextToken"), invalid_token)
    filters = params.get("Dimensions") or []
    metrics = [
        key
        for key in store.metrics(int((time.time() - recent) * 1000))
        if params.get("Namespace") in (None, key.namespace)
        and params.get("MetricName") in (None, key.name)
        and all(_has(key, condition) for condition in filters)
    ]
    shown, more = page_at(metrics, start_at, PAGE)
    return {
        "Metrics": [
            {
                "Namespace": key.namespace,
                "MetricName": key.name,
                "Dimensions": [{"Name": name, "Value": value} for name, value in key.dimensions],
            }
            for key in shown
        ],
        **more,
    }


def checked_period(period: int) -> int:
    """Raises AwsError InvalidParameterValue unless CloudWatch knows periods of that many seconds."""
    if period not in _FINE_PERIODS and (period < 60 or period % 60):
        raise invalid(f"The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60; it is {period}.")
    return period


def _check_queries(queries: Sequence[Structure]) -> None:
    names = [query["Id"] for query in queries]
    if len(names) != len(set(names)):
        raise not_valid("The values for parameter id in MetricDataQueries are not unique.")
    for query in queries:
        if (query.get("MetricStat") is None) == (query.get("Expression") is None):
            raise not_valid(f"The query {query['Id']!r} must have either a MetricStat or an Expression.")


def _metric_series(store: SampleStore, stat: Structure, start: int, end: int, period: int) -> Series:
    statistics.check(stat["Stat"])
    metric = stat["Metric"]
    key = MetricKey(metric["Namespace"], metric["MetricName"], dimensions(metric.get("Dimensions")))
    start = start // period * period
    held = statistics.by_period(store.read(key, start, end, stat.get("Unit")), start=start, period=period)
    values = {at: statistics.compute(stat["Stat"], samples) for at, samples in held.items()}
    return {at: value for at, value in values.items() if value is not None}


def _expression_series(
    query: Structure, operands: Mapping[str, Series], periods: Sequence[int], start: int, end: int
) -> Series:
    period = max(periods, default=checked_period(query.get("Period") or 60) * 1000)
    if (end - start) // period > MAX_SERIES:
        raise not_valid(f"The query {query['Id']!r} asks for more than {MAX_SERIES} datapoints.")
    times = range(start // period * period, end, period)
    value = metric_math.evaluate(query["Expression"], operands, period=period // 1000, times=times)
    if isinstance(value, list):
        raise not_valid(f"The expression {query['Expression']!r} gives several metrics; that is not supported locally.")
    series = value if isinstance(value, dict) else dict.fromkeys(times, value)
    return {at: point for at, point in series.items() if math.isfinite(point)}


def _unknown_ids(query: Structure, waiting: Sequence[Structure]) -> bool:
    others = {other["Id"] for other in waiting if other is not query}
    return bool(metric_math.names(query["Expression"]) & others)


def _range(params: Params, period: int) -> tuple[int, int]:
    """Start, rounded down as AWS does, and end of a query (epoch ms)."""
    start = params["StartTime"].timestamp()
    end = params["EndTime"].timestamp()
    if start >= end:
        raise invalid("The parameter StartTime must be less than the parameter EndTime.")
    age = time.time() - start
    grain = period if period < 60 else 60 if age < 15 * 86400 else 300 if age < 63 * 86400 else 3600
    return int(start // grain * grain * 1000), int(end * 1000)


def _has(key: MetricKey, condition: Structure) -> bool:
    return any(name == condition["Name"] and condition.get("Value") in (None, value) for name, value in key.dimensions)


def _label(query: Structure) -> str:
    stat = query.get("MetricStat")
    return str(stat["Metric"]["MetricName"]) if stat else str(query["Id"])
