"""CAST and TRY_CAST: to which macro or type each of Athena's target types goes."""

from sqlglot import exp

from localaws.services.athena.sql.failures import not_supported

_MACROS = {
    exp.DType.VARCHAR: "a_varchar",
    exp.DType.TEXT: "a_varchar",
    exp.DType.BIGINT: "a_bigint",
    exp.DType.INT: "a_integer",
    exp.DType.SMALLINT: "a_smallint",
    exp.DType.TINYINT: "a_tinyint",
    exp.DType.DOUBLE: "a_double",
    exp.DType.FLOAT: "a_real",
    exp.DType.BOOLEAN: "a_boolean",
    exp.DType.DATE: "a_date",
    exp.DType.TIMESTAMP: "a_timestamp",
    exp.DType.TIMESTAMPTZ: "a_timestamptz",
}
_NAMES = {
    exp.DType.VARCHAR: "VARCHAR",
    exp.DType.TEXT: "VARCHAR",
    exp.DType.BIGINT: "BIGINT",
    exp.DType.INT: "INTEGER",
    exp.DType.SMALLINT: "SMALLINT",
    exp.DType.TINYINT: "TINYINT",
    exp.DType.DOUBLE: "DOUBLE",
    exp.DType.FLOAT: "FLOAT",
    exp.DType.BOOLEAN: "BOOLEAN",
    exp.DType.DATE: "DATE",
    exp.DType.TIMESTAMP: "TIMESTAMP",
    exp.DType.TIMESTAMPTZ: "TIMESTAMPTZ",
    exp.DType.VARBINARY: "BLOB",
    exp.DType.JSON: "JSON",
}
_MILLISECONDS = 3


def cast(value: exp.Expr, target: exp.DataType) -> exp.Expr:
    """The value as the type, as Trino casts. Raises QueryFailed for types and precisions that are not supported."""
    kind = target.this
    if kind == exp.DType.TIMESTAMP:
        _check_precision(target)
    if kind in (exp.DType.VARCHAR, exp.DType.TEXT) and target.expressions:
        length = target.expressions[0].this
        return _call("left", _call("a_varchar", value), length)
    if kind in _MACROS:
        return _call(_MACROS[kind], value)
    if kind == exp.DType.JSON:
        return _call("to_json", value)
    if kind == exp.DType.DECIMAL and isinstance(value, exp.Literal) and value.is_string and not target.expressions:
        return exp.Literal.number(value.name)  # DECIMAL '1.50' has its text's scale
    return exp.Cast(this=value, to=exp.DataType.build(duckdb_type(target), dialect="duckdb"))


def duckdb_type(target: exp.DataType) -> str:
    """DuckDB's name of a type written in Athena's SQL."""
    kind = target.this
    if kind == exp.DType.DECIMAL:
        sizes = [int(part.this.name) for part in target.expressions] or [38, 0]
        return f"DECIMAL({sizes[0]}, {sizes[1] if len(sizes) > 1 else 0})"
    if kind == exp.DType.ARRAY:
        return f"{duckdb_type(target.expressions[0])}[]"
    if kind == exp.DType.MAP:
        return f"MAP({duckdb_type(target.expressions[0])}, {duckdb_type(target.expressions[1])})"
    if kind == exp.DType.STRUCT:
        return "STRUCT(" + ", ".join(_field(number, part) for number, part in enumerate(target.expressions)) + ")"
    if kind not in _NAMES:
        raise not_supported(f"The type {target.sql()}")
    return _NAMES[kind]


def _field(number: int, part: exp.Expr) -> str:
    if isinstance(part, exp.ColumnDef) and isinstance(part.args.get("kind"), exp.DataType):
        return f'"{part.name}" {duckdb_type(part.args["kind"])}'
    if isinstance(part, exp.DataType):
        return f'"field{number}" {duckdb_type(part)}'
    raise not_supported("A row type of this form")


def _check_precision(target: exp.DataType) -> None:
    if target.expressions and int(target.expressions[0].this.name) > _MILLISECONDS:
        raise not_supported("A timestamp finer than milliseconds")


def _call(name: str, *args: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=list(args))
