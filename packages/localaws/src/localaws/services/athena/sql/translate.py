"""A query tree in Athena's SQL made into one that means the same to DuckDB.

Only kinds of nodes that were considered pass; any other is refused as NOT_SUPPORTED rather than sent on in hope.
"""

from sqlglot import exp

from localaws.services.athena.sql import datetimes, functions
from localaws.services.athena.sql.casts import cast
from localaws.services.athena.sql.failures import QueryFailed, not_supported
from localaws.services.athena.sql.trino_functions import AGGREGATES
from localaws.services.athena.sql.unnesting import unnest

_PLAIN: tuple[type[exp.Expr], ...] = (
    exp.Select, exp.Subquery, exp.With, exp.CTE, exp.From, exp.Join, exp.Where, exp.Group, exp.Having, exp.Order,
    exp.Ordered, exp.Limit, exp.Offset, exp.Fetch, exp.Union, exp.Intersect, exp.Except, exp.Distinct, exp.Values,
    exp.Tuple, exp.Table, exp.TableAlias, exp.Alias, exp.Column, exp.Identifier, exp.Star, exp.Literal, exp.Null,
    exp.Boolean, exp.Paren, exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE,
    exp.NullSafeEQ, exp.NullSafeNEQ, exp.Is, exp.In, exp.Between, exp.Like, exp.Escape, exp.Exists, exp.Any, exp.All,
    exp.Add, exp.Sub, exp.Mul, exp.Neg, exp.DPipe, exp.Case, exp.If, exp.Window, exp.WindowSpec, exp.Filter,
    exp.WithinGroup, exp.Array, exp.Lambda, exp.Dot, exp.Interval, exp.Var, exp.GroupingSets, exp.Cube, exp.Rollup,
    exp.HexString, exp.UnicodeString, exp.Anonymous, exp.Lateral, exp.DataType, exp.DataTypeParam, exp.ColumnDef,
    exp.Cast, exp.TryCast, exp.Div, exp.Mod, exp.Bracket, exp.Extract, exp.StrPosition, exp.Substring, exp.Trim,
    exp.AtTimeZone, exp.CurrentTimestamp, exp.CurrentDate, exp.Localtimestamp, exp.IgnoreNulls, exp.RespectNulls,
    exp.Unnest,
)  # fmt: skip
_LOCAL_READERS = {
    "date_format", "format_datetime", "date", "year", "month", "day", "hour", "minute", "second", "day_of_week",
    "day_of_year", "dow", "doy", "week", "quarter", "day_of_month", "week_of_year",
}  # fmt: skip
_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.In)
_BY_TYPE = ("date_trunc", "date_add")
_UNTYPED = AGGREGATES | {
    "list",
    "arg_max_null",
    "arg_min_null",
    "string_agg",
}  # their names before and after translation
_UTC = ("utc", "z", "etc/utc", "gmt", "+00:00")


def translate(tree: exp.Expr) -> exp.Expr:
    """The tree in DuckDB's terms; the given one is used up. Raises QueryFailed for what has no sure counterpart."""
    for node in tree.walk():
        if type(node) not in _PLAIN:
            raise not_supported(f"{type(node).__name__.upper()} in a query")
        if isinstance(node, exp.Join) and str(node.args.get("method") or "").upper() == "NATURAL":
            raise not_supported("A natural join")
    for node in list(tree.walk(bfs=False))[::-1]:
        replacement = _node(node)
        if replacement is not node:
            if node is tree:
                tree = replacement
            else:
                node.replace(replacement)
    return tree


def _node(node: exp.Expr) -> exp.Expr:  # noqa: C901, PLR0911, PLR0912 - one line a kind of node reads best
    match node:
        case exp.Literal() if node.is_string and isinstance(node.parent, _COMPARISONS):
            # The engine would give a bare literal the other side's type; Trino compares text with text only.
            return exp.Cast(this=node.copy(), to=exp.DataType.build("varchar"))
        case exp.EQ() | exp.NEQ() | exp.In():
            return _equality(node)
        case exp.Anonymous():
            return _function(node)
        case exp.Cast():  # TryCast too
            return _cast(node)
        case exp.Div():
            return functions.call("a_div", node.this, node.expression)
        case exp.Mod():
            return functions.call("a_mod", node.this, node.expression)
        case exp.Add() | exp.Sub() if isinstance(node.expression, exp.Interval) or isinstance(node.this, exp.Interval):
            return _interval(node)
        case exp.Add() | exp.Sub() if _is_bare(node.this) and _is_bare(node.expression):
            return functions.call("a_sum" if isinstance(node, exp.Add) else "a_sub", node.this, node.expression)
        case exp.Bracket():
            return _item(node)
        case exp.AtTimeZone():
            return _at_zone(node, node.this, node.args["zone"])
        case exp.Extract():
            return datetimes.field(node.this.name, node.expression)
        case exp.CurrentTimestamp():
            return functions.call("a_now")
        case exp.Localtimestamp():
            return functions.call("a_local", functions.call("a_now"))
        case exp.CurrentDate():
            return functions.call("a_date", functions.call("a_now"))
        case exp.StrPosition():
            return functions.call("strpos", node.this, node.args["substr"])
        case exp.Substring():
            bounds = [part for part in (node.args.get("start"), node.args.get("length")) if part is not None]
            return functions.fill_call("substr", [node.this, *bounds])
        case exp.Trim():
            return _trim(node)
        case exp.IgnoreNulls():
            return _ignore_nulls(node)
        case exp.Unnest():
            return unnest(node)
    return node


def _equality(node: exp.Expr) -> exp.Expr:
    """An equality with a text literal, beside it an ordering that never runs but is typed.

    The engine casts text for `=`, not for `>`: so it refuses to compare a number with text, as Trino does.
    """
    left = node.this
    rights = node.expressions if isinstance(node, exp.In) else [node.expression]
    if not rights or not _is_text(rights[0]) or _is_text(left) or isinstance(left, exp.Literal | exp.Tuple):
        return node
    if left.find(exp.Query):
        return node
    typed = exp.GT(this=exp.paren(left.copy()), expression=rights[0].copy())
    return exp.paren(exp.Or(this=node.copy(), expression=exp.paren(exp.And(this=exp.false(), expression=typed))))


def _is_text(node: exp.Expr) -> bool:
    return isinstance(node, exp.Cast) and isinstance(node.this, exp.Literal) and node.this.is_string


def _function(node: exp.Anonymous) -> exp.Expr:
    name = str(node.this).lower()
    if name == "from_iso8601_timestamp":
        # The value keeps its text's zone, which an instant cannot: fine where only the instant is asked for.
        return functions.call("a_iso" if _wants_instant(node) else "a_iso_utc", *node.expressions)
    if name in ("at_timezone", "with_timezone"):
        if name == "with_timezone":
            raise not_supported("with_timezone")
        return _at_zone(node, node.expressions[0], node.expressions[1])
    line = node.meta.get("line", 1)
    end = node.meta.get("col", len(name))
    if name in _BY_TYPE:
        _check_typed(node, name)
    built = functions.translate(node, int(line), max(int(end) - len(name) + 1, 1))
    modified = isinstance(node.parent, exp.Filter | exp.Window | exp.WithinGroup | exp.IgnoreNulls)
    if modified and not isinstance(built, exp.Anonymous):
        raise not_supported(f"{name} with FILTER or OVER")
    return built


def _check_typed(node: exp.Expr, name: str) -> None:
    """Refuse an aggregate or window where the engine picks a macro by type: it does so before those have one."""
    for part in node.find_all(exp.Anonymous, exp.Window):
        if isinstance(part, exp.Window) or str(part.this).lower() in _UNTYPED:
            raise not_supported(f"{name} of an aggregate in the same SELECT (use a subquery)")


def _wants_instant(node: exp.Expr) -> bool:
    parent = node.parent
    while isinstance(parent, exp.Paren):
        parent = parent.parent
    if isinstance(parent, exp.Anonymous):
        return str(parent.this).lower() in ("to_unixtime", "at_timezone")
    return isinstance(parent, exp.AtTimeZone | exp.EQ | exp.NEQ | exp.LT | exp.LTE | exp.GT | exp.GTE | exp.Between)


def _cast(node: exp.Cast) -> exp.Expr:
    value = cast(node.this, node.to)
    return functions.call("try", value) if isinstance(node, exp.TryCast) else value


def _is_bare(node: exp.Expr) -> bool:
    """An operand that may be a date: no arithmetic and no aggregate. Its type is asked, so it is written twice."""
    if isinstance(node, exp.Column | exp.Cast | exp.Literal):
        return True
    if not isinstance(node, exp.Anonymous) or str(node.this) in ("a_sum", "a_sub", "a_div", "a_mod"):
        return False
    names = {str(call.this).lower() for call in node.find_all(exp.Anonymous)}
    return not names & _UNTYPED and not node.find(exp.Window, exp.Query)


def _interval(node: exp.Expr) -> exp.Expr:
    name = "a_plus" if isinstance(node, exp.Add) else "a_minus"
    _check_typed(node, "arithmetic with an interval")
    left = node.this
    right = node.expression
    if isinstance(left, exp.Interval) and not isinstance(right, exp.Interval):
        left, right = right, left
    if str(right.args.get("unit") or "").upper().rstrip("S") in ("HOUR", "MINUTE", "SECOND"):
        left = functions.call("a_timed", left)
    return functions.call(name, left, right)


def _item(node: exp.Bracket) -> exp.Expr:
    if len(node.expressions) != 1:
        raise QueryFailed("SYNTAX_ERROR", "line 1:1: a subscript is one expression")
    index = node.expressions[0]
    if isinstance(index, exp.Literal) and index.is_string:
        return functions.fill("_0[a_key(_0, _1)]", node.this, index)
    return functions.fill("_0[a_item(_0, _1)]", node.this, index)


def _at_zone(node: exp.Expr, value: exp.Expr, zone: exp.Expr) -> exp.Expr:
    if not isinstance(zone, exp.Literal) or not zone.is_string:
        raise not_supported("A time zone that is no literal")
    if zone.name.lower() in _UTC:
        return functions.call("a_instant", value)
    parent = node.parent
    reads_local = isinstance(parent, exp.Cast) and not parent.to.is_type("timestamptz")
    if isinstance(parent, exp.Anonymous):
        reads_local = str(parent.this).lower() in _LOCAL_READERS
    if not (reads_local or isinstance(parent, exp.Extract)):
        raise not_supported("A timestamp that keeps a zone other than UTC, outside a cast or a field")
    return functions.call("timezone", zone, functions.call("a_instant", value))


def _trim(node: exp.Trim) -> exp.Expr:
    name = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(str(node.args.get("position") or "").upper(), "trim")
    if node.expression is None:
        return functions.fill_call(name, [node.this])
    return functions.call(name, node.this, node.expression)


def _ignore_nulls(node: exp.IgnoreNulls) -> exp.Expr:
    inner = node.this
    if not isinstance(inner, exp.Anonymous) or not inner.expressions:
        raise not_supported("IGNORE NULLS here")
    arguments = list(inner.expressions)
    return functions.call(inner.this, *arguments[:-1], exp.IgnoreNulls(this=arguments[-1]))
