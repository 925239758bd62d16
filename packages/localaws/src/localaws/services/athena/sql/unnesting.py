"""UNNEST: arrays side by side (shorter ones padded with nulls), maps as two columns, WITH ORDINALITY."""

from sqlglot import exp

from localaws.services.athena.sql.failures import not_supported


def unnest(node: exp.Unnest) -> exp.Expr:
    """A derived table for an UNNEST in FROM or JOIN; DuckDB lets it refer to the tables before it."""
    arguments = list(node.expressions)
    alias = node.args.get("alias")
    names = [identifier.copy() for identifier in alias.columns] if alias else []
    offset = node.args.get("offset")
    if isinstance(offset, exp.Identifier):
        names.append(offset.copy())
    columns = _columns(arguments, len(names) - (1 if offset and names else 0))
    if offset:
        longest = [_call("coalesce", _call("len", argument.copy()), _number(0)) for argument in arguments]
        count = longest[0] if len(longest) == 1 else _call("greatest", *longest)
        columns.append(_call("unnest", _call("range", _number(1), exp.Add(this=count, expression=_number(1)))))
    items = [
        exp.alias_(column, names[number].copy() if number < len(names) else f"_unnested{number}")
        for number, column in enumerate(columns)
    ]
    table = exp.TableAlias(this=alias.this.copy() if alias and alias.this else exp.to_identifier("_unnest"))
    return exp.Subquery(this=exp.Select(expressions=items), alias=table)


def _columns(arguments: list[exp.Expr], named: int) -> list[exp.Expr]:
    if named in (0, len(arguments)):
        return [_call("unnest", argument) for argument in arguments]
    if len(arguments) == 1 and named == 2:
        # Two names for one argument: a map, as arrays of rows are told apart by the engine's refusal of map_keys.
        return [_call("unnest", _call(side, arguments[0].copy())) for side in ("map_keys", "map_values")]
    raise not_supported("UNNEST of rows into columns")


def _call(name: str, *args: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=list(args))


def _number(value: int) -> exp.Expr:
    return exp.Literal.number(value)
