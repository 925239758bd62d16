"""Regular expressions in Java's syntax ("Regular expression functions"), on the `regex` package."""

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from localaws.services.athena.sql.python.failing import failed

if TYPE_CHECKING:
    import regex

# What Python reads otherwise: classes are ASCII, \\b goes with \\w, \\z is the very end.
_WORD = "0-9A-Za-z_"
_CLASSES = {"w": _WORD, "d": "0-9", "s": r" \t\n\x0b\f\r", "h": r" \t\xa0"}
_POSIX = {
    "Alpha": "a-zA-Z", "Digit": "0-9", "Alnum": "a-zA-Z0-9", "Upper": "A-Z", "Lower": "a-z", "Space": r"\s",
    "Punct": r"!-/:-@\[-`{-~", "XDigit": "0-9a-fA-F", "Cntrl": r"\x00-\x1f\x7f", "Blank": r" \t",
    "Graph": "!-~", "Print": " -~", "ASCII": r"\x00-\x7f",
}  # fmt: skip
_BOUNDARY = rf"(?:(?<=[{_WORD}])(?![{_WORD}])|(?<![{_WORD}])(?=[{_WORD}]))"
_INNER = rf"(?:(?<=[{_WORD}])(?=[{_WORD}])|(?<![{_WORD}])(?![{_WORD}]))"
_ESCAPES = {
    "z": r"\Z",
    "Z": r"(?=\n?\Z)",
    "b": _BOUNDARY,
    "B": _INNER,
    "e": r"\x1b",
    "R": r"(?:\r\n|[\n\x0b\f\r\x85\u2028\u2029])",
}
_ESCAPE = re.compile(
    r"\\(?:Q(.*?)(?:\\E|$)|k<(\w+)>|p\{(?:Is|In)?(\w+)\}|P\{(?:Is|In)?(\w+)\}|x\{([0-9a-fA-F]+)\}|(.))|\[\^?\]?|\]",
    re.DOTALL,
)


@lru_cache(maxsize=512)
def compiled(pattern: str) -> "regex.Pattern":
    """The pattern, ready to match. Raises ValueError INVALID_FUNCTION_ARGUMENT."""
    import regex

    try:
        return regex.compile(translated(pattern), regex.VERSION1)
    except (regex.error, ValueError, OverflowError) as error:
        raise failed("INVALID_FUNCTION_ARGUMENT", f"{error}: {pattern}") from error


def translated(pattern: str) -> str:
    depth = 0

    def replaced(match: re.Match[str]) -> str:
        nonlocal depth
        text = match[0]
        if text[0] == "[":
            depth += 1
            return text[:-1] + r"\]" if text.endswith("]") else text
        if text == "]":
            depth = max(depth - 1, 0)
            return text
        return _escape(match, inside=depth > 0)

    return _ESCAPE.sub(replaced, pattern)


def _escape(match: re.Match[str], *, inside: bool) -> str:
    quoted, name, klass, other, digits, letter = match.groups()
    if quoted is not None:
        return re.escape(quoted)
    if name is not None:
        return f"(?P={name})"
    if klass is not None and klass in _POSIX:
        return _POSIX[klass] if inside else f"[{_POSIX[klass]}]"
    if other is not None and other in _POSIX and not inside:
        return f"[^{_POSIX[other]}]"
    if digits is not None:
        return f"\\U{int(digits, 16):08x}"
    if letter in _CLASSES:
        return _CLASSES[letter] if inside else f"[{_CLASSES[letter]}]"
    if letter is not None and letter.lower() in _CLASSES and letter.isupper():
        return f"[^{_CLASSES[letter.lower()]}]"
    if letter in _ESCAPES and not inside:
        return _ESCAPES[letter]
    return match[0]


def like(value: str, pattern: str) -> bool:
    return compiled(pattern).search(value) is not None


def _group(pattern: "regex.Pattern", group: int) -> int:
    if not 0 <= group <= pattern.groups:
        raise failed("INVALID_FUNCTION_ARGUMENT", f"Pattern has {pattern.groups} groups. Cannot access group {group}")
    return group


def extract(value: str, pattern: str, group: int) -> str | None:
    expression = compiled(pattern)
    match = expression.search(value)
    number = _group(expression, group)
    return None if match is None else match[number]


def extract_all(value: str, pattern: str, group: int) -> list[str | None]:
    expression = compiled(pattern)
    number = _group(expression, group)
    return [match[number] for match in expression.finditer(value)]


def replace(value: str, pattern: str, replacement: str) -> str:
    """The matches replaced; `$1`, `${name}` and `\\$` in the replacement are read as Java reads them."""
    expression = compiled(pattern)
    parts = _template(replacement, expression)
    return str(
        expression.sub(
            lambda match: "".join(part if isinstance(part, str) else match[part[0]] or "" for part in parts), value
        )
    )


@lru_cache(maxsize=256)
def _template(replacement: str, expression: "regex.Pattern") -> tuple[str | tuple[int | str], ...]:
    parts: list[str | tuple[int | str]] = []
    at = 0
    while at < len(replacement):
        sign = replacement[at]
        if sign == "\\":
            if at + 1 == len(replacement):
                raise failed("INVALID_FUNCTION_ARGUMENT", f"Incorrect replacement: {replacement}")
            parts.append(replacement[at + 1])
            at += 2
        elif sign == "$":
            match = re.compile(r"\$(?:\{([A-Za-z][A-Za-z0-9]*)\}|(\d))").match(replacement, at)
            if match is None:
                raise failed("INVALID_FUNCTION_ARGUMENT", f"Illegal replacement sequence: {replacement}")
            at = match.end()
            if match[1]:
                if match[1] not in expression.groupindex:
                    raise failed(
                        "INVALID_FUNCTION_ARGUMENT", f"Illegal replacement sequence: unknown group {{{match[1]}}}"
                    )
                parts.append((match[1],))
                continue
            number = int(match[2])
            if number > expression.groups:
                raise failed("INVALID_FUNCTION_ARGUMENT", f"Illegal replacement sequence: unknown group {number}")
            while (
                at < len(replacement)
                and replacement[at].isdigit()
                and number * 10 + int(replacement[at]) <= expression.groups
            ):
                number = number * 10 + int(replacement[at])
                at += 1
            parts.append((number,))
        else:
            parts.append(sign)
            at += 1
    return tuple(parts)


def pieces(value: str, pattern: str) -> list[list[str | None]]:
    """The text before the first match, then of each match the text after it and its groups."""
    built: list[list[str | None]] = []
    matches = list(compiled(pattern).finditer(value))
    built.append([value[: matches[0].start()] if matches else value])
    for number, match in enumerate(matches):
        end = matches[number + 1].start() if number + 1 < len(matches) else len(value)
        built.append([value[match.end() : end], *match.groups()])
    return built


def split(value: str, pattern: str) -> list[str]:
    parts = []
    at = 0
    for match in compiled(pattern).finditer(value):
        if match.end() == match.start() == 0:
            continue
        parts.append(value[at : match.start()])
        at = match.end()
    return [*parts, value[at:]]


def count(value: str, pattern: str) -> int:
    return sum(1 for _ in compiled(pattern).finditer(value))


def place(value: str, pattern: str, start: int, occurrence: int) -> int:
    if start < 1:
        raise failed("INVALID_FUNCTION_ARGUMENT", f"start position cannot be smaller than 1: {start}")
    if occurrence < 1:
        raise failed("INVALID_FUNCTION_ARGUMENT", f"occurrence cannot be smaller than 1: {occurrence}")
    if start > len(value):
        return -1
    for number, match in enumerate(compiled(pattern).finditer(value, start - 1), start=1):
        if number == occurrence:
            return int(match.start()) + 1
    return -1
