"""Skewness and kurtosis, by the running moments that Trino keeps, so that the last digits are its own."""

import math
from collections.abc import Iterable


def _moments(values: Iterable[float]) -> tuple[int, float, float, float]:
    """How many, and the sums of the second, third and fourth powers of their distances from the mean."""
    count = 0
    mean = second = third = fourth = 0.0
    for value in values:
        before = count
        count += 1
        delta = value - mean
        share = delta / count
        square = share * share
        growth = delta * share * before
        mean += share
        fourth += growth * square * (count * count - 3 * count + 3) + 6 * square * second - 4 * share * third
        third += growth * share * (count - 2) - 3 * share * second
        second += growth
    return count, second, third, fourth


def skewness(values: list[float]) -> float | None:
    count, second, third, _ = _moments(values)
    if count < 3:
        return None
    return math.sqrt(count) * third / second**1.5 if second else math.nan


def kurtosis(values: list[float]) -> float | None:
    count, second, _, fourth = _moments(values)
    if count < 4:
        return None
    if not second:
        return math.nan
    size = float(count)
    scale = (size - 1) * size * (size + 1) / ((size - 2) * (size - 3))
    return scale * fourth / (second * second) - 3 * ((size - 1) * (size - 1)) / ((size - 2) * (size - 3))
