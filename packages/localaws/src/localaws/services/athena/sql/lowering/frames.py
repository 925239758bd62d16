"""Window frames."""

from typing import TYPE_CHECKING

from sqlglot import exp

from localaws.services.athena.sql.failures import QueryFailed
from localaws.services.athena.sql.trino.types import INTEGERS, NUMBERS
from localaws.services.athena.sql.values.arithmetic import mismatch

if TYPE_CHECKING:
    from localaws.services.athena.sql.lowering.aggregation import Aggregated


def frame(expressions: "Aggregated", spec: exp.WindowSpec, order: exp.Expr | None, place: tuple[int, int]) -> str:
    """The frame in the engine's words. Raises QueryFailed for bounds that do not fit the order."""
    kind = str(spec.args["kind"])
    bounds = [_bound(expressions, spec, side, order, place) for side in ("start", "end")]
    return f"{kind.lower()} between {bounds[0]} and {bounds[1]}"


def _bound(
    expressions: "Aggregated", spec: exp.WindowSpec, side: str, order: exp.Expr | None, place: tuple[int, int]
) -> str:
    size = spec.args[side]
    toward = str(spec.args.get(f"{side}_side") or "").lower()
    if isinstance(size, str):
        return f"{size.lower()} {toward}".strip()
    value = expressions.lower(size)
    if spec.args["kind"] != "RANGE":
        if value.type.name not in INTEGERS:
            raise mismatch(place, f"Window frame {side} value type must be INTEGER or BIGINT (actual {value.type})")
        return f"{value.sql} {toward}"
    if order is None or len(order.expressions) != 1:
        raise QueryFailed(
            "MISSING_ORDER_BY", f"line {place[0]}:{place[1]}: Window frame of type RANGE requires one ORDER BY item"
        )
    key = expressions.lower(order.expressions[0].this).type
    if value.type.name == "interval day to second" and key.name in ("date", "timestamp", "timestamp with time zone"):
        return f"to_microseconds({value.sql} * 1000) {toward}"
    if value.type.name == "interval year to month" and key.name in ("date", "timestamp", "timestamp with time zone"):
        return f"to_months({value.sql}) {toward}"
    if value.type.name in NUMBERS and key.name in NUMBERS:
        return f"{value.sql} {toward}"
    raise mismatch(
        place, f"Window frame of type RANGE PRECEDING or FOLLOWING: {value.type} does not fit sort key {key}"
    )
