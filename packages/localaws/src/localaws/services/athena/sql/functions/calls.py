"""The choice of a function's overload, its arguments turned, its lambdas lowered ("FunctionBinder")."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlglot import exp

from localaws.services.athena.sql.failures import QueryFailed, not_supported
from localaws.services.athena.sql.trino.coercion import can_coerce, is_same
from localaws.services.athena.sql.trino.signatures import Bindings, Pattern, bind, resolved, settled
from localaws.services.athena.sql.trino.types import UNKNOWN, VARCHAR, Type
from localaws.services.athena.sql.trino_functions import TRINO_FUNCTIONS
from localaws.services.athena.sql.values.arithmetic import mismatch
from localaws.services.athena.sql.values.catalogue import Function, fill
from localaws.services.athena.sql.values.conversion import convert
from localaws.services.athena.sql.values.values import Value

LambdaLowering = Callable[[exp.Lambda, Sequence[Type]], Value]


@dataclass(frozen=True, slots=True)
class Choice:
    """A chosen overload, with its parameters' patterns and what their variables stand for."""

    function: Function
    patterns: tuple[Pattern, ...]
    bindings: Bindings


def unknown_function(name: str, place: tuple[int, int]) -> QueryFailed:
    """The error of a name that is not among the functions: Trino's own, or ours where Trino has it."""
    if name in TRINO_FUNCTIONS:
        return not_supported(f"The function {name}")
    return QueryFailed("FUNCTION_NOT_FOUND", f"line {place[0]}:{place[1]}: Function '{name}' not registered")


def chosen(functions: Sequence[Function], arguments: Sequence[Value | exp.Lambda], place: tuple[int, int]) -> Choice:
    """The overload that takes the arguments. Raises QueryFailed where none does, or more than one."""
    if functions[0].signature.name == "concat":
        _check_concatenated(arguments, place)
    for exact in (True, False):
        fits = [choice for function in functions if (choice := _fitting(function, arguments, exact=exact)) is not None]
        if fits:
            return fits[0] if exact or len(fits) == 1 else _most_specific(fits, arguments, place)
    name = functions[0].signature.name
    types = ", ".join("function" if isinstance(item, exp.Lambda) else str(item.type) for item in arguments)
    listed = ", ".join(str(function.signature) for function in functions)
    line, column = place
    raise QueryFailed(
        "FUNCTION_NOT_FOUND",
        f"line {line}:{column}: Unexpected parameters ({types}) for function {name}. Expected: {listed}",
    )


def _check_concatenated(arguments: Sequence[Value | exp.Lambda], place: tuple[int, int]) -> None:
    """A bare null beside text of any length, or an array, may stand for text or an array."""
    kinds = {item.type for item in arguments if isinstance(item, Value)}
    if len(arguments) == 2 and UNKNOWN in kinds and any(kind == VARCHAR or kind.name == "array" for kind in kinds):
        line, column = place
        raise QueryFailed(
            "AMBIGUOUS_FUNCTION_CALL",
            f"line {line}:{column}: Could not choose a best candidate operator. Explicit type casts must be added.",
        )


def _fitting(function: Function, arguments: Sequence[Value | exp.Lambda], *, exact: bool) -> Choice | None:
    patterns = function.signature.expanded(len(arguments))
    if patterns is None:
        return None
    bindings: Bindings = {}
    for expected, argument in zip(patterns, arguments, strict=True):
        if isinstance(argument, exp.Lambda):
            if not expected.is_function or len(expected.children) - 1 != len(argument.expressions):
                return None
        elif expected.is_function or not bind(expected, argument.type, bindings, exact=exact):
            return None
    return Choice(function, patterns, bindings)


def _most_specific(fits: list[Choice], arguments: Sequence[Value | exp.Lambda], place: tuple[int, int]) -> Choice:
    types = [_settled(choice, arguments) for choice in fits]
    best = [
        choice
        for choice, own in zip(fits, types, strict=True)
        if all(all(map(can_coerce, own, other)) for other in types)
    ]
    if best:
        return best[0]
    unknown = [
        number for number, item in enumerate(arguments) if isinstance(item, Value) and item.type.name == "unknown"
    ]
    results = {str(choice.function.signature.result) for choice in fits}
    plain = [choice for choice in fits if not _is_generic(choice) and _known_match(choice, arguments)]
    if unknown and len(plain) == 1:
        return plain[0]
    if unknown and len(results) > 1 and all(_differ(types, number) for number in unknown):
        line, column = place
        raise QueryFailed(
            "AMBIGUOUS_FUNCTION_CALL",
            f"line {line}:{column}: Could not choose a best candidate operator. Explicit type casts must be added.",
        )
    return fits[0]


def _is_generic(choice: Choice) -> bool:
    return any(expected.is_variable or expected.children for expected in choice.patterns)


def _known_match(choice: Choice, arguments: Sequence[Value | exp.Lambda]) -> bool:
    """Whether the arguments that are no bare nulls need no coercion."""
    return all(
        bind(expected, argument.type, {}, exact=True)
        for expected, argument in zip(choice.patterns, arguments, strict=True)
        if isinstance(argument, Value) and argument.type.name != "unknown"
    )


def _differ(types: list[list[Type]], number: int) -> bool:
    return any(not is_same(own[number], types[0][number]) for own in types)


def _settled(choice: Choice, arguments: Sequence[Value | exp.Lambda]) -> list[Type]:
    return [
        settled(expected, argument.type, choice.bindings)
        for expected, argument in zip(choice.patterns, arguments, strict=True)
        if isinstance(argument, Value)
    ]


def turned(
    choice: Choice,
    arguments: Sequence[Value | exp.Lambda],
    lower: LambdaLowering,
    place: tuple[int, int],
    *,
    widens: bool = True,
) -> tuple[list[Value], Type]:
    """The arguments as the overload wants them, and the type of its result.

    A lambda that returns a wider type than a variable stands for widens that variable, once.
    """
    values: list[Value] = []
    for expected, argument in zip(choice.patterns, arguments, strict=True):
        if isinstance(argument, Value):
            values.append(convert(argument, settled(expected, argument.type, choice.bindings)))
            continue
        parameters = [resolved(inner, [], choice.bindings) for inner in expected.children[:-1]]
        built = lower(argument, parameters)
        result = expected.children[-1]
        if widens and result.is_variable and _is_wider(built.type, choice.bindings.get(result.name)):
            choice.bindings[result.name] = built.type
            return turned(choice, arguments, lower, place, widens=False)
        values.append(_returning(built, expected.children[-1], choice.bindings, place))
    types = [value.type for value in values]
    return values, resolved(choice.function.signature.result, types, choice.bindings)


def _is_wider(kind: Type, bound: Type | None) -> bool:
    return bound is not None and not can_coerce(kind, bound) and can_coerce(bound, kind)


def _returning(built: Value, expected: Pattern, bindings: Bindings, place: tuple[int, int]) -> Value:
    if expected.is_variable and expected.name not in bindings:
        bindings[expected.name] = built.type
        return built
    target = resolved(expected, [], bindings)
    if not can_coerce(built.type, target):
        raise mismatch(place, f"Lambda expression must evaluate to a {target} (actual: {built.type})")
    body = convert(Value(built.sql, built.type), target)
    return Value(body.sql, target, parameters=built.parameters)


def engine_text(value: Value) -> str:
    """The SQL text of an argument; of a lambda, with its parameters."""
    return f"lambda {', '.join(value.parameters)}: {value.sql}" if value.parameters else value.sql


def applied(choice: Choice, values: Sequence[Value], result: Type) -> Value:
    """The call itself."""
    if choice.function.build is not None:
        return choice.function.build(values, result)
    return Value(fill(choice.function.text, [engine_text(value) for value in values], result), result)
