"""Conditions on partition keys in the words of GetPartitions, so that the catalogue gives only what may be wanted.

As in Athena, the catalogue judges what it can be asked; the rest is judged on what it gave. An expression may therefore
hold for too many partitions, never for too few.
"""

from collections.abc import Iterable, Mapping

from sqlglot import exp

_LONGEST = 2048  # characters ("GetPartitions", Expression)
_TEXT = ("string", "varchar")
_WHOLE = ("tinyint", "smallint", "int", "integer", "bigint")
_SIGNS: dict[type[exp.Expr], str] = {exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">="}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def expression(conditions: Iterable[exp.Expr], keys: Mapping[str, str]) -> str:
    """The conditions that the catalogue can judge, joined; empty where it can judge none. `keys` are Hive types."""
    text = ""
    for condition in conditions:
        part = _translated(condition, keys)
        longer = f"{text} and {part}" if text else part
        if part and longer and len(longer) <= _LONGEST:
            text = longer
    return text


def named_values(conditions: Iterable[exp.Expr], key: str) -> list[str]:
    """The literals to which conditions hold a key, by `=` or IN; none where no condition does."""
    for condition in conditions:
        node = condition.unnest()
        match node:
            case exp.EQ(this=exp.Column() as column) if column.name.lower() == key:
                items = [node.expression]
            case exp.EQ(expression=exp.Column() as column) if column.name.lower() == key:
                items = [node.this]
            case exp.In(this=exp.Column() as column) if column.name.lower() == key and node.expressions:
                items = node.expressions
            case _:
                continue
        if all(isinstance(item, exp.Literal) for item in items):
            return list(dict.fromkeys(item.name for item in items))
    return []


def _translated(node: exp.Expr, keys: Mapping[str, str]) -> str | None:
    """The node as an expression that holds wherever it holds; None where there is none."""
    match node:
        case exp.Paren():
            return _translated(node.this, keys)
        case exp.And():
            parts = [part for part in (_translated(node.this, keys), _translated(node.expression, keys)) if part]
            return f"({' and '.join(parts)})" if parts else None
        case exp.Or():
            left = _translated(node.this, keys)
            right = _translated(node.expression, keys)
            return f"({left} or {right})" if left and right else None
        case exp.In() | exp.Not(this=exp.In()):
            negated = isinstance(node, exp.Not)
            listed: exp.Expr = node.this if negated else node
            return _listed(listed, keys, negated=negated)
        case exp.Between():
            low, high = (_value(node.this, node.args[side], keys) for side in ("low", "high"))
            return f"{node.this.name} between {low} and {high}" if low and high else None
    return _compared(node, keys)


def _compared(node: exp.Expr, keys: Mapping[str, str]) -> str | None:
    sign = _SIGNS.get(type(node))
    if sign is None:
        return None
    if value := _value(node.this, node.expression, keys):
        return f"{node.this.name} {sign} {value}"
    if value := _value(node.expression, node.this, keys):
        return f"{node.expression.name} {_MIRRORED.get(sign, sign)} {value}"
    return None


def _listed(node: exp.Expr, keys: Mapping[str, str], *, negated: bool = False) -> str | None:
    values = [_value(node.this, item, keys) for item in node.expressions]
    if not values or None in values:
        return None
    listed = f"{node.this.name} {'not ' if negated else ''}in ({', '.join(str(value) for value in values)})"
    if len(listed) <= _LONGEST // 2 or negated:
        return listed
    if keys[node.this.name.lower()] not in _TEXT:
        return None
    return f"({node.this.name} >= {min(map(str, values))} and {node.this.name} <= {max(map(str, values))})"


def _value(key: exp.Expr, value: exp.Expr, keys: Mapping[str, str]) -> str | None:
    """A literal of the key's own type, as the catalogue reads it."""
    if not isinstance(key, exp.Column) or not isinstance(value, exp.Literal):
        return None
    kind = keys.get(key.name.lower())
    if kind in _TEXT and value.is_string:
        return "'" + value.name.replace("'", "''") + "'"
    return value.name if kind in _WHOLE and value.is_int else None
