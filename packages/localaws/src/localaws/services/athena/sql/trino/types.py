"""Trino's types ("Data types"), their spelling, and the DuckDB types that hold their values.

Intervals are whole milliseconds or months. A timestamp with a zone is its instant in UTC; where zones differ between
values, it is a STRUCT of instant and zone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from localaws.services.athena.sql.failures import not_supported

UNBOUNDED = 2147483647  # length of varchar without one
ANY_ZONE = ""
_MICROSECONDS = 6


@dataclass(frozen=True, slots=True)
class Type:
    """`sizes`: length of char and varchar, precision and scale of decimal, precision of time and timestamp."""

    name: str
    sizes: tuple[int, ...] = ()
    children: tuple["Type", ...] = ()
    fields: tuple[str | None, ...] = ()
    zone: str = "UTC"  # of a timestamp with time zone: a constant one, or ANY_ZONE

    def __str__(self) -> str:
        match self.name:
            case "varchar":
                return "varchar" if self.sizes[0] == UNBOUNDED else f"varchar({self.sizes[0]})"
            case "char" | "decimal":
                return f"{self.name}({','.join(map(str, self.sizes))})"
            case "timestamp with time zone" | "time with time zone":
                first, _, rest = self.name.partition(" ")
                return f"{first}({self.sizes[0]}) {rest}"
            case "timestamp" | "time":
                return f"{self.name}({self.sizes[0]})"
            case "array" | "map":
                return f"{self.name}({', '.join(map(str, self.children))})"
            case "row":
                pairs = zip(self.fields, self.children, strict=True)
                return f"row({', '.join(f'{name} {kind}' if name else str(kind) for name, kind in pairs)})"
        return self.name

    @property
    def duckdb(self) -> str:
        """The engine's type."""
        if self.name == "array":
            return f"{self.children[0].duckdb}[]"
        if self.name == "map":
            return f"MAP({self.children[0].duckdb}, {self.children[1].duckdb})"
        if self.name == "row":
            pairs = zip(field_names(self), self.children, strict=True)
            return "STRUCT(" + ", ".join(f"{identifier(name)} {kind.duckdb}" for name, kind in pairs) + ")"
        if self.name == "decimal":
            return f"DECIMAL({self.sizes[0]}, {self.sizes[1]})"
        if self.name == "timestamp with time zone":
            return 'STRUCT("instant" TIMESTAMP, "zone" VARCHAR)' if self.zone == ANY_ZONE else "TIMESTAMP"
        return _ENGINE[self.name]

    def is_any(self, *names: str) -> bool:
        return self.name in names


_ENGINE = {
    "unknown": "INTEGER", "boolean": "BOOLEAN", "tinyint": "TINYINT", "smallint": "SMALLINT", "integer": "INTEGER",
    "bigint": "BIGINT", "real": "FLOAT", "double": "DOUBLE", "varchar": "VARCHAR", "char": "VARCHAR",
    "varbinary": "BLOB", "json": "VARCHAR", "date": "DATE", "timestamp": "TIMESTAMP", "time": "TIME",
    "interval day to second": "BIGINT", "interval year to month": "INTEGER", "jsonpath": "VARCHAR",
    "color": "VARCHAR", "uuid": "VARCHAR",
}  # fmt: skip
_SCALARS = (
    "unknown", "boolean", "tinyint", "smallint", "integer", "bigint", "real", "double", "varbinary", "json", "date",
    "uuid",
)  # fmt: skip
INTEGERS = ("tinyint", "smallint", "integer", "bigint")
NUMBERS = (*INTEGERS, "decimal", "real", "double")
MOMENTS = ("date", "timestamp", "timestamp with time zone")


def scalar(name: str) -> Type:
    return Type(name)


BOOLEAN = scalar("boolean")
INTEGER = scalar("integer")
BIGINT = scalar("bigint")
DOUBLE = scalar("double")
REAL = scalar("real")
JSON = scalar("json")
DATE = scalar("date")
UNKNOWN = scalar("unknown")
VARBINARY = scalar("varbinary")
VARCHAR = Type("varchar", (UNBOUNDED,))
DAYS = scalar("interval day to second")
MONTHS = scalar("interval year to month")


def is_known(name: str) -> bool:
    return name in _SCALARS or name in ("int",)


def varchar(length: int) -> Type:
    return Type("varchar", (length,))


def char(length: int) -> Type:
    return Type("char", (length,))


def decimal(precision: int, scale: int = 0) -> Type:
    return Type("decimal", (precision, scale))


def timestamp(precision: int = 3, *, zoned: bool = False, zone: str = ANY_ZONE) -> Type:
    """Raises QueryFailed for more digits than the engine's microseconds hold."""
    if precision > _MICROSECONDS:
        raise not_supported("A timestamp finer than microseconds")
    return Type("timestamp with time zone" if zoned else "timestamp", (precision,), zone=zone if zoned else "UTC")


def time(precision: int = 3, *, zoned: bool = False) -> Type:
    if zoned or precision > _MICROSECONDS:
        raise not_supported("A time with a zone or finer than microseconds")
    return Type("time", (precision,))


def array(element: Type) -> Type:
    return Type("array", (), (element,))


def map_of(key: Type, value: Type) -> Type:
    return Type("map", (), (key, value))


def row(children: Sequence[Type], fields: Sequence[str | None] | None = None) -> Type:
    return Type("row", (), tuple(children), tuple(fields) if fields else (None,) * len(children))


def field_names(kind: Type) -> list[str]:
    """The engine's names of a row's fields."""
    return [name or f"field{number}" for number, name in enumerate(kind.fields)]


def identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def is_any_zone(kind: Type) -> bool:
    """Whether each value of the type is an instant with a zone of its own."""
    return kind.name == "timestamp with time zone" and kind.zone == ANY_ZONE


def has_any_zone(kind: Type) -> bool:
    """Whether values of the type carry a zone of their own, somewhere."""
    if kind.name == "timestamp with time zone":
        return kind.zone == ANY_ZONE
    return any(has_any_zone(child) for child in kind.children)
