"""Date and time functions with Athena's meaning: complete units, MySQL's and Joda's letters, UTC."""

from collections.abc import Callable, Mapping

from sqlglot import exp

from localaws.services.athena.sql.failures import QueryFailed, not_supported

_UNITS = ("millisecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year")
_INTERVALS = {
    "millisecond": "to_milliseconds",
    "second": "to_seconds",
    "minute": "to_minutes",
    "hour": "to_hours",
    "day": "to_days",
    "week": "to_weeks",
    "month": "to_months",
    "quarter": "to_quarters",
    "year": "to_years",
}

# MySQL's letters (date_format, date_parse) that strftime spells otherwise or not at all.
_MYSQL = {
    "a": "%a", "b": "%b", "c": "%-m", "d": "%d", "e": "%-d", "f": "%f", "H": "%H", "h": "%I", "I": "%I", "i": "%M",
    "j": "%j", "k": "%-H", "l": "%-I", "M": "%B", "m": "%m", "p": "%p", "r": "%I:%M:%S %p", "S": "%S", "s": "%S",
    "T": "%H:%M:%S", "v": "%V", "W": "%A", "Y": "%Y", "y": "%y", "%": "%%", "x": "%G",
}  # fmt: skip
# Joda's pattern letters (format_datetime, parse_datetime).
_JODA = {
    "yyyy": "%Y", "yy": "%y", "MM": "%m", "M": "%-m", "MMM": "%b", "MMMM": "%B", "dd": "%d", "d": "%-d", "HH": "%H",
    "H": "%-H", "hh": "%I", "h": "%-I", "mm": "%M", "m": "%-M", "ss": "%S", "s": "%-S", "SSS": "%g", "a": "%p",
    "EEE": "%a", "EEEE": "%A", "DDD": "%j",
}  # fmt: skip
_FIELDS = {
    "year": "year", "month": "month", "day": "day", "day_of_month": "day", "hour": "hour", "minute": "minute",
    "second": "second", "millisecond": "millisecond", "quarter": "quarter", "week": "week", "week_of_year": "week",
    "day_of_week": "isodow", "dow": "isodow", "day_of_year": "dayofyear", "doy": "dayofyear",
    "year_of_week": "isoyear", "yow": "isoyear",
}  # fmt: skip


def _call(name: str, *args: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=list(args))


def _local(arg: exp.Expr) -> exp.Expr:
    return _call("a_local", arg)


def _constant(arg: exp.Expr, what: str) -> str:
    if not isinstance(arg, exp.Literal) or not arg.is_string:
        raise not_supported(f"{what} that is no literal")
    return str(arg.name)


def unit(arg: exp.Expr) -> str:
    """The unit that a literal names. Raises QueryFailed as Trino does."""
    name = _constant(arg, "A time unit").lower()
    if name not in _UNITS:
        raise QueryFailed("INVALID_FUNCTION_ARGUMENT", f"'{name}' is not a valid TIMESTAMP field")
    return name


def field(name: str, value: exp.Expr) -> exp.Expr:
    """extract(name from value), as bigint."""
    part = _FIELDS.get(name.lower())
    if part is None:
        raise not_supported(f"extract({name})")
    if part == "millisecond":
        return exp.Mod(this=_call("millisecond", _local(value)), expression=exp.Literal.number(1000))
    return _call(part, _local(value))


def mysql_format(letters: str) -> str:
    """A strftime pattern for one of date_format's. Raises QueryFailed for letters that are not supported."""
    out = ""
    at = 0
    while at < len(letters):
        if letters[at] != "%":
            out = out + letters[at]
            at = at + 1
            continue
        letter = letters[at + 1 : at + 2]
        if letter not in _MYSQL:
            raise QueryFailed("INVALID_FUNCTION_ARGUMENT", f"%{letter} not supported in date format string")
        out = out + _MYSQL[letter]
        at = at + 2
    return out


def joda_format(pattern: str) -> str:
    """A strftime pattern for a Joda pattern."""
    out = ""
    at = 0
    while at < len(pattern):
        sign = pattern[at]
        if sign == "'":
            end = pattern.find("'", at + 1)
            out = out + (pattern[at + 1 : end] or "'").replace("%", "%%")
            at = end + 1
        elif sign.isalpha():
            run = len(pattern) - at - len(pattern[at:].lstrip(sign))
            letters = sign * run
            if letters not in _JODA:
                raise not_supported(f"The date pattern {letters}")
            out = out + _JODA[letters]
            at = at + run
        else:
            out = out + sign.replace("%", "%%")
            at = at + 1
    return out


def _date_trunc(args: list[exp.Expr]) -> exp.Expr:
    field = exp.Literal.string(unit(args[0])) if isinstance(args[0], exp.Literal) else _call("a_unit", args[0])
    return _call("a_trunc", field, args[1])


def _date_add(args: list[exp.Expr]) -> exp.Expr:
    interval = _call(_INTERVALS[unit(args[0])], args[1])
    return _call("a_add", interval, args[2])


def _date_diff(args: list[exp.Expr]) -> exp.Expr:
    return _call("date_sub", exp.Literal.string(unit(args[0])), _local(args[1]), _local(args[2]))


def _formatted(reader: Callable[[str], str]) -> Callable[[list[exp.Expr]], exp.Expr]:
    def build(args: list[exp.Expr]) -> exp.Expr:
        return _call("strftime", _local(args[0]), exp.Literal.string(reader(_constant(args[1], "A date format"))))

    return build


def _date_parse(args: list[exp.Expr]) -> exp.Expr:
    return _call("strptime", args[0], exp.Literal.string(mysql_format(_constant(args[1], "A date format"))))


def _parse_datetime(args: list[exp.Expr]) -> exp.Expr:
    parsed = _call("strptime", args[0], exp.Literal.string(joda_format(_constant(args[1], "A date format"))))
    return _call("a_instant", parsed)


def _last_day(args: list[exp.Expr]) -> exp.Expr:
    return _call("last_day", _local(args[0]))


def _field_builder(name: str) -> Callable[[list[exp.Expr]], exp.Expr]:
    return lambda args: field(name, args[0])


BUILT: Mapping[str, Callable[[list[exp.Expr]], exp.Expr]] = {
    "date_trunc": _date_trunc,
    "date_add": _date_add,
    "date_diff": _date_diff,
    "date_format": _formatted(mysql_format),
    "format_datetime": _formatted(joda_format),
    "date_parse": _date_parse,
    "parse_datetime": _parse_datetime,
    "last_day_of_month": _last_day,
    "now": lambda _: _call("a_now"),
    **{name: _field_builder(name) for name in _FIELDS},
}
