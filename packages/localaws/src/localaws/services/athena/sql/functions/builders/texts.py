"""Text and JSON: concatenation, regular expressions, JSON paths."""

import re
from collections.abc import Sequence

from localaws.services.athena.sql.failures import QueryFailed
from localaws.services.athena.sql.python.json_paths import steps
from localaws.services.athena.sql.trino.types import UNBOUNDED, VARCHAR, Type, array, char, varchar
from localaws.services.athena.sql.values.catalogue import Builder
from localaws.services.athena.sql.values.values import Value, text

_LONGEST_CHAR = 65536
# Patterns that RE2 reads as Trino's engine does: no look-around, references, ends of lines or possessive signs.
_SIMPLE = re.compile(
    r"(?:[\w\s#@%&:;,'\"<>=!~/-]|\\[dwDW.\\/+*?()\[\]{}|^$#@:-]|\[\^?(?:[\w\s@#%:./_+-]|\\[dwDW.-])+\]|[.*+()|]|(?<!^)\?(?!\+)|\(\?i\)|\(\?:|\{\d+(?:,\d*)?\})*"
)


def is_simple(pattern: str) -> bool:
    """Whether the engine's own regular expressions read the pattern as Trino's do."""
    if not _SIMPLE.fullmatch(pattern) or re.search(r"[*+?}][+]|^\?|\(\?[^:i]|\{,|&&|(?<!\\)\$", pattern):
        return False
    try:
        re.compile(pattern)
    except re.error:
        return False
    return pattern.isascii()


def _constant(value: Value) -> str | None:
    return value.constant if isinstance(value.constant, str) and is_simple(value.constant) else None


def _like(arguments: Sequence[Value], result: Type) -> Value:
    subject, pattern = arguments
    if _constant(pattern) is not None:
        return Value(f"regexp_matches({subject.sql}, {pattern.sql})", result)
    return Value(f"py_regexp_like({subject.sql}, {pattern.sql})", result)


def _extract(arguments: Sequence[Value], result: Type) -> Value:
    subject, pattern = arguments[:2]
    group = arguments[2].sql if len(arguments) > 2 else "0"
    simple = _constant(pattern)
    if simple is not None and len(arguments) == 2:
        return Value(f"a_regexp_extract({subject.sql}, {pattern.sql}, 0)", result)
    certain = simple is not None and not re.search(r"\)(?:\?|\*|\{0)|\|", simple)
    if certain and isinstance(arguments[2].constant, int) and 0 <= arguments[2].constant <= simple_groups(str(simple)):
        return Value(f"a_regexp_extract({subject.sql}, {pattern.sql}, cast({group} as INTEGER))", result)
    return Value(f"py_regexp_extract({subject.sql}, {pattern.sql}, {group})", result)


def simple_groups(pattern: str) -> int:
    return re.compile(pattern).groups


def _extract_all(arguments: Sequence[Value], result: Type) -> Value:
    group = arguments[2].sql if len(arguments) > 2 else "0"
    return Value(f"py_regexp_extract_all({arguments[0].sql}, {arguments[1].sql}, {group})", array(arguments[0].type))


def _replace(arguments: Sequence[Value], result: Type) -> Value:
    subject, pattern = arguments[:2]
    replacement = arguments[2] if len(arguments) > 2 else Value("''", VARCHAR, constant="")
    if len(arguments) > 2:
        width = replacement.type.sizes[0]
        result = _length_replaced(subject.type, max(subject.type.sizes[0] * width // 2, width))
    plain = isinstance(replacement.constant, str) and not re.search(r"[$\\]", replacement.constant)
    simple = _constant(pattern)
    if plain and simple and not re.compile(simple).match(""):
        return Value(f"regexp_replace({subject.sql}, {pattern.sql}, {replacement.sql}, 'g')", result)
    return Value(f"py_regexp_replace({subject.sql}, {pattern.sql}, {replacement.sql})", result)


def _replace_with(arguments: Sequence[Value], result: Type) -> Value:
    """Each match's groups go through a lambda; what lies between the matches stays."""
    subject, pattern, replacement = arguments
    pieces = f"py_regexp_pieces({subject.sql}, {pattern.sql})"
    matches = f"list_slice({pieces}, 2, len({pieces}))"
    (groups,) = replacement.parameters
    body = f"coalesce(({replacement.sql}), '')"
    built = (
        f"list_transform({matches}, lambda piece: list_transform([piece[2:]], lambda {groups}: {body})[1] || piece[1])"
    )
    return Value(f"({pieces}[1][1] || coalesce(array_to_string({built}, ''), ''))", result)


def _substr(arguments: Sequence[Value], result: Type) -> Value:
    """Bounds that are positive literals mean the same to the engine, which then need not measure the text."""
    value, *bounds = arguments
    plain = all(isinstance(bound.constant, int) and bound.constant > 0 for bound in bounds)
    macro = "a_substr_to" if len(bounds) > 1 else "a_substr"
    return Value(f"{'substr' if plain else macro}({', '.join(item.sql for item in (value, *bounds))})", result)


def _of_parts(form: str) -> Builder:
    """An array of parts of the first argument, none of which is longer."""

    def build(arguments: Sequence[Value], _: Type) -> Value:
        listed = ", ".join(argument.sql for argument in arguments)
        name = f"a_{form}" if form == "split" and len(arguments) == 2 else f"py_{form}"
        return Value(f"{name}({listed})", array(arguments[0].type))

    return build


def _length_replaced(value: Type, each: int) -> Type:
    """Text between whose characters, and around them, so many may be put."""
    size = value.sizes[0]
    return varchar(min(size + each * (size + 1), UNBOUNDED))


def _replace_text(arguments: Sequence[Value], _: Type) -> Value:
    value, search, replacement = arguments
    kind = _length_replaced(value.type, replacement.type.sizes[0])
    return Value(f"py_replace({value.sql}, {search.sql}, {replacement.sql})", kind)


def _chr(arguments: Sequence[Value], _: Type) -> Value:
    return Value(f"chr(cast({arguments[0].sql} as INTEGER))", varchar(1))


def _url_encode(arguments: Sequence[Value], _: Type) -> Value:
    return Value(f"py_url_encode({arguments[0].sql})", varchar(min(arguments[0].type.sizes[0] * 12, UNBOUNDED)))


def _codepoint(arguments: Sequence[Value], result: Type) -> Value:
    (value,) = arguments
    if value.type.sizes[0] > 1:
        raise QueryFailed(
            "FUNCTION_NOT_FOUND",
            f"Unexpected parameters ({value.type}) for function codepoint. Expected: codepoint(varchar(1))",
        )
    return Value(f"a_codepoint({value.sql})", result)


def _concat_chars(arguments: Sequence[Value], _: Type) -> Value:
    first, second = (argument.type.sizes[0] for argument in arguments)
    return Value(f"({arguments[0].sql} || {arguments[1].sql})", char(min(first + second, _LONGEST_CHAR)))


def _concat_text(arguments: Sequence[Value], result: Type) -> Value:
    if len(arguments) < 2:
        raise QueryFailed("INVALID_FUNCTION_ARGUMENT", "There must be two or more concatenation arguments")
    kind = arguments[0].type if arguments[0].type.name == "varbinary" else result
    return Value(f"({' || '.join(item.sql for item in arguments)})", kind)


def _concat_ws(arguments: Sequence[Value], result: Type) -> Value:
    if len(arguments) < 2:
        raise QueryFailed("INVALID_FUNCTION_ARGUMENT", "There must be two or more arguments")
    separator = arguments[0].sql
    items = ", ".join(item.sql for item in arguments[1:])
    return Value(f"a_joined([{items}], {separator})", result)


def _path(name: str) -> Builder:
    def build(arguments: Sequence[Value], result: Type) -> Value:
        subject, path = arguments[:2]
        if isinstance(path.constant, str):
            parts = steps(path.constant)  # an invalid path is an error of the statement, not of a row
            engine = _engine_path(parts)
            if engine is not None and name == "scalar":
                return Value(_scalar(subject.sql, text(engine), path.sql), result)
        return Value(f"py_json_{name}({subject.sql}, {path.sql})", result)

    return build


def _scalar(subject: str, path: str, written: str) -> str:
    """The engine reads the scalar, save a number with a point, whose spelling it does not keep."""
    return (
        f"(case when not json_valid({subject}) then null"
        f" when json_type({subject}, {path}) in ('OBJECT', 'ARRAY', 'NULL') then null"
        f" when json_type({subject}, {path}) = 'DOUBLE' then py_json_scalar({subject}, {written})"
        f" else json_extract_string({subject}, {path}) end)"
    )


def _engine_path(parts: Sequence[str | int]) -> str | None:
    """The path as the engine writes it; None where a key has signs of its own."""
    path = "$"
    for part in parts:
        if isinstance(part, int):
            return None
        if not re.fullmatch(r"\w+", part):
            return None
        path += f'."{part}"'
    return path


BUILDERS: dict[str, Builder] = {
    "regexp_like": _like,
    "regexp_extract": _extract,
    "regexp_extract_all": _extract_all,
    "regexp_replace": _replace,
    "regexp_replace_with": _replace_with,
    "codepoint": _codepoint,
    "chr": _chr,
    "replace": _replace_text,
    "split": _of_parts("split"),
    "regexp_split": _of_parts("regexp_split"),
    "url_encode": _url_encode,
    "concat_text": _concat_text,
    "concat_chars": _concat_chars,
    "substr": _substr,
    "concat_ws": _concat_ws,
    "json_extract": _path("extract"),
    "json_extract_scalar": _path("scalar"),
}
