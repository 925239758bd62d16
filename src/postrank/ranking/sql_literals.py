"""Values as Athena SQL literals: the only way by which a value gets into a statement of `include/sql`."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,127}")


def text(value: str) -> str:
    """A varchar literal; quotes are doubled, which is all the escaping that the grammar has."""
    return "'" + str(value).replace("'", "''") + "'"


def texts(values: Iterable[str]) -> str:
    """The inside of an IN list; an empty one becomes a list that holds the empty text alone, which no key is."""
    return ", ".join(text(value) for value in values) or "''"


def name(value: str) -> str:
    """A table or column name of ours. Raises ValueError for anything that would need quoting."""
    if not _NAME.fullmatch(value):
        raise ValueError(f"not a name of a table or column of ours: {value!r}")
    return value


def timestamp(value: str) -> str:
    """A timestamp(3) literal from RFC 3339 text with an offset. Raises ValueError for any other text."""
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError(f"a time without an offset: {value!r}")
    utc = moment.astimezone(UTC).replace(tzinfo=None)
    return f"timestamp '{utc.isoformat(sep=' ', timespec='milliseconds')}'"


def boolean(value: bool) -> str:
    """`true` or `false`. Raises ValueError for what is not a bool."""
    if not isinstance(value, bool):
        raise ValueError(f"not a boolean: {value!r}")
    return "true" if value else "false"


def integer(value: int) -> str:
    """A bigint literal. Raises ValueError for what is not a whole number."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"not a whole number: {value!r}")
    return str(value)


FILTERS = {
    literal_filter.__name__: literal_filter for literal_filter in (text, texts, name, timestamp, boolean, integer)
}
