"""Nodes that sqlglot lacks, or has in a looser form."""

from typing import ClassVar

from sqlglot import exp


class Call(exp.Anonymous):
    """A function call: `distinct` and `order` stand within its parentheses, `filter` and `nulls` after them."""

    arg_types: ClassVar[dict[str, bool]] = {
        "this": True, "expressions": False, "distinct": False, "order": False, "filter": False, "nulls": False,
        "star": False, "within": False,
    }  # fmt: skip


class Quantified(exp.Expression):
    """A comparison of a value with ALL or ANY rows of a query."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "expression": True, "sign": True, "every": True}


class TypedLiteral(exp.Expression):
    """A literal that names its type: `date '2024-01-01'`."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "kind": True}
