"""format(): Java's Formatter."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from localaws.services.athena.sql.python.clocks import joda_format
from localaws.services.athena.sql.python.failing import failed
from localaws.services.athena.sql.python.numbers import java_double

_SPEC = re.compile(
    r"%(?:(?P<index>\d+)\$|(?P<last><))?(?P<flags>[-#+ 0,(]*)(?P<width>\d+)?(?:\.(?P<precision>\d+))?"
    r"(?P<kind>[tT][a-zA-Z]|[a-zA-Z%])"
)
_MASK = 2**64 - 1
# The letters after `t`, as patterns of Joda.
_TIMES: Mapping[str, str] = {
    "Y": "yyyy", "y": "yy", "C": "CC", "m": "MM", "d": "dd", "e": "d", "B": "MMMM", "b": "MMM", "h": "MMM", "A": "EEEE",
    "a": "EEE", "j": "DDD", "H": "HH", "k": "H", "I": "hh", "l": "h", "M": "mm", "S": "ss", "L": "SSS",
    "F": "yyyy-MM-dd", "D": "MM/dd/yy", "T": "HH:mm:ss", "R": "HH:mm", "r": "hh:mm:ss a",
}  # fmt: skip


def format_java(pattern: str, arguments: list[str | None], kinds: str) -> str:
    """The text of arguments of the kinds (comma-separated). Raises QueryFailed INVALID_FUNCTION_ARGUMENT."""
    types = kinds.split(",") if kinds else []
    following = iter(range(len(arguments)))
    last = -1

    def shown(match: re.Match[str]) -> str:
        nonlocal last
        kind = match["kind"]
        if kind == "%":
            return _padded("%", match)
        if kind == "n":
            return "\n"
        if match["index"]:
            last = int(match["index"]) - 1
        elif not match["last"]:
            last = next(following, len(arguments))
        if not 0 <= last < len(arguments):
            raise failed(
                "INVALID_FUNCTION_ARGUMENT",
                f"Invalid format string: {pattern} (MissingFormatArgument: Format specifier '{match[0]}')",
            )
        return _padded(_shown(match, arguments[last], types[last], pattern), match)

    built = _SPEC.sub(shown, pattern)
    if "%" in _SPEC.sub("", pattern):
        raise failed("INVALID_FUNCTION_ARGUMENT", f"Invalid format string: {pattern}")
    return built


def _padded(text: str, match: re.Match[str]) -> str:
    width = int(match["width"] or 0)
    if "-" in match["flags"]:
        return text.ljust(width)
    if "0" in match["flags"] and match["kind"] in "dfxXo":
        sign = text[0] if text[:1] in ("-", "+") else ""
        return sign + text[len(sign) :].rjust(width - len(sign), "0")
    return text.rjust(width)


def _shown(match: re.Match[str], value: str | None, kind: str, pattern: str) -> str:
    letter = match["kind"]
    flags = match["flags"]
    lower = letter[0].lower()
    if "(" in flags and lower in "df" and value is not None and value.startswith("-"):
        return f"({_shown(_without_signs(match), value[1:], kind, pattern)})"
    text = _absent(match) if value is None else _converted(match, value, kind)
    if text is None:
        raise failed(
            "INVALID_FUNCTION_ARGUMENT",
            f"Invalid format string: {pattern} (IllegalFormatConversion: {letter} != {kind})",
        )
    if value is not None and lower in "df" and not text.startswith("-"):
        text = "+" + text if "+" in flags else " " + text if " " in flags else text
    return text.upper() if letter[0].isupper() else text


def _without_signs(match: re.Match[str]) -> re.Match[str]:
    flags = re.sub(r"[-+ (]", "", match["flags"])
    places = f".{match['precision']}" if match["precision"] else ""
    return _SPEC.fullmatch(f"%{flags}{places}{match['kind']}") or match


def _absent(match: re.Match[str]) -> str:
    if match["kind"] in "bB":
        return "false"
    return "null"[: int(match["precision"])] if match["precision"] else "null"


def _converted(match: re.Match[str], value: str, kind: str) -> str | None:
    """A value as its letter shows it; None where the letter does not take its kind."""
    letter = match["kind"][0].lower()
    convert = _CONVERSIONS.get(letter)
    if convert is None or (letter in _KINDS and kind not in _KINDS[letter]):
        return None
    return convert(match, value, kind)


def _boolean(_: re.Match[str], value: str, kind: str) -> str:
    return value if kind == "boolean" else "true"


def _text(match: re.Match[str], value: str, kind: str) -> str:
    text = _SPELLED.get(kind, str)(value)
    return text[: int(match["precision"])] if match["precision"] else text


def _integer(match: re.Match[str], value: str, _: str) -> str:
    return f"{int(value):,}" if "," in match["flags"] else value


def _bits(match: re.Match[str], value: str, _: str) -> str:
    return format(int(value) & _MASK if int(value) < 0 else int(value), match["kind"].lower())


def _fixed(match: re.Match[str], value: str, _: str) -> str:
    if value in _NOT_FINITE:
        return _NOT_FINITE[value]
    places = int(match["precision"] if match["precision"] is not None else 6)
    rounded = Decimal(value).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    return f"{rounded:,f}" if "," in match["flags"] else f"{rounded:f}"


def _exponent(match: re.Match[str], value: str, _: str) -> str:
    if value in _NOT_FINITE:
        return _NOT_FINITE[value]
    places = int(match["precision"] if match["precision"] is not None else 6)
    return f"{float(value):.{places}e}"


def _general(match: re.Match[str], value: str, kind: str) -> str:
    """Plain between 10^-4 and 10^precision, else with an exponent."""
    if value in _NOT_FINITE:
        return _NOT_FINITE[value]
    digits = max(int(match["precision"] if match["precision"] is not None else 6), 1)
    number = Decimal(value)
    rounded = (
        number if number == 0 else number.quantize(Decimal(1).scaleb(number.adjusted() - digits + 1), ROUND_HALF_UP)
    )
    if rounded and not Decimal("1e-4") <= abs(rounded) < Decimal(10) ** digits:
        return f"{float(value):.{digits - 1}e}"
    places = digits - 1 - (rounded.adjusted() if rounded else 0)
    return f"{rounded:.{places}f}"


def _hash(_: re.Match[str], value: str, __: str) -> str:
    """The hash code of a Java string, in hexadecimal digits."""
    number = 0
    for unit in memoryview(value.encode("utf-16-le")).cast("H"):
        number = (number * 31 + unit) & 0xFFFFFFFF
    return f"{number:x}"


def _time(match: re.Match[str], value: str, kind: str) -> str | None:
    moment = _moment(value, kind)
    part = match["kind"][1]
    if moment is None or (part not in _TIMES and part != "p"):
        return None
    text = joda_format(moment, _TIMES.get(part, "a"), None)
    return text.lower() if part == "p" else text


_NOT_FINITE = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
_KINDS: Mapping[str, Sequence[str]] = {
    "d": ("bigint",), "x": ("bigint",), "o": ("bigint",), "f": ("double", "decimal"), "e": ("double",),
    "g": ("double",), "h": ("varchar",),
}  # fmt: skip
_CONVERSIONS: Mapping[str, Callable[[re.Match[str], str, str], str | None]] = {
    "b": _boolean, "s": _text, "d": _integer, "x": _bits, "o": _bits, "f": _fixed, "e": _exponent, "g": _general,
    "h": _hash, "t": _time,
}  # fmt: skip


def _moment(value: str, kind: str) -> datetime | None:
    if kind == "date":
        return datetime.combine(date.fromisoformat(value), datetime.min.time())
    if kind == "timestamp":
        return datetime.fromisoformat(value)
    return None


def _java_zoned(value: str) -> str:
    """A wall clock, the name of its zone, a bar and its offset, as Java writes a date and time with a zone."""
    shown, _, offset = value.rpartition("|")
    local, _, zone = shown.rpartition(" ")
    return _java_moment(local) + offset + ("" if zone == offset else f"[{zone}]")


def _java_double(value: str) -> str:
    return java_double(float(value))


def _java_moment(value: str) -> str:
    """A timestamp or time as Java writes it: no seconds where these are zero, and their part in threes of digits."""
    day, _, clock = value.rpartition(" ")
    whole, _, part = clock.partition(".")
    part = part.ljust(9, "0")
    while part.endswith("000"):
        part = part[:-3]
    if part:
        whole += f".{part}"
    elif whole.endswith(":00") and whole.count(":") == 2:
        whole = whole[:-3]
    return f"{day}T{whole}" if day else whole


_SPELLED = {
    "double": _java_double,
    "timestamp": _java_moment,
    "time": _java_moment,
    "timestamp with time zone": _java_zoned,
}
