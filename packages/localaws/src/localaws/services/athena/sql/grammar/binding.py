"""Parameters of a statement: constants put in place of `?` as values, never as text."""

from collections.abc import Sequence
from typing import TypeVar

from sqlglot import exp

from localaws.services.athena.sql.failures import QueryFailed
from localaws.services.athena.sql.grammar.dialect import SyntaxRefused
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


def spelled(text: str) -> str:
    """A parameter as SQL: a bare word is text, as clients send it; anything else stays, for the engine to judge."""
    try:
        value = parse_expression(text)
    except (QueryFailed, SyntaxRefused):
        return text
    return "'" + text.strip().replace("'", "''") + "'" if _is_word(value) else text


def _is_word(value: exp.Expr) -> bool:
    return type(value) is exp.Column and not value.table


def _constant(text: str) -> exp.Expr:
    value = parse_expression(text)
    if _is_word(value):
        return exp.Literal.string(text.strip())
    if value.find(exp.Column, exp.Query, exp.Star, exp.Placeholder):
        raise QueryFailed("SYNTAX_ERROR", f"line 1:1: A parameter must be a constant: {text[:60]}")
    return value
