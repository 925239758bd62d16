"""Which types Trino turns into which by itself ("TypeCoercion"), and the type in which two meet."""

from localaws.services.athena.sql.trino.types import ANY_ZONE, DOUBLE, INTEGERS, NUMBERS, UNBOUNDED, Type

_DIGITS = {"tinyint": 3, "smallint": 5, "integer": 10, "bigint": 19}
_MOST_DIGITS = 38


def as_decimal(kind: Type) -> Type:
    """The decimal type that holds every value of an integer type."""
    return kind if kind.name == "decimal" else Type("decimal", (_DIGITS[kind.name], 0))


def is_same(left: Type, right: Type) -> bool:
    """Whether the types are one to Trino, which knows nothing of constant zones."""
    return unzoned(left) == unzoned(right)


def unzoned(kind: Type) -> Type:
    return Type(kind.name, kind.sizes, tuple(unzoned(child) for child in kind.children), kind.fields, ANY_ZONE)


def common(left: Type, right: Type) -> Type | None:
    """The type in which values of both are compared and collected; None where there is none."""
    if left == right:
        return left
    if left.name == "unknown":
        return right
    if right.name == "unknown":
        return left
    if left.name in NUMBERS and right.name in NUMBERS:
        return _number(left, right)
    if left.name == right.name and left.name in ("array", "map", "row"):
        return _nested(left, right)
    for first, second in ((left, right), (right, left)):
        meeting = _meeting(first, second)
        if meeting is not None:
            return meeting
    return None


def _number(left: Type, right: Type) -> Type:
    names = {left.name, right.name}
    if "double" in names:
        return DOUBLE
    if "real" in names:
        return Type("real")
    if "decimal" in names:
        first = as_decimal(left).sizes
        second = as_decimal(right).sizes
        scale = max(first[1], second[1])
        whole = max(first[0] - first[1], second[0] - second[1])
        return Type("decimal", (min(_MOST_DIGITS, whole + scale), scale))
    return left if INTEGERS.index(left.name) > INTEGERS.index(right.name) else right


def _nested(left: Type, right: Type) -> Type | None:
    if len(left.children) != len(right.children):
        return None
    children = [common(first, second) for first, second in zip(left.children, right.children, strict=True)]
    if any(child is None for child in children):
        return None
    fields = tuple(first if first == second else None for first, second in zip(left.fields, right.fields, strict=True))
    return Type(left.name, (), tuple(child for child in children if child is not None), fields)


def _meeting(first: Type, second: Type) -> Type | None:
    pair = (first.name, second.name)
    match pair:
        case ("varchar", "varchar"):
            return Type("varchar", (max(first.sizes[0], second.sizes[0]),))
        case ("char", "char"):
            return Type("char", (max(first.sizes[0], second.sizes[0]),))
        case ("char", "varchar"):
            return None if second.sizes[0] == UNBOUNDED else Type("char", (max(first.sizes[0], second.sizes[0]),))
        case ("date", "timestamp") | ("date", "timestamp with time zone"):
            return second
        case ("timestamp", "timestamp with time zone"):
            return Type(
                second.name, (max(first.sizes[0], second.sizes[0]),), zone="UTC" if second.zone == "UTC" else ANY_ZONE
            )
        case ("timestamp", "timestamp") | ("time", "time"):
            return Type(first.name, (max(first.sizes[0], second.sizes[0]),))
        case ("timestamp with time zone", "timestamp with time zone"):
            zone = first.zone if first.zone == second.zone else ANY_ZONE
            return Type(first.name, (max(first.sizes[0], second.sizes[0]),), zone=zone)
        case ("varchar", "jsonpath"):
            return second
    return None


def can_coerce(source: Type, target: Type) -> bool:
    """Whether Trino turns the source into the target without a cast."""
    if is_same(source, target):
        return True
    meeting = common(source, target)
    return meeting is not None and is_same(meeting, target)
