"""Partition projection: partitions computed from the table's properties instead of read from the catalogue.

The properties are those of "Supported types for partition projection": enum, integer, date and injected.
"""

import itertools
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from localaws.services.athena.scan.catalogue import Partition, Table
from localaws.services.athena.scan.storage import place
from localaws.services.athena.sql.failures import QueryFailed
from localaws.services.athena.sql.python.date_patterns import joda_format

Keep = Callable[[list[str], list[tuple[str, ...]]], list[tuple[str, ...]]]
Injected = Callable[[str], list[str]]
_MOST = 1_000_000  # partitions of one scan
_NOW = re.compile(r"NOW(?:\s*([+-])\s*(\d+)\s*([A-Z]+?)S?)?$")
_UNITS = {"YEAR": 365, "MONTH": 30, "WEEK": 7, "DAY": 1}


def is_on(table: Table) -> bool:
    return table.parameters.get("projection.enabled", "").lower() == "true"


def partitions(table: Table, keep: Keep, injected: Injected) -> list[Partition]:
    """Partitions that may hold wanted rows. `keep` takes key names and values, and leaves those that conditions leave;
    `injected` gives the values that the query names for a key.

    Raises QueryFailed for properties that make no sense or ask for too much.
    """
    columns = []
    for key in table.keys:
        values = keep([key], [(value,) for value in _values(table, key, injected)])
        columns.append([value for (value,) in values])
    count = 1
    for column in columns:
        count *= len(column)
    if count > _MOST:
        raise QueryFailed(
            "HIVE_EXCEEDED_PARTITION_LIMIT", f"Query over table {table.name} can potentially read {count} partitions"
        )
    combinations = keep(list(table.keys), list(itertools.product(*columns)))
    return [Partition(values, {**table.storage, "Location": _location(table, values)}) for values in combinations]


def _values(table: Table, key: str, injected: Injected) -> Iterator[str]:
    kind = _property(table, key, "type").lower()
    if kind == "enum":
        return iter(_property(table, key, "values").split(","))
    if kind == "integer":
        return _integers(table, key)
    if kind == "date":
        return _dates(table, key)
    if kind == "injected":
        return iter(_named(key, injected))
    raise QueryFailed("INVALID_TABLE_PROPERTY", f"Unknown projection type {kind} of the partition column {key}")


def _named(key: str, injected: Injected) -> list[str]:
    values = injected(key)
    if not values:
        raise QueryFailed(
            "CONSTRAINT_VIOLATION",
            f"For the injected projected partition column {key}, the WHERE clause must contain only static equality"
            " conditions, and at least one such condition must be present.",
        )
    return values


def _integers(table: Table, key: str) -> Iterator[str]:
    start, end = (int(part) for part in _property(table, key, "range").split(","))
    step = int(table.parameters.get(f"projection.{key}.interval") or 1)
    digits = int(table.parameters.get(f"projection.{key}.digits") or 0)
    return (f"{number:0{digits}d}" for number in range(start, end + 1, step))


def _dates(table: Table, key: str) -> Iterator[str]:
    form = joda_format(_property(table, key, "format"))
    start, end = (_moment(part.strip(), form) for part in _property(table, key, "range").split(","))
    number = int(table.parameters.get(f"projection.{key}.interval") or 1)
    fine = next(
        (name for sign, name in (("%S", "SECONDS"), ("%M", "MINUTES"), ("%H", "HOURS")) if sign in form), "DAYS"
    )
    unit = (table.parameters.get(f"projection.{key}.interval.unit") or fine).upper()
    last = None
    while start <= end:
        text = start.strftime(form)
        if text != last:
            yield text
        last = text
        start = _later(start, number, unit)


def _later(moment: datetime, number: int, unit: str) -> datetime:
    if unit.startswith(("MONTH", "YEAR")):
        months = moment.month - 1 + number * (12 if unit.startswith("YEAR") else 1)
        return moment.replace(year=moment.year + months // 12, month=months % 12 + 1, day=1)
    if unit.startswith("WEEK"):
        return moment + timedelta(weeks=number)
    return moment + timedelta(**{unit.lower().rstrip("s") + "s": number})


def _moment(text: str, form: str) -> datetime:
    match = _NOW.match(text.upper())
    if match is None:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007 - a date pattern without a zone, meant in UTC
        except ValueError as error:
            raise QueryFailed(
                "INVALID_TABLE_PROPERTY", f"The projection range {text} does not fit its format"
            ) from error
    now = datetime.now(UTC).replace(tzinfo=None)
    if not match.group(1):
        return now
    number = int(match.group(1) + match.group(2))
    unit = match.group(3)
    if unit in _UNITS:
        return now + timedelta(days=number * _UNITS[unit])
    return now + timedelta(**{unit.lower() + "s": number})


def _location(table: Table, values: tuple[str, ...]) -> str:
    template = table.parameters.get("storage.location.template")
    if not template:
        below = "/".join(f"{key}={value}" for key, value in zip(table.keys, values, strict=True))
        return place(table.location).below(below + "/").uri
    for key, value in zip(table.keys, values, strict=True):
        template = template.replace(f"${{{key}}}", value)
    return template


def _property(table: Table, key: str, name: str) -> str:
    value = table.parameters.get(f"projection.{key}.{name}")
    if not value:
        raise QueryFailed("INVALID_TABLE_PROPERTY", f"Table {table.name} lacks the property projection.{key}.{name}")
    return value
