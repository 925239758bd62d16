"""The functions that the local engine answers, each with the DuckDB expression that means the same.

It is an allow-list: a name that is absent is refused, as NOT_SUPPORTED when Trino has it, else as FUNCTION_NOT_FOUND.
"""

import re
from collections.abc import Callable
from functools import lru_cache

from sqlglot import exp, parse_one

from localaws.services.athena.sql import datetimes
from localaws.services.athena.sql.failures import QueryFailed, not_supported
from localaws.services.athena.sql.trino_functions import TRINO_FUNCTIONS

Builder = Callable[[list[exp.Expr]], exp.Expr]

# The same name, arguments and meaning.
_SAME = """
abs ceil ceiling floor sign sqrt cbrt exp ln log2 log10 pi degrees radians
sin cos tan asin acos atan atan2 sinh cosh tanh
lower length reverse strpos starts_with chr translate concat_ws lpad rpad
count sum min max stddev stddev_pop stddev_samp variance var_pop var_samp corr covar_pop covar_samp
regr_slope regr_intercept bool_and bool_or count_if
row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value
coalesce nullif flatten map_keys map_values map_concat map_from_entries json_array_length
random grouping
""".split()

_RENAMED = {
    "arbitrary": "any_value",
    "any_value": "any_value",
    "every": "bool_and",
    "array_agg": "list",
    "pow": "power",
    "power": "power",
    "is_nan": "isnan",
    "is_infinite": "isinf",
    "is_finite": "isfinite",
    "substring": "substr",
    "split": "string_split",
    "to_utf8": "encode",
    "from_utf8": "decode",
    "to_hex": "hex",
    "from_hex": "unhex",
    "to_base64": "to_base64",
    "from_base64": "from_base64",
    "codepoint": "unicode",
    "levenshtein_distance": "levenshtein",
    "bitwise_and_agg": "bit_and",
    "bitwise_or_agg": "bit_or",
    "geometric_mean": "geomean",
    "array_join": "array_to_string",
    "array_min": "list_min",
    "transform": "list_transform",
    "filter": "list_filter",
    "zip": "list_zip",
    "sequence": "generate_series",
    "rand": "random",
    "mod": "a_mod",
    "contains": "a_contains",
    "array_distinct": "a_array_distinct",
    "to_unixtime": "a_to_unixtime",
    "from_iso8601_date": "a_iso_date",
    "to_iso8601": "a_to_iso8601",
    "date": "a_date",
    "split_part": "a_split_part",
    "regexp_like": "regexp_matches",
    "regexp_split": "regexp_split_to_array",
    "year_of_week": "isoyear",
    "yow": "isoyear",
}


def call(name: str, *args: exp.Expr) -> exp.Expr:
    """A call of a DuckDB function or macro."""
    return exp.Anonymous(this=name, expressions=list(args))


def text(value: str) -> exp.Expr:
    return exp.Literal.string(value)


@lru_cache(maxsize=256)
def _template(sql: str) -> exp.Expr:
    from localaws.services.athena.sql.dialect import EngineSql

    return parse_one(sql, dialect=EngineSql)


def fill(sql: str, *args: exp.Expr) -> exp.Expr:
    """A DuckDB expression in which the names _0, _1, ... stand for the arguments."""
    tree: exp.Expr = exp.Paren(this=_template(sql).copy())
    for column in list(tree.find_all(exp.Column)):
        name = column.name
        if not column.table and name[:1] == "_" and name[1:].isdigit():
            column.replace(args[int(name[1:])].copy())
    return tree


def _filled(sql: str, least: int, most: int | None = None) -> Builder:
    def build(args: list[exp.Expr]) -> exp.Expr:
        if not least <= len(args) <= (most or least):
            raise QueryFailed("FUNCTION_NOT_FOUND", f"Unexpected parameters ({len(args)}) for function")
        return fill(sql, *args)

    return build


def _null_if_any_null(name: str) -> Builder:
    def build(args: list[exp.Expr]) -> exp.Expr:
        missing = exp.or_(*(exp.Is(this=exp.paren(arg.copy()), expression=exp.Null()) for arg in args))
        return exp.Case(ifs=[exp.If(this=missing, true=exp.Null())], default=call(name, *args))

    return build


def _concat(args: list[exp.Expr]) -> exp.Expr:
    joined: exp.Expr = exp.paren(args[0])
    for arg in args[1:]:
        joined = exp.DPipe(this=joined, expression=exp.paren(arg))
    return exp.paren(joined)


def _by(name: str) -> Builder:
    def build(args: list[exp.Expr]) -> exp.Expr:
        if len(args) != 2:
            raise not_supported(f"{name} with a number of values")
        return call(name, *args)

    return build


def _avg(args: list[exp.Expr]) -> exp.Expr:
    """DuckDB's average of decimals is a double, Trino's a decimal: refused once the type is known."""
    if args and isinstance(args[0], exp.Distinct):
        averaged = [call("a_averaged", argument) for argument in args[0].expressions]
        return call("avg", exp.Distinct(expressions=averaged))
    return call("avg", *(call("a_averaged", argument) for argument in args))


def _json(name: str) -> Builder:
    def build(args: list[exp.Expr]) -> exp.Expr:
        if len(args) == 2 and isinstance(args[1], exp.Literal):
            return call(name, args[0], text(re.sub(r'\["([^"]*)"\]', r'."\1"', args[1].name)))
        return call(name, *args)

    return build


def _from_unixtime(args: list[exp.Expr]) -> exp.Expr:
    if len(args) != 1:
        raise not_supported("from_unixtime with a zone")
    return call("a_from_unixtime", *args)


def _trimmed(name: str) -> Builder:
    def build(args: list[exp.Expr]) -> exp.Expr:
        return call(name, *args) if len(args) == 2 else fill(f"{name}(_0, e' \\t\\n\\r\\x0b\\x0c')", *args)

    return build


def _approx_distinct(args: list[exp.Expr]) -> exp.Expr:
    # Exact, which lies within the standard error that the function promises.
    return call("count", exp.Distinct(expressions=args[:1]))


def _reduce(args: list[exp.Expr]) -> exp.Expr:
    if len(args) != 4 or not isinstance(args[2], exp.Lambda) or not isinstance(args[3], exp.Lambda):
        raise not_supported("reduce in this form")
    final = args[3]
    state = final.expressions[0].name
    folded = call("list_reduce", args[0], args[2], args[1])
    body: exp.Expr = final.this.copy()
    if isinstance(body, exp.Column | exp.Identifier) and body.name == state:
        return folded
    for name in list(body.find_all(exp.Column, exp.Identifier)):
        if name.name == state and not isinstance(name.parent, exp.Column):
            name.replace(folded.copy())
    return body


def _cardinality(args: list[exp.Expr]) -> exp.Expr:
    """Of an array; of a map where the call that makes it shows that it is one."""
    call = args[0].find(exp.Anonymous) if isinstance(args[0], exp.Anonymous | exp.Paren) else None
    is_map = call is not None and str(call.this).lower() in _MAP_MAKERS
    return fill("len(map_keys(_0))" if is_map else "len(_0)", args[0])


def _regexp_extract(args: list[exp.Expr]) -> exp.Expr:
    pattern = args[1].name if len(args) > 2 and isinstance(args[1], exp.Literal) else ""
    if re.search(r"\)(\?|\*|\{0)|^[^()]*\||\|[^()]*$", pattern):
        raise not_supported("regexp_extract of a group that may be left out")
    return call("a_regexp_extract", *args, *([exp.Literal.number(0)] if len(args) == 2 else []))


def _regexp_replace(args: list[exp.Expr]) -> exp.Expr:
    replacement = args[2] if len(args) > 2 else text("")
    if not isinstance(replacement, exp.Literal):
        raise not_supported("regexp_replace with a replacement that is no literal")
    return call("regexp_replace", args[0], args[1], text(_groups(replacement.name)), text("g"))


def _groups(replacement: str) -> str:
    out = ""
    at = 0
    while at < len(replacement):
        sign = replacement[at]
        after = replacement[at + 1 : at + 2]
        if sign == "$" and after.isdigit():
            out = out + "\\" + after
            at = at + 2
        elif sign == "\\" and after:
            out = out + after
            at = at + 2
        elif sign == "$":
            raise not_supported("regexp_replace with a named group")
        else:
            out = out + sign
            at = at + 1
    return out


_MAP_MAKERS = ("map", "map_from_entries", "map_concat", "histogram")
_BUILT: dict[str, Builder] = {
    "concat": _concat,
    "greatest": _null_if_any_null("greatest"),
    "least": _null_if_any_null("least"),
    "max_by": _by("arg_max_null"),
    "min_by": _by("arg_min_null"),
    "approx_distinct": _approx_distinct,
    "approx_percentile": _filled("quantile_disc(_0, _1)", 2),
    "cardinality": _cardinality,
    "avg": _avg,
    "element_at": _filled("a_element(_0, _1)", 2),
    "from_unixtime": _from_unixtime,
    "json_extract": _json("a_json_extract"),
    "json_extract_scalar": _json("a_json_scalar"),
    # The sharp s has no capital in Trino.
    "upper": _filled("replace(upper(replace(_0, 'ß', '\ue000')), '\ue000', 'ß')", 1),
    "slice": _filled("list_slice(_0, _1, _1 + _2 - 1)", 3),
    "array_sort": _filled("list_sort(_0, 'ASC', 'NULLS LAST')", 1),
    "array_max": _filled("case when len(_0) > list_count(_0) then null else list_max(_0) end", 1),
    "array_min": _filled("case when len(_0) > list_count(_0) then null else list_min(_0) end", 1),
    "array_position": _filled(
        "coalesce(list_position(_0, _1), case when _0 is null or _1 is null then null else 0 end)", 2
    ),
    "array_remove": _filled("list_filter(_0, lambda item: item <> _1 or item is null)", 2),
    "repeat": _filled("list_transform(range(_1), lambda i: _0)", 2),
    "any_match": _filled("a_any_match(_0, list_transform(_0, _1))", 2),
    "all_match": _filled("a_all_match(_0, list_transform(_0, _1))", 2),
    "map_entries": _filled("list_transform(map_entries(_0), lambda e: row(e.key, e.value))", 1),
    "replace": lambda args: call("replace", *args, *([text("")] if len(args) == 2 else [])),
    "round": lambda args: call("a_round" if len(args) == 2 else "round", *args),
    "url_encode": _filled("replace(replace(replace(url_encode(_0), '%20', '+'), '%2A', '*'), '~', '%7E')", 1),
    "url_decode": _filled("url_decode(replace(_0, '+', ' '))", 1),
    "map_agg": _filled("map_from_entries(list({'k': _0, 'v': _1}) filter (where _0 is not null))", 2),
    "histogram": _filled("histogram(_0)", 1),
    "map": lambda args: call("map", *args),
    "reduce": _reduce,
    "regexp_extract": _regexp_extract,
    "regexp_replace": _regexp_replace,
    "regexp_count": _filled("len(regexp_extract_all(_0, _1))", 2),
    "regexp_extract_all": _filled("regexp_extract_all(_0, _1)", 2),
    "trim": _trimmed("trim"),
    "ltrim": _trimmed("ltrim"),
    "rtrim": _trimmed("rtrim"),
    "substr": lambda args: fill(
        "case when _1 = 0 then '' else substr(" + ", ".join(f"_{i}" for i in range(len(args))) + ") end", *args
    ),
    "md5": _filled("unhex(md5(_0))", 1),
    "sha1": _filled("unhex(sha1(_0))", 1),
    "sha256": _filled("unhex(sha256(_0))", 1),
    "log": _filled("log(_0, _1)", 2),
    "infinity": _filled("'infinity'::DOUBLE", 0),
    "nan": _filled("'nan'::DOUBLE", 0),
    "json_parse": _filled("cast(_0 as json)", 1),
    "json_format": _filled("cast(_0 as varchar)", 1),
    "if": lambda args: exp.Case(
        ifs=[exp.If(this=args[0], true=args[1])], default=args[2] if len(args) > 2 else exp.Null()
    ),
    "try": lambda args: call("try", *args),
    "row": lambda args: call("row", *args),
    "listagg": lambda args: call("string_agg", *args),
    **datetimes.BUILT,
}
_BUILT["substring"] = _BUILT["substr"]
del _RENAMED["substring"], _RENAMED["array_min"]


def translate(node: exp.Anonymous, line: int, column: int) -> exp.Expr:
    """The DuckDB expression for a call in the statement; its arguments are translated already."""
    name = str(node.this).lower()
    args = list(node.expressions)
    if name in _BUILT:
        return _BUILT[name](args)
    if name in _RENAMED:
        return call(_RENAMED[name], *args)
    if name in _SAME:
        return call(name, *args)
    if name in TRINO_FUNCTIONS:
        raise not_supported(f"The function {name}")
    raise QueryFailed("FUNCTION_NOT_FOUND", f"line {line}:{column}: Function '{name}' not registered")


def fill_call(name: str, args: list[exp.Expr]) -> exp.Expr:
    """A call by Trino's name, made by the translation itself."""
    return _BUILT[name](args)
