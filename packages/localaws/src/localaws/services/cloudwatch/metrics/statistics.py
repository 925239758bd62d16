"""Statistics over the samples of a period.

Source: "CloudWatch statistics definitions". Percentiles need the values: from statistic sets they are known only where
all values are equal.
"""

import re
from collections.abc import Sequence

from localaws.services.cloudwatch.metrics.errors import invalid
from localaws.services.cloudwatch.metrics.samples import Sample

SIMPLE = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")
_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?|100)")


def check(statistic: str) -> None:
    """Raises AwsError InvalidParameterValue for a statistic that is unknown or not supported."""
    if statistic not in SIMPLE and not _PERCENTILE.fullmatch(statistic):
        raise invalid(f"The statistic {statistic} is not supported locally; {', '.join(SIMPLE)} and pNN are.")


def compute(statistic: str, samples: Sequence[Sample]) -> float | None:
    """The statistic of at least one sample; None where it is not known."""
    count = sum(sample.number for sample in samples)
    if statistic == "SampleCount":
        return count
    if statistic == "Sum":
        return sum(sample.total for sample in samples)
    if statistic == "Average":
        return sum(sample.total for sample in samples) / count if count else None
    if statistic == "Minimum":
        return min(sample.low for sample in samples)
    if statistic == "Maximum":
        return max(sample.high for sample in samples)
    return _percentile(float(statistic[1:]), samples)


def by_period(samples: Sequence[Sample], *, start: int, period: int) -> dict[int, list[Sample]]:
    """Samples by the beginning of their period; all in epoch milliseconds, periods counted from `start`."""
    periods: dict[int, list[Sample]] = {}
    for sample in samples:
        periods.setdefault(start + (sample.at - start) // period * period, []).append(sample)
    return periods


def _percentile(rank: float, samples: Sequence[Sample]) -> float | None:
    """Nearest rank over all values."""
    spread: list[tuple[float, float]] = []
    for sample in samples:
        if sample.spread is not None:
            spread.extend(sample.spread)
        elif sample.low == sample.high:
            spread.append((sample.low, sample.number))
        else:
            return None
    threshold = rank / 100 * sum(count for _, count in spread)
    passed = 0.0
    for value, count in sorted(spread):
        passed += count
        if passed >= threshold:
            return value
    return None
