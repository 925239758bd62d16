"""Parameters of a statement: constants put in place of `?` as values, never as text."""

from collections.abc import Sequence

from sqlglot import exp

from localaws.services.athena.sql.dialect import parse as parse_tree
from localaws.services.athena.sql.failures import QueryFailed


def bound(tree: exp.Expr, parameters: Sequence[str]) -> exp.Expr:
    """The tree with its `?` replaced by the parameters' values, each a constant expression."""
    places = sorted(tree.find_all(exp.Placeholder), key=lambda node: node.meta.get("start", 0))
    if len(places) != len(parameters):
        raise QueryFailed(
            "INVALID_PARAMETER_USAGE",
            f"line 1:1: Incorrect number of parameters: expected {len(places)} but found {len(parameters)}",
        )
    for node, text in zip(places, parameters, strict=True):
        node.replace(exp.paren(_constant(text)))
    return tree


def _constant(text: str) -> exp.Expr:
    tree = parse_tree(f"select {text}")
    plain = isinstance(tree, exp.Select) and len(tree.expressions) == 1 and not tree.args.get("from_")
    value: exp.Expr | None = tree.expressions[0] if plain else None
    if value is None or value.find(exp.Column, exp.Query, exp.Star) or isinstance(value, exp.Alias):
        raise QueryFailed("SYNTAX_ERROR", f"line 1:1: A parameter must be a constant: {text[:60]}")
    return value
