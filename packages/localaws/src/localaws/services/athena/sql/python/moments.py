"""Skewness, kurtosis and regression, by the running moments that Trino keeps, so that the last digits are its own."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


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


@dataclass(slots=True)
class _Pairs:
    """Means of pairs, and the sums of the products of their distances from them."""

    count: int = 0
    mean_x: float = 0.0
    mean_y: float = 0.0
    both: float = 0.0
    square_x: float = 0.0
    square_y: float = 0.0

    @classmethod
    def of(cls, dependent: Sequence[float | None], independent: Sequence[float | None]) -> "_Pairs":
        pairs = cls()
        for y, x in zip(dependent, independent, strict=True):
            if x is not None and y is not None:
                pairs.add(x, y)
        return pairs

    def add(self, x: float, y: float) -> None:
        self.count += 1
        before_x = self.mean_x
        before_y = self.mean_y
        self.mean_x += (x - before_x) / self.count
        self.mean_y += (y - before_y) / self.count
        self.both += (x - before_x) * (y - self.mean_y)
        self.square_x += (x - before_x) * (x - self.mean_x)
        self.square_y += (y - before_y) * (y - self.mean_y)


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def correlation(dependent: Sequence[float | None], independent: Sequence[float | None]) -> float | None:
    pairs = _Pairs.of(dependent, independent)
    if not pairs.square_x or not pairs.square_y or not math.isfinite(pairs.square_x + pairs.square_y):
        return None
    return _number(pairs.both / math.sqrt(pairs.square_x) / math.sqrt(pairs.square_y))


def slope(dependent: Sequence[float | None], independent: Sequence[float | None]) -> float | None:
    pairs = _Pairs.of(dependent, independent)
    return _number(pairs.both / pairs.square_x) if pairs.square_x else None


def intercept(dependent: Sequence[float | None], independent: Sequence[float | None]) -> float | None:
    pairs = _Pairs.of(dependent, independent)
    return _number(pairs.mean_y - pairs.both / pairs.square_x * pairs.mean_x) if pairs.square_x else None
