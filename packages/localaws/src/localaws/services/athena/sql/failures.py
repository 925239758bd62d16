"""How a query fails: Athena's categories and types, and the words in which an engine's error reaches the caller.

Categories and types are those of "Athena error catalog"; messages begin with the engine's error name, as Athena's do.
"""

import re
from collections.abc import Mapping

# What the refusals of the embedded engine end with: the engine that does it.
OTHER_ENGINE = "; a real Trino does it: localaws serve --athena trino"
SYSTEM = 1
USER = 2

# Error name -> type of the catalog. What is absent is 1000, "User error".
_TYPES: Mapping[str, int] = {
    "INVALID_CAST_ARGUMENT": 1001,
    "HIVE_BAD_DATA": 1001,
    "HIVE_CURSOR_ERROR": 1001,
    "HIVE_UNSUPPORTED_FORMAT": 1001,
    "DDL": 1003,
    "COLUMN_NOT_FOUND": 1006,
    "TABLE_NOT_FOUND": 1006,
    "SCHEMA_NOT_FOUND": 1006,
    "FUNCTION_NOT_FOUND": 1006,
    "SYNTAX_ERROR": 1006,
    "TYPE_MISMATCH": 1006,
    "NOT_SUPPORTED": 1006,
    "EXCEEDED_MEMORY_LIMIT": 0,
}

_ICEBERG = 233
_NAME = r"(?P<name>[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+): (?P<words>.*)"
# Where an engine's error quotes the text that the macros made it fail on.
_NAMED = (
    re.compile(rf"Could not convert string '{_NAME}' to \w+", re.DOTALL),
    re.compile(rf"^Invalid Input Error: {_NAME}", re.DOTALL),
    re.compile(rf"ValueError: {_NAME}", re.DOTALL),
    re.compile(rf"invalid \w+ field format: \"{_NAME}\", expected", re.DOTALL),
)
_DUCKDB = (
    (re.compile(r"Referenced column \"(?P<name>[^\"]+)\""), "COLUMN_NOT_FOUND"),
    (re.compile(r"does not have a column named \"(?P<name>[^\"]+)\""), "COLUMN_NOT_FOUND"),
    (re.compile(r"Referenced table \"(?P<name>[^\"]+)\""), "COLUMN_NOT_FOUND"),
    (re.compile(r"Table with name (?P<name>\S+) does not exist"), "TABLE_NOT_FOUND"),
    (re.compile(r"Function with name \"?(?P<name>[^\s\"]+)\"? does not exist"), "FUNCTION_NOT_FOUND"),
)
_KINDS = {
    "ConversionException": "INVALID_CAST_ARGUMENT",
    "OutOfRangeException": "NUMERIC_VALUE_OUT_OF_RANGE",
    "BinderException": "SYNTAX_ERROR",
    "CatalogException": "SYNTAX_ERROR",
    "ParserException": "SYNTAX_ERROR",
    "SyntaxRefused": "SYNTAX_ERROR",
}
_SAID = (
    (
        re.compile(r"with value (\S+) can't be cast because the value"),
        "NUMERIC_VALUE_OUT_OF_RANGE",
        r"Out of range: \1",
    ),
    (
        re.compile(r"No function matches the given name|Macro (\w+)\(\) does not support the supplied"),
        "NOT_SUPPORTED",
        "A function or operator with arguments of these types is not supported by the local engine" + OTHER_ENGINE,
    ),
    (
        re.compile(r"window function calls cannot be nested"),
        "NOT_SUPPORTED",
        "A window function over a window function of the result is not supported by the local engine" + OTHER_ENGINE,
    ),
    (
        re.compile(r"Could not parse string \"(.*?)\" according to format"),
        "INVALID_FUNCTION_ARGUMENT",
        r'Invalid format: "\1"',
    ),
    (
        re.compile(r"More than one row returned by a subquery"),
        "SUBQUERY_MULTIPLE_ROWS",
        "Scalar sub-query has returned multiple rows",
    ),
    (re.compile(r"Map keys must be unique"), "INVALID_FUNCTION_ARGUMENT", "Duplicate map keys are not allowed"),
)
_MISMATCH = re.compile(r"Cannot (compare|mix) values of type|No operator matches|Cannot deduce")
_FORMATS = re.compile(r"json|gzip|csv|parquet|zstd", re.IGNORECASE)


class QueryFailed(Exception):
    """A statement that Athena would end as FAILED. `name` is the engine's error name."""

    def __init__(self, name: str, message: str, *, category: int = USER, retryable: bool = False) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name
        self.category = category
        self.type = _type_of(name, category)
        self.retryable = retryable


def _type_of(name: str, category: int) -> int:
    """The catalog's type of an error; clients repeat a statement that fails with Iceberg's."""
    if name.startswith("ICEBERG_"):
        return _ICEBERG
    return _TYPES.get(name, 1000 if category == USER else 200)


class SyntaxRefused(Exception):
    """A statement that Athena would not even start."""

    def __init__(self, line: int, column: int, message: str) -> None:
        super().__init__(f"line {line}:{column}: {message}")


class QueryCancelled(Exception):
    """A statement that was stopped: by its owner, or by the workgroup's cut-off (`reason`)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def not_supported(what: str) -> QueryFailed:
    """The refusal of what the local engine does not do as Athena does."""
    return QueryFailed("NOT_SUPPORTED", f"{what} is not supported by the local engine{OTHER_ENGINE}")


def from_duckdb(error: Exception, positions: Mapping[str, tuple[int, int]]) -> QueryFailed:
    """Say an engine's error as Athena says it. `positions` are line and column of the statement's names."""
    text = str(error).partition("\n\nAt:\n")[0]  # what follows are lines of this program
    kind = type(error).__name__
    for pattern in _NAMED:
        if named := pattern.search(text):
            return QueryFailed(named["name"], named["words"])
    for pattern, name in _DUCKDB:
        if match := pattern.search(text):
            return _unresolved(name, match["name"], positions)
    first = text.split("\n", maxsplit=1)[0]
    for pattern, name, words in _SAID:
        if match := pattern.search(first):
            return QueryFailed(name, match.expand(words))
    return _of_kind(kind, first, text)


def _of_kind(kind: str, first: str, text: str) -> QueryFailed:
    if kind == "OutOfMemoryException":
        return QueryFailed("EXCEEDED_MEMORY_LIMIT", "Query exhausted resources at this scale factor")
    message = first.partition(": ")[2] or first
    if kind in _KINDS:
        mismatch = _MISMATCH.search(first) is not None
        return QueryFailed(
            "TYPE_MISMATCH" if mismatch else _KINDS[kind], f"line 1:1: {message}" if mismatch else message
        )
    if kind in ("InvalidInputException", "IOException") and _FORMATS.search(text):
        return QueryFailed("HIVE_CURSOR_ERROR", message)
    return QueryFailed("GENERIC_INTERNAL_ERROR", first, category=SYSTEM)


def _unresolved(name: str, what: str, positions: Mapping[str, tuple[int, int]]) -> QueryFailed:
    line, column = positions.get(what.lower(), (1, 1))
    words = {
        "COLUMN_NOT_FOUND": f"Column '{what}' cannot be resolved or requester is not authorized"
        " to access requested resources",
        "TABLE_NOT_FOUND": f"Table '{what}' does not exist",
        "FUNCTION_NOT_FOUND": f"Function '{what}' not registered",
    }[name]
    return QueryFailed(name, f"line {line}:{column}: {words}")
