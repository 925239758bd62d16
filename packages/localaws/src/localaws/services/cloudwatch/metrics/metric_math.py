"""Metric math: arithmetic, comparisons and the common functions over series of equal period.

Source: "Use metric math". Supported: + - * / ^, comparisons, AND, OR, IF, ABS, CEIL, FLOOR, LOG, LOG10, SUM, AVG, MIN,
MAX, STDDEV, DIFF, RATE, PERIOD, FILL, METRICS. Anything else is refused by name, never computed wrongly.
"""

import math
import operator
import re
import statistics
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from localaws.services.cloudwatch.metrics.errors import not_valid

Series = dict[int, float]  # epoch milliseconds -> value
Operand = float | Series | list[Series]

_TOKEN = re.compile(
    r"\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?)|([A-Za-z_][A-Za-z0-9_]*)|(\"[^\"]*\"|==|!=|<=|>=|&&|\|\||[-+*/^()<>,]))"
)
_BINARY: list[dict[str, Callable[[float, float], float]]] = [
    {"||": lambda a, b: float(bool(a) or bool(b)), "OR": lambda a, b: float(bool(a) or bool(b))},
    {"&&": lambda a, b: float(bool(a) and bool(b)), "AND": lambda a, b: float(bool(a) and bool(b))},
    {"==": operator.eq, "!=": operator.ne, "<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt},
    {"+": operator.add, "-": operator.sub},
    {"*": operator.mul, "/": lambda a, b: a / b if b else math.nan},
    {"^": operator.pow},
]  # weakest first
_MAPPED: dict[str, Callable[[float], float]] = {
    "ABS": abs,
    "CEIL": math.ceil,
    "FLOOR": math.floor,
    "LOG": lambda value: math.log(value) if value > 0 else math.nan,
    "LOG10": lambda value: math.log10(value) if value > 0 else math.nan,
}
_FOLDED: dict[str, Callable[[Sequence[float]], float]] = {
    "SUM": math.fsum,
    "AVG": statistics.fmean,
    "MIN": min,
    "MAX": max,
    "STDDEV": statistics.pstdev,
}


def evaluate(text: str, series: Mapping[str, Series], *, period: int, times: Sequence[int]) -> Operand:
    """The value of an expression over the series of other queries, by their ids; `period` is in seconds.

    `times` are all the periods' beginnings (epoch ms), for FILL and for constants. Raises AwsError ValidationError.
    """
    parser = _Parser(text, series, period, times)
    try:
        value = parser.expression(0)
    except RecursionError as error:
        raise not_valid(f"Error in expression {text[:80]!r}...: it is nested too deep.") from error
    parser.expect_end()
    return value


def names(text: str) -> set[str]:
    """The ids (and functions) that an expression names."""
    return {token for token in _tokens(text) if token[0].isalpha() or token[0] == "_"}


class _Parser:
    """Evaluates while it parses: expressions are short and are read once."""

    def __init__(self, text: str, series: Mapping[str, Series], period: int, times: Sequence[int]) -> None:
        self._text = text
        self._series = series
        self._period = period
        self._times = times
        self._tokens = _tokens(text)

    def expect_end(self) -> None:
        if self._tokens:
            raise self._error(f"unexpected {self._tokens[0]!r}")

    def expression(self, level: int) -> Operand:
        if level == len(_BINARY):
            return self._operand()
        left = self.expression(level + 1)
        while self._tokens and self._tokens[0] in _BINARY[level]:
            combine = _BINARY[level][self._tokens.pop(0)]
            left = self._combined(combine, left, self.expression(level + 1))
        return left

    def _operand(self) -> Operand:
        if not self._tokens:
            raise self._error("it ends too early")
        head = self._tokens.pop(0)
        if head == "-":
            return self._combined(operator.mul, -1.0, self._operand())
        if head == "(":
            value = self.expression(0)
            self._expect(")")
            return value
        if head[0].isdigit():
            return float(head)
        if self._tokens and self._tokens[0] == "(":
            return self._call(head)
        if head in self._series:
            return dict(self._series[head])
        raise self._error(f"there is no query with the id {head!r}")

    def _call(self, name: str) -> Operand:
        self._expect("(")
        if name == "METRICS":
            self._expect(")")
            return [dict(series) for series in self._series.values()]
        if name == "FILL":
            return self._fill()
        arguments = [self.expression(0)]
        while self._tokens and self._tokens[0] == ",":
            self._tokens.pop(0)
            arguments.append(self.expression(0))
        self._expect(")")
        if name == "IF" and len(arguments) in (2, 3):
            return self._if(arguments)
        if len(arguments) != 1:
            raise self._error(f"{name} with {len(arguments)} arguments is not supported locally")
        return self._function(name, arguments[0])

    def _function(self, name: str, value: Operand) -> Operand:
        if name in _FOLDED:
            return _fold(_FOLDED[name], value)
        if isinstance(value, list):
            raise self._error(f"{name} takes no list of metrics")
        if name in _MAPPED:
            return _map(_MAPPED[name], value)
        if not isinstance(value, dict):
            raise self._error(f"{name} of a number is not supported locally")
        if name == "PERIOD":
            return float(self._period)
        if name in ("DIFF", "RATE"):
            divisor = 1000.0 if name == "RATE" else None
            points = sorted(value.items())
            return {
                at: (now - then) / ((at - before) / divisor if divisor else 1.0)
                for (before, then), (at, now) in pairwise(points)
            }
        raise self._error(f"the function {name} is not supported locally")

    def _fill(self) -> Operand:
        series = self.expression(0)
        self._expect(",")
        repeat = self._tokens[:1] == ["REPEAT"]
        filler: Operand = 0.0
        if repeat:
            self._tokens.pop(0)
        else:
            filler = self.expression(0)
        self._expect(")")
        if not isinstance(series, dict) or isinstance(filler, list):
            raise self._error("FILL takes one metric and a number, a metric or REPEAT")
        filled: Series = {}
        last: float | None = None
        for at in self._times:
            value = series.get(at, last if repeat else _at(filler, at))
            if value is not None:
                filled[at] = last = value
        return filled

    def _if(self, arguments: list[Operand]) -> Operand:
        if any(isinstance(argument, list) for argument in arguments):
            raise self._error("IF takes no list of metrics")
        condition, *branches = [argument for argument in arguments if not isinstance(argument, list)]
        chosen: Series = {}
        for at in self._times:
            test = _at(condition, at)
            branch = None if test is None else (branches[0] if test else (branches[1] if len(branches) > 1 else None))
            value = None if branch is None else _at(branch, at)
            if value is not None:
                chosen[at] = value
        return chosen

    def _combined(self, combine: Callable[[float, float], float], left: Operand, right: Operand) -> Operand:
        if isinstance(left, list) or isinstance(right, list):
            raise self._error("arithmetic on METRICS() is not supported locally")
        series = [operand for operand in (left, right) if isinstance(operand, dict)]
        if not series:
            return _number(combine, left, right)
        result: Series = {}
        for at in sorted(series[0]):
            operand = _at(left, at)
            other = _at(right, at)
            if operand is not None and other is not None:
                value = _number(combine, operand, other)
                if math.isfinite(value):
                    result[at] = value
        return result

    def _expect(self, token: str) -> None:
        if not self._tokens or self._tokens.pop(0) != token:
            raise self._error(f"{token!r} is missing")

    def _error(self, why: str) -> Exception:
        return not_valid(f"Error in expression {self._text!r}: {why}.")


def _tokens(text: str) -> list[str]:
    tokens = []
    at = 0
    while at < len(text.rstrip()):
        match = _TOKEN.match(text, at)
        if match is None:
            raise not_valid(f"Error in expression {text!r}: unexpected {text[at:].strip()[:1]!r}.")
        tokens.append(match.group().strip())
        at = match.end()
    return tokens


def _at(operand: float | Series, at: int) -> float | None:
    return operand.get(at) if isinstance(operand, dict) else operand


def _map(function: Callable[[float], float], value: float | Series) -> Operand:
    if not isinstance(value, dict):
        return _number(function, value)
    results = {at: _number(function, number) for at, number in value.items()}
    return {at: number for at, number in results.items() if math.isfinite(number)}


def _fold(function: Callable[[Sequence[float]], float], value: Operand) -> Operand:
    """Over a list of metrics point by point; over one metric all its points into a number."""
    if isinstance(value, list):
        times = sorted({at for series in value for at in series})
        return {at: _number(function, [series[at] for series in value if at in series]) for at in times}
    if isinstance(value, dict):
        return _number(function, list(value.values())) if value else {}
    return value


def _number(function: Callable[..., object], *arguments: object) -> float:
    """A function's result; not a number where it has none."""
    try:
        result = function(*arguments)
    except (ArithmeticError, ValueError):
        return math.nan
    return float(result) if isinstance(result, (int, float)) else math.nan
