"""Parameters of a statement: constants put in place of `?` as values, never as text."""

from collections.abc import Sequence
from typing import TypeVar

from sqlglot import exp

from localaws.services.athena.sql.failures import QueryFailed
from localaws.services.athena.sql.grammar.queries import parse_expression

Tree = TypeVar("Tree", bound=exp.Expr)


def bound(tree: Tree, parameters: Sequence[str]) -> Tree:
    """The tree with its `?` replaced by the parameters' values, each a constant expression."""
    places = sorted(tree.find_all(exp.Placeholder), key=lambda node: node.meta.get("start", 0))
    if len(places) != len(parameters):
        raise QueryFailed(
            "INVALID_PARAMETER_USAGE",
            f"line 1:1: Incorrect number of parameters: expected {len(places)} but found {len(parameters)}",
        )
    for node, text in zip(places, parameters, strict=True):
        value = _constant(text)
        value.meta["at"] = node.meta.get("at", (1, 1))
        node.replace(value if isinstance(value, exp.Literal) else exp.paren(value))
    return tree


def _constant(text: str) -> exp.Expr:
    value = parse_expression(text)
    if type(value) is exp.Column and not value.table:
        return exp.Literal.string(text.strip())  # a bare word is text, as clients send it
    if value.find(exp.Column, exp.Query, exp.Star, exp.Placeholder):
        raise QueryFailed("SYNTAX_ERROR", f"line 1:1: A parameter must be a constant: {text[:60]}")
    return value
