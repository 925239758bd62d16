"""Reading single values: what a post needs, and the details that are left out where they cannot be read.

Only author, id and time are required. A detail of the wrong type is left out and counted as a repair.
"""

import re
from collections.abc import Callable, Iterable, Sequence, Set
from typing import Any

from postrank.documents import JsonObject
from postrank.posts.events import Malformed
from postrank.posts.field_counts import count_field

_SURROGATE = re.compile("[\ud800-\udfff]")
_SHOWN = 40


class Repairs:
    """How many details were left out or replaced so far, and how many fields no parser knows."""

    __slots__ = ("_fields", "count", "unknown")

    def __init__(self) -> None:
        self.count = 0
        self.unknown = 0
        self._fields: dict[str, int] = {}

    def note_fields(self, message: JsonObject, documented: Set[str], form: str) -> None:
        """Count the fields of an object that its network did not have when the parser of this form was written."""
        if not message.keys() <= documented:
            unknown = message.keys() - documented
            self.unknown += len(unknown)
            for name in sorted(unknown):
                count_field(self._fields, form, name)

    def take_fields(self) -> dict[str, int]:
        """The unknown fields by `<form>.<name>` since the last call."""
        fields = self._fields
        self._fields = {}
        return fields

    def text(self, value: Any) -> str | None:
        """A detail that is text, empty or not."""
        if value is None or type(value) is str:
            return value
        self.count += 1
        return None

    def label(self, value: Any) -> str | None:
        """A detail that says nothing when it is empty: a language, an id, a tag. Numbers become text."""
        if value is None or (type(value) is str and value):
            return value
        if type(value) is int:
            return str(value)
        self.count += 1
        return None

    def flag(self, value: object) -> bool | None:
        """A detail that is true or false."""
        if value is None or type(value) is bool:
            return value
        self.count += 1
        return None

    def labels(self, values: Any, read: Callable[[Any], Any] = lambda value: value) -> list[str] | None:
        """A list of details; `read` takes each out of its element. None where nothing is left."""
        if not values:
            if values not in (None, [], ()):
                self.count += 1
            return None
        if type(values) is not list:
            self.count += 1
            return None
        result = []
        for value in values:
            try:
                label = read(value)
            except (KeyError, TypeError, AttributeError, IndexError):
                label = None
            if type(label) is str and label:
                result.append(label)
            else:
                self.count += 1
        return result or None

    def table(self, value: Any) -> JsonObject:
        """A detail that is an object; an empty one where it is none."""
        if type(value) is dict:
            return value
        if value is not None:
            self.count += 1
        return {}

    def tables(self, value: Any) -> Sequence[JsonObject]:
        """A detail that is a list of objects, without what is none."""
        if value is None:
            return []
        if type(value) is not list:
            self.count += 1
            return []
        result = [element for element in value if type(element) is dict]
        self.count += len(value) - len(result)
        return result


def required(value: Any, field: str) -> str:
    """An id: text, or a number as text. Raises Malformed, which names the field and its value."""
    if type(value) is str and value:
        if "\ufffd" in value:
            raise Malformed(f"{field} is {shown(value)}, of which a part could not be read")
        return value
    if type(value) is int:
        return str(value)
    if value is None or value == "":
        raise Malformed(f"{field} is missing")
    raise Malformed(f"{field} is {shown(value)}, not text")


def number_of_x(value: Any, field: str) -> str:
    """An id of X, which is a number in text. Raises Malformed."""
    text = required(value, field)
    if text.isascii() and text.isdecimal():
        return text
    raise Malformed(f"{field} is {shown(text)}, and ids of X are numbers")


def table_of(value: Any, field: str) -> JsonObject:
    """An object without which there is no post. Raises Malformed."""
    if type(value) is dict:
        return value
    raise Malformed(f"{field} is missing" if value is None else f"{field} is {shown(value)}, not an object")


def shown(value: Any) -> str:
    """A value in a reason, short."""
    if isinstance(value, dict):
        return f"an object with {keys_of(value)}" if value else "an empty object"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def keys_of(message: JsonObject, most: int = 6) -> str:
    """The first keys of an object, for a reason."""
    names = [str(key)[:_SHOWN] for key in list(message)[:most]]
    return ", ".join(names) + (", ..." if len(message) > most else "")


def cleaned(value: Any, repairs: Repairs) -> Any:
    """A decoded document without lone surrogates, which no text may hold: U+FFFD takes their place."""
    if type(value) is str:
        if _SURROGATE.search(value):
            repairs.count += 1
            return _SURROGATE.sub("\ufffd", value)
        return value
    if type(value) is list:
        return [cleaned(element, repairs) for element in value]
    if type(value) is dict:
        return {cleaned(key, repairs): cleaned(element, repairs) for key, element in value.items()}
    return value


def first_text(*values: Any) -> str | None:
    """The first value that is text and not empty."""
    return next((value for value in values if type(value) is str and value), None)


def without_repeats(*lists: Iterable[str] | None) -> list[str] | None:
    """All elements of some lists, each once, in their order."""
    return list(dict.fromkeys(element for elements in lists for element in elements or ())) or None
