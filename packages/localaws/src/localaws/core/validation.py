"""A call's parameters held against AWS's own model of them, with refusals in AWS's words.

The model (botocore's) states for each member whether it must be there, its type, length, range, pattern and values.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any

import botocore.session
from botocore.model import Shape

from localaws.core.cloud import AwsError
from localaws.core.shapes import Params, Structure

_TYPES: dict[str, type | tuple[type, ...]] = {
    "structure": Mapping,
    "map": Mapping,
    "list": list,
    "string": str,
    "blob": (bytes, bytearray),
    "boolean": bool,
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
    "timestamp": datetime,
}
_RULES = {"min", "max", "enum", "pattern"}
_SHOWN = 200  # characters of a refused value that a message repeats


def check(service: str, action: str, params: Params, *, code: str = "ValidationException") -> None:
    """Raise AwsError for parameters that the model of `service` (botocore's name) does not allow.

    A value of a wrong type is a SerializationException, anything else an error of the given code.
    """
    shape = _input(service, action)
    if shape is None:
        return
    if not _fit(shape)(params) and (errors := list(_members(shape, params, ""))):
        noun = "error" if len(errors) == 1 else "errors"
        raise AwsError(code, f"{len(errors)} validation {noun} detected: " + "; ".join(errors))


Fit = Callable[[Any], bool]


@cache
def _fit(shape: Any) -> Fit:
    """Whether a value has nothing wrong with it: what all but few calls are asked, and PutRecords 500 times over."""
    expected_type = _TYPES[shape.type_name]
    checked = bool(shape.metadata.keys() & _RULES)

    def fit(value: Any) -> bool:
        return isinstance(value, expected_type) and not (checked and _violated(shape, value))

    if shape.type_name == "structure":
        return _structure_fit(shape)
    if shape.type_name == "list":
        member = _fit(shape.member)
        return lambda value: fit(value) and all(map(member, value))
    if shape.type_name == "map":
        key = _fit(shape.key)
        item = _fit(shape.value)
        return lambda value: fit(value) and all(key(name) and item(value[name]) for name in value)
    if shape.type_name in ("integer", "long", "float", "double"):
        return lambda value: fit(value) and not isinstance(value, bool)
    return fit


def _structure_fit(shape: Any) -> Fit:
    members: dict[str, Fit] = {}
    required = tuple(shape.required_members)

    def fit(value: Any) -> bool:
        if not members:  # made when first asked: shapes may contain themselves
            members.update({name: _fit(member) for name, member in shape.members.items()})
        return (
            isinstance(value, Mapping)
            and all(value.get(name) is not None for name in required)
            and all(item is None or name not in members or members[name](item) for name, item in value.items())
        )

    return fit


@cache
def _input(service: str, action: str) -> Any:
    model = botocore.session.get_session().get_service_model(service)
    return model.operation_model(action).input_shape


@cache
def _pattern(text: str) -> re.Pattern[str] | None:
    """A pattern, or None for one in a notation that Python does not read."""
    try:
        return re.compile(text, re.DOTALL)
    except re.error:
        return None


def _members(shape: Any, value: Structure, path: str) -> Iterator[str]:
    for name in shape.required_members:
        if value.get(name) is None:
            yield f"Value null at '{_joined(path, name)}' failed to satisfy constraint: Member must not be null"
    for name, member in shape.members.items():
        if value.get(name) is None:
            continue
        where = _joined(path, name)
        _check_type(member, value[name], where)
        yield from _errors(member, value[name], where)


def _errors(shape: Any, value: Any, path: str) -> Iterator[str]:
    """What is wrong with a value of the right type."""
    constraint = _violated(shape, value)
    if constraint:
        shown = "" if isinstance(value, (bytes, bytearray)) else f" '{str(value)[:_SHOWN]}'"
        yield f"Value{shown} at '{path}' failed to satisfy constraint: Member must {constraint}"
    if shape.type_name == "structure":
        yield from _members(shape, value, path)
    elif shape.type_name == "list":
        for number, item in enumerate(value, start=1):
            where = f"{path}.{number}.member"
            _check_type(shape.member, item, where)
            yield from _errors(shape.member, item, where)
    elif shape.type_name == "map":
        for key, item in value.items():
            _check_type(shape.key, key, path)
            _check_type(shape.value, item, f"{path}.{key}")
            yield from _errors(shape.key, key, f"{path}.key")
            yield from _errors(shape.value, item, f"{path}.{key}.member")


def _violated(shape: Shape, value: Any) -> str | None:
    rules = shape.metadata
    if shape.type_name in ("string", "list", "map", "blob"):
        size = len(value)
        noun = "length"
    elif shape.type_name in ("integer", "long", "float", "double"):
        size = value
        noun = "value"
    else:
        return None
    if "min" in rules and size < rules["min"]:
        return f"have {noun} greater than or equal to {rules['min']}"
    if "max" in rules and size > rules["max"]:
        return f"have {noun} less than or equal to {rules['max']}"
    if rules.get("enum") and value not in rules["enum"]:
        return f"satisfy enum value set: [{', '.join(rules['enum'])}]"
    pattern = _pattern(rules["pattern"]) if "pattern" in rules else None
    if pattern and not pattern.fullmatch(value):
        return f"satisfy regular expression pattern: {rules['pattern']}"
    return None


def _check_type(shape: Shape, value: Any, path: str) -> None:
    expected_type = _TYPES[shape.type_name]
    if not isinstance(value, expected_type) or (isinstance(value, bool) and shape.type_name != "boolean"):
        raise AwsError("SerializationException", f"The value at '{path}' is not of the type {shape.type_name}.")


def _joined(path: str, name: str) -> str:
    """Paths have members in lower camel case, as AWS's messages have."""
    name = name[0].lower() + name[1:]
    return f"{path}.{name}" if path else name
