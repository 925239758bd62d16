"""PutMetricData: data checked and turned into samples.

Source of the bounds: "PutMetricData" (API reference).
"""

import math
import time
from collections.abc import Mapping

from localaws.core.cloud import Caller
from localaws.core.shapes import Params, Response, Structure
from localaws.services.cloudwatch.metrics.errors import conflicting, invalid, missing
from localaws.services.cloudwatch.metrics.samples import MetricKey, Sample, SampleStore, dimensions

MAX_DATA = 1000
MAX_VALUES = 150
MAX_DIMENSIONS = 30
OLDEST = 14 * 86400
NEWEST = 2 * 3600  # seconds back and ahead that a timestamp may lie


def put_metric_data(store: SampleStore, params: Params, caller: Caller) -> Response:
    """Keep all data of the call, or refuse all with AwsError."""
    namespace = params["Namespace"]
    if namespace.startswith("AWS/") and caller.source == "external":
        raise invalid(f"The value {namespace} for parameter Namespace is invalid: AWS/ is reserved.")
    data = params.get("MetricData") or []
    if not data:
        raise missing("The parameter MetricData is required.")
    if len(data) > MAX_DATA:
        raise invalid(f"The collection MetricData must not have a size greater than {MAX_DATA}.")
    store.add([_sample(namespace, datum, f"MetricData.member.{number}") for number, datum in enumerate(data, start=1)])
    return {}


def _sample(namespace: str, datum: Structure, path: str) -> tuple[MetricKey, Sample]:
    sample_dimensions = dimensions(datum.get("Dimensions"))
    if len(sample_dimensions) > MAX_DIMENSIONS:
        raise invalid(f"{path}.Dimensions must not have a size greater than {MAX_DIMENSIONS}.")
    at = _moment(datum, path)
    unit = datum.get("Unit") or "None"
    forms = [name for name in ("Value", "StatisticValues", "Values") if datum.get(name) is not None]
    if not forms:
        raise missing(f"At least one of the parameters {path}.Value, Values and StatisticValues must be specified.")
    if len(forms) > 1:
        raise conflicting(f"The parameters {', '.join(forms)} of {path} are mutually exclusive.")
    if forms == ["StatisticValues"]:
        return MetricKey(namespace, datum["MetricName"], sample_dimensions), _from_set(
            datum["StatisticValues"], at, unit, path
        )
    values = [datum["Value"]] if forms == ["Value"] else list(datum["Values"])
    counts = list(datum.get("Counts") or [1.0] * len(values))
    if len(values) != len(counts) or not 1 <= len(values) <= MAX_VALUES:
        raise invalid(f"{path}: Values and Counts must be of one length, between 1 and {MAX_VALUES}.")
    if not all(math.isfinite(number) for number in [*values, *counts]):
        raise invalid(f"{path} has a value that is not a finite number.")
    spread = tuple((float(value), float(count)) for value, count in zip(values, counts, strict=True))
    return MetricKey(namespace, datum["MetricName"], sample_dimensions), Sample(
        at=at,
        unit=unit,
        number=sum(count for _, count in spread),
        total=sum(value * count for value, count in spread),
        low=min(value for value, _ in spread),
        high=max(value for value, _ in spread),
        spread=spread,
    )


def _from_set(statistics: Mapping[str, float], at: int, unit: str, path: str) -> Sample:
    number, total, low, high = (float(statistics[name]) for name in ("SampleCount", "Sum", "Minimum", "Maximum"))
    if not all(map(math.isfinite, (number, total, low, high))) or number < 0 or low > high:
        raise invalid(f"{path}.StatisticValues is not a set of statistics.")
    return Sample(at, unit, number, total, low, high, None)


def _moment(datum: Structure, path: str) -> int:
    """Epoch milliseconds of a datum."""
    now = time.time()
    moment = datum["Timestamp"].timestamp() if datum.get("Timestamp") is not None else now
    if not now - OLDEST <= moment <= now + NEWEST:
        raise invalid(f"{path}.Timestamp lies more than two weeks back or two hours ahead.")
    return int(moment * 1000)
