"""A seeded sample of an area's mutants, made by the operators of cosmic-ray."""

import ast
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from areas import ROOT, Area, Mutant, equivalents
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Operator
from cosmic_ray.plugins import get_operator, operator_names

# Exceptions that nothing raises, and decorators, say more about Python than about the tests.
_UNUSED = re.compile(r"ExceptionReplacer|RemoveDecorator|NoOp")
# `is` compares numbers and texts like `==` does, or as chance has it.
_COMPARED = re.compile(
    r"ReplaceComparisonOperator_(?:(?:Lt|LtE|Gt|GtE|Eq|NotEq|In|NotIn)_(?!Is)\w+|Is_IsNot|IsNot_Is)$"
)
# Others, as a shift of a time, end every test with a TypeError: what is caught so says nothing.
_COMPUTED = re.compile(r"ReplaceBinaryOperator_(?:Add_Sub|Sub_Add|Mul_(?:Div|FloorDiv)|(?:Div|FloorDiv|Mod)_Mul)$")

Position = tuple[int, int]  # line and column
Mutation = tuple[int, str, int]  # line, operator, occurrence
Mutations = list[Mutation]


def sample(area: Area, seed: int, count: int) -> list[Mutant]:
    """At most `count` mutants of an area, each at a place of its own; a seed always gives the same.

    A module is drawn as often as it is long.
    """
    chance = random.Random(f"{seed} {area.name}")  # noqa: S311 no secret
    paths = sorted(area.tests)
    sizes = {path: (ROOT / path).stat().st_size for path in paths}
    left: dict[str, list[Mutations]] = {}
    mutants: list[Mutant] = []
    while len(mutants) < count and sizes:
        (path,) = chance.choices(list(sizes), list(sizes.values()))
        if path not in left:
            places = sorted(_places(ROOT / path).items())
            left[path] = [mutations for _, mutations in chance.sample(places, len(places))]
        if not left[path]:
            del sizes[path]
        elif mutant := _mutant(area, path, chance.choice(left[path].pop())):
            mutants.append(mutant)
    return mutants


def _mutant(area: Area, path: str, mutation: Mutation) -> Mutant | None:
    line, name, occurrence = mutation
    original = (ROOT / path).read_text(encoding="utf-8")
    mutated = mutate_code(original, _operator(name), occurrence)
    if mutated is None or not _compiles(mutated):
        return None
    mutant = Mutant(area.name, path, line, original, mutated, area.tests[path])
    before, after = mutant.change
    listed = (equivalent for equivalent in equivalents() if (equivalent.path, equivalent.line) == (path, before))
    return None if any(after in equivalent.mutated for equivalent in listed) else mutant


def _compiles(source: str) -> bool:
    try:
        compile(source, "mutant", "exec")
    except SyntaxError:
        return False
    return True


def _operator(name: str) -> Operator:
    operator: Operator = get_operator(name)()
    return operator


def _operators() -> Iterator[str]:
    for name in operator_names():
        bare = name.rpartition("/")[2]
        is_spared = (
            _UNUSED.match(bare)
            or (bare.startswith("ReplaceComparisonOperator_") and not _COMPARED.match(bare))
            or (bare.startswith("ReplaceBinaryOperator_") and not _COMPUTED.match(bare))
        )
        if not is_spared and not get_operator(name).arguments():
            yield name


def _places(path: Path) -> dict[Position, Mutations]:
    """What the operators can do to a module, by where; not to what never runs or only speaks."""
    source = path.read_text(encoding="utf-8")
    spared = _spared(source, str(path.relative_to(ROOT)))
    nodes = list(ast_nodes(get_ast(source)))
    places: defaultdict[Position, Mutations] = defaultdict(list)
    for name in _operators():
        operator = _operator(name)
        starts = (start for node in nodes for start, _ in operator.mutation_positions(node))
        for occurrence, start in enumerate(starts):
            if not any(first <= start < last for first, last in spared):
                places[start].append((start[0], name, occurrence))
    return places


def _spared(source: str, path: str) -> Sequence[tuple[Position, Position]]:
    """The spans of annotations, decorators, imports for types, log calls, `strict` of zip, and of equivalent lines."""
    spans = [
        ((node.lineno, node.col_offset), (node.end_lineno or node.lineno, node.end_col_offset or 0))
        for parent in ast.walk(ast.parse(source))
        for node in _unmutated(parent)
    ]
    listed = {equivalent.line for equivalent in equivalents() if equivalent.path == path and not equivalent.mutated}
    lines = enumerate(source.splitlines(), start=1)
    return spans + [((number, 0), (number + 1, 0)) for number, line in lines if line.strip() in listed]


def _unmutated(node: ast.AST) -> Iterator[ast.expr | ast.stmt]:
    if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation:
        yield node.annotation
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield from node.decorator_list
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns:
        yield node.returns
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        yield node
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.BinOp) and _is_type(node.value):
        yield node
    if isinstance(node, ast.Expr) and ast.unparse(node).startswith("log."):
        yield node
    if isinstance(node, ast.keyword) and node.arg == "strict":  # an assertion that holds
        yield node.value


def _is_type(union: ast.BinOp) -> bool:
    """Whether it is an alias such as `Rows = list[Row] | None`."""
    return isinstance(union.op, ast.BitOr) and ast.unparse(union).endswith(("None", "]"))
