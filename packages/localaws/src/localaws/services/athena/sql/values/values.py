"""A lowered expression: its type, and the engine's text of it."""

from dataclasses import dataclass

from localaws.services.athena.sql.trino.types import ANY_ZONE, Type


@dataclass(frozen=True, slots=True)
class Value:
    """`sql` is the engine's expression.

    A timestamp with a zone of its own may come in its parts, so that what only needs the instant does not pay for the
    zone: then `instant` and `zone` are expressions, of which `sql` is built. `constant` is the value of a literal.
    """

    sql: str
    type: Type
    instant: str | None = None
    zone: str | None = None
    constant: str | int | None = None
    parameters: tuple[str, ...] = ()  # of a lambda, whose body is `sql`


def text(value: str) -> str:
    """A string literal."""
    escaped = value.replace("'", "''")
    return f"'{escaped}'"


def zoned(instant: str, zone: str, precision: int = 3) -> Value:
    """A timestamp whose zone is an expression."""
    packed = f'struct_pack("instant" := {instant}, "zone" := {zone})'
    sql = f"(case when ({instant}) is not null then {packed} end)"
    return Value(sql, Type("timestamp with time zone", (precision,), zone=ANY_ZONE), instant, zone)


def instant_of(value: Value) -> str:
    """The instant of a timestamp with zone, as a TIMESTAMP in UTC."""
    if value.type.zone != ANY_ZONE:
        return value.sql
    return value.instant or f"struct_extract({value.sql}, 'instant')"


def zone_of(value: Value) -> str:
    if value.type.zone != ANY_ZONE:
        return text(value.type.zone)
    return value.zone or f"struct_extract({value.sql}, 'zone')"


def local_of(value: Value) -> str:
    """The wall clock that a date, timestamp or timestamp with zone shows, as a TIMESTAMP (or DATE)."""
    if value.type.name != "timestamp with time zone":
        return value.sql
    if value.type.zone == "UTC":
        return value.sql
    return f"a_in_zone({instant_of(value)}, {zone_of(value)})"
